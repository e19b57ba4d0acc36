from __future__ import annotations

import math
from typing import Any

import pytest

from tumorlens.datasets.synthesis import SynthesisSettings
from tumorlens.errors import InputError


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("patients", 1, "whole number from 2"),
        ("patients", 4.0, "whole number from 2"),
        ("patients", True, "whole number from 2"),
        ("slices_each", 0, "whole number from 1"),
        ("seed", -1, "whole number from 0"),
        ("size", 31, "from 32 to 1024"),
        ("size", 4096, "from 32 to 1024"),
        ("spacing_mm", 0.0, "from 1 to 20"),
        ("spacing_mm", math.nan, "from 1 to 20"),
        ("spacing_mm", "5", "from 1 to 20"),
        ("tumor_share", -0.1, "from 0 to 1"),
        ("tumor_share", 1.1, "from 0 to 1"),
        ("tumor_share", math.inf, "from 0 to 1"),
        ("deformation_mm", (3.0, 2.0), "lowest and highest"),
        ("deformation_mm", (0.0, 13.0), "lowest and highest"),
        ("deformation_mm", (2.0,), "lowest and highest"),
        ("deformation_mm", 3.0, "lowest and highest"),
        ("scaling", "none", "'window' or 'slice-maximum'"),
    ],
)
def test_bad_value_is_named_in_one_sentence(name: str, value: Any, said: str) -> None:
    with pytest.raises(InputError) as caught:
        SynthesisSettings(**{name: value})
    message = str(caught.value)
    assert name in message
    assert said in message
    assert repr(value) in message
    assert message.count(". ") == 0


@pytest.mark.parametrize(("spacing_mm", "most"), [(5.0, 15), (10.0, 7), (20.0, 3)])
def test_slices_must_fit_into_the_brain(spacing_mm: float, most: int) -> None:
    SynthesisSettings(slices_each=most, spacing_mm=spacing_mm)
    with pytest.raises(InputError, match=f"at most {most} slices, got slices_each={most + 1}"):
        SynthesisSettings(slices_each=most + 1, spacing_mm=spacing_mm)


@pytest.mark.parametrize(("size", "pixel_mm"), [(240, 1.0), (120, 2.0), (480, 0.5)])
def test_field_of_view_is_fixed(size: int, pixel_mm: float) -> None:
    assert SynthesisSettings(size=size).pixel_mm == pixel_mm


@pytest.mark.parametrize(("share", "count"), [(0.0, 0), (0.26, 3), (0.5, 5), (1.0, 10)])
def test_tumor_share_gives_a_number_of_patients(share: float, count: int) -> None:
    assert SynthesisSettings(patients=10, tumor_share=share).tumor_patients == count
