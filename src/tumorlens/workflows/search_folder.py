"""The folder of a search: what it is, what it spent, what it chose, and its result; one process at a time."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

from tumorlens.errors import InputError, IntegrityError
from tumorlens.workspace import one_process, write_json

__all__ = ["SearchFolder", "Stopwatch"]

_FORMAT = 1


class Stopwatch:
    """Seconds of work on a search, those of earlier processes included; pauses between them are not counted.

    Args:
        path: Where they are kept.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._before = 0.0
        with suppress(OSError, ValueError, KeyError, TypeError):
            self._before = float(json.loads(path.read_text(encoding="utf-8"))["seconds"])
        self._started = time.monotonic()

    def spent(self) -> float:
        """Seconds so far."""
        return self._before + time.monotonic() - self._started

    def save(self) -> float:
        """Write the seconds so far, and return them: a kill loses what comes after."""
        spent = self.spent()
        write_json(self._path, {"seconds": round(spent, 3)})
        return spent


class SearchFolder:
    """Where everything of one search lies.

    Args:
        path: The folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def name(self) -> str:
        """What the search is called."""
        return self.path.name

    @property
    def journal(self) -> Path:
        """Optuna's journal of the trials."""
        return self.path / "journal.log"

    @property
    def stopwatch(self) -> Path:
        """Seconds spent."""
        return self.path / "clock.json"

    @property
    def report(self) -> Path:
        """The page."""
        return self.path / "report.html"

    def training(self, digest: str) -> Path:
        """Where a trial that fine-tunes keeps its state."""
        return self.path / "training" / digest

    def trial_watch(self, digest: str) -> Stopwatch:
        """Seconds spent on one trial: those before a kill count where something of it was left."""
        return Stopwatch(self.training(digest) / "clock.json")

    def locked(self) -> AbstractContextManager[None]:
        """Keep other processes out; raises :class:`~tumorlens.errors.InputError` where one is at this search."""
        return one_process(self.path / "search.lock", doing=f"at the search {self.name}")

    def settle(self, options: Mapping[str, Any]) -> None:
        """Note what the search is, or compare with what it was when it was begun.

        Raises:
            InputError: It was begun with other options.
        """
        noted = self.options()
        if noted is None:
            write_json(self.path / "search.json", {"format": _FORMAT, **options})
            return
        told = json.loads(json.dumps(options))
        changed = [name for name, value in told.items() if noted.get(name) != value]
        if changed:
            name = changed[0]
            raise InputError(
                f"The search {self.name} was begun with {name.replace('_', ' ')} {_words(noted.get(name))}, not "
                f"{_words(told[name])}: give the same options to go on with it, or another --seed for another search."
            )

    def options(self) -> dict[str, Any] | None:
        """What was noted when the search was begun; ``None`` before."""
        return self._read("search.json")

    def settle_crops(self, crops: Sequence[str]) -> None:
        """Note which crops are searched over, or compare with those at the beginning.

        Raises:
            InputError: There are others now.
        """
        noted = self._read("crops.json")
        if noted is None:
            write_json(self.path / "crops.json", {"crops": list(crops)})
        elif noted["crops"] != list(crops):
            raise InputError(
                f"The search {self.name} was begun with scans {_words(noted['crops'])}, and now they are "
                f"{_words(list(crops))}: bring back what was there, or remove {self.path} to search anew."
            )

    def choice(self) -> dict[str, Any] | None:
        """What was chosen before the test part was opened; ``None`` while trials go on."""
        return self._read("choice.json")

    def write_choice(self, choice: Mapping[str, Any]) -> None:
        """End the trials."""
        write_json(self.path / "choice.json", choice)

    def places(self) -> list[str] | None:
        """Where fine-tuning looks; ``None`` before it begins."""
        noted = self._read("places.json")
        return None if noted is None else list(noted["places"])

    def write_places(self, places: list[str]) -> None:
        """End the first stage."""
        write_json(self.path / "places.json", {"places": places})

    def result(self) -> dict[str, Any] | None:
        """The finished search's document; ``None`` while it is not finished."""
        return self._read("result.json")

    def write_result(self, document: Mapping[str, Any]) -> None:
        """Finish the search; what trials left for later training goes."""
        write_json(self.path / "result.json", document)
        shutil.rmtree(self.path / "training", ignore_errors=True)

    def _read(self, name: str) -> dict[str, Any] | None:
        path = self.path / name
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise IntegrityError(f"{path} is damaged: remove the folder {self.path} to search anew.") from error


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}" for key in value)
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
