"""Draws the pictures of ``docs/data.md`` from synthetic scans.

    python docs/make_pictures.py [DATASET --workspace DIR]

The first three need nothing but a minute. With the name of a synthetic data set of the workspace it is audited too,
and its leakage curve and null distributions are drawn. Nothing here is a real scan.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image, ImageEnhance, ImageOps

from tumorlens.datasets.measures import thumbnail
from tumorlens.datasets.similarity import find_twins_between
from tumorlens.datasets.synthesis import SynthesisSettings, SyntheticSlice, virtual_patient
from tumorlens.errors import InputError
from tumorlens.reports import SYNTHETIC
from tumorlens.reports.style import BLUE, GREY, ORANGE, plot_style, save_png
from tumorlens.workspace import Workspace

_IMAGES = Path(__file__).parent / "images"
_SETTINGS = SynthesisSettings(patients=6, slices_each=8, spacing_mm=3.0, seed=5)
_WIDTH_IN = 8.0

_RUN = 4

_Picture = npt.NDArray[np.uint8]
_Slices = Sequence[SyntheticSlice]


def main() -> None:
    """Draw what can be drawn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", nargs="?", help="synthetic data set to audit for the curve")
    parser.add_argument("--workspace", help="where it is [default: $TUMORLENS_HOME or ./tumorlens-workspace]")
    words = parser.parse_args()
    patients = [virtual_patient(_SETTINGS, index).slices for index in range(_SETTINGS.patients)]
    _save(_neighbours(patients), "data-neighbours")
    _save(_splits(patients), "data-split")
    _save(_twins(patients), "data-twins")
    if words.dataset is not None:
        _draw_prices(words.dataset, Workspace.locate(words.workspace))


def _save(figure: Figure, name: str) -> None:
    print(save_png(figure, _IMAGES / f"{name}.png", marks=[SYNTHETIC]))


def _draw_prices(name: str, workspace: Workspace) -> None:
    from tumorlens.reports.audit_price_plots import curve_figure, permuted_figure
    from tumorlens.workflows.audit import audit_dataset

    audit = audit_dataset(name, workspace=workspace).audit
    if not audit.synthetic or audit.leakage is None:
        raise InputError("Expected a synthetic data set with enough patients: its pictures are published.")
    _save(curve_figure(audit.leakage, groups_are=audit.groups_are), "data-curve")
    _save(permuted_figure(audit.leakage), "data-permuted")


def _grid(rows: int, columns: int, *, height_in: float) -> tuple[Figure, Any]:
    figure = Figure(figsize=(_WIDTH_IN, height_in), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False)


def _show(axes: Axes, picture: _Picture, *, words: str = "", frame: str | None = None) -> None:
    axes.imshow(picture, cmap="gray", vmin=0, vmax=255)
    axes.set(xticks=[], yticks=[])
    axes.set_title(words, loc="center", fontsize=8.5, fontweight="normal")
    for spine in axes.spines.values():
        spine.set(visible=frame is not None, edgecolor=frame or GREY, linewidth=3.5)


def _neighbours(patients: Sequence[_Slices]) -> Figure:
    """A run of neighbouring slices, and below it those of another patient at about the same heights."""
    run, below = _run(patients[2]), patients[5][-_RUN:]
    first = run[0]
    with plot_style():
        figure, grid = _grid(2, len(run), height_in=4.0)
        for axes, made in zip(grid[0], run, strict=True):
            words = f"{made.height_mm - first.height_mm:.0f} mm on: likeness {_likeness(first.pixels, made.pixels):.2f}"
            _show(axes, made.pixels, words="a slice" if made is first else words)
        for axes, made in zip(grid[1], below, strict=True):
            _show(axes, made.pixels, words=f"likeness {_likeness(first.pixels, made.pixels):.2f}")
        for line, who in zip(grid, ("one patient", "another patient"), strict=True):
            line[0].set_ylabel(who, fontweight="bold")
    return figure


def _run(patient: _Slices) -> _Slices:
    """The highest four slices of a patient that follow each other without a gap."""
    for start in range(len(patient) - _RUN, -1, -1):
        run = patient[start : start + _RUN]
        if np.isclose(run[-1].height_mm - run[0].height_mm, (_RUN - 1) * _SETTINGS.spacing_mm):
            return run
    raise InputError("Expected four slices in a row of the patient: choose other settings.")


def _splits(patients: Sequence[_Slices]) -> Figure:
    """The same slices dealt out one by one, and patient by patient."""
    shown = 4
    generator = np.random.default_rng(2)
    by_scan = generator.permutation(np.repeat([True, False], [2 * shown, (len(patients) - 2) * shown]))
    by_patient = np.repeat([True, False], [2 * shown, (len(patients) - 2) * shown])
    with plot_style():
        figure = Figure(figsize=(_WIDTH_IN, 5.9), layout="constrained")
        sides: Any = figure.subfigures(1, 2, wspace=0.06)
        ways = (("scan by scan: leaks", by_scan), ("patient by patient: does not leak", by_patient))
        for side, (title, in_test) in zip(sides, ways, strict=True):
            side.suptitle(title, fontweight="bold", fontsize=10.5)
            grid: Any = side.subplots(len(patients), shown)
            for place, axes in enumerate(grid.flat):
                row, column = divmod(place, shown)
                _show(axes, patients[row][column + 2].pixels, frame=ORANGE if in_test[place] else BLUE)
                if column == 0:
                    axes.set_ylabel("ABCDEF"[row], rotation=0, labelpad=10, va="center", fontweight="bold")
            side.supxlabel("a row a patient; blue: training, orange: test", fontsize=8.5)
    return figure


def _twins(patients: Sequence[_Slices]) -> Figure:
    """A slice beside its copies, with likeness as they are and once turned back."""
    original = patients[2][4].pixels
    copies = {
        "same pixels": original,
        "saved as JPEG": _as_jpeg(original, quality=20),
        "smaller": np.asarray(Image.fromarray(original).resize((96, 96), Image.Resampling.BILINEAR)),
        "other contrast": np.asarray(ImageEnhance.Brightness(Image.fromarray(original)).enhance(0.6)),
        "mirrored": np.asarray(ImageOps.mirror(Image.fromarray(original))),
        "turned by 90°": np.ascontiguousarray(np.rot90(original)),
        "next slice, 3 mm on": patients[2][5].pixels,
    }
    with plot_style():
        figure, grid = _grid(2, 4, height_in=4.7)
        _show(grid.flat[0], original, words="a slice")
        for axes, (words, picture) in zip(grid.flat[1:], copies.items(), strict=True):
            plain, turned = _likeness(original, picture), _turned_likeness(original, picture)
            more = f", turned back {_shown(turned)}" if turned - plain > 0.02 else ""
            _show(axes, picture, words=f"{words}\nlikeness {_shown(plain)}{more}")
    return figure


def _as_jpeg(picture: _Picture, *, quality: int) -> _Picture:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def _likeness(first: _Picture, second: _Picture) -> float:
    """Correlation of the thumbnails."""
    values = np.stack([thumbnail(Image.fromarray(picture)).ravel() for picture in (first, second)])
    return float(np.corrcoef(values.astype(float))[0, 1])


def _shown(likeness: float) -> str:
    """Only what is exactly 1 is called 1."""
    return "1" if likeness > 1 - 1e-5 else f"{min(likeness, 0.999):.3f}"


def _turned_likeness(first: _Picture, second: _Picture) -> float:
    """The same once turned back."""
    one, other = (thumbnail(Image.fromarray(picture))[None] for picture in (first, second))
    return float(max(find_twins_between(one, other, above=0.5).similarity, default=0.0))


if __name__ == "__main__":
    main()
