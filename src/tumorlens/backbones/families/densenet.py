"""DenseNet."""

from __future__ import annotations

from tumorlens.backbones.preprocessing import TORCH
from tumorlens.backbones.spec import BackboneSpec, Paper, PublishedWeights

__all__ = ["SPECS"]

_URL = "https://storage.googleapis.com/tensorflow/keras-applications/densenet/"
_PAPER = Paper(
    "Huang, Liu, van der Maaten, Weinberger: Densely Connected Convolutional Networks. CVPR 2017", "1608.06993"
)


def _densenet(depth: int, *, width: int, parameters: int, md5: str) -> BackboneSpec:
    file_name = f"densenet{depth}_weights_tf_dim_ordering_tf_kernels_notop.h5"
    return BackboneSpec(
        name=f"densenet{depth}",
        title=f"DenseNet{depth}",
        family="DenseNet",
        builder=f"DenseNet{depth}",
        source="keras",
        input_size=224,
        minimum_size=32,
        preprocessing=TORCH,
        preprocessing_in_keras=False,
        fitted_normalisation=False,
        width=width,
        feature_layer="relu",
        stages=(
            ("stem", "pool1"),
            ("conv2", "pool2_pool"),
            ("conv3", "pool3_pool"),
            ("conv4", "pool4_pool"),
            ("conv5", "relu"),
        ),
        normalised="before pooling",
        parameters=parameters,
        weights=PublishedWeights(file_name, _URL + file_name, md5),
        licence="BSD-3-Clause",
        paper=_PAPER,
    )


SPECS = (
    _densenet(121, width=1024, parameters=7_037_504, md5="30ee3e1110167f948a6b9946edeeb738"),
    _densenet(169, width=1664, parameters=12_642_880, md5="b8c4d4c20dd625c148057b9ff1c1176b"),
    _densenet(201, width=1920, parameters=18_321_984, md5="c13680b51ded0fb44dff2d8f86ac8bb1"),
)
