r"""From maps of logits to one map of the log-odds of a class.

A bundle's graph gives, for every class, a map of its logit before any temperature: the class activation map of a linear
head (Zhou et al., CVPR 2016, arXiv 1512.04150), HiResCAM of a head with ReLU layers (Draelos, Carin, 2020, arXiv
2011.08891). What decides between classes is the difference of logits, so the evidence for class :math:`t` at a cell is

.. math:: e_t = m_t - \frac{1}{k - 1} \sum_{c \neq t} m_c

The mean of :math:`e_t` over the cells (heads on pooled features; the sum for heads on the whole map), plus the same
contrast of the head's effective bias, is the contrast of the logits; with two classes that is the logarithm of the odds
of the class, before any temperature. The effective bias of a linear head is its bias; behind ReLUs it is what the
biases give through those that the scan opens, so it differs from scan to scan.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tumorlens.errors import InputError
from tumorlens.types import Maps

__all__ = ["class_evidence"]


def class_evidence(class_maps: Maps, *, target: int) -> npt.NDArray[np.float32]:
    """The map of a class against the others.

    Args:
        class_maps: ``(h, w, k)`` float32 maps of the logits of k classes, k at least 2.
        target: Index of the class, 0..k-1.

    Returns:
        ``(h, w)`` float32, in log-odds: above 0 where a cell speaks for the class, below 0 where it speaks against it.

    Raises:
        InputError: The maps have another shape, or there is no such class.
    """
    if class_maps.ndim != 3 or class_maps.shape[2] < 2:
        raise InputError(
            f"Class maps must have the shape (h, w, classes) with 2 classes or more, got {class_maps.shape}."
        )
    classes = class_maps.shape[2]
    if not 0 <= target < classes:
        raise InputError(f"The class must be an index in 0..{classes - 1}, got {target}.")
    own = class_maps[..., target].astype(np.float64)
    others = (class_maps.sum(axis=2, dtype=np.float64) - own) / (classes - 1)
    return (own - others).astype(np.float32)
