"""NASNet. Each cell reads the two cells before it, so a stage's end is a place in order, not a single cut."""

from __future__ import annotations

from tumorlens.backbones.preprocessing import TF
from tumorlens.backbones.spec import BackboneSpec, Paper, PublishedWeights

__all__ = ["SPECS"]

_URL = "https://storage.googleapis.com/tensorflow/keras-applications/nasnet/"
_PAPER = Paper(
    "Zoph, Vasudevan, Shlens, Le: Learning Transferable Architectures for Scalable Image Recognition. CVPR 2018",
    "1707.07012",
)


def _nasnet(
    variant: str, *, size: int, cells: tuple[int, int, int], last: str, width: int, parameters: int, md5: str
) -> BackboneSpec:
    ends = tuple((f"cells{i}", f"normal_concat_{cell}") for i, cell in enumerate(cells, start=1))
    return BackboneSpec(
        name=f"nasnet{variant}",
        title=f"NASNet{variant.capitalize()}",
        family="NASNet",
        builder=f"NASNet{variant.capitalize()}",
        source="keras",
        input_size=size,
        minimum_size=32,
        preprocessing=TF,
        preprocessing_in_keras=False,
        fitted_normalisation=False,
        width=width,
        feature_layer=last,
        stages=(("stem", "reduction_concat_stem_2"), *ends, ("top", last)),
        normalised="before pooling",
        parameters=parameters,
        weights=PublishedWeights(f"nasnet_{variant}_no_top.h5", f"{_URL}NASNet-{variant}-no-top.h5", md5),
        licence="Apache-2.0",
        paper=_PAPER,
    )


SPECS = (
    _nasnet(
        "mobile",
        size=224,
        cells=(3, 8, 12),
        last="activation_187",
        width=1056,
        parameters=4_269_716,
        md5="1ed92395b5b598bdda52abe5c0dbfd63",
    ),
    _nasnet(
        "large",
        size=331,
        cells=(5, 12, 18),
        last="activation_259",
        width=4032,
        parameters=84_916_818,
        md5="d81d89dc07e6e56530c4e77faddd61b5",
    ),
)
