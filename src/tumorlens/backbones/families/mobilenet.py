"""MobileNet, MobileNetV2 and MobileNetV3, each at its full width."""

from __future__ import annotations

from tumorlens.backbones.preprocessing import TF
from tumorlens.backbones.spec import BackboneSpec, Paper, PublishedWeights

__all__ = ["SPECS"]

_URL = "https://storage.googleapis.com/tensorflow/keras-applications/"
_PAPER = Paper(
    "Howard et al.: MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications. 2017",
    "1704.04861",
)
_PAPER_V2 = Paper(
    "Sandler, Howard, Zhu, Zhmoginov, Chen: MobileNetV2: Inverted Residuals and Linear Bottlenecks. CVPR 2018",
    "1801.04381",
)
_PAPER_V3 = Paper("Howard et al.: Searching for MobileNetV3. ICCV 2019", "1905.02244")


def _mobilenet(
    title: str,
    *,
    version: int,
    width: int,
    stages: tuple[tuple[str, str], ...],
    parameters: int,
    weights: PublishedWeights,
    paper: Paper,
) -> BackboneSpec:
    return BackboneSpec(
        name=title.lower(),
        title=title,
        family="MobileNet" if version == 1 else f"MobileNetV{version}",
        builder=title,
        source="keras",
        input_size=224,
        minimum_size=32,
        preprocessing=TF,
        preprocessing_in_keras=version == 3,
        fitted_normalisation=False,
        width=width,
        feature_layer=stages[-1][1],
        stages=stages,
        normalised="before pooling",
        parameters=parameters,
        weights=weights,
        licence="Apache-2.0",
        paper=paper,
    )


def _weights_v3(variant: str, md5: str) -> PublishedWeights:
    file_name = f"weights_mobilenet_v3_{variant}_224_1.0_float_no_top_v2.h5"
    return PublishedWeights(file_name, f"{_URL}mobilenet_v3/{file_name}", md5)


_V1_FILE = "mobilenet_1_0_224_tf_no_top.h5"
_V2_FILE = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5"

SPECS = (
    _mobilenet(
        "MobileNet",
        version=1,
        width=1024,
        stages=(
            ("stride2", "conv_pw_1_relu"),
            ("stride4", "conv_pw_3_relu"),
            ("stride8", "conv_pw_5_relu"),
            ("stride16", "conv_pw_11_relu"),
            ("stride32", "conv_pw_13_relu"),
        ),
        parameters=3_228_864,
        weights=PublishedWeights(_V1_FILE, f"{_URL}mobilenet/{_V1_FILE}", None),
        paper=_PAPER,
    ),
    _mobilenet(
        "MobileNetV2",
        version=2,
        width=1280,
        stages=(
            ("stride2", "expanded_conv_project_BN"),
            ("stride4", "block_2_add"),
            ("stride8", "block_5_add"),
            ("stride16", "block_12_add"),
            ("stride32", "block_16_project_BN"),
            ("top", "out_relu"),
        ),
        parameters=2_257_984,
        weights=PublishedWeights(_V2_FILE, f"{_URL}mobilenet_v2/{_V2_FILE}", None),
        paper=_PAPER_V2,
    ),
    _mobilenet(
        "MobileNetV3Large",
        version=3,
        width=960,
        stages=(
            ("stride2", "expanded_conv_add"),
            ("stride4", "expanded_conv_2_add"),
            ("stride8", "expanded_conv_5_add"),
            ("stride16", "expanded_conv_11_add"),
            ("stride32", "expanded_conv_14_add"),
            ("top", "activation_19"),
        ),
        parameters=2_996_352,
        weights=_weights_v3("large", "07fb09a5933dd0c8eaafa16978110389"),
        paper=_PAPER_V3,
    ),
    _mobilenet(
        "MobileNetV3Small",
        version=3,
        width=576,
        stages=(
            ("stride2", "activation"),
            ("stride4", "expanded_conv_project_bn"),
            ("stride8", "expanded_conv_2_add"),
            ("stride16", "expanded_conv_7_add"),
            ("stride32", "expanded_conv_10_add"),
            ("top", "activation_17"),
        ),
        parameters=939_120,
        weights=_weights_v3("small", "d3e8ec802a04aa4fc771ee12a9a9b836"),
        paper=_PAPER_V3,
    ),
)
