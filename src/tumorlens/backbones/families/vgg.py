"""VGG."""

from __future__ import annotations

from tumorlens.backbones.preprocessing import CAFFE
from tumorlens.backbones.spec import BackboneSpec, Paper, PublishedWeights

__all__ = ["SPECS"]

_URL = "https://storage.googleapis.com/tensorflow/keras-applications/"
_PAPER = Paper(
    "Simonyan, Zisserman: Very Deep Convolutional Networks for Large-Scale Image Recognition. ICLR 2015", "1409.1556"
)


def _vgg(title: str, *, parameters: int, md5: str) -> BackboneSpec:
    name = title.lower()
    file_name = f"{name}_weights_tf_dim_ordering_tf_kernels_notop.h5"
    return BackboneSpec(
        name=name,
        title=title,
        family="VGG",
        builder=title,
        source="keras",
        input_size=224,
        minimum_size=32,
        preprocessing=CAFFE,
        preprocessing_in_keras=False,
        fitted_normalisation=False,
        width=512,
        feature_layer="block5_pool",
        stages=tuple((f"block{i}", f"block{i}_pool") for i in range(1, 6)),
        normalised="not at all",
        parameters=parameters,
        weights=PublishedWeights(file_name, f"{_URL}{name}/{file_name}", md5),
        licence="CC-BY-4.0",
        paper=_PAPER,
    )


SPECS = (
    _vgg("VGG16", parameters=14_714_688, md5="6d6bbae143d832006294945121d1f1fc"),
    _vgg("VGG19", parameters=20_024_384, md5="253f8cb515780f3b799900260a226db6"),
)
