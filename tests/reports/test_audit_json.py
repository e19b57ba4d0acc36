"""The audit's document: complete, plain, and documented key by key."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tumorlens.reports import audit_document

_DOCUMENT = Path(__file__).parents[2] / "docs" / "json.md"


@pytest.fixture(scope="module")
def sources(tiny_study) -> list[str]:
    return tiny_study.dataset.manifest["source"].tolist()


@pytest.fixture(scope="module")
def document(make_audit, sources) -> dict:
    return audit_document(make_audit(), sources=sources)


def test_it_survives_json(document):
    assert json.loads(json.dumps(document, allow_nan=False)) == document


def test_figures_stand_under_the_promised_keys(document):
    assert (document["scans"], document["distinct"], document["exact_groups"]) == (1000, 980, 15)
    assert (document["near_twins"], document["clusters"]) == (900, 120)
    leaks = document["split_leaks"]
    assert [leaks[key] for key in ("exact", "near", "mirrored", "neighbouring", "test_scans")] == [30, 12, 8, 100, 200]
    assert leaks["of"] == "the published test and training parts"
    assert document["all_split_leaks"][1]["neighbouring"] == 9
    assert document["against"]["other"]["exact"] == 5
    assert document["shortcuts"][0]["accuracy"] == 0.98 and document["shortcuts"][2]["roc_auc"] is None
    leakage = document["leakage"]
    assert leakage["random"] == {"accuracy": 0.944, "low": 0.944 - 0.02, "high": 0.944 + 0.015}
    assert [point["removed_above"] for point in leakage["curve"]] == [1.0, 0.95, 0.9]
    assert leakage["permuted"]["random"]["mean"] == 0.71 and leakage["permuted"]["grouped"]["draws"] == 200
    assert "permuted_random" not in leakage


def test_rows_are_named_by_their_sources(document, sources):
    assert document["label_conflicts"][0]["sources"] == [sources[8], sources[9]]
    assert document["contradictions"][0]["source"] == sources[12]
    assert [scan["source"] for scan in document["odd"]] == sources[13:16]
    assert document["split_leaks"]["examples"][1]["source"] == sources[2]


def test_what_was_not_computed_is_null_or_empty(make_bare_audit, sources):
    document = audit_document(make_bare_audit(), sources=sources)
    assert document["split_leaks"] is None and document["leakage"] is None
    assert document["against"] == {} and document["shortcuts"] == [] and document["odd"] == []


def test_every_key_is_documented(document):
    text = _DOCUMENT.read_text("utf-8").split("## `data audit`\n")[1].split("\n## ")[0]
    named = set(re.findall(r"`([^`\n]+)`", text))
    assert _keys(document) | {"report", "queue"} <= named


def _keys(value: object) -> set[str]:
    """Every key at any depth, but those that are names of data sets, classes and steps."""
    if isinstance(value, list):
        return set().union(*map(_keys, value)) if value else set()
    if not isinstance(value, dict):
        return set()
    found: set[str] = set(value)
    for key, inner in value.items():
        if key in ("by_class", "seconds"):
            continue
        found |= _keys(list(inner.values())) if key == "against" else _keys(inner)
    return found
