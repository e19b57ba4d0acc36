"""Pretrained networks: one spec each, and where their weights are. Knows nothing about scans or graphs.

Imports no Keras: specs and files are enough to list, show and fetch networks.
"""

from tumorlens.backbones.checkpoint import read_checkpoint
from tumorlens.backbones.digests import file_digest
from tumorlens.backbones.download import fetch_weights
from tumorlens.backbones.preprocessing import Preprocessing
from tumorlens.backbones.registry import BACKBONES, find_backbone
from tumorlens.backbones.spec import BackboneSpec, Paper, PublishedWeights
from tumorlens.backbones.weights import RANDOM_SEED, Weights, keras_cache, local_weights, resolve_weights

__all__ = [
    "BACKBONES",
    "RANDOM_SEED",
    "BackboneSpec",
    "Paper",
    "Preprocessing",
    "PublishedWeights",
    "Weights",
    "fetch_weights",
    "file_digest",
    "find_backbone",
    "keras_cache",
    "local_weights",
    "read_checkpoint",
    "resolve_weights",
]
