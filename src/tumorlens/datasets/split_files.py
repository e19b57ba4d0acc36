"""Writes splits to files and reads them back: JSON or CSV, also ones made by hand.

Knows nothing about how splits are drawn, and believes no file: rows, pixels, parts and digest are
compared with the data set.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from tumorlens.datasets.dataset import Dataset
from tumorlens.datasets.label_table import find_column, read_table
from tumorlens.datasets.split import LEFT_OUT, PARTS, Protocol, Split, SplitGroups, make_split
from tumorlens.datasets.split_check import check_split
from tumorlens.errors import InputError, NotFoundError
from tumorlens.workspace import write_json, write_text

__all__ = ["SPLIT_FORMAT", "fitting_splits", "load_split", "save_split"]

SPLIT_FORMAT = 1


def save_split(split: Split, path: Path) -> None:
    """Write a split.

    Args:
        split: What to write.
        path: ``.json`` keeps everything; ``.csv`` has the columns ``row_id``, ``pixel_digest`` and
            ``part``, and does not keep seed and protocol.

    Raises:
        InputError: The path has another suffix.
        StorageError: It cannot be written.
    """
    if _suffix(path) == ".csv":
        lines = [
            f"{row},{pixels},{part}"
            for row, (pixels, part) in enumerate(zip(split.pixel_digests, split.parts, strict=True))
        ]
        write_text(path, "\n".join(["row_id,pixel_digest,part", *lines]) + "\n")
        return
    write_json(
        path,
        {
            "format": SPLIT_FORMAT,
            "protocol": split.protocol,
            "seed": split.seed,
            "groups_are": split.groups_are,
            "digest": split.digest,
            "parts": {part: split.rows(part).tolist() for part in PARTS}
            | ({LEFT_OUT: np.flatnonzero(split.parts == LEFT_OUT).tolist()} if split.left_out else {}),
            "pixel_digests": split.pixel_digests.tolist(),
        },
    )


def load_split(path: Path, *, dataset: Dataset) -> Split:
    """Read a split and check it against the data set it is to divide.

    Args:
        path: A ``.json`` or ``.csv`` written by :func:`save_split`, or a CSV by hand with a column
            ``part`` and a column ``row_id`` or ``source``.
        dataset: What it divides. A CSV counts as grouped.

    Raises:
        NotFoundError: There is no such file.
        InputError: It is damaged; a row is unknown, missing or there twice; a part has a wrong
            name; the pixels differ; or :func:`~tumorlens.datasets.split_check.check_split` refuses.
    """
    split = _from_csv(path, dataset) if _suffix(path) == ".csv" else _from_json(path, dataset)
    check_split(dataset, split)
    return split


def _suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix not in (".json", ".csv"):
        raise InputError(f"A split file ends in .json or .csv, got {path.name}.")
    return suffix


def _from_json(path: Path, dataset: Dataset) -> Split:
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if int(values["format"]) > SPLIT_FORMAT:
            raise InputError(f"{path} was written by a newer tumorlens: upgrade and try again.")
        pairs = [(int(row), str(part)) for part, rows in values["parts"].items() for row in rows]
        digests = np.array(values["pixel_digests"], dtype=np.str_)
        protocol, groups_are, seed = values["protocol"], values["groups_are"], values["seed"]
        stated = values["digest"]
    except FileNotFoundError as error:
        raise NotFoundError(f"The split file {path} does not exist: check the path.") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path} is not a readable split file: write it again.") from error
    _check_kind(path, protocol=protocol, groups_are=groups_are)
    parts = _arrange(pairs, dataset, path=path)
    if len(digests) != len(parts):
        raise InputError(f"{path} has {len(digests)} pixel digests for {len(parts)} rows.")
    split = make_split(parts, pixel_digests=digests, protocol=protocol, seed=seed, groups_are=groups_are)
    if split.digest != stated:
        raise InputError(f"{path} was changed after it was written (its digest differs).")
    return split


def _check_kind(path: Path, *, protocol: str, groups_are: str) -> None:
    if protocol not in get_args(Protocol) or groups_are not in get_args(SplitGroups):
        raise InputError(f"{path} has an unknown protocol or kind of groups: write it again.")
    if (groups_are == "none") != (protocol == "study"):
        raise InputError(f"{path} names no groups, which only the study's split may.")


def _from_csv(path: Path, dataset: Dataset) -> Split:
    table = read_table(path)
    find_column(table, "part", path=path)
    if "row_id" in table.columns:
        rows = [_whole(value, path=path) for value in table["row_id"]]
    else:
        find_column(table, "source", path=path)
        known = {source: row for row, source in enumerate(dataset.manifest["source"])}
        unknown = [source for source in table["source"] if source not in known]
        if unknown:
            raise _unknown(unknown, path=path, dataset=dataset)
        rows = [known[source] for source in table["source"]]
    parts = _arrange(list(zip(rows, table["part"], strict=True)), dataset, path=path)
    digests = dataset.digests
    if "pixel_digest" in table.columns:
        digests = np.empty_like(digests)
        digests[rows] = table["pixel_digest"].to_numpy(dtype=np.str_)
    return make_split(
        parts,
        pixel_digests=digests,
        protocol="grouped",
        seed=None,
        groups_are=dataset.groups_are,
    )


def _whole(text: str, *, path: Path) -> int:
    if not (text.isascii() and text.isdigit()):
        raise InputError(f"{path} has the row id {text!r}, expected whole numbers.")
    return int(text)


def _arrange(pairs: list[tuple[int, str]], dataset: Dataset, *, path: Path) -> npt.NDArray[np.str_]:
    """Put parts in row order; every row exactly once."""
    wrong = sorted({part for _, part in pairs} - {*PARTS, LEFT_OUT})
    if wrong:
        raise InputError(f"{path} has the part {wrong[0]!r}, expected {', '.join(PARTS)} or {LEFT_OUT}.")
    unknown = [str(row) for row, _ in pairs if not 0 <= row < len(dataset)]
    if unknown:
        raise _unknown(unknown, path=path, dataset=dataset)
    parts = np.full(len(dataset), "", dtype="<U11")
    for row, part in pairs:
        if parts[row]:
            raise InputError(f"{path} has row {row} twice: keep one of them.")
        parts[row] = part
    missing = np.flatnonzero(parts == "")
    if len(missing):
        shown = ", ".join(str(row) for row in missing[:3])
        raise InputError(
            f"{path} lacks {len(missing)} of the {len(dataset)} rows of {dataset.name!r} (the "
            f"first: {shown}): give every row a part."
        )
    return parts


def _unknown(rows: list[str], *, path: Path, dataset: Dataset) -> InputError:
    return InputError(
        f"{path} has {len(rows)} rows that {dataset.name!r} has not (the first: "
        f"{', '.join(rows[:3])}): remove them or name the right data set."
    )


def fitting_splits(folder: Path, dataset: Dataset) -> Iterator[Path]:
    """Yield the split files in ``folder`` that fit a data set, such as one with other labels or made anew."""
    if not folder.is_dir():
        return
    for file in sorted(folder.iterdir()):
        try:
            load_split(file, dataset=dataset)
        except InputError:
            continue
        yield file
