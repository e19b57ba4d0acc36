"""EfficientNetV2 B0 to B3, S, M and L. The B variants are fed torch-style, the others with x/128 - 1."""

from __future__ import annotations

from tumorlens.backbones.preprocessing import HALF_RANGE, TORCH
from tumorlens.backbones.spec import BackboneSpec, Paper, PublishedWeights

__all__ = ["SPECS"]

_URL = "https://storage.googleapis.com/tensorflow/keras-applications/efficientnet_v2/"
_PAPER = Paper("Tan, Le: EfficientNetV2: Smaller Models and Faster Training. ICML 2021", "2104.00298")


def _last_layer(block: int, *, repeats: int) -> str:
    return f"block{block}a_project_activation" if repeats == 1 else f"block{block}{chr(96 + repeats)}_add"


def _efficientnet_v2(
    variant: str, *, size: int, repeats: tuple[int, ...], width: int = 1280, parameters: int, md5: str
) -> BackboneSpec:
    file_name = f"efficientnetv2-{variant.lower()}_notop.h5"
    blocks = tuple((f"block{i}", _last_layer(i, repeats=n)) for i, n in enumerate(repeats, start=1))
    return BackboneSpec(
        name=f"efficientnetv2{variant.lower()}",
        title=f"EfficientNetV2{variant}",
        family="EfficientNetV2",
        builder=f"EfficientNetV2{variant}",
        source="keras",
        input_size=size,
        minimum_size=32,
        preprocessing=TORCH if variant.startswith("B") else HALF_RANGE,
        preprocessing_in_keras=True,
        fitted_normalisation=False,
        width=width,
        feature_layer="top_activation",
        stages=(("stem", "stem_activation"), *blocks, ("top", "top_activation")),
        normalised="before pooling",
        parameters=parameters,
        weights=PublishedWeights(file_name, _URL + file_name, md5),
        licence="Apache-2.0",
        paper=_PAPER,
    )


SPECS = (
    _efficientnet_v2(
        "B0",
        size=224,
        repeats=(1, 2, 2, 3, 5, 8),
        parameters=5_919_312,
        md5="893217f2bb855e2983157299931e43ff",
    ),
    _efficientnet_v2(
        "B1",
        size=240,
        repeats=(2, 3, 3, 4, 6, 9),
        parameters=6_931_124,
        md5="0e80663031ca32d657f9caa404b6ec37",
    ),
    _efficientnet_v2(
        "B2",
        size=260,
        repeats=(2, 3, 3, 4, 6, 10),
        width=1408,
        parameters=8_769_374,
        md5="1dfe2e7a5d45b6632553a8961ea609eb",
    ),
    _efficientnet_v2(
        "B3",
        size=300,
        repeats=(2, 3, 3, 5, 7, 12),
        width=1536,
        parameters=12_930_622,
        md5="f6abf7b5849ac99a89b50dd3fd532856",
    ),
    _efficientnet_v2(
        "S",
        size=384,
        repeats=(2, 4, 4, 6, 9, 15),
        parameters=20_331_360,
        md5="af0682fb74e8c54910f2d4393339c070",
    ),
    _efficientnet_v2(
        "M",
        size=480,
        repeats=(3, 5, 5, 7, 14, 18, 5),
        parameters=53_150_388,
        md5="1b8dc055df72dde80d614482840fe342",
    ),
    _efficientnet_v2(
        "L",
        size=480,
        repeats=(4, 7, 7, 10, 19, 25, 7),
        parameters=117_746_848,
        md5="b0b66b5c863aef5b46e8608fe1711615",
    ),
)
