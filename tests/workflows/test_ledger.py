"""The ledger only grows, and a line cut short by a kill harms nothing."""

from __future__ import annotations

from tumorlens.workflows.ledger import count_openings, record_opening
from tumorlens.workspace import Workspace


def test_counts_by_split(workspace: Workspace) -> None:
    for split in ("a", "b", "a"):
        record_opening(workspace, dataset="d", split_digest=split, run="r")
    assert (count_openings(workspace, "a"), count_openings(workspace, "b"), count_openings(workspace, "c")) == (2, 1, 0)


def test_half_a_line_is_passed_over(workspace: Workspace) -> None:
    record_opening(workspace, dataset="d", split_digest="a", run="r")
    with workspace.ledger.open("a") as file:
        file.write('{"split_digest": "a')
    record_opening(workspace, dataset="d", split_digest="a", run="r")
    assert count_openings(workspace, "a") == 2


def test_a_mistake_on_purpose_is_recorded_and_not_counted(workspace) -> None:
    record_opening(workspace, dataset="d", split_digest="a", run="right")
    record_opening(workspace, dataset="d", split_digest="a", run="wrong", mistake="scaling")
    assert count_openings(workspace, "a") == 1
    assert "scaling" in workspace.ledger.read_text()


def test_the_copy_of_a_data_set_shares_its_test_part(workspace) -> None:
    record_opening(workspace, dataset="d", split_digest="a", run="r")
    record_opening(workspace, dataset="d-brain", split_digest="b", run="s", original_split="a")
    assert count_openings(workspace, "a") == count_openings(workspace, "b") == 2
    record_opening(workspace, dataset="d-brain", split_digest="b", run="s")  # as when the run is evaluated once more
    assert count_openings(workspace, "a") == count_openings(workspace, "b") == 3
