r"""How likely two slices lie next to each other in one head: overall picture and fine detail together.

The correlation of thumbnails alone says little: the slices of two heads at one height are much alike. The folds of the
cortex differ from head to head and carry on from slice to slice, so the detail (what a Gaussian of two thumbnail
pixels, about 8 mm, smooths away, relative to its local strength within the head) counts too:

.. math:: \ell(a, b) = 0.8 \operatorname{corr}(a, b) + 0.2 \operatorname{corr}(d_a, d_b).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from tumorlens.datasets.similarity.alignment import halve, lengths
from tumorlens.datasets.similarity.descriptors import unit_rows
from tumorlens.datasets.similarity.turns import UPRIGHT, turn_pictures

__all__ = ["Likeness", "detail"]

_DETAIL_PIXELS = 2.0
_FLOOR = 3.0
_SHARES = (0.8, 0.2)
_STEP = 32.0
_CHUNK = 1024
_PAIRS = 256

Rows = npt.NDArray[np.float32]


def detail(thumbnails: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The fine structure of each thumbnail, ``(n, side, side)`` uint8: 128 is none, 32 steps a local deviation."""
    result = np.empty_like(thumbnails)
    for start in range(0, len(thumbnails), _CHUNK):
        result[start : start + _CHUNK] = _detail(thumbnails[start : start + _CHUNK].astype(np.float32))
    return result


def _detail(pictures: Rows) -> npt.NDArray[np.uint8]:
    head = (pictures > 0.5 * pictures.mean(axis=(1, 2), keepdims=True)).astype(np.float32)
    share = _smooth(head) + np.float32(1e-3)
    difference = pictures - _smooth(pictures * head) / share
    spread = np.sqrt(_smooth(np.square(difference) * head) / share) + np.float32(_FLOOR)
    levels = 128 + np.float32(_STEP) * head * difference / spread
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)


def _smooth(pictures: Rows) -> Rows:
    return np.asarray(ndimage.gaussian_filter(pictures, (0, _DETAIL_PIXELS, _DETAIL_PIXELS), truncate=3), np.float32)


class Likeness:
    """The likeness of any two of a set of scans.

    Args:
        thumbnails: ``(n, side, side)`` uint8; as much memory again is used for their detail.
    """

    def __init__(self, thumbnails: npt.NDArray[np.uint8]) -> None:
        self._layers = (thumbnails, detail(thumbnails))
        self._halves = tuple(halve(layer) for layer in self._layers)
        self._scales = tuple(_scale(layer) for layer in self._layers)

    def __len__(self) -> int:
        return len(self._layers[0])

    def rows(self, numbers: npt.NDArray[np.int64], *, turn: int = UPRIGHT) -> Rows:
        """``(m, d)`` float32: rows whose products are likenesses, once turned."""
        return _join(*(turn_pictures(layer[numbers], turn) for layer in self._layers))

    def small_rows(self, numbers: npt.NDArray[np.int64], *, turn: int = UPRIGHT) -> Rows:
        """The same at half size: products are nearly likenesses."""
        return _join(*(turn_pictures(layer[numbers], turn) for layer in self._halves))

    def between(
        self, first: npt.NDArray[np.int64], second: npt.NDArray[np.int64], *, turn: int = UPRIGHT
    ) -> npt.NDArray[np.float32]:
        """Likeness of each pair once the first is turned, ``(p,)`` float32 in -1..1."""
        result = np.zeros(len(first), np.float32)
        for layer, (means, spans), share in zip(self._layers, self._scales, _SHARES, strict=True):
            for start in range(0, len(first), _PAIRS):
                one, other = first[start : start + _PAIRS], second[start : start + _PAIRS]
                left, right = _flat(turn_pictures(layer[one], turn)), _flat(layer[other])
                left -= means[one, None]
                products = np.einsum("ij,ij->i", left, right) / (spans[one] * spans[other])
                result[start : start + _PAIRS] += np.float32(share) * products
        return result


def _flat(pictures: npt.NDArray[np.uint8]) -> Rows:
    return pictures.reshape(len(pictures), -1).astype(np.float32)


def _scale(layer: npt.NDArray[np.uint8]) -> tuple[Rows, Rows]:
    """Mean of each picture, and its length about the mean."""
    return layer.mean(axis=(1, 2), dtype=np.float64).astype(np.float32), lengths(layer)


def _join(pictures: npt.NDArray[np.uint8], details: npt.NDArray[np.uint8]) -> Rows:
    joined = np.empty((len(pictures), 2, pictures[0].size if len(pictures) else 0), np.float32)
    joined[:, 0] = unit_rows(pictures.reshape(len(pictures), -1).astype(np.float32))
    joined[:, 1] = unit_rows(details.reshape(len(details), -1).astype(np.float32))
    joined *= np.sqrt(np.array(_SHARES, np.float32))[None, :, None]
    return joined.reshape(len(joined), -1)
