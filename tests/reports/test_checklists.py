"""The reporting checklists: complete, in words of our own, nothing ticked, every fact function used."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tumorlens.reports import ReportFacts, checklists_markdown, fill_checklists
from tumorlens.reports.checklist_facts import FACTS
from tumorlens.reports.checklists import FOR_AUTHORS, read_checklists


@pytest.mark.parametrize(
    ("place", "name", "main", "items"),
    [(0, "CLAIM 2024", 44, 44), (1, "TRIPOD+AI", 27, 52), (2, "STARD-AI", 40, 48)],
)
def test_every_item_is_there_in_order(place, name, main, items) -> None:
    checklist = read_checklists()[place]
    assert checklist.name == name and len(checklist.items) == items
    numbers = [item.main_number for item in checklist.items]
    assert sorted(set(numbers)) == list(range(1, main + 1))
    assert numbers == sorted(numbers)
    assert len({item.number for item in checklist.items}) == items
    for number in set(numbers):
        letters = [item.number.removeprefix(str(number)) for item in checklist.items if item.main_number == number]
        assert letters == ([""] if len(letters) == 1 else [chr(ord("a") + at) for at in range(len(letters))])


def test_every_item_asks_something_and_names_a_section() -> None:
    for checklist in read_checklists():
        assert all(item.asks.endswith("?") and item.section for item in checklist.items)
        assert "not compared with the publication itself" in checklist.checked
        assert checklist.doi.startswith("10.")


def test_every_fact_function_is_used_and_every_used_one_exists() -> None:
    used = {item.fact for checklist in read_checklists() for item in checklist.items if item.fact}
    assert used == set(FACTS)


def test_every_fact_gives_text_or_nothing(make_example) -> None:
    for example in (make_example(), make_example(protocol="study"), make_example(classes=("a", "b", "c", "d", "e"))):
        comparison = example.comparison
        for facts in (
            ReportFacts(comparison=comparison),
            ReportFacts(comparison=comparison, single=True, row=comparison.rows[3], detail=example.details[3], wrong=7),
            ReportFacts(comparison=replace(comparison, residual_neighbours=None), row=comparison.rows[-1]),
        ):
            for name, fact in FACTS.items():
                said = fact(facts)
                assert isinstance(said, str), name
                assert said == "" or re.search(r"[a-z]", said), name
                assert "None " not in said.replace("None: ", "").replace("None in", ""), (name, said)


def test_what_is_unknown_is_for_the_authors_and_nothing_is_ticked(grouped_example) -> None:
    facts = ReportFacts(comparison=grouped_example.comparison)
    filled = fill_checklists(facts)
    text = checklists_markdown(filled)
    for entry in filled:
        known = {found.item.number: found.known for found in entry.items}
        assert all(known[found.item.number] == FOR_AUTHORS for found in entry.items if not found.item.fact)
    assert not re.search(r"\[x\]|☑|✓|✔", text)
    assert "answers no item by itself" in text
    claim = {found.item.number: found for found in filled[0].items}
    assert claim["44"].open and claim["22"].open and not claim["19"].open
    assert "train" in claim["19"].known and "3f9a3f9a3f9a" in claim["19"].known


def test_facts_of_a_model_are_its_own(grouped_example) -> None:
    row = grouped_example.comparison.rows[3]
    facts = ReportFacts(comparison=grouped_example.comparison, row=row, detail=grouped_example.details[3], wrong=12)
    assert f"{row.test_accuracy:.3f} ({row.test_accuracy_low:.3f}–{row.test_accuracy_high:.3f})" in FACTS["accuracy"](
        facts
    )
    assert "12 of" in FACTS["failures"](facts)
    counts = grouped_example.details[3].confusion
    assert f"{counts[0, 1]:,} no tumour taken for tumour" in FACTS["cross_table"](facts)
    assert "vgg16 as a frozen feature extractor with a linear head" in FACTS["technique"](facts)


def test_a_collapsed_model_has_no_figures(grouped_example) -> None:
    facts = ReportFacts(comparison=grouped_example.comparison, row=grouped_example.comparison.rows[-1])
    assert FACTS["accuracy"](facts) == FACTS["performance"](facts) == ""


def test_markdown_tables_are_whole_whatever_a_class_is_called(make_example) -> None:
    example = make_example(classes=("a|b", "<script>"), dataset="x | y")
    text = checklists_markdown(fill_checklists(ReportFacts(comparison=example.comparison)))
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(lines) == 44 + 52 + 48 + 3 * 2
    assert all(len(re.findall(r"(?<!\\)\|", line)) == 5 for line in lines)
    assert "<script>" not in text
