"""Child process with TensorFlow: cuts networks behind every stage and says how far the two parts are from the whole.

``python cut_many.py NAME…`` prints a JSON line for each stage: name, stage, number of tensors that cross, error
relative to the largest value, and the share of the arithmetic above.
"""

from __future__ import annotations

import json
import sys

import numpy as np

from tumorlens.backbones import find_backbone
from tumorlens.runtime.children.boundary import arithmetic_above, cut_network
from tumorlens.runtime.children.networks import load_network

for name in sys.argv[1:]:
    spec = find_backbone(name)
    body = load_network(spec, size=max(64, spec.minimum_size), weights=None).body
    pixels = np.random.default_rng(0).normal(size=(1, *body.input.shape[1:])).astype(np.float32)
    whole = np.asarray(body(pixels, training=False))
    for stage, layer in spec.stages:
        if arithmetic_above(body, layer) == 0.0:
            continue
        halves = cut_network(body, layer)
        crossing = halves.lower(pixels, training=False)
        joined = np.asarray(halves.upper(crossing, training=False))
        error = float(np.abs(joined - whole).max() / np.abs(whole).max())
        facts = [name, stage, len(halves.shapes), error, arithmetic_above(body, layer)]
        print(json.dumps(facts), flush=True)
