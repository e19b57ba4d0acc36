from __future__ import annotations

import hashlib
import hmac
import os
import re
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorlens.datasets.patient_hash import hash_patient, read_or_make_key
from tumorlens.errors import InputError, IntegrityError

KEY = bytes(range(32))


def test_the_hash_is_hmac_sha256() -> None:
    expected = hmac.new(KEY, b"Anna-1", hashlib.sha256).hexdigest()[:16]
    assert hash_patient("Anna-1", KEY) == f"p{expected}"
    assert hash_patient("  Anna-1 ", KEY) == f"p{expected}"


@given(st.text(min_size=1).filter(str.strip), st.binary(min_size=32, max_size=32))
def test_hashes_depend_on_the_key_and_show_nothing(identity: str, key: bytes) -> None:
    found = hash_patient(identity, key)
    assert re.fullmatch("p[0-9a-f]{16}", found)
    assert found == hash_patient(identity, key)
    assert found != hash_patient(identity + "x", key)
    assert found != hash_patient(identity, key + b"x")


@pytest.mark.parametrize("identity", ["", "  ", "\t"])
def test_blank_identities_are_refused(identity: str) -> None:
    with pytest.raises(InputError, match="blank"):
        hash_patient(identity, KEY)


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "workspace" / "patient-key"
    key = read_or_make_key(path)
    assert len(key) == 32
    assert read_or_make_key(path) == key
    assert read_or_make_key(tmp_path / "other") != key
    assert [file.name for file in path.parent.iterdir()] == ["patient-key"]
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_of_two_first_imports_the_second_takes_the_key_of_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "patient-key"
    flush = os.fsync

    def overtaken(descriptor: int) -> None:
        flush(descriptor)
        if not path.exists():
            path.write_bytes(KEY)

    monkeypatch.setattr(os, "fsync", overtaken)
    assert read_or_make_key(path) == KEY
    assert [file.name for file in tmp_path.iterdir()] == ["patient-key"]


def test_a_key_is_made_where_the_file_system_has_no_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", refuse)
    key = read_or_make_key(tmp_path / "patient-key")
    assert (tmp_path / "patient-key").read_bytes() == key
    assert [file.name for file in tmp_path.iterdir()] == ["patient-key"]


@pytest.mark.parametrize("data", [b"", b"short", bytes(33)])
def test_a_damaged_key_is_refused_and_kept(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "patient-key"
    path.write_bytes(data)
    with pytest.raises(IntegrityError, match=rf"is damaged \({len(data)} bytes, expected 32\)"):
        read_or_make_key(path)
    assert path.read_bytes() == data
