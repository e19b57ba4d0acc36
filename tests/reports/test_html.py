"""The report: whole, self-contained, escaped."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from tumorlens.evaluation import ReliabilityBin
from tumorlens.reports import (
    SYNTHETIC,
    Neighbour,
    Picture,
    Plot,
    Report,
    ReportFacts,
    SubgroupFigure,
    WrongAnswer,
    WrongAnswers,
    bibliography,
    comparison_plots,
    data_sheet,
    fill_checklists,
    forest_grid,
    html_report,
    model_card,
    reliability_plot,
    subgroup_plot,
    to_bibtex,
    write_html_report,
)
from tumorlens.reports.audit_tiles import Tile

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


def whole_report(example, *, name: str = "scan.png", pictures: bool = True) -> Report:
    """A page with every part."""
    comparison = example.comparison
    row = comparison.rows[3]
    facts = ReportFacts(comparison=comparison, row=row, detail=example.details[3], wrong=2, data_licence=name)
    tile = Tile(b"\xff\xd8", name, name) if pictures else None
    near = (Neighbour(name, 0.25, tile), Neighbour(name, 0.5, tile))
    answers = [
        WrongAnswer(place, name, name, 0.9 - place / 10, tile, b"\xff\xd8" if pictures else None, neighbours=near)
        for place in range(2)
    ]
    subgroups = [SubgroupFigure(name, name, 10, 0.8, 0.7, 0.9)]
    more = (reliability_plot([ReliabilityBin(0.5, 0.4, 9, 0.2, 0.8)], class_name=name), subgroup_plot(subgroups))
    return Report(
        comparison=comparison,
        plots=(*few_plots(example, 3), *(plot for plot in more if plot)),
        tables=(forest_grid(subgroups, figure_name="accuracy"),),
        wrong=WrongAnswers(name, 2, 160, tuple(answers), (name,)),
        documents=tuple(document for document in (model_card(facts), data_sheet(facts)) if document),
        references=to_bibtex(bibliography(facts)),
        checklists=fill_checklists(facts),
        notes=(name,),
        run=name,
    )


def test_the_parts_stand_in_the_order_of_a_review(grouped_example):
    text = html_report(whole_report(grouped_example))
    places = [
        text.index(f'id="{part}"') for part in ("data", "result", "plots", "more", "errors", "made", "checklists")
    ]
    assert places == sorted(places)
    for label in ("ROC curves", "Precision-recall curves", "Reliability", "Confusion matrix", "How training went, "):
        assert f'aria-label="{label}' in text
    drawn = [
        text.index(f'aria-label="{label}') for label in ("Precision-recall", "Reliability", "Confusion", "Accuracy by")
    ]
    assert drawn == sorted(drawn)


def test_every_part_is_on_the_page_and_reachable(grouped_example):
    document = html_report(whole_report(grouped_example))
    page = Page(document)
    assert page.open == []
    targets = {address[1:] for address in page.addresses if address.startswith("#")}
    targets = {target for target in targets if f'id="{target}"' in document}
    assert {
        "data",
        "result",
        "plots",
        "errors",
        "made",
        "document-1",
        "document-2",
        "references",
        "checklists",
    } <= targets
    assert page.tags.count("details") == 2 + 1 + 3
    assert page.tags.count("img") == 2 * (2 + 2)
    assert "decides 2 of 160 test scans wrongly" in page.text
    assert page.tags.count("section") == page.tags.count("h2")
    assert not re.search(r"https?://(?!www\.w3\.org/)", re.sub(r"<pre.*?</pre>", "", document, flags=re.DOTALL))


def test_ids_are_never_used_twice(grouped_example):
    ids = re.findall(r'\sid="([^"]+)"', html_report(whole_report(grouped_example)))
    assert len(ids) == len(set(ids))


def test_hostile_names_are_escaped_in_every_part(make_example):
    bad = "</code></pre><script>alert(1)</script><img src=https://x.example>\"'&"
    for pictures in (True, False):
        page = Page(html_report(whole_report(make_example(dataset=bad), name=bad, pictures=pictures)))
        assert page.open == []
        assert "script" not in page.tags
        assert page.tags.count("img") == (8 if pictures else 0)
        assert all(address.startswith(("#", "data:image/")) for address in page.addresses)


def test_errors_without_pictures_are_a_table_without_names(grouped_example):
    document = html_report(whole_report(grouped_example, name="private", pictures=False))
    errors = document[document.index('id="errors"') : document.index('id="made"')]
    assert "Row of the manifest" in errors and "<img" not in errors and "0.900" in errors


def test_a_page_without_errors_says_how_many_there_are(grouped_example):
    report = Report(comparison=grouped_example.comparison, wrong=WrongAnswers("vgg16", 0, 160, ()))
    assert "vgg16 decides 0 of 160 test scans wrongly." in Page(html_report(report)).text


def test_a_page_of_a_run_shows_that_run(grouped_example):
    comparison = replace(grouped_example.comparison, best=None)
    page = Page(html_report(Report(comparison=comparison, run="vgg16-2")))
    row = next(row for row in comparison.rows if row.run == "vgg16-2")
    text = " ".join(page.text.split())
    assert "Model vgg16-2" in text and f"Its test accuracy {row.test_accuracy:.3f}" in text
    assert "Best on validation" not in text


def test_what_is_folded_is_printed(grouped_example):
    assert "details::details-content { content-visibility: visible" in html_report(whole_report(grouped_example))


def test_an_answer_that_no_cell_spoke_for_says_so(grouped_example):
    tile = Tile(b"\xff\xd8", "scan.png", "tumour")
    answer = WrongAnswer(3, "tumour", "no tumour", 0.9, tile, silent=True)
    page = Page(html_report(Report(comparison=grouped_example.comparison, wrong=WrongAnswers("m", 1, 9, (answer,)))))
    assert "No cell spoke for no tumour." in page.text and page.tags.count("img") == 1
    assert "nearest training scans" not in page.text
