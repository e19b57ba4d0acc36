"""InceptionV3, InceptionResNetV2 and Xception."""

from __future__ import annotations

from tumorlens.backbones.preprocessing import TF
from tumorlens.backbones.spec import BackboneSpec, Paper, PublishedWeights

__all__ = ["SPECS"]

_URL = "https://storage.googleapis.com/tensorflow/keras-applications/"


def _inception(
    title: str,
    *,
    minimum_size: int,
    width: int,
    stages: tuple[tuple[str, str], ...],
    parameters: int,
    weights: tuple[str, str],
    licence: str = "Apache-2.0",
    paper: Paper,
) -> BackboneSpec:
    folder, md5 = weights
    file_name = f"{folder}_weights_tf_dim_ordering_tf_kernels_notop.h5"
    return BackboneSpec(
        name=title.lower(),
        title=title,
        family="Xception" if title == "Xception" else "Inception",
        builder=title,
        source="keras",
        input_size=299,
        minimum_size=minimum_size,
        preprocessing=TF,
        preprocessing_in_keras=False,
        fitted_normalisation=False,
        width=width,
        feature_layer=stages[-1][1],
        stages=stages,
        normalised="before pooling",
        parameters=parameters,
        weights=PublishedWeights(file_name, f"{_URL}{folder}/{file_name}", md5),
        licence=licence,
        paper=paper,
    )


SPECS = (
    _inception(
        "InceptionV3",
        minimum_size=75,
        width=2048,
        stages=(
            ("stem", "max_pooling2d_1"),
            ("mixed0-2", "mixed2"),
            ("mixed3-7", "mixed7"),
            ("mixed8-10", "mixed10"),
        ),
        parameters=21_802_784,
        weights=("inception_v3", "bcbd6486424b2319ff4ef7d526e38f63"),
        paper=Paper(
            "Szegedy, Vanhoucke, Ioffe, Shlens, Wojna: Rethinking the Inception Architecture for Computer Vision. "
            "CVPR 2016",
            "1512.00567",
        ),
    ),
    _inception(
        "InceptionResNetV2",
        minimum_size=75,
        width=1536,
        stages=(
            ("stem", "mixed_5b"),
            ("block35", "block35_10_ac"),
            ("block17", "block17_20_ac"),
            ("block8", "custom_scale_layer_39"),
            ("top", "conv_7b_ac"),
        ),
        parameters=54_336_736,
        weights=("inception_resnet_v2", "d19885ff4a710c122648d3b5c3b684e4"),
        paper=Paper(
            "Szegedy, Ioffe, Vanhoucke, Alemi: Inception-v4, Inception-ResNet and the Impact of Residual Connections "
            "on Learning. AAAI 2017",
            "1602.07261",
        ),
    ),
    _inception(
        "Xception",
        minimum_size=71,
        width=2048,
        stages=(
            ("block1", "block1_conv2_act"),
            ("block2", "add"),
            ("block3", "add_1"),
            ("block4", "add_2"),
            ("block5-12", "add_10"),
            ("block13", "add_11"),
            ("block14", "block14_sepconv2_act"),
        ),
        parameters=20_861_480,
        weights=("xception", "b0042744bf5b25fce3cb969f33bebb97"),
        licence="MIT",
        paper=Paper("Chollet: Xception: Deep Learning with Depthwise Separable Convolutions. CVPR 2017", "1610.02357"),
    ),
)
