"""What a copy of a data set keeps of the data set that it was made from."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from tumorlens.workspace import write_json

__all__ = ["Original", "read_original", "write_original"]

_FILE = "original.json"


@dataclass(frozen=True)
class Original:
    """A data set as it was when its copy was made: its name, and the digest of its manifest."""

    name: str
    manifest_digest: str


def write_original(folder: Path, original: Original) -> None:
    """Keep it with the copy in ``folder``."""
    write_json(folder / _FILE, asdict(original))


def read_original(folder: Path) -> Original | None:
    """What the data set in ``folder`` is a copy of; ``None`` where it is none."""
    try:
        document = json.loads((folder / _FILE).read_text(encoding="utf-8"))
        return Original(str(document["name"]), str(document["manifest_digest"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
