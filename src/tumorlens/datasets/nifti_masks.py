"""How lesion masks beside volumes are found, by name alone. Opens none of them.

A pattern is either the mask's place as seen from its image, in which ``{stem}`` stands for the image's name without
``.nii`` or ``.nii.gz`` and ``{folder}`` for the name of its folder, and ``*`` in the file name for any text:
``{stem}_seg.nii.gz``, ``../masks/{stem}.nii.gz``, ``*_seg.nii.gz``. Or it says what to replace in the image's path
within the source, by commas where several: ``flair=>seg``, ``imagesTr=>labelsTr,_0000.nii=>.nii``.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tumorlens.errors import InputError
from tumorlens.scans.nifti.names import nifti_stem

__all__ = ["NO_MASKS", "MaskOptions", "match_masks"]

_REPLACES = "=>"


@dataclass(frozen=True)
class MaskOptions:
    """How masks are found and read.

    Attributes:
        pattern: Where the mask of an image lies, such as ``"{stem}_seg.nii.gz"``; ``None``: no masks.
        labels: Mask values that mean tumour; empty: all above 0.
        min_lesion_mm2: Tumour area from which on a slice is ``tumor``.
        layout: ``"brats"`` for a BraTS folder, else ``None``.
        sequence: Which sequence of such a folder is read.
    """

    pattern: str | None = None
    labels: tuple[int, ...] = ()
    min_lesion_mm2: float = 30.0
    layout: str | None = None
    sequence: str = "flair"


NO_MASKS = MaskOptions()
"""No masks, no layout."""


def match_masks(folder: Path, files: Sequence[Path], pattern: str) -> tuple[list[tuple[Path, Path]], list[Path]]:
    """Tell images from masks, and give each image its mask.

    Only the ``files`` given count: a pattern cannot lead out of the folder, nor to links or hidden files.

    Args:
        folder: The source.
        files: All its volumes, images and masks.
        pattern: See the module.

    Returns:
        The images with their masks, in the order of ``files``; and those files that are no mask and have none.

    Raises:
        InputError: The pattern makes no sense, leads out of the folder, or fits several masks of one image.
    """
    by_name = {file.relative_to(folder).as_posix(): file for file in files}
    found = {name: _mask_of(name, pattern, by_name) for name in by_name}
    masks = {mask for name, mask in found.items() if mask is not None and mask != name}
    pairs, without = [], []
    for name, mask in found.items():
        if name in masks:
            continue
        if mask is None or mask == name:
            without.append(by_name[name])
        else:
            pairs.append((by_name[name], by_name[mask]))
    return pairs, without


def _mask_of(name: str, pattern: str, known: dict[str, Path]) -> str | None:
    if _REPLACES in pattern:
        replaced = _replace(name, pattern)
        return replaced if replaced in known else None
    place = _fill(name, pattern)
    if "*" not in pattern:
        return place if place in known else None
    folder, slash, file = place.rpartition("/")
    expression = re.compile(re.escape(folder + slash) + "[^/]*".join(re.escape(part) for part in file.split("*")))
    fitting = [other for other in known if expression.fullmatch(other)]
    if name in fitting:
        return name
    if len(fitting) > 1:
        raise InputError(
            f"The mask pattern {pattern!r} fits {len(fitting)} masks of {name} (the first: {', '.join(fitting[:3])}): "
            "make it narrower."
        )
    return fitting[0] if fitting else None


def _replace(name: str, pattern: str) -> str:
    for rule in pattern.split(","):
        old, arrow, new = rule.partition(_REPLACES)
        if not old or not arrow or _REPLACES in new:
            raise InputError(f"Expected replacements such as 'flair=>seg' in the mask pattern, got {rule!r}.")
        name = name.replace(old, new)
    return name


def _fill(name: str, pattern: str) -> str:
    """The pattern for one image, as a path within the source; a ``*`` stays as it is."""
    if "*" in posixpath.dirname(pattern):
        raise InputError(f"The mask pattern {pattern!r} has a * in a folder's name, expected it in the file's only.")
    path = Path(name)
    values = {"stem": nifti_stem(path), "folder": path.parent.name}

    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise InputError(f"The mask pattern {pattern!r} has {match[0]}, expected {{stem}} or {{folder}}.")
        return values[match[1]]

    filled = re.sub(r"\{([^{}]*)\}", value, pattern)
    place = posixpath.normpath(posixpath.join(posixpath.dirname(name), filled))
    if place.startswith(("../", "/")) or place == "..":
        raise InputError(f"The mask pattern {pattern!r} leads out of the source: give the folder that holds both.")
    return place
