"""Files, folders and zipped studies become predictions in the order given; a bad file does not stop the rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from tumorlens.bundles.card import CARD_FILE
from tumorlens.bundles.predictor import Prediction, Predictor
from tumorlens.errors import InputError, NotFoundError
from tumorlens.scans import quiet_decoding, scan_units

__all__ = ["Answer", "find_bundle", "predict_files"]


@dataclass(frozen=True)
class Answer:
    """What came of one scan: a prediction or the sentence that says why not.

    Attributes:
        source: The file, or the first file of a series.
        prediction: The answer, if it could be read.
        error: The reason, if it could not.
    """

    source: Path
    prediction: Prediction | None = None
    error: str | None = None


def predict_files(predictor: Predictor, paths: Iterable[Path]) -> Iterator[Answer]:
    """Answer for every scan in every file and folder, in order; volumes and series give one answer a slice.

    Args:
        predictor: The model; its bundle says how scans are read.
        paths: Files, folders, and zip files of folders, which are unpacked into a temporary folder meanwhile.

    Raises:
        NotFoundError: A path does not exist, or a folder holds no scan.
        InputError: A zip file cannot be unpacked.
    """
    with ExitStack() as stack:
        stack.enter_context(quiet_decoding())
        opened = [(path, _opened(path, stack)) for path in paths]
        units = [(pair, unit) for pair in opened for unit in scan_units(pair[1], predictor.reading)]
        for (given, place), unit in units:
            try:
                for scan in unit.read():
                    source = _named(scan.source, given, place)
                    yield Answer(Path(source), prediction=predictor.answer(replace(scan, source=source)))
            except InputError as error:
                named = _named(str(unit.source), given, place)
                yield Answer(Path(named), error=_named(str(error), given, place))


def _named(text: str, given: Path, place: Path) -> str:
    """``text`` with the zip file's name in the place of the folder it was unpacked to."""
    return text if given == place else text.replace(str(place), str(given))


def _opened(path: Path, stack: ExitStack) -> Path:
    if path.suffix.lower() != ".zip" or not path.is_file():
        return path
    from tumorlens.scans.archives import unpacked

    into = Path(stack.enter_context(TemporaryDirectory(prefix="tumorlens-")))
    return stack.enter_context(unpacked(path, into=into))


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
