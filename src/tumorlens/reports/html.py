"""One self-contained HTML report of a comparison or of a single run, for a phone, a laptop and A4.

It shows what was compared on what and the data, then the figures with intervals, the plots, the errors, and how all
of it was made; model card, data sheet, references and checklists close it.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tumorlens.evaluation import TRIVIAL_BASELINE, RowFigures
from tumorlens.reports.caveats import caveats, mark_sentence
from tumorlens.reports.checklists import OPENING, FilledChecklist
from tumorlens.reports.comparison import RESEARCH_ONLY, Comparison
from tumorlens.reports.document import Document
from tumorlens.reports.grid import Grid
from tumorlens.reports.plots import Plot
from tumorlens.reports.style import figure_svg
from tumorlens.reports.tables import comparison_grids, parts_grid
from tumorlens.reports.wording import counted, interval, number, row_name, row_title
from tumorlens.reports.wrong_answers import WrongAnswers, wrong_grid, wrong_sentence
from tumorlens.workspace import write_text

__all__ = ["Picture", "Report", "html_report", "write_html_report"]


@dataclass(frozen=True)
class Picture:
    """A PNG to stand in the report, such as a contact sheet.

    Attributes:
        png: The file's bytes.
        alt: What it shows, for those who cannot see it.
        caption: The sentence under it.
    """

    png: bytes
    alt: str
    caption: str

    @property
    def base64(self) -> str:
        """The bytes as text for a ``data:`` address."""
        return base64.b64encode(self.png).decode("ascii")


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything the page shows.

    Attributes:
        comparison: The figures.
        plots: As made by :func:`~tumorlens.reports.plots.comparison_plots`.
        flow: Name to number, in order: files, readable, distinct, …
        data_check: Name to finding, in order.
        facts: Further facts on how it was made, in order; they follow those of the comparison.
        test_openings: How often this test part was opened, this time included; ``None`` where not
            counted.
        next_commands: What to type next.
        methods: The paragraph for a paper; empty for none.
        pictures: Contact sheets and the like; they hold scans, so give them only where scans may be
            shown.
        run: Name of the run, where the page is about a single one; ``None`` for a comparison.
        table_one: Scans, groups, classes and more by part; scans by class where it is ``None``.
        tables: Further tables that follow the results.
        wrong: Test scans that the model decides wrongly; ``None`` where not looked at.
        documents: Model card and data sheet.
        references: BibTeX of everything that was used; empty for none.
        checklists: Reporting checklists with what is known.
        notes: What must be said of the page itself, such as what was left out.
    """

    comparison: Comparison
    plots: Sequence[Plot] = ()
    flow: Mapping[str, int] = field(default_factory=dict)
    data_check: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    test_openings: int | None = None
    next_commands: Sequence[str] = ()
    methods: str = ""
    pictures: Sequence[Picture] = ()
    run: str | None = None
    table_one: Grid | None = None
    tables: Sequence[Grid] = ()
    wrong: WrongAnswers | None = None
    documents: Sequence[Document] = ()
    references: str = ""
    checklists: Sequence[FilledChecklist] = ()
    notes: Sequence[str] = ()

    @property
    def title(self) -> str:
        """What the page is about."""
        return f"Comparison on {self.comparison.dataset}" if self.run is None else f"Model {self.run}"


@dataclass(frozen=True)
class _Card:
    title: str
    main: str
    sub: str


def html_report(report: Report) -> str:
    """The report as one HTML document; everything a user gave is escaped."""
    environment = Environment(
        loader=PackageLoader("tumorlens.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    comparison = report.comparison
    return environment.get_template("report.html.j2").render(
        report=report,
        comparison=comparison,
        css=Markup(_stylesheet()),
        subtitle=_subtitle(comparison),
        research_only=RESEARCH_ONLY,
        banners=[mark_sentence(mark) for mark in comparison.marks],
        cards=_cards(report),
        grids=tuple(reversed(comparison_grids(comparison)[:2])) + comparison_grids(comparison)[2:],
        caveats=caveats(comparison)[len(comparison.marks) : -1],
        overview=_inline(report.plots, "overview", "roc", "pr", "reliability"),
        confusions=_inline(report.plots, "confusion"),
        histories=_inline(report.plots, "history"),
        forest=_inline(report.plots, "forest"),
        parts=report.table_one or parts_grid(comparison),
        wrong=report.wrong,
        wrong_words="" if report.wrong is None else wrong_sentence(report.wrong),
        wrong_table=_wrong_table(report.wrong),
        facts=_facts(report),
        checklist_opening=OPENING,
    )


def write_html_report(report: Report, path: Path) -> Path:
    """Write :func:`html_report` to ``path`` atomically; return the path.

    Raises:
        StorageError: It could not be written.
    """
    write_text(path, html_report(report))
    return path


def _stylesheet() -> str:
    folder = resources.files("tumorlens.reports") / "templates"
    return "".join((folder / name).read_text("utf-8") for name in ("report.css", "report_parts.css"))


def _subtitle(comparison: Comparison) -> str:
    scans = sum(sum(counts.values()) for counts in comparison.parts.values())
    by_group = f"split by {comparison.groups_are}"
    protocol = {
        "study": "the original study's split",
        "strict": f"{by_group}, scans like a test scan left out",
    }.get(comparison.protocol, by_group)
    classes = ", ".join(comparison.classes)
    day = comparison.created[:10]
    return " · ".join(part for part in (counted(scans, "scan"), f"classes: {classes}", protocol, day) if part)


def _wrong_table(found: WrongAnswers | None) -> Grid | None:
    """Wrong answers as a table, where they are not shown as pictures."""
    if found is None or not found.shown or found.shown[0].tile is not None:
        return None
    return wrong_grid(found.shown)


def _cards(report: Report) -> list[_Card]:
    cards = []
    comparison = report.comparison
    best = comparison.best_row
    if report.run is not None:
        best = next((row for row in comparison.rows if row.run == report.run), None)
    if best is not None:
        cards.append(_Card("Best on validation" if report.run is None else "Model", row_name(best), _behind(best)))
        cards.append(_accuracy_card("Its test accuracy", best))
    trivial = next((row for row in comparison.rows if row.backbone == TRIVIAL_BASELINE), None)
    if trivial is not None:
        cards.append(_accuracy_card("Area and brightness alone", trivial))
    neighbours = comparison.residual_neighbours
    if neighbours is not None and neighbours.test_scans:
        share = 100 * neighbours.above_095 / neighbours.test_scans
        cards.append(
            _Card(
                "Test scans with a close training neighbour",
                f"{share:.1f} %",
                f"{neighbours.above_095:,} of {neighbours.test_scans:,} above 0.95",
            )
        )
    return cards


def _behind(row: RowFigures) -> str:
    if row.members is not None:
        return "the weighted mean of their calibrated probabilities"
    behind = row_title(row).removeprefix(row_name(row)).lstrip(", ")
    return behind or "trained on these scans alone"


def _accuracy_card(title: str, row: RowFigures) -> _Card:
    if row.collapsed:
        return _Card(title, "collapsed", row.collapsed_because or "")
    ends = interval(row.test_accuracy_low, row.test_accuracy_high)
    level = f"{100 * row.interval.level:g} % interval {ends}" if row.interval else "no interval"
    return _Card(title, number(row.test_accuracy), level)


def _inline(plots: Sequence[Plot], *kinds: str) -> list[Markup]:
    return [Markup(figure_svg(plot.figure, label=plot.label)) for plot in plots if plot.kind in kinds]


def _facts(report: Report) -> dict[str, str]:
    comparison = report.comparison
    facts = {
        "Protocol": comparison.protocol,
        "Split digest": comparison.split_digest,
        "Split seed": "not known: read from a file" if comparison.seed is None else str(comparison.seed),
        "Test part opened": _times(report.test_openings, of="comparison" if report.run is None else "run"),
        "Runs": ", ".join(row.run for row in comparison.rows if row.run),
        "Created": comparison.created,
        "Machine": comparison.machine,
        "Versions": ", ".join(f"{name} {version}" for name, version in comparison.versions.items()),
        **report.facts,
    }
    return {name: value for name, value in facts.items() if value}


def _times(openings: int | None, *, of: str) -> str:
    if openings is None:
        return ""
    if openings == 1:
        return f"once, for this {of}"
    return f"{openings:,} times; the more often, the more optimistic its figures become"
