from __future__ import annotations

import os
from pathlib import Path

import pytest

from tumorlens.runtime.children.stand_ins import put_under_name


@pytest.mark.parametrize("refused", [(), ("symlink",), ("symlink", "link")])
def test_a_second_name_holds_the_same_with_links_or_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: tuple[str, ...]
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(1314, "A required privilege is not held by the client")

    for name in refused:
        monkeypatch.setattr(os, name, refuse)
    (tmp_path / "weights").write_bytes(b"tensors")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inner").mkdir()
    put_under_name(Path("weights"), tmp_path / "inner" / "weights.h5")
    assert (tmp_path / "inner" / "weights.h5").read_bytes() == b"tensors"
    assert (tmp_path / "inner" / "weights.h5").is_symlink() == (not refused)
