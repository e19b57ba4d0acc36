"""Files and folders become predictions in the order given; a bad file is told and does not stop the rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tumorlens.bundles.card import CARD_FILE
from tumorlens.bundles.predictor import Prediction, Predictor
from tumorlens.errors import InputError, NotFoundError
from tumorlens.scans import scan_files

__all__ = ["Answer", "find_bundle", "predict_files"]


@dataclass(frozen=True)
class Answer:
    """What came of one file: a prediction or the sentence that says why not.

    Attributes:
        source: The file.
        prediction: The answer, if it could be read.
        error: The reason, if it could not.
    """

    source: Path
    prediction: Prediction | None = None
    error: str | None = None


def predict_files(predictor: Predictor, paths: Iterable[Path]) -> Iterator[Answer]:
    """Answer for every file, and every scan in every folder, in order.

    Args:
        predictor: The model.
        paths: Files and folders.

    Raises:
        NotFoundError: A path does not exist, or a folder holds no scan.
    """
    for source in [file for path in paths for file in _files_of(path)]:
        try:
            yield Answer(source, prediction=predictor.predict(source))
        except InputError as error:
            yield Answer(source, error=str(error))


def find_bundle(words: str, *, runs: Path) -> Path:
    """The bundle folder that ``words`` names: itself, the one inside a run folder, or that of a run by name.

    Args:
        words: A path or a run's name.
        runs: The workspace's folder of runs.

    Raises:
        NotFoundError: There is none.
    """
    candidates = (Path(words), Path(words) / "bundle", runs / words / "bundle")
    for folder in candidates:
        if (folder / CARD_FILE).is_file():
            return folder
    raise NotFoundError(
        f"Expected a bundle folder (with {CARD_FILE}), a run folder or a run's name, got {words!r}: "
        "tumorlens runs list shows the runs."
    )


def _files_of(path: Path) -> list[Path]:
    if path.is_dir():
        files = scan_files(path)
        if not files:
            raise NotFoundError(f"No scans are in {path}: give a folder with image files.")
        return files
    if not path.exists():
        raise NotFoundError(f"There is no file or folder {path}: check the path.")
    return [path]
