"""Damages a file in a way that format, seed and number decide, so that any one can be made again."""

from __future__ import annotations

import random
import re
import struct
from collections.abc import Callable, Sequence

from fuzz_seeds import LANDMARKS, Seed

__all__ = ["damaged"]

_BYTES = (0, 1, 2, 0x0F, 0x10, 0x20, 0x40, 0x7F, 0x80, 0xFE, 0xFF)
_WORDS = (0, 1, 2, 3, 255, 256, 4096, 7000, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF)
_LONGS = (*_WORDS, 65536, 1 << 20, 50_000_000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF0, 0xFFFFFFFF)
_FLOATS = (0.0, -1.0, 1e-30, 1e30, -1e30, float("inf"), float("nan"))
_LONGEST_CHUNK = 64
_LARGEST_BYTES = 1_000_000
_FIELD_REACH = 48

Damage = Callable[[bytearray, random.Random, Sequence[int]], None]


def damaged(name: str, seeds: Sequence[Seed], *, seed: int, index: int) -> tuple[str, bytes]:
    """Make one damaged file.

    Args:
        name: The format.
        seeds: Its sound files.
        seed: Of the whole run.
        index: Number of the file in the run.

    Returns:
        Its suffix and its bytes.
    """
    choice = random.Random(f"{name}/{seed}/{index}")
    origin = choice.choice(seeds)
    data = bytearray(origin.data)
    if choice.random() < 0.1:
        data = _spliced(origin.data, choice.choice(seeds).data, choice)
    landmarks = [match.start() for match in LANDMARKS[name].finditer(bytes(data))]
    for _ in range(_how_often(choice)):
        choice.choices(_DAMAGES, _WEIGHTS)[0](data, choice, landmarks)
    wrapped = origin.wrap(bytes(data[:_LARGEST_BYTES]))
    if choice.random() < 0.03:
        wrapped = wrapped[: choice.randrange(len(wrapped) + 1)]
    return origin.suffix, wrapped


def _how_often(choice: random.Random) -> int:
    count = 1
    while count < 12 and choice.random() < 0.5:
        count += 1
    return count


def _place(data: bytearray, choice: random.Random, landmarks: Sequence[int]) -> int:
    """A place to damage: by a landmark, in the head, or anywhere."""
    kind = choice.random()
    if landmarks and kind < 0.5:
        return min(choice.choice(landmarks) + choice.randrange(_FIELD_REACH), max(len(data) - 1, 0))
    return choice.randrange(max(1, min(len(data), 128) if kind < 0.7 else len(data)))


def _flip(data: bytearray, choice: random.Random, landmarks: Sequence[int]) -> None:
    for _ in range(choice.choice((1, 1, 1, 4, 16))):
        if data:
            data[_place(data, choice, landmarks)] ^= 1 << choice.randrange(8)


def _set_byte(data: bytearray, choice: random.Random, landmarks: Sequence[int]) -> None:
    if data:
        data[_place(data, choice, landmarks)] = choice.choice((*_BYTES, choice.randrange(256)))


def _set_number(data: bytearray, choice: random.Random, landmarks: Sequence[int]) -> None:
    order = choice.choice("<>")
    packed = choice.choice(
        (
            struct.pack(f"{order}H", choice.choice(_WORDS)),
            struct.pack(f"{order}I", choice.choice(_LONGS)),
            struct.pack(f"{order}Q", choice.choice((*_LONGS, 1 << 40, (1 << 63) - 1, (1 << 64) - 1))),
            struct.pack(f"{order}f", choice.choice(_FLOATS)),
        )
    )
    place = _place(data, choice, landmarks)
    data[place : place + len(packed)] = packed


def _set_digits(data: bytearray, choice: random.Random, landmarks: Sequence[int]) -> None:
    """Change a number that stands there as text, as in the header of an array or a DICOM string."""
    found = list(re.finditer(rb"[0-9]+", bytes(data)))
    if found:
        match = choice.choice(found)
        longer = choice.choice((b"0", b"-1", b"3", b"99999", b"1e9", b"9" * 20, b"True", b"nan", b"(", b"'"))
        fitting = longer[: len(match.group())].rjust(len(match.group()), b" ")
        data[match.start() : match.end()] = choice.choice((longer, fitting))


def _delete(data: bytearray, choice: random.Random, landmarks: Sequence[int]) -> None:
    place = _place(data, choice, landmarks)
    del data[place : place + choice.randint(1, _LONGEST_CHUNK)]


def _duplicate(data: bytearray, choice: random.Random, landmarks: Sequence[int]) -> None:
    place, length = _place(data, choice, landmarks), choice.randint(1, _LONGEST_CHUNK)
    data[place:place] = data[place : place + length] * choice.choice((1, 1, 2, 50))


def _swap(data: bytearray, choice: random.Random, landmarks: Sequence[int]) -> None:
    length = choice.randint(1, _LONGEST_CHUNK)
    first, second = sorted(_place(data, choice, landmarks) for _ in range(2))
    if first + length <= second:
        left, right = data[first : first + length], data[second : second + length]
        data[second : second + length], data[first : first + length] = left, right


def _insert(data: bytearray, choice: random.Random, landmarks: Sequence[int]) -> None:
    place = _place(data, choice, landmarks)
    data[place:place] = choice.randbytes(choice.randint(1, _LONGEST_CHUNK))


def _overwrite(data: bytearray, choice: random.Random, landmarks: Sequence[int]) -> None:
    place, length = _place(data, choice, landmarks), choice.randint(1, _LONGEST_CHUNK)
    filling = choice.choice((b"\x00" * length, b"\xff" * length, choice.randbytes(length)))
    data[place : place + length] = filling


def _truncate(data: bytearray, choice: random.Random, landmarks: Sequence[int]) -> None:
    del data[choice.choice((_place(data, choice, landmarks), choice.randrange(len(data) + 1))) :]


def _empty(data: bytearray, choice: random.Random, landmarks: Sequence[int]) -> None:
    data.clear()


_DAMAGES: tuple[Damage, ...] = (
    _flip,
    _set_byte,
    _set_number,
    _set_digits,
    _delete,
    _duplicate,
    _swap,
    _insert,
    _overwrite,
    _truncate,
    _empty,
)
_WEIGHTS = (20, 20, 25, 8, 6, 6, 4, 4, 6, 4, 0.1)


def _spliced(first: bytes, second: bytes, choice: random.Random) -> bytearray:
    return bytearray(first[: choice.randrange(len(first) + 1)] + second[choice.randrange(len(second) + 1) :])
