"""BibTeX: every network's paper, tumorlens as in its citation file, methods by what was used."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tumorlens.backbones import BACKBONES
from tumorlens.evaluation import Difference
from tumorlens.reports import ReportFacts, bibliography, to_bibtex
from tumorlens.reports.bibliography import TUMORLENS, Entry, paper_entry

_CITATION = Path(__file__).resolve().parents[2] / "CITATION.cff"


def _keys(comparison, **changes) -> list[str]:
    return [entry.key for entry in bibliography(ReportFacts(comparison=comparison, **changes))]


@pytest.mark.parametrize("name", BACKBONES)
def test_every_network_has_an_entry_with_authors_title_and_year(name) -> None:
    paper = BACKBONES[name].paper
    fields = dict(paper_entry(paper).fields)
    assert {"author", "title", "year", "eprint"} <= set(fields)
    assert fields["eprint"] == paper.arxiv and re.fullmatch(r"(19|20)\d\d", fields["year"])
    assert fields["title"] in paper.citation and fields["author"].split(" and ")[0] in paper.citation
    assert ":" not in fields["author"] and not fields["title"].endswith(".")


def test_tumorlens_is_cited_as_its_citation_file_says() -> None:
    text = _CITATION.read_text(encoding="utf-8")
    fields = dict(TUMORLENS.fields)
    assert f'title: "{fields["title"]}"' in text
    assert f'name: "{fields["author"].strip("{}")}"' in text
    assert f"license: {fields['license']}" in text


def test_methods_are_cited_where_they_were_used(make_example) -> None:
    comparison = make_example().comparison
    keys = _keys(comparison)
    assert keys[0] == "tumorlens"
    assert {"field2007", "efron1993", "zhou2016", "draelos2020", "virtanen2020", "tejani2024"} <= set(keys)
    assert "holm1979" not in keys
    difference = Difference(
        first="a", second="b", value=0.1, low=None, high=None, p=0.2, p_adjusted=0.2, n_groups=9, unit="clusters"
    )
    assert "holm1979" in _keys(replace(comparison, differences=(difference,)))
    bare = replace(comparison, rows=comparison.rows[:2])
    assert not {"zhou2016", "simonyan2015-1409.1556"} & set(_keys(bare))


def test_each_entry_once_with_a_key_of_its_own(make_example) -> None:
    keys = _keys(make_example().comparison)
    assert len(keys) == len(set(keys)) and sum("simonyan" in key for key in keys) == 1


def test_the_file_is_well_formed(make_example) -> None:
    text = to_bibtex(bibliography(ReportFacts(comparison=make_example().comparison)))
    entries = re.findall(r"@(\w+)\{([^,\s]+),\n((?:  \w+ = \{.*\},\n)+)\}\n", text)
    assert len(entries) == text.count("@")
    assert text.count("{") == text.count("}")
    assert "version = {0.1.0}" in text


def test_signs_that_mean_something_in_tex_are_made_plain() -> None:
    text = to_bibtex((Entry("k", "misc", (("title", "A & B: 50% of {x}_1"), ("author", "{The & Group}"))),))
    assert r"title = {A \& B: 50\% of \{x\}\_1}" in text
    assert "author = {{The & Group}}" in text
