"""Which series are read: by modality, plane, sequence type and description."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tumorlens.errors import InputError
from tumorlens.scans.dicom.facts import coded_words
from tumorlens.scans.dicom.slices import DicomSeries
from tumorlens.scans.reading import PLANES, Reading

__all__ = ["Selection", "SeriesChoice", "parse_series", "select_series"]

_KEYS = ("modality", "plane", "sequence", "description")


@dataclass(frozen=True)
class SeriesChoice:
    """What ``--series`` asks for; empty fields ask for nothing.

    Attributes:
        modality: Such as ``"MR"``; case does not matter.
        plane: One of :data:`tumorlens.scans.reading.PLANES`.
        sequence: A sequence type as in the manifest, such as ``"FLAIR"``; case does not matter.
        descriptions: Texts that must all occur in the series description; case does not matter.
    """

    modality: str = ""
    plane: str = ""
    sequence: str = ""
    descriptions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Selection:
    """The series to read.

    Attributes:
        series: In order.
        notes: What was left out and what else could be chosen. They hold codes, no free text of the headers.
    """

    series: tuple[DicomSeries, ...]
    notes: tuple[str, ...]


def parse_series(text: str) -> SeriesChoice:
    """Read ``modality=MR,plane=axial,description=flair``; a bare word is a description.

    Raises:
        InputError: A key is not known, blank or given twice, or the plane is none.
    """
    values: dict[str, list[str]] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        key, equals, value = part.partition("=")
        key, value = (key.strip().lower(), value.strip()) if equals else ("description", part)
        if key not in _KEYS:
            raise InputError(f"Expected --series with {', '.join(f'{name}=' for name in _KEYS)}, got {part!r}.")
        if not value or (key != "description" and key in values):
            raise InputError(f"--series gives {key} twice or blank: give each one value.")
        values.setdefault(key, []).append(value)
    plane = "".join(values.get("plane", [])).lower()
    if plane and plane not in PLANES:
        raise InputError(f"Expected --series plane={', '.join(PLANES)}, got {plane!r}.")
    return SeriesChoice(
        modality="".join(values.get("modality", [])),
        plane=plane,
        sequence="".join(values.get("sequence", [])),
        descriptions=tuple(values.get("description", [])),
    )


def select_series(series: Sequence[DicomSeries], reading: Reading) -> Selection:
    """Choose series by ``reading.series`` and ``reading.plane``.

    Oblique series count to the nearest plane. Series that do not say their orientation are read as axial if no series
    says it, and left out otherwise: beside real slices they are secondary captures as a rule.

    Raises:
        InputError: The choice is no valid one, contradicts the plane, or nothing fits it.
    """
    choice = parse_series(reading.series)
    if choice.plane and choice.plane != reading.plane:
        raise InputError(
            f"--series asks for plane={choice.plane}, but the plane is {reading.plane}: give --plane {choice.plane}."
        )
    chosen = [item for item in series if _fits(item, choice)]
    if series and not chosen:
        raise InputError(f"No series fits --series {reading.series!r}; there are {_listed(series)}: change the choice.")
    notes = (
        [f"{len(series) - len(chosen)} of {len(series)} series were left out by --series."] if choice != _ALL else []
    )
    if chosen and reading.plane == "axial" and all(item.plane is None for item in chosen):
        notes.append(f"No slice says its orientation ({_slices(chosen)} slices): all were taken as axial.")
        return Selection(tuple(chosen), (*notes, *_several(chosen)))
    kept = [item for item in chosen if item.plane == reading.plane]
    if chosen and not kept:
        raise InputError(f"No slice is {reading.plane}; there are {_listed(chosen)}: give another --plane.")
    silent = _slices(item for item in chosen if item.plane is None)
    other = _slices(chosen) - _slices(kept) - silent
    if other:
        notes.append(f"{other} slices of other planes than {reading.plane} were left out.")
    if silent:
        notes.append(f"{silent} slices that do not say their orientation were left out.")
    return Selection(tuple(kept), (*notes, *_several(kept)))


_ALL = SeriesChoice()


def _fits(series: DicomSeries, choice: SeriesChoice) -> bool:
    description = series.description.casefold()
    sequence = series.slices[0].facts.get("sequence_type", "")
    return (
        choice.modality.upper() in ("", series.modality.upper())
        and choice.sequence.upper() in ("", sequence)
        and all(text.casefold() in description for text in choice.descriptions)
    )


def _several(series: Sequence[DicomSeries]) -> list[str]:
    """A note where series of different descriptions are read together."""
    if len({item.description.casefold() for item in series}) < 2:
        return []
    return [f"Series of different kinds are read together: {_listed(series)}. --series chooses among them."]


def _listed(series: Sequence[DicomSeries]) -> str:
    """Series by coded kind, with counts: free text of headers may name people, so it is not repeated."""
    kinds = Counter(_kind(item) for item in series)
    slices: Counter[str] = Counter()
    for item in series:
        slices[_kind(item)] += len(item.slices)
    parts = [f"{kind} ({count} series, {slices[kind]} slices)" for kind, count in kinds.most_common(12)]
    return ", ".join(parts) + (", …" if len(kinds) > 12 else "")


def _kind(series: DicomSeries) -> str:
    facts = series.slices[0].facts
    words = [facts.get("modality", ""), facts.get("sequence_type", ""), *coded_words(series.description)]
    plane = series.plane or "unknown plane"
    return " ".join(dict.fromkeys(word for word in words if word and word != plane.upper())) + f" {plane}"


def _slices(series: Iterable[DicomSeries]) -> int:
    return sum(len(item.slices) for item in series)
