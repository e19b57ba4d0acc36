"""ResNet and ResNetV2."""

from __future__ import annotations

from tumorlens.backbones.preprocessing import CAFFE, TF
from tumorlens.backbones.spec import BackboneSpec, Paper, PublishedWeights

__all__ = ["SPECS"]

_URL = "https://storage.googleapis.com/tensorflow/keras-applications/resnet/"
_PAPER = Paper("He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition. CVPR 2016", "1512.03385")
_PAPER_V2 = Paper("He, Zhang, Ren, Sun: Identity Mappings in Deep Residual Networks. ECCV 2016", "1603.05027")


def _resnet(title: str, *, blocks: tuple[int, int, int, int], parameters: int, md5: str) -> BackboneSpec:
    second = title.endswith("V2")
    ends = tuple((f"conv{i}", f"conv{i}_block{n}_out") for i, n in enumerate(blocks, start=2))
    file_name = f"{title.lower()}_weights_tf_dim_ordering_tf_kernels_notop.h5"
    return BackboneSpec(
        name=title.lower(),
        title=title,
        family="ResNetV2" if second else "ResNet",
        builder=title,
        source="keras",
        input_size=224,
        minimum_size=32,
        preprocessing=TF if second else CAFFE,
        preprocessing_in_keras=False,
        fitted_normalisation=False,
        width=2048,
        feature_layer="post_relu" if second else ends[-1][1],
        stages=(("stem", "pool1_pool"), *ends[:-1], ("conv5", "post_relu" if second else ends[-1][1])),
        normalised="before pooling",
        parameters=parameters,
        weights=PublishedWeights(file_name, _URL + file_name, md5),
        licence="Apache-2.0" if second else "MIT",
        paper=_PAPER_V2 if second else _PAPER,
    )


SPECS = (
    _resnet("ResNet50", blocks=(3, 4, 6, 3), parameters=23_587_712, md5="4d473c1dd8becc155b73f8504c6f6626"),
    _resnet("ResNet101", blocks=(3, 4, 23, 3), parameters=42_658_176, md5="88cf7a10940856eca736dc7b7e228a21"),
    _resnet("ResNet152", blocks=(3, 8, 36, 3), parameters=58_370_944, md5="ee4c566cf9a93f14d82f913c2dc6dd0c"),
    _resnet("ResNet50V2", blocks=(3, 4, 6, 3), parameters=23_564_800, md5="fac2f116257151a9d068a22e544a4917"),
    _resnet("ResNet101V2", blocks=(3, 4, 23, 3), parameters=42_626_560, md5="c0ed64b8031c3730f411d2eb4eea35b5"),
    _resnet("ResNet152V2", blocks=(3, 8, 36, 3), parameters=58_331_648, md5="ed17cf2e0169df9d443503ef94b23b33"),
)
