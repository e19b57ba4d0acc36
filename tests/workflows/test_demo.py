"""The demo goes the whole way offline, says that it is synthetic, and does nothing twice."""

from __future__ import annotations

import pytest

from tumorlens.workflows import demo
from tumorlens.workflows.demo import run_demo


@pytest.mark.slow
def test_demo_twice_without_the_extra(workspace, monkeypatch) -> None:
    monkeypatch.setattr(demo, "has_extra", lambda extra: False)
    monkeypatch.setattr(demo, "_PATIENTS", 24)
    monkeypatch.setattr(demo, "_SLICES_EACH", 3)
    first = run_demo(workspace)
    folder = workspace.root / "synthetic" / "demo-0"
    assert (folder / "contact-sheet.png").is_file()
    assert str(folder / "contact-sheet.png") in first.opening_lines[0]
    assert any("Synthetic" in line for line in first.opening_lines[1:])
    assert [row.backbone for row in first.comparison.comparison.rows] == [
        "majority class",
        "area and brightness",
        "efficientnet-lite0",
    ]
    assert "synthetic" in first.comparison.comparison.marks and first.prediction.marks == ("synthetic",)
    assert "synthetic" in first.comparison.report.read_text().lower()
    assert first.reference_label in ("no_tumor", "tumor")
    (folder / "contact-sheet.png").unlink()  # as a kill just before it was drawn would leave it
    again = run_demo(workspace)
    assert again.comparison.runs[0].created == first.comparison.runs[0].created
    assert (folder / "contact-sheet.png").is_file()
