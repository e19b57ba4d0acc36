"""The approximate search at 10,000 and 100,000 made-up thumbnails: time, growth, recall, memory.

The scans are cut from a few synthetic heads. Each made-up patient is one of these heads, bent by a smooth displacement
of its own, with its own shading and gamma, cut at eight neighbouring heights 2 mm apart, with noise; one scan in
twenty also stands in the set as a turned or mirrored copy with other contrast and noise. So near-twins are neighbours
in a stack and copies, as in real sets, and the scans of different patients are alike without being twins.

``growth`` is the exponent b of time ~ scans^b between the two sizes, both searched with the approximate index.
``recall`` is the share of the twins of a sample of scans, found by comparing these with all, that was found.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from unittest import mock

import numpy as np
from PIL import Image
from scipy import ndimage

from measuring import report, run
from tumorlens.datasets.clusters import cluster_scans
from tumorlens.datasets.measures import thumbnail
from tumorlens.datasets.similarity import find_twins, find_twins_between
from tumorlens.datasets.similarity.turns import turn_pictures
from tumorlens.datasets.synthesis import SynthesisSettings, virtual_patient

_HEADS = 8
_SLICES = 8
_SAMPLE = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs=2, default=(10_000, 100_000))
    parser.add_argument("--above", type=float, default=0.97, help="similarity that twins must exceed")
    parser.add_argument("--child", type=int, default=None, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child is not None:
        print(json.dumps(measure(arguments.child, arguments.above)))
        return
    results = {}
    for size in arguments.sizes:
        child = run([sys.executable, __file__, "--child", str(size), "--above", str(arguments.above)])
        results[str(size)] = {**json.loads(child.output), "peak_memory_mb": child.peak_memory_mb}
    small, large = (results[str(size)] for size in arguments.sizes)
    ratio = math.log(arguments.sizes[1] / arguments.sizes[0])
    report(
        {
            "above": arguments.above,
            "sizes": results,
            "growth": {
                name: math.log(large[name] / small[name]) / ratio
                for name in ("twins_seconds", "upright_seconds", "clusters_seconds")
            },
        }
    )


def measure(count: int, above: float) -> dict[str, float]:
    """Search ``count`` thumbnails with the approximate index, and a sample of them exactly."""
    thumbnails = make_thumbnails(count)
    bounds = [f"tumorlens.datasets.similarity.{module}.MOST_EXACT" for module in ("index", "search")]
    with mock.patch(bounds[0], 0), mock.patch(bounds[1], 0):
        upright_seconds, _ = timed(lambda: find_twins(thumbnails, above=above, turns=False))
        twins_seconds, pairs = timed(lambda: find_twins(thumbnails, above=above))
        clusters_seconds, clusters = timed(lambda: cluster_scans(thumbnails))
    sample = np.sort(np.random.default_rng(1).choice(count, _SAMPLE, replace=False))
    with mock.patch(bounds[1], 10**9):
        exact = find_twins_between(thumbnails[sample], thumbnails, above=above)
    wanted = {(min(a, b), max(a, b)) for a, b in zip(sample[exact.first], exact.second, strict=True) if a != b}
    found = set(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))
    return {
        "thumbnail_mb": thumbnails.nbytes / 1e6,
        "upright_seconds": upright_seconds,
        "twins_seconds": twins_seconds,
        "clusters_seconds": clusters_seconds,
        "clusters": int(clusters.max()) + 1,
        "pairs": len(pairs),
        "sampled_pairs": len(wanted),
        "recall": len(wanted & found) / max(len(wanted), 1),
    }


def timed(work):  # type: ignore[no-untyped-def]
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def make_thumbnails(count: int) -> np.ndarray:
    """``(count, 60, 60)`` uint8, in random order."""
    rng = np.random.default_rng(0)
    stacks = [head_stack(number) for number in range(_HEADS)]
    made = np.empty((count, 60, 60), np.uint8)
    filled = 0
    while filled < count:
        scans = patient(stacks[rng.integers(_HEADS)], rng)
        copies = [copy(scan, rng) for scan in scans if rng.random() < 0.05]
        block = np.concatenate([scans, np.array(copies, np.float32).reshape(-1, 60, 60)])[: count - filled]
        block = block + rng.normal(0, 2, block.shape)
        made[filled : filled + len(block)] = np.clip(np.rint(block), 0, 255)
        filled += len(block)
    return made[rng.permutation(count)]


def head_stack(number: int) -> np.ndarray:
    """Thumbnails of one synthetic head from low to high, about 2 mm apart."""
    settings = SynthesisSettings(
        patients=_HEADS, slices_each=39, spacing_mm=2.0, size=120, seed=3, tumor_share=0.5, deformation_mm=(3.0, 8.0)
    )
    cuts = virtual_patient(settings, number).slices
    return np.stack([thumbnail(Image.fromarray(cut.pixels)) for cut in cuts]).astype(np.float32)


def patient(stack: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Eight neighbouring slices of a bent head."""
    first = int(rng.integers(len(stack) - _SLICES))
    y, x = np.mgrid[:60, :60].astype(np.float32)
    bend = [ndimage.zoom(rng.normal(0, 2.0, (6, 6)).astype(np.float32), 10, order=3) for _ in range(2)]
    places = [y + bend[0], x + bend[1]]
    shade = np.exp(ndimage.zoom(rng.normal(0, 0.15, (5, 5)).astype(np.float32), 12, order=3))
    gamma = rng.uniform(0.7, 1.4)
    cut = np.stack([ndimage.map_coordinates(plane, places, order=1) for plane in stack[first : first + _SLICES]])
    return np.asarray(255 * np.clip(cut * shade / 255, 0, 1) ** gamma, np.float32)


def copy(scan: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The scan turned or mirrored, in other contrast."""
    turned = turn_pictures(scan, int(rng.integers(1, 8)))
    return np.asarray(255 * (turned / 255) ** rng.uniform(0.8, 1.25), np.float32)


if __name__ == "__main__":
    main()
