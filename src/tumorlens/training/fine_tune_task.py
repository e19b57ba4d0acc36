"""Child's side of fine-tuning: the upper part of a pretrained network, or all of it, is trained in Keras."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
from keras import layers

from tumorlens.backbones import BackboneSpec, find_backbone
from tumorlens.runtime.children.boundary import cut_network, stage_of_layers
from tumorlens.runtime.children.convert_backbone import effective_preprocessing
from tumorlens.runtime.children.networks import POOLED_NORMALISATION, Network, load_network
from tumorlens.runtime.children.save_model import preprocess
from tumorlens.training.child import Say
from tumorlens.training.head_files import load_layers, save_layers
from tumorlens.training.tuning_task import tune_model
from tumorlens.workspace import atomic_path

__all__ = ["run"]

MAP_LAYER = "map"


def run(job: Mapping[str, Any], say: Say) -> dict[str, Any]:
    """Fine-tune the network of ``job``; write ``head.npz`` and the trained network, ``body``, as a ``.keras`` file."""
    folder = Path(job["folder"])
    spec = find_backbone(job["backbone"])
    network = load_network(spec, size=job["size"], weights=Path(job["weights"]) if job["weights"] else None)
    pixels = keras.Input((job["size"], job["size"], 3), name="pixels")
    whole = preprocess(pixels, effective_preprocessing(spec, network))
    upper = cut_network(network.body, job["layer"]).upper if job["layer"] else None
    trained = upper or keras.Model(pixels, network.body(whole))
    model, classifier = _with_classifier(trained, network, job["n_classes"], folder / "first_head.npz")
    groups = _groups(spec, network, upper or network.body, model, classifier)
    history = tune_model(job, model, groups, say)
    save_layers(folder / "head.npz", [tuple(classifier.get_weights())])
    _save_body(Path(job["body"]), pixels, network, whole)
    return {"history": history}


def _with_classifier(trained: Any, network: Network, n_classes: int, first_head: Path) -> tuple[Any, Any]:
    """The trained part with pooling and a linear classifier, which starts where the frozen network's ended."""
    tensor = layers.GlobalAveragePooling2D()(trained.output)
    if network.pooled_normalisation is not None:
        tensor = network.pooled_normalisation(tensor)
    classifier = layers.Dense(n_classes, name="logits", kernel_initializer="zeros")
    model = keras.Model(trained.input, classifier(tensor))
    if first_head.is_file():
        (layer,) = load_layers(first_head, kind="linear", takes="pooled").layers
        classifier.set_weights([layer.weight, layer.bias])
    return model, classifier


def _groups(
    spec: BackboneSpec, network: Network, part: keras.Model, model: Any, classifier: Any
) -> Sequence[Sequence[Any]]:
    """Trainable variables by distance from the top: classifier, last stage, the one below, …"""
    known = {layer.name for layer in network.body.layers}
    ends = [layer for _, layer in spec.stages if layer in known]
    stages = stage_of_layers(network.body, ends)
    depth_of = {id(variable): 0 for variable in classifier.trainable_variables}
    for layer in part.layers:
        depth_of |= {id(variable): len(ends) - stages.get(layer.name, len(ends) - 1) for variable in layer.variables}
    groups: list[list[Any]] = [[] for _ in range(len(ends) + 1)]
    for variable in model.trainable_variables:
        groups[depth_of.get(id(variable), 1)].append(variable)
    return groups


def _save_body(path: Path, pixels: Any, network: Network, preprocessed: Any) -> None:
    """Write the network from 0..255 pixels to its map, a layer of its own, and the normalisation behind it if any."""
    tensor = layers.Activation("linear", name=MAP_LAYER)(network.body(preprocessed))
    if (normalisation := network.pooled_normalisation) is not None:
        copy = layers.LayerNormalization(epsilon=normalisation.epsilon, name=POOLED_NORMALISATION)
        tensor = copy(layers.GlobalAveragePooling2D()(tensor))
        copy.set_weights(normalisation.get_weights())
    with atomic_path(path) as temporary:
        keras.Model(pixels, tensor).save(temporary)
