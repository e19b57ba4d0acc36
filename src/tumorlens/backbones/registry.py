"""All networks tumorlens knows, by name. One entry in a family's file adds a network everywhere."""

from __future__ import annotations

from difflib import get_close_matches

from tumorlens.backbones.families import (
    convnext,
    densenet,
    efficientnet,
    efficientnet_lite,
    efficientnet_v2,
    inception,
    mobilenet,
    nasnet,
    resnet,
    vgg,
)
from tumorlens.backbones.spec import BackboneSpec
from tumorlens.errors import NotFoundError

__all__ = ["BACKBONES", "find_backbone"]

_FAMILIES = (
    efficientnet_lite,
    resnet,
    vgg,
    efficientnet,
    efficientnet_v2,
    mobilenet,
    densenet,
    inception,
    nasnet,
    convnext,
)

BACKBONES: dict[str, BackboneSpec] = {spec.name: spec for family in _FAMILIES for spec in family.SPECS}
"""Every network by its name; related ones stand together."""


def find_backbone(name: str) -> BackboneSpec:
    """Look up a network by ``name``, which may be written as in Keras ("ResNet50").

    Raises:
        NotFoundError: There is no such network; the nearest names are offered.
    """
    wanted = name.strip().lower()
    if wanted in BACKBONES:
        return BACKBONES[wanted]
    near = get_close_matches(wanted, BACKBONES, n=3, cutoff=0.5)
    offer = f"did you mean {' or '.join(near)}? " if near else ""
    raise NotFoundError(f"No backbone is named {name!r}: {offer}`tumorlens backbones list` shows all of them.")
