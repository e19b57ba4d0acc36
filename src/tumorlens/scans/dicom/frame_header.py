"""One frame's view of a header: its own functional group, then the shared one, then the data set (PS3.3 C.7.6.16)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from tumorlens.errors import InputError

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

__all__ = ["FrameHeader"]

_MACROS = {
    "ImagePositionPatient": "PlanePositionSequence",
    "ImageOrientationPatient": "PlaneOrientationSequence",
    "PixelSpacing": "PixelMeasuresSequence",
    "SliceThickness": "PixelMeasuresSequence",
    "RescaleSlope": "PixelValueTransformationSequence",
    "RescaleIntercept": "PixelValueTransformationSequence",
    "WindowCenter": "FrameVOILUTSequence",
    "WindowWidth": "FrameVOILUTSequence",
    "VOILUTFunction": "FrameVOILUTSequence",
    "VOILUTSequence": "FrameVOILUTSequence",
    "AcquisitionContrast": "MRImageFrameTypeSequence",
}
_PER_FRAME_ONLY = "ImagePositionPatient"


class FrameHeader:
    """Looks up data elements of one frame.

    Args:
        header: The file's data set.
        frame: Which frame, from 0; ``None`` for a file that holds a single image.
        source: Name for messages.
    """

    def __init__(self, header: Dataset, *, frame: int | None, source: str) -> None:
        self._header = header
        self._multiple = frame is not None
        self._groups = [
            *_items(header, "PerFrameFunctionalGroupsSequence")[frame or 0 : (frame or 0) + 1],
            *_items(header, "SharedFunctionalGroupsSequence")[:1],
        ]
        self.source = source

    def value(self, keyword: str) -> Any:
        """The value as pydicom gives it, or ``None`` where it is absent or empty.

        Raises:
            InputError: It cannot be understood.
        """
        try:
            for place in self._places(keyword):
                value = place.get(keyword)
                if value is not None and value != "":
                    return value
        except Exception as error:  # values are converted when they are asked for, and damaged ones raise anything
            raise InputError(f"{self.source} is damaged (its {keyword} is not valid): replace or remove it.") from error
        return None

    def text(self, keyword: str) -> str:
        """The value as text, several joined by a backslash; empty where it is absent."""
        value = self.value(keyword)
        if value is None:
            return ""
        if isinstance(value, str) or not hasattr(value, "__iter__"):
            return str(value).strip("\0 ")
        return "\\".join(str(part).strip("\0 ") for part in value)

    def numbers(self, keyword: str) -> tuple[float, ...]:
        """The value as numbers; empty where it is absent.

        Raises:
            InputError: It holds anything else, or numbers that are not finite.
        """
        value = self.value(keyword)
        if value is None:
            return ()
        parts = value if hasattr(value, "__iter__") and not isinstance(value, str | bytes) else [value]
        try:
            numbers = tuple(float(part) for part in parts)
        except (TypeError, ValueError, OverflowError):
            numbers = (math.nan,)
        if not all(math.isfinite(number) for number in numbers):
            raise InputError(f"{self.source} is damaged (its {keyword} is no number): replace or remove it.")
        return numbers

    def number(self, keyword: str) -> float | None:
        """The first of :meth:`numbers`, or ``None``."""
        return next(iter(self.numbers(keyword)), None)

    def items(self, keyword: str) -> list[Any]:
        """The items of a sequence; none where it is absent."""
        value = self.value(keyword)
        return list(value) if hasattr(value, "__iter__") and not isinstance(value, str | bytes) else []

    def _places(self, keyword: str) -> list[Any]:
        macro = _MACROS.get(keyword)
        places = [item for group in self._groups for item in _items(group, macro)[:1]] if macro else []
        if keyword == _PER_FRAME_ONLY and self._multiple:  # one position for many frames says where none of them is
            return places
        return [*places, self._header]


def _items(dataset: Any, keyword: str | None) -> list[Any]:
    try:
        value = dataset.get(keyword) if keyword else None
    except Exception:  # a damaged sequence is as good as none; what needs it says so
        return []
    return (
        list(value) if value is not None and hasattr(value, "__iter__") and not isinstance(value, str | bytes) else []
    )
