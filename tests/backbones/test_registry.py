from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tumorlens.backbones import BACKBONES, BackboneSpec, find_backbone
from tumorlens.errors import NotFoundError

SPECS = list(BACKBONES.values())
KERAS_SPECS = [spec for spec in SPECS if spec.source == "keras"]


def by_name(spec: BackboneSpec) -> str:
    return spec.name


def keras_folder() -> Path:
    """Where Keras lies, without importing it: that takes seconds."""
    from importlib.util import find_spec

    keras = find_spec("keras")
    assert keras is not None and keras.origin is not None
    return Path(keras.origin).parent / "src" / "applications"


def keras_source() -> str:
    """All sources of ``keras.applications`` with string literals joined as Python joins them."""
    text = "\n".join(path.read_text() for path in keras_folder().glob("*.py") if not path.stem.endswith("_test"))
    return re.sub(r'"\s*\n\s*f?"', "", text)


SOURCE = keras_source()
EXPORTED = {name.split(".")[-1] for name in re.findall(r'"(keras\.applications\.[A-Z]\w+)"', SOURCE)}


def test_every_network_of_keras_has_exactly_one_spec() -> None:
    assert len(EXPORTED) > 35
    assert {spec.builder for spec in KERAS_SPECS} == EXPORTED
    assert len(KERAS_SPECS) == len(EXPORTED)


@pytest.mark.parametrize("spec", KERAS_SPECS, ids=by_name)
def test_published_hash_is_the_one_in_keras(spec: BackboneSpec) -> None:
    digest = spec.weights.digest
    if spec.name in ("mobilenet", "mobilenetv2"):  # Keras publishes none
        assert digest is None
    else:
        assert digest is not None and f'"{digest}"' in SOURCE
        assert len(digest) == (64 if spec.family == "ConvNeXt" else 32)


@pytest.mark.parametrize("spec", KERAS_SPECS, ids=by_name)
def test_no_two_networks_share_a_weights_file(spec: BackboneSpec) -> None:
    same = [other.name for other in SPECS if other.weights.file_name == spec.weights.file_name]
    assert same == [spec.name]
    assert spec.weights.url is not None and spec.weights.url.startswith("https://storage.googleapis.com/")


@pytest.mark.parametrize("spec", SPECS, ids=by_name)
def test_facts_fit_together(spec: BackboneSpec) -> None:
    assert spec.name == spec.name.lower() and spec.title.replace("-", "").lower() == spec.name.replace("-", "")
    assert spec.minimum_size <= spec.input_size
    assert len(dict(spec.stages)) == len(spec.stages)
    assert spec.stage_layer(spec.stages[0][0]) == spec.stages[0][1]
    if spec.normalised != "after pooling":
        assert spec.stages[-1][1] == spec.feature_layer
    assert re.fullmatch(r"\d{4}\.\d{4,5}", spec.paper.arxiv)
    if spec.source == "keras":
        assert spec.paper.arxiv in SOURCE or spec.family in ("Inception",)


@pytest.mark.parametrize(
    ("given", "found"), [("resnet50", "resnet50"), ("ResNet50", "resnet50"), (" ConvNeXtTiny ", "convnexttiny")]
)
def test_finds_names_as_keras_writes_them(given: str, found: str) -> None:
    assert find_backbone(given).name == found


@pytest.mark.parametrize(("wrong", "offered"), [("resnet5O", "resnet50"), ("efficientnet", "efficientnet")])
def test_unknown_name_offers_near_ones(wrong: str, offered: str) -> None:
    with pytest.raises(NotFoundError, match=offered):
        find_backbone(wrong)


def test_nonsense_name_offers_the_list() -> None:
    with pytest.raises(NotFoundError, match="backbones list"):
        find_backbone("zzzzzz")


PREPROCESSING_BY_HAND = {
    "caffe": lambda x: x[..., ::-1] - np.array([103.939, 116.779, 123.68]),
    "tf": lambda x: x / 127.5 - 1.0,
    "torch": lambda x: (x / 255.0 - np.array([0.485, 0.456, 0.406])) / np.array([0.229, 0.224, 0.225]),
    "x/128-1": lambda x: x / 128.0 - 1.0,
}
FAMILY_CONVENTIONS = {
    "ResNet": "caffe",
    "VGG": "caffe",
    "ResNetV2": "tf",
    "MobileNet": "tf",
    "MobileNetV2": "tf",
    "MobileNetV3": "tf",
    "Inception": "tf",
    "Xception": "tf",
    "NASNet": "tf",
    "DenseNet": "torch",
    "EfficientNet": "torch",
    "EfficientNet-Lite": "torch",
    "ConvNeXt": "torch",
}


@pytest.mark.parametrize("spec", SPECS, ids=by_name)
def test_gain_and_offset_give_the_documented_preprocessing(spec: BackboneSpec) -> None:
    convention = FAMILY_CONVENTIONS.get(spec.family) or ("torch" if "v2b" in spec.name else "x/128-1")
    pixels = np.random.default_rng(7).integers(0, 256, (5, 6, 3)).astype(float)
    ordered = pixels[..., ::-1] if spec.preprocessing.reverse_channels else pixels
    ours = ordered * spec.preprocessing.gain + spec.preprocessing.offset
    np.testing.assert_allclose(ours, PREPROCESSING_BY_HAND[convention](pixels), rtol=1e-12, atol=1e-12)


def test_registry_imports_neither_keras_nor_tensorflow() -> None:
    code = "import sys, tumorlens.backbones, tumorlens.runtime; print([m for m in sys.modules if m in %r])"
    heavy = ("keras", "tensorflow", "sklearn", "pandas", "matplotlib")
    done = subprocess.run([sys.executable, "-c", code % (heavy,)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_specs_are_frozen() -> None:
    assert inspect.isclass(BackboneSpec)
    with pytest.raises(AttributeError):
        SPECS[0].name = "other"  # type: ignore[misc]
