"""Files, folders and zipped studies become predictions in the order given; a bad file does not stop the rest."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from tumorlens.bundles.card import CARD_FILE
from tumorlens.bundles.predictor import Prediction, Predictor
from tumorlens.errors import InputError, NotFoundError, StorageError
from tumorlens.progress import SILENT, Progress
from tumorlens.scans import quiet_decoding, scan_units
from tumorlens.scans.units import Refusal
from tumorlens.workspace import remove_leftovers, storage_errors

__all__ = ["Answer", "find_bundle", "predict_files"]


@dataclass(frozen=True)
class Answer:
    """What came of one scan: a prediction or the sentence that says why not.

    Attributes:
        source: The file.
        prediction: The answer, if it could be read.
        error: The reason, if it could not.
    """

    source: Path
    prediction: Prediction | None = None
    error: str | None = None


def predict_files(
    predictor: Predictor, paths: Iterable[Path], *, views: int = 1, progress: Progress = SILENT
) -> Iterator[Answer]:
    """Answer for every scan in every file and folder, in order; volumes and series give one answer a slice.

    Args:
        predictor: The model; its bundle says how scans are read.
        paths: Files, folders, and zip files of folders, which are unpacked into a temporary folder meanwhile. DICOM
            files named one by one count as series together.
        views: Over how many fixed views probabilities are averaged.
        progress: Told what was left out.

    Raises:
        NotFoundError: A path does not exist, or a folder holds no scan.
        InputError: A zip file cannot be unpacked, or there are no such views.
        StorageError: There is no room to unpack it.
    """
    with ExitStack() as stack:
        stack.enter_context(quiet_decoding())
        zips: dict[str, str] = {}
        places = [_opened(path, stack, zips) for path in paths]
        try:
            listed = scan_units(places, predictor.reading)
        except InputError as error:
            raise type(error)(_named(str(error), zips)) from error
        for note in listed.notes:
            progress.say(_named(note, zips))
        for unit in listed.units:
            for item in unit.read():
                source = _named(item.source, zips)
                if isinstance(item, Refusal):
                    yield Answer(Path(source), error=_named(item.reason, zips))
                else:
                    prediction = predictor.answer(replace(item, source=source), marks=unit.marks, views=views)
                    yield Answer(Path(source), prediction=prediction)


def _named(text: str, zips: dict[str, str]) -> str:
    """``text`` with each zip file's name in the place of the folder it was unpacked to."""
    for place, given in zips.items():
        text = text.replace(place, given)
    return text


def _opened(path: Path, stack: ExitStack, zips: dict[str, str]) -> Path:
    if path.suffix.lower() != ".zip" or not path.is_file():
        return path
    from tumorlens.scans.archives import unpacked

    place = stack.enter_context(unpacked(path, into=_unpacking_folder()))
    zips[str(place)] = str(path)
    return place


def _unpacking_folder() -> Path:
    """A folder of this user alone, the same each time: what a killed process left there is removed by the next.

    Raises:
        StorageError: It cannot be made, or belongs to another user.
    """
    user = os.getuid() if hasattr(os, "getuid") else "user"  # elsewhere each user has a temporary folder anyway
    folder = Path(tempfile.gettempdir()) / f"tumorlens-{user}"
    with storage_errors(folder):
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        status = folder.lstat()
        if not stat.S_ISDIR(status.st_mode) or (hasattr(os, "getuid") and status.st_uid != user):
            raise StorageError(f"{folder} belongs to another user: remove it, or set TMPDIR to a folder of your own.")
        folder.chmod(0o700)
        remove_leftovers(folder, depth=1)
    return folder


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
