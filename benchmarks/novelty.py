"""How many unlike inputs a model flags at its threshold, and how wrong it is on those it accepts.

Far inputs: photographs (a folder) and noise. Near ones: another data set, and the test scans themselves inverted, with
motion in the phase direction of k-space, and under a strong bias field. Every way of scoring gets its threshold from
the same calibration part, by the rule of the run; ``cosine, nearest`` is what bundles ship, on at most 2,000 reference
scans.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage
from sklearn.covariance import LedoitWolf
from sklearn.datasets import load_sample_images

from measuring import report
from tumorlens.bundles import GRAPH_FILE, decide, nearest_distance, read_reference
from tumorlens.bundles.reference import nearest_rows, unit_vectors
from tumorlens.datasets import Dataset, load_dataset
from tumorlens.evaluation.hierarchical import group_quantile
from tumorlens.runtime import compile_graph
from tumorlens.types import Features, Pixels
from tumorlens.workflows.evaluation_labels import map_classes, parse_label_map
from tumorlens.workflows.evaluation_model import EvaluatedModel, find_model
from tumorlens.workspace import Workspace

_LARGEST = 480
_SUFFIXES = {".jpg", ".jpeg", ".png"}
_NOISE = 100
_LEVEL = 0.99

Score = Callable[[Features], npt.NDArray[np.float64]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", help="name of a run whose bundle offers novelty")
    parser.add_argument("--photographs", type=Path, required=True, help="folder of photographs")
    parser.add_argument("--near", required=True, help="another data set of the workspace")
    parser.add_argument("--map", action="append", default=[], metavar="TRAINED=HERE", help="as of tumorlens evaluate")
    arguments = parser.parse_args()
    workspace = Workspace.locate()
    model = find_model(arguments.run, workspace=workspace)
    assert model.run is not None and model.card.novelty is not None, "the bundle offers no novelty"
    dataset = load_dataset(workspace, str(model.run.config["run"]["dataset"]))
    parts = model.predictions()["part"].to_numpy(dtype=np.str_)
    answers = Answers(model)
    known = answers.of_rows(dataset, np.arange(len(dataset)))
    scores = ways_of_scoring(known.features[parts == "train"], read_reference(model.bundle))
    calibration = parts == "calibration"
    limits = {
        name: group_quantile(score(known.features[calibration]), dataset.groups[calibration], level=_LEVEL)
        for name, score in scores.items()
    }
    near = load_dataset(workspace, arguments.near)
    names = map_classes(model.card.labels, near.classes, label_map=parse_label_map(arguments.map))
    test = np.flatnonzero(parts == "test")
    truth = dataset.manifest["label"].to_numpy()[test]
    inputs: dict[str, Judged] = {
        "test part (false alarms)": known.some(test).judged(truth),
        arguments.near: answers.of_rows(near, np.arange(len(near))).judged(
            np.array([names[label] for label in near.manifest["label"]])
        ),
        **{name: answers.of(changed(dataset, test, change)).judged(truth) for name, change in CHANGES.items()},
        "photographs": answers.of(photographs(arguments.photographs)).judged(None),
        "photographs, grey": answers.of(grey(photographs(arguments.photographs))).judged(None),
        "noise": answers.of(noise()).judged(None),
    }
    report(
        {
            "run": model.card.model,
            "thresholds": limits,
            "inputs": {
                name: {
                    "n": len(judged.features),
                    "flagged": {way: rate(scores[way](judged.features), limits[way]) for way in scores},
                    **judged.errors(nearest_distance(judged.features, read_reference(model.bundle)), limits[_SHIPPED]),
                }
                for name, judged in inputs.items()
            },
        }
    )


_SHIPPED = "cosine, nearest"


def ways_of_scoring(train: Features, reference: Features) -> dict[str, Score]:
    """Distances to the training part by name; all but the shipped one use all of its scans."""
    units = unit_vectors(train)
    plain, spherical = LedoitWolf().fit(train), LedoitWolf().fit(np.asarray(units, np.float32))
    return {
        _SHIPPED: lambda features: nearest_distance(features, reference),
        **{
            f"cosine, neighbour {k}": lambda features, k=k: nearest_rows(features, units, count=k)[1][:, -1]
            for k in (5, 20)
        },
        "Mahalanobis (Ledoit-Wolf)": plain.mahalanobis,
        "Mahalanobis of unit vectors": lambda features: spherical.mahalanobis(
            np.asarray(unit_vectors(features), np.float32)
        ),
    }


class Answered:
    """Features ``(n, d)`` and decided labels ``(n,)`` of some scans."""

    def __init__(self, features: Features, labels: npt.NDArray[np.str_]) -> None:
        self.features, self.labels = features, labels

    def some(self, rows: npt.NDArray[np.int64]) -> Answered:
        return Answered(self.features[rows], self.labels[rows])

    def judged(self, truth: npt.NDArray[Any] | None) -> Judged:
        return Judged(self.features, None if truth is None else self.labels != truth)


class Judged:
    """Features, and which labels are wrong, where that can be said."""

    def __init__(self, features: Features, wrong: npt.NDArray[np.bool_] | None) -> None:
        self.features, self.wrong = features, wrong

    def errors(self, distances: npt.NDArray[np.float64], limit: float | None) -> dict[str, float | int | None]:
        assert limit is not None
        accepted = distances <= limit
        if self.wrong is None:
            return {"accepted": int(accepted.sum())}
        return {
            "accepted": int(accepted.sum()),
            "error_all": float(self.wrong.mean()),
            "error_accepted": float(self.wrong[accepted].mean()) if accepted.any() else None,
            "error_flagged": float(self.wrong[~accepted].mean()) if (~accepted).any() else None,
        }


class Answers:
    """Passes scans through a bundle's graph."""

    def __init__(self, model: EvaluatedModel) -> None:
        self._card = model.card
        self._graph = compile_graph(model.bundle / GRAPH_FILE, outputs=["probabilities", "features"])

    def of(self, scans: Iterable[Pixels]) -> Answered:
        card, features, labels = self._card, [], []
        for _, outputs in self._graph.stream(enumerate(scans)):
            features.append(outputs["features"][0])
            own = dict(zip(card.labels, outputs["probabilities"][0].tolist(), strict=True))
            labels.append(decide(card.labels, card.operating_point, own))
        return Answered(np.stack(features), np.array(labels))

    def of_rows(self, dataset: Dataset, rows: npt.NDArray[np.int64]) -> Answered:
        return self.of(changed(dataset, rows, lambda scan, _: scan))


def rate(distances: npt.NDArray[np.float64], limit: float | None) -> float:
    assert limit is not None
    return float((distances > limit).mean())


def changed(
    dataset: Dataset, rows: npt.NDArray[np.int64], change: Callable[[Pixels, np.random.Generator], Pixels]
) -> Iterator[Pixels]:
    """The scans of some rows, each changed by draws of its own row."""
    with dataset.open_pixels() as pixels:
        for row in rows:
            yield change(pixels.get(str(dataset.digests[row])), np.random.default_rng(int(row)))


def inverted(scan: Pixels, _: np.random.Generator) -> Pixels:
    return 255 - scan


def moved(scan: Pixels, generator: np.random.Generator) -> Pixels:
    """Four shifts of up to 6 pixels while 20 lines of k-space each were read."""
    space = np.fft.fftshift(np.fft.fft2(scan[..., 0].astype(float)))
    shifts = np.zeros(len(space))
    for _ in range(4):
        start = int(generator.integers(0, len(space) - 20))
        shifts[start : start + 20] = generator.uniform(-6, 6)
    frequencies = np.fft.fftshift(np.fft.fftfreq(space.shape[1]))
    space *= np.exp(2j * np.pi * shifts[:, None] * frequencies[None])
    return _three(np.abs(np.fft.ifft2(np.fft.ifftshift(space))))


def shaded(scan: Pixels, generator: np.random.Generator) -> Pixels:
    """A smooth field of 3 x 3 knots whose logarithm has a standard deviation of 0.42."""
    height, width = scan.shape[:2]
    field = ndimage.zoom(generator.normal(size=(3, 3)), (height / 3, width / 3), order=3)[:height, :width]
    return _three(scan[..., 0] * np.exp(0.42 * (field - field.mean()) / field.std()))


CHANGES: dict[str, Callable[[Pixels, np.random.Generator], Pixels]] = {
    "inverted": inverted,
    "motion": moved,
    "bias field": shaded,
}


def photographs(folder: Path) -> Iterator[Pixels]:
    """Every picture below a folder, made smaller, links left out; and the two of scikit-learn."""
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in _SUFFIXES and path.is_file() and not path.is_symlink():
            with Image.open(path) as picture:
                small = picture.convert("RGB")
            small.thumbnail((_LARGEST, _LARGEST))
            yield np.asarray(small)
    yield from (np.asarray(picture, np.uint8) for picture in load_sample_images().images)


def grey(pictures: Iterable[Pixels]) -> Iterator[Pixels]:
    for picture in pictures:
        yield np.repeat(np.asarray(Image.fromarray(picture).convert("L"))[..., None], 3, axis=2)


def noise() -> Iterator[Pixels]:
    generator = np.random.default_rng(0)
    for _ in range(_NOISE):
        yield generator.integers(0, 256, (240, 240, 3), dtype=np.uint8)


def _three(grey_levels: npt.NDArray[np.float64]) -> Pixels:
    return np.repeat(np.clip(np.rint(grey_levels), 0, 255).astype(np.uint8)[..., None], 3, axis=2)


if __name__ == "__main__":
    main()
