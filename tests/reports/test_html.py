"""The report: whole, self-contained, escaped."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from tumorlens.reports import (
    SYNTHETIC,
    Picture,
    Plot,
    Report,
    comparison_plots,
    html_report,
    write_html_report,
)

VOID = {"meta", "img", "br", "link", "path", "use", "rect", "input", "hr"}


class Page(HTMLParser):
    """Collects attributes and text, and checks that every tag is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.tags: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        values = dict(attributes)
        self.addresses += [value for name, value in attributes if name in {"src", "href", "xlink:href", "data"}]
        if tag == "img":
            assert values.get("alt")
        if tag == "svg":
            assert values.get("role") == "img"
            assert values.get("aria-label")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.addresses += [value for name, value in attributes if name.endswith(("src", "href"))]
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += f"{data} "


def few_plots(example, *places: int) -> tuple[Plot, ...]:
    """The plots of all rows together, and those of the rows at ``places`` alone."""
    details = [detail if place in places else None for place, detail in enumerate(example.details)]
    return comparison_plots(example.comparison, details)


@pytest.fixture(scope="module")
def full_report(study_example) -> Report:
    return Report(
        comparison=study_example.comparison,
        plots=few_plots(study_example, 3, 4),
        flow={"files": 3_762, "readable": 3_762, "distinct": 3_699},
        data_check={"exact copies": "113 files in 50 groups"},
        facts={"Input size": "240 px"},
        test_openings=3,
        next_commands=["tumorlens predict vgg16-1 scan.png", "tumorlens runs list"],
        methods="We did this & that.",
        pictures=[Picture(b"\x89PNG", "Twelve scans.", "Some of the scans.")],
    )


@pytest.fixture(scope="module")
def document(full_report) -> str:
    return html_report(full_report)


@pytest.fixture(scope="module")
def page(document) -> Page:
    return Page(document)


def test_every_tag_is_closed(page):
    assert page.open == []


def test_nothing_is_loaded_from_elsewhere(document, page):
    assert page.addresses
    assert all(address.startswith(("#", "data:image/png;base64,")) for address in page.addresses)
    assert not {"script", "link", "iframe", "object"} & set(page.tags)
    assert not re.search(r"url\(\s*['\"]?(?!#)", document)
    assert "@import" not in document


def test_everything_is_on_it(full_report, page):
    text = " ".join(page.text.split())
    comparison = full_report.comparison
    for row in comparison.rows:
        assert row.collapsed or f"{row.test_accuracy:.3f}" in text
    for expected in (
        "Leaky: for comparison with the published table",
        "27 of 753 test scans still have a training neighbour above 0.95, 9 above 0.98",
        "Area and brightness alone",
        "predicts one class only",
        "3,699 distinct",
        "113 files in 50 groups",
        comparison.split_digest,
        "3 times; the more often",
        "openvino 2026.1",
        "We did this & that.",
        "tumorlens runs list",
        "Split seed 42",
    ):
        assert expected in text, expected
    assert page.text.count("research output, not for patient care") >= 1
    assert [plot.kind for plot in full_report.plots] == ["overview", "roc", "pr", *["confusion", "history"] * 2]
    assert page.tags.count("svg") == len(full_report.plots)


def test_print_repeats_the_words_on_every_page(document):
    assert '@bottom-center { content: "research output, not for patient care"' in document


def test_one_main_heading_and_headings_for_every_section(page):
    assert page.tags.count("h1") == 1
    assert page.tags.count("section") == page.tags.count("h2")


def test_hostile_names_are_escaped(make_example):
    bad = "<img src=https://x.example onerror=alert(1)>\"'&"
    example = make_example(dataset=bad, classes=(bad, "</svg><script>alert(2)</script>"), note=bad)
    report = Report(
        comparison=replace(example.comparison, marks=(bad,), machine=bad),
        plots=few_plots(example, 1),
        flow={bad: 1},
        data_check={bad: bad},
        facts={bad: bad},
        next_commands=[bad],
        methods=bad,
        pictures=[Picture(b"", bad, bad)],
    )
    page = Page(html_report(report))
    assert page.open == []
    assert "script" not in page.tags
    assert page.tags.count("img") == 1
    assert all(address.startswith(("#", "data:")) for address in page.addresses)


def test_a_bare_comparison_makes_a_report_too(grouped_example):
    comparison = replace(grouped_example.comparison, best=None, residual_neighbours=None, marks=(), versions={})
    page = Page(html_report(Report(comparison=comparison)))
    assert page.open == []
    assert "Best on validation" not in page.text
    assert "split by clusters" in page.text


def test_marks_are_a_banner(grouped_example):
    comparison = replace(grouped_example.comparison, marks=(SYNTHETIC,))
    text = html_report(Report(comparison=comparison))
    banner = re.search(r'<div class="banner".*?</div>', text, flags=re.DOTALL)
    assert banner is not None
    assert "the scans are made up" in banner.group()


@pytest.mark.parametrize(("openings", "expected"), [(None, None), (1, "once, for this comparison"), (2, "2 times")])
def test_openings_of_the_test_part(grouped_example, openings, expected):
    page = Page(html_report(Report(comparison=grouped_example.comparison, test_openings=openings)))
    assert ("Test part opened" in page.text) == (expected is not None)
    assert expected is None or expected in page.text


def test_a_split_from_a_file_has_no_seed(grouped_example):
    comparison = replace(grouped_example.comparison, seed=None)
    page = Page(html_report(Report(comparison=comparison)))
    assert "Split seed not known: read from a file" in " ".join(page.text.split())


def test_it_is_written(grouped_example, tmp_path):
    path = write_html_report(Report(comparison=grouped_example.comparison), tmp_path / "report.html")
    assert path.read_text("utf-8").startswith("<!doctype html>")
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]
