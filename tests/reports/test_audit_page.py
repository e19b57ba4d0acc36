"""The audit's page: whole, self-contained, escaped, with the scans it speaks of, and small."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from PIL import Image

from tumorlens.audit.findings import OddScan, Shortcut, SplitLeaks
from tumorlens.reports import AuditPage, audit_html, audit_plots, write_audit_page
from tumorlens.reports.audit_tiles import TILE_SIZE, open_tiles

_VOID = {"meta", "img", "br", "path", "use", "rect"}
_BAD = "<img src=https://x.example onerror=alert(1)>\"'&</svg><script>alert(2)</script>"


class Page(HTMLParser):
    """Collects tags, addresses and text, and checks that every tag is closed."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.alts: list[str] = []
        self.headings: list[str] = []
        self.text = ""
        self.feed(document)
        self.close()
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        values = dict(attributes)
        self.addresses += [value for name, value in attributes if name in {"src", "href", "xlink:href", "data"}]
        if tag == "img":
            self.alts.append(values["alt"])
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)
        self.addresses += [value for name, value in attributes if name.endswith(("src", "href"))]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += f"{data} "
        if self.open and self.open[-1] in ("h1", "h2"):
            self.headings.append(data)


@pytest.fixture(scope="module")
def full_page(make_audit, tiny_study) -> AuditPage:
    audit = make_audit()
    return AuditPage(
        audit=audit,
        dataset=tiny_study.dataset,
        others={"other": tiny_study.dataset},
        plots=audit_plots(audit),
        facts={"Network": "efficientnet-lite0, 240 px"},
        next_commands=["tumorlens compare tiny"],
        correct_commands=["tumorlens data relabel tiny --corrections queue.csv --name tiny-corrected"],
    )


@pytest.fixture(scope="module")
def document(full_page) -> str:
    return audit_html(full_page)


@pytest.fixture(scope="module")
def page(document) -> Page:
    return Page(document)


def test_every_tag_is_closed_and_every_section_has_a_heading(page):
    assert page.open == []
    assert page.tags.count("h1") == 1
    assert page.tags.count("section") == page.tags.count("h2")


def test_nothing_is_loaded_from_elsewhere(document, page):
    assert all(address.startswith(("#", "data:image/jpeg;base64,")) for address in page.addresses)
    assert not {"script", "link", "iframe", "object"} & set(page.tags)
    assert not re.search(r"url\(\s*['\"]?(?!#)", document)
    assert "@import" not in document


def test_sections_stand_in_their_order(page):
    assert page.headings == [
        "Audit of tiny",
        "What is wrong with these data",
        "In numbers",
        "Leaks in the split",
        "The price of leakage",
        "Shortcuts",
        "Labels to look at",
        "Odd ones out",
        "Twins and clusters",
        "How it was made",
        "Next",
    ]


def test_everything_is_on_it(page, full_page):
    for expected in (
        "Knowing only image mode gives the right label for 98 % of the scans",
        "980 of 1,000",
        "The published test and training parts: 50 of 200 scans (25 %)",
        "tiny against other",
        "3.6 points come from scans of the same cluster in training",
        "0.861 0.841–0.876",
        "−2.8",
        "Converting hides this shortcut; the difference between sources remains.",
        "similarity 0.997",
        "labelled no_tumor, predicted tumor at 99 %",
        "tumorlens data relabel tiny --corrections queue.csv",
        "Bright marks of 12 pixels in the corner.",
        "16 scans, 12 of them shown",
        "Price: too few groups in one class.",
        full_page.audit.digest,
        "twins 4.2 s, shortcuts 12 s",
        "efficientnet-lite0, 240 px",
    ):
        assert expected in page.text, expected
    assert page.text.count("esearch output, not for patient care") >= 2
    assert page.tags.count("svg") == len(full_page.plots) == 4


def test_pairs_are_shown_side_by_side_with_their_sources(document, page, tiny_study):
    sources = tiny_study.dataset.manifest["source"]
    pairs, conflicts, alone, in_clusters = 2 * (4 + 2 + 2 + 4), 2 * 2, 1 + 3, 12 + 3
    assert len(page.alts) == pairs + conflicts + alone + in_clusters
    assert page.alts[0] == f"Scan {sources[0]}, labelled {tiny_study.dataset.manifest['label'][0]}"
    shown = re.search(r"same pixels</figcaption>", document)
    assert shown is not None
    pair = document[document.index('<figure class="show">') : shown.end()]
    assert pair.count("<img") == 2 and str(sources[1]) in pair


def test_synthetic_scans_are_marked(page):
    assert "the scans are made up" in page.text


def test_a_bare_audit_makes_a_page_too(make_bare_audit, tiny_study):
    page = Page(audit_html(AuditPage(audit=make_bare_audit(synthetic=False), dataset=tiny_study.dataset)))
    assert page.open == [] and "img" not in page.tags and "svg" not in page.tags
    for expected in ("Nothing was found", "No split could be looked at", "Not computed", "No scan stands out"):
        assert expected in page.text
    assert "made up" not in page.text


def test_what_no_prediction_was_compared_with_is_said(make_bare_audit, tiny_study):
    silent, asked = (
        Page(audit_html(AuditPage(audit=make_bare_audit(predicted_by=network), dataset=tiny_study.dataset))).text
        for network in (None, "vgg16")
    )
    assert "No label disagrees with a near-twin's, and no prediction was compared with it." in silent
    assert "No label disagrees with a near-twin's." in asked


def test_only_inferred_groups_are_called_clusters_of_near_twins(make_audit, tiny_study):
    clusters, patients = (
        Page(audit_html(AuditPage(audit=make_audit(groups_are=kind), dataset=tiny_study.dataset))).text
        for kind in ("clusters", "patients")
    )
    assert "120 clusters of near-twins" in clusters and "90 %; 120 clusters" in clusters
    assert "120 clusters" not in patients and "The largest clusters of copies" in patients


def test_another_data_set_that_is_not_at_hand_is_counted_without_pairs(make_bare_audit, full_page, tiny_study):
    audit = make_bare_audit(against=full_page.audit.against)
    page = Page(audit_html(AuditPage(audit=audit, dataset=tiny_study.dataset)))
    assert "tiny against other" in page.text and "img" not in page.tags


def test_hostile_names_are_escaped(make_audit, tiny_study):
    manifest = tiny_study.dataset.manifest.assign(source=_BAD, label=_BAD)
    dataset = replace(tiny_study.dataset, manifest=manifest)
    base = make_audit()
    shortcut = Shortcut(_BAD, 0.9, 0.8, 0.95, 0.9, 0.5, _BAD)
    audit = make_audit(
        dataset=_BAD,
        digest=_BAD,
        by_class={_BAD: 1000},
        leaks=(replace(base.leaks[0], of=_BAD),),
        against={_BAD: replace(base.leaks[0], of=_BAD)},
        shortcuts=(shortcut, shortcut),
        leakage=replace(base.leakage, backbone=_BAD),
        label_conflicts=tuple(replace(one, labels=(_BAD, _BAD)) for one in base.label_conflicts),
        contradictions=tuple(replace(one, label=_BAD, predicted=_BAD) for one in base.contradictions),
        odd=(OddScan(1, _BAD, 1.0, _BAD),),
        notes=(_BAD,),
        seconds={_BAD: 1.0},
        created=_BAD,
    )
    page = Page(
        audit_html(
            AuditPage(
                audit=audit,
                dataset=dataset,
                others={_BAD: dataset},
                plots=audit_plots(audit),
                facts={_BAD: _BAD},
                next_commands=[_BAD],
                correct_commands=[_BAD],
            )
        )
    )
    assert page.open == [] and "script" not in page.tags
    assert all(address.startswith(("#", "data:image/jpeg;base64,")) for address in page.addresses)


def test_many_findings_keep_the_page_small(make_audit, tiny_study):
    base = make_audit()
    n = len(tiny_study.dataset)
    many = tuple(replace(base.leaks[0].examples[place % 4], first=place % n) for place in range(400))
    leaks = SplitLeaks("the published test and training parts", 200, 30, 12, 8, 100, many)
    audit = make_audit(
        leaks=(leaks,) * 2,
        against={f"other{place}": leaks for place in range(2)},
        label_conflicts=base.label_conflicts * 300,
        contradictions=base.contradictions * 300,
        odd=base.odd * 300,
        twins=replace(base.twins, examples=many, largest=base.twins.largest * 20),
    )
    dataset = tiny_study.dataset
    document = audit_html(AuditPage(audit=audit, dataset=dataset, others=dict.fromkeys(audit.against, dataset)))
    assert len(document) < 5_000_000
    assert "Near-twins with different labels: 12 of 600" in document
    assert "Far from all others: 12 of 600" in document
    assert "Labels that a model contradicts: 18 of 300" in document


def test_tiles_are_small_square_and_of_the_right_scan(tiny_study):
    dataset = tiny_study.dataset
    with open_tiles(dataset) as tile, dataset.open_pixels() as store:
        shown = tile(5)
        pixels = store.get(str(dataset.digests[5]))
    picture = Image.open(io.BytesIO(base64.b64decode(shown.base64)))
    assert picture.size == (TILE_SIZE, TILE_SIZE) and picture.mode == "L" and picture.format == "JPEG"
    assert len(shown.jpeg) < 6_000
    close = picture.resize(pixels.shape[1::-1]).convert("RGB")
    difference = abs(
        float(pixels.mean()) - sum(close.histogram()[value] * value for value in range(256)) / pixels[..., 0].size
    )
    assert difference < 3


def test_long_sources_keep_their_end(tiny_study):
    long = "a/" * 60 + "end.png"
    dataset = replace(tiny_study.dataset, manifest=tiny_study.dataset.manifest.assign(source=long))
    with open_tiles(dataset) as tile:
        source = tile(0).source
    assert source.startswith("…") and source.endswith("end.png") and len(source) == 60


def test_it_is_written(make_bare_audit, tiny_study, tmp_path):
    path = write_audit_page(AuditPage(audit=make_bare_audit(), dataset=tiny_study.dataset), tmp_path / "audit.html")
    assert path.read_text("utf-8").startswith("<!doctype html>")
    assert [entry.name for entry in tmp_path.iterdir()] == ["audit.html"]
