"""Slices of one volume belong together, whatever their thumbnails say. Knows nothing about pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

__all__ = ["join_volumes"]


def join_volumes(clusters: Sequence[str], volumes: Sequence[str]) -> list[str]:
    """Merge clusters that share a volume.

    Args:
        clusters: Each row's cluster.
        volumes: Each row's volume; blank for a scan of its own.

    Returns:
        Each row's cluster: the first, in order of the rows, of those that became one.
    """
    names, first, codes = np.unique(np.asarray(clusters), return_index=True, return_inverse=True)
    _, volume_codes = np.unique(np.asarray(volumes), return_inverse=True)
    known = np.asarray([bool(volume) for volume in volumes])
    ends = (codes[known], len(names) + volume_codes[known])
    size = len(names) + len(volume_codes)
    _, component = connected_components(coo_array((np.ones(known.sum()), ends), shape=(size, size)), directed=False)
    leader: dict[int, str] = {}
    for place in np.argsort(first, kind="stable"):
        leader.setdefault(int(component[place]), str(names[place]))
    return [leader[int(component[code])] for code in codes]
