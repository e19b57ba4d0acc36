"""ConvNeXt. It normalises after pooling; Keras publishes SHA-256 hashes for it."""

from __future__ import annotations

from tumorlens.backbones.preprocessing import TORCH
from tumorlens.backbones.spec import BackboneSpec, Paper, PublishedWeights

__all__ = ["SPECS"]

_URL = "https://storage.googleapis.com/tensorflow/keras-applications/convnext/"
_PAPER = Paper("Liu, Mao, Wu, Feichtenhofer, Darrell, Xie: A ConvNet for the 2020s. CVPR 2022", "2201.03545")


def _convnext(variant: str, *, third_stage: int = 27, width: int, parameters: int, sha256: str) -> BackboneSpec:
    model = f"convnext_{variant.lower()}"
    stages = tuple(
        (f"stage{i}", f"{model}_stage_{i}_block_{depth - 1}_identity") for i, depth in enumerate((3, 3, third_stage, 3))
    )
    return BackboneSpec(
        name=f"convnext{variant.lower()}",
        title=f"ConvNeXt{variant}",
        family="ConvNeXt",
        builder=f"ConvNeXt{variant}",
        source="keras",
        input_size=224,
        minimum_size=32,
        preprocessing=TORCH,
        preprocessing_in_keras=True,
        fitted_normalisation=False,
        width=width,
        feature_layer="layer_normalization",
        stages=(("stem", f"{model}_stem"), *stages),
        normalised="after pooling",
        parameters=parameters,
        weights=PublishedWeights(f"{model}_notop.h5", f"{_URL}{model}_notop.h5", sha256),
        licence="MIT",
        paper=_PAPER,
    )


SPECS = (
    _convnext(
        "Tiny",
        third_stage=9,
        width=768,
        parameters=27_820_128,
        sha256="d547c096cabd03329d7be5562c5e14798aa39ed24b474157cef5e85ab9e49ef1",
    ),
    _convnext(
        "Small",
        width=768,
        parameters=49_454_688,
        sha256="6fc8009faa2f00c1c1dfce59feea9b0745eb260a7dd11bee65c8e20843da6eab",
    ),
    _convnext(
        "Base",
        width=1024,
        parameters=87_566_464,
        sha256="40a20c5548a5e9202f69735ecc06c990e6b7c9d2de39f0361e27baeb24cb7c45",
    ),
    _convnext(
        "Large",
        width=1536,
        parameters=196_230_336,
        sha256="96f02b6f0753d4f543261bc9d09bed650f24dd6bc02ddde3066135b63d23a1cd",
    ),
    _convnext(
        "XLarge",
        width=2048,
        parameters=348_147_968,
        sha256="de3f8a54174130e0cecdc71583354753d557fcf1f4487331558e2a16ba0cfe05",
    ),
)
