from __future__ import annotations

import pytest

from tumorlens.errors import InputError, IntegrityError
from tumorlens.scans import PixelSteps, Reading, Window, reading_of
from tumorlens.workflows.reading_options import mask_options, reading_options

CUT = PixelSteps("brain")
DEFAULTS = {"window": "percentiles", "plane": "axial", "series": "", "crop": "none", "harmonise": False}
MASKS = {"pattern": None, "labels": None, "min_lesion_mm2": 30.0, "layout": None, "sequence": "flair"}


@pytest.mark.parametrize(
    ("words", "reading"),
    [
        ({}, Reading()),
        ({"window": "dicom:2", "plane": "coronal"}, Reading(Window("dicom", index=2), "coronal")),
        ({"window": "-100,300", "crop": "brain"}, Reading(Window("fixed", low=-100, high=300), pixel_steps=CUT)),
        ({"harmonise": True}, Reading(pixel_steps=PixelSteps("brain", harmonise=True))),
    ],
)
def test_words_become_a_reading_and_its_steps_give_it_back(words: dict[str, str | bool], reading: Reading) -> None:
    read = reading_options(**{**DEFAULTS, **words})
    assert read == reading
    assert reading_of(read.steps(volumes=True)) == reading


def test_pictures_have_only_the_crop_as_a_step() -> None:
    assert Reading(pixel_steps=CUT).steps(volumes=False) == ("crop=brain",)
    assert Reading().steps(volumes=False) == ()


@pytest.mark.parametrize(
    "words",
    [{"window": "1200,0"}, {"window": "soft"}, {"window": "nan,1"}, {"plane": "oblique"}, {"crop": "skull"}],
)
def test_other_words_are_refused_with_the_choices(words: dict[str, str]) -> None:
    with pytest.raises(InputError, match=f"Expected --{next(iter(words))}"):
        reading_options(**{**DEFAULTS, **words})


def test_an_unknown_step_asks_for_an_upgrade() -> None:
    with pytest.raises(IntegrityError, match="upgrade"):
        reading_of(("denoise=3",))


@pytest.mark.parametrize("step", ["window=1200,0", "window=soft", "series=plane=oblique", "series=", "series=Anna"])
def test_steps_that_cannot_be_read_ask_for_an_upgrade(step: str) -> None:
    with pytest.raises(IntegrityError, match="upgrade"):
        reading_of((step,))


@pytest.mark.parametrize(
    ("series", "coded"),
    [
        ("modality=mr,sequence=flair", "modality=MR,sequence=FLAIR"),
        ("Flair", "description=flair"),
        ("modality=MR,description=Anna Smith", "modality=MR"),
        ("t1_smith", ""),
    ],
)
def test_only_codes_of_the_series_are_written_down(series: str, coded: str) -> None:
    steps = Reading(series=series).steps(volumes=True)
    assert steps == ("plane=axial", "window=percentiles", *((f"series={coded}",) if coded else ()))
    assert reading_of(steps).series == coded
    assert Reading(series=series).steps(volumes=False) == ()


def test_mask_labels_are_numbers_above_zero() -> None:
    assert mask_options(**{**MASKS, "labels": "1, 4"}).labels == (1, 4)
    for wrong in ("tumour", "0", "-1"):
        with pytest.raises(InputError, match="--mask-labels"):
            mask_options(**{**MASKS, "labels": wrong})
    with pytest.raises(InputError, match="--layout"):
        mask_options(**{**MASKS, "layout": "isles"})
    with pytest.raises(InputError, match="--min-lesion-mm2"):
        mask_options(**{**MASKS, "min_lesion_mm2": 0.0})
