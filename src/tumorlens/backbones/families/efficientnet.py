"""EfficientNet B0 to B7. Their weights files hold the mean and variance of the preprocessing."""

from __future__ import annotations

from math import ceil

from tumorlens.backbones.preprocessing import TORCH
from tumorlens.backbones.spec import BackboneSpec, Paper, PublishedWeights

__all__ = ["SPECS"]

_URL = "https://storage.googleapis.com/keras-applications/"
_PAPER = Paper(
    "Tan, Le: EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks. ICML 2019", "1905.11946"
)
_REPEATS = (1, 2, 2, 3, 3, 4, 1)


def _last_layer(block: int, *, repeats: int) -> str:
    return f"block{block}a_project_bn" if repeats == 1 else f"block{block}{chr(96 + repeats)}_add"


def _efficientnet(variant: str, *, size: int, depth: float, width: int, parameters: int, md5: str) -> BackboneSpec:
    name = f"efficientnet{variant.lower()}"
    repeats = [ceil(depth * repeat) for repeat in _REPEATS]
    blocks = tuple((f"block{i}", _last_layer(i, repeats=n)) for i, n in enumerate(repeats, start=1))
    return BackboneSpec(
        name=name,
        title=f"EfficientNet{variant}",
        family="EfficientNet",
        builder=f"EfficientNet{variant}",
        source="keras",
        input_size=size,
        minimum_size=32,
        preprocessing=TORCH,
        preprocessing_in_keras=True,
        fitted_normalisation=True,
        width=width,
        feature_layer="top_activation",
        stages=(("stem", "stem_activation"), *blocks, ("top", "top_activation")),
        normalised="before pooling",
        parameters=parameters,
        weights=PublishedWeights(f"{name}_notop.h5", f"{_URL}{name}_notop.h5", md5),
        licence="Apache-2.0",
        paper=_PAPER,
    )


SPECS = (
    _efficientnet("B0", size=224, depth=1.0, width=1280, parameters=4_049_571, md5="50bc09e76180e00e4465e1a485ddc09d"),
    _efficientnet("B1", size=240, depth=1.1, width=1280, parameters=6_575_239, md5="74c4e6b3e1f6a1eea24c589628592432"),
    _efficientnet("B2", size=260, depth=1.2, width=1408, parameters=7_768_569, md5="111f8e2ac8aa800a7a99e3239f7bfb39"),
    _efficientnet("B3", size=300, depth=1.4, width=1536, parameters=10_783_535, md5="af6d107764bb5b1abb91932881670226"),
    _efficientnet("B4", size=380, depth=1.8, width=1792, parameters=17_673_823, md5="ebc24e6d6c33eaebbd558eafbeedf1ba"),
    _efficientnet("B5", size=456, depth=2.2, width=2048, parameters=28_513_527, md5="38879255a25d3c92d5e44e04ae6cec6f"),
    _efficientnet("B6", size=528, depth=2.6, width=2304, parameters=40_960_143, md5="9ecce42647a20130c1f39a5d4cb75743"),
    _efficientnet("B7", size=600, depth=3.1, width=2560, parameters=64_097_687, md5="cbcfe4450ddf6f3ad90b1b398090fe4a"),
)
