"""One self-contained HTML page of an audit, for a phone, a laptop and A4: the worst first, with the scans themselves.

It loads nothing from elsewhere; everything a user gave is escaped. It holds small pictures of scans, so it goes
only where scans may go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tumorlens.audit.findings import Audit
from tumorlens.datasets import Dataset
from tumorlens.reports.audit_galleries import (
    Gallery,
    cluster_gallery,
    conflict_gallery,
    contradiction_gallery,
    odd_galleries,
    twin_galleries,
)
from tumorlens.reports.audit_grids import curve_grid, leaks_grid, odd_grid, shortcut_grid, twins_grid
from tumorlens.reports.audit_tiles import TileOf, open_tiles
from tumorlens.reports.audit_words import (
    accuracy_words,
    grouped_points,
    leak_sentence,
    leak_title,
    percent,
    price_sentence,
    published_sentence,
    queue_rows,
    twins_sentence,
    verdict,
)
from tumorlens.reports.caveats import mark_sentence
from tumorlens.reports.comparison import RESEARCH_ONLY, SYNTHETIC
from tumorlens.reports.plots import Plot
from tumorlens.reports.style import figure_svg
from tumorlens.reports.wording import counted, duration, number
from tumorlens.workspace import write_text

__all__ = ["AuditPage", "audit_html", "write_audit_page"]


@dataclass(frozen=True, kw_only=True)
class AuditPage:
    """Everything the page shows.

    Attributes:
        audit: What was found.
        dataset: The scans it was found in.
        others: Data sets it was held against, by name; those missing here are shown without pairs.
        plots: As made by :func:`~tumorlens.reports.audit_plots.audit_plots`.
        facts: How it was made, in order.
        next_commands: What to type next.
        correct_commands: What to type once the queue was corrected.
        version: Of tumorlens; left out where empty.
    """

    audit: Audit
    dataset: Dataset
    others: Mapping[str, Dataset] = field(default_factory=dict)
    plots: Sequence[Plot] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    next_commands: Sequence[str] = ()
    correct_commands: Sequence[str] = ()
    version: str = ""


@dataclass(frozen=True)
class _Card:
    title: str
    main: str
    sub: str


@dataclass(frozen=True)
class _Leak:
    title: str
    sentence: str
    galleries: tuple[Gallery, ...]


def audit_html(page: AuditPage) -> str:
    """The page as one HTML document.

    Raises:
        IntegrityError: Pixels of a scan that is shown are not stored.
    """
    environment = Environment(
        loader=PackageLoader("tumorlens.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    with ExitStack() as stack:
        tile = stack.enter_context(open_tiles(page.dataset))
        others = {name: stack.enter_context(open_tiles(other)) for name, other in page.others.items()}
        pictured = _pictured(page, tile, others)
    audit = page.audit
    return environment.get_template("audit.html.j2").render(
        audit=audit,
        css=Markup(_stylesheets()),
        subtitle=_subtitle(audit),
        research_only=RESEARCH_ONLY,
        banners=[mark_sentence(SYNTHETIC)] if audit.synthetic else [],
        verdict=[_unbroken(sentence) for sentence in verdict(audit)],
        cards=_cards(audit),
        price=_price_lines(audit),
        curve=curve_grid(audit.leakage) if audit.leakage else None,
        price_plots=_inline(page.plots, "price"),
        shortcut_plots=_inline(page.plots, "shortcuts"),
        shortcuts=shortcut_grid(audit) if audit.shortcuts else None,
        leaks_table=leaks_grid(audit) if audit.leaks or audit.against else None,
        twins=twins_sentence(audit),
        twins_table=twins_grid(audit),
        facts=_facts(page),
        next_commands=page.next_commands,
        correct_commands=page.correct_commands,
        version=page.version,
        **pictured,
    )


def write_audit_page(page: AuditPage, path: Path) -> Path:
    """Write :func:`audit_html` to ``path`` atomically; return the path.

    Raises:
        StorageError: It could not be written.
    """
    write_text(path, audit_html(page))
    return path


def _pictured(page: AuditPage, tile: TileOf, others: Mapping[str, TileOf]) -> dict[str, Any]:
    """The parts of the page that show scans."""
    audit = page.audit
    labels = [str(label) for label in page.dataset.manifest["label"]]
    leaks = [
        _Leak(leak_title(leaks), leak_sentence(leaks), twin_galleries(leaks.examples, first=tile, second=tile))
        for leaks in audit.leaks
    ]
    for name, found in audit.against.items():
        second = others.get(name)
        galleries = twin_galleries(found.examples, first=tile, second=second) if second else ()
        leaks.append(_Leak(leak_title(found), leak_sentence(found), galleries))
    return {
        "leaks": leaks,
        "conflicts": conflict_gallery(audit, tile),
        "contradictions": contradiction_gallery(audit, tile),
        "odd_galleries": odd_galleries(audit, tile, labels=labels),
        "odd_table": odd_grid(audit, labels=labels) if audit.odd else None,
        "clusters": cluster_gallery(audit, tile),
        "twin_galleries": twin_galleries(audit.twins.examples, first=tile, second=tile),
    }


def _stylesheets() -> str:
    folder = resources.files("tumorlens.reports") / "templates"
    return "".join((folder / name).read_text("utf-8") for name in ("report.css", "audit.css"))


def _subtitle(audit: Audit) -> str:
    classes = ", ".join(audit.by_class)
    groups = counted(audit.groups, audit.groups_are.removesuffix("s"))
    parts = (counted(audit.scans, "scan"), groups, f"classes: {classes}", audit.created[:10])
    return " · ".join(part for part in parts if part)


def _cards(audit: Audit) -> list[_Card]:
    twins = audit.twins
    share = percent(twins.near_twins / audit.scans if audit.scans else 0.0)
    clusters = f"; {counted(twins.clusters, 'cluster')}" if audit.groups_are == "clusters" else ""
    cards = [
        _Card("Distinct scans", f"{audit.distinct:,}", f"of {audit.scans:,}"),
        _Card("Exact copies", f"{twins.scans_in_copies:,}", f"in {counted(twins.exact_groups, 'group')}"),
        _Card("Scans with a near-twin", f"{twins.near_twins:,}", f"{share}{clusters}"),
    ]
    if audit.shortcuts:
        worst = audit.shortcuts[0]
        cards.append(
            _Card("Worst shortcut", number(worst.accuracy), f"{worst.name}; commonest class {number(worst.majority)}")
        )
    if audit.leakage is not None:
        points = 100 * (audit.leakage.random.accuracy - audit.leakage.grouped.accuracy)
        cards.append(_Card("What a random split adds", f"{points:+.1f} points", "of accuracy"))
    doubts = f"{counted(len(audit.label_conflicts), 'pair')} of near-twins, {len(audit.contradictions):,} contradicted"
    cards.append(_Card("Labels to look at", f"{len(queue_rows(audit)):,}", doubts))
    return cards


def _price_lines(audit: Audit) -> list[str]:
    leakage = audit.leakage
    if leakage is None:
        return []
    lines = [price_sentence(leakage, groups_are=audit.groups_are)]
    points = grouped_points(leakage)
    if len(points) > 1:
        last = points[-1]
        lines.append(
            f"Without the training scans that are more like a test scan than {last.removed_above:g}, "
            f"{last.train_scans:,} are left and {accuracy_words(last.removed)} is reached; without as many taken at "
            f"random, {accuracy_words(last.control)}. Only what lies between the two is the price of likeness; the "
            "rest is that of less data."
        )
    return [*lines, *filter(None, [published_sentence(leakage)])]


def _unbroken(sentence: str) -> str:
    """Keep a figure and its percent sign on one line."""
    return sentence.replace(" %", "\u00a0%")


def _facts(page: AuditPage) -> dict[str, str]:
    audit = page.audit
    facts = {
        "Data set digest": audit.digest,
        "Created": audit.created,
        **page.facts,
        "Time": ", ".join(f"{step} {duration(seconds)}" for step, seconds in audit.seconds.items()),
    }
    return {name: value for name, value in facts.items() if value}


def _inline(plots: Sequence[Plot], kind: str) -> list[Markup]:
    return [Markup(figure_svg(plot.figure, label=plot.label)) for plot in plots if plot.kind == kind]
