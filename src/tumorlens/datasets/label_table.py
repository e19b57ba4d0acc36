"""Reads a CSV of labels as text and finds its columns. Knows nothing about image files."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from tumorlens.datasets.source import LabelOptions
from tumorlens.errors import InputError, NotFoundError

__all__ = ["Columns", "find_column", "guess_image_column", "guess_label_column", "read_table"]

_IMAGE_NAMES = [
    "image",
    "image_name",
    "image_path",
    "image_file",
    "image_id",
    "images",
    "file",
    "file_name",
    "filename",
    "file_path",
    "filepath",
    "path",
    "img",
    "scan",
    "scan_name",
    "slice",
    "name",
    "id",
]
_LABEL_NAMES = [
    "class",
    "label",
    "labels",
    "target",
    "diagnosis",
    "category",
    "y",
    "tumor",
    "tumour",
    "has_tumor",
]


@dataclass(frozen=True)
class Columns:
    """Which columns of a table say what.

    Attributes:
        image: Column of image names.
        label: Column of labels.
    """

    image: str
    label: str


def read_table(path: Path) -> pd.DataFrame:
    """Read a CSV file; every value stays the text it is ("01" is not 1, "NA" is a label).

    Comma, semicolon and tab are told apart by the first line. Values are stripped of blanks.

    Raises:
        NotFoundError: There is no such file.
        InputError: It is empty, damaged or not UTF-8.
    """
    try:
        with path.open(encoding="utf-8-sig") as stream:
            header = stream.readline()
        separator = max(",;\t", key=header.count)
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table = pd.read_csv(
                path,
                sep=separator,
                dtype=str,
                keep_default_na=False,
                encoding="utf-8-sig",
                index_col=False,
            )
    except FileNotFoundError as error:
        raise NotFoundError(f"The file {path} does not exist: check the path.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text: save it as CSV in UTF-8.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}): check the path.") from error
    except (pd.errors.EmptyDataError, pd.errors.ParserError, pd.errors.ParserWarning) as error:
        raise InputError(
            f"{path} is not a readable CSV file ({' '.join(str(error).split())}): save it again."
        ) from error
    table.columns = [str(column).strip() for column in table.columns]
    table = table.fillna("").apply(lambda column: column.str.strip())
    if table.empty:
        raise InputError(f"{path} has a header but no rows: expected one row per image.")
    return table


def find_column(table: pd.DataFrame, name: str, *, path: Path) -> str:
    """Return ``name`` if the table has that column.

    Raises:
        InputError: It has not; the columns are listed.
    """
    if name in table.columns:
        return name
    shown = ", ".join(table.columns[:20]) + (", …" if len(table.columns) > 20 else "")
    raise InputError(f"{path} has no column {name!r} (columns: {shown}): name one of these.")


def guess_image_column(table: pd.DataFrame) -> str | None:
    """Return the column whose name says that it holds image names, if there is one."""
    return _by_name(table, _IMAGE_NAMES)


def guess_label_column(table: pd.DataFrame, *, image: str, options: LabelOptions) -> str | None:
    """Return the column named like a label, else the only one left, else ``None``."""
    taken = {image, options.group_column, *options.keep_columns}
    rest = table[[column for column in table.columns if column not in taken]]
    if len(rest.columns) == 1:
        return str(rest.columns[0])
    return _by_name(rest, _LABEL_NAMES)


def _by_name(table: pd.DataFrame, names: list[str]) -> str | None:
    plain = {str(c).casefold().replace(" ", "_").replace("-", "_"): str(c) for c in table.columns}
    return next((plain[name] for name in names if name in plain), None)
