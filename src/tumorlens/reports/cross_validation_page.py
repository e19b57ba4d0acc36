"""One self-contained HTML report of a cross-validated comparison, for a phone, a laptop and A4."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tumorlens.evaluation import MAJORITY_CLASS, CrossValidatedFigures
from tumorlens.reports.caveats import mark_sentence
from tumorlens.reports.comparison import RESEARCH_ONLY
from tumorlens.reports.cross_validation import CrossValidation
from tumorlens.reports.cross_validation_caveats import cross_validation_caveats
from tumorlens.reports.cross_validation_tables import cross_validation_grids, protocol_words
from tumorlens.reports.html import Picture
from tumorlens.reports.plots import Plot
from tumorlens.reports.style import figure_svg
from tumorlens.reports.tables import parts_grid
from tumorlens.reports.wording import counted, interval, number, row_title
from tumorlens.workspace import write_text

__all__ = ["CrossValidationPage", "cross_validation_html", "write_cross_validation_page"]

_MOST_CARDS = 4


@dataclass(frozen=True, kw_only=True)
class CrossValidationPage:
    """Everything the page shows.

    Attributes:
        comparison: The figures.
        plots: As made by :func:`~tumorlens.reports.cross_validation_plots.cross_validation_plots`.
        flow: Name to number, in order: files, readable, distinct, …
        data_check: Name to finding, in order.
        facts: Further facts on how it was made, in order; they follow those of the comparison.
        next_commands: What to type next.
        pictures: Contact sheets and the like; they hold scans, so give them only where scans may be shown.
    """

    comparison: CrossValidation
    plots: Sequence[Plot] = ()
    flow: Mapping[str, int] = field(default_factory=dict)
    data_check: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    next_commands: Sequence[str] = ()
    pictures: Sequence[Picture] = ()


@dataclass(frozen=True)
class _Card:
    title: str
    main: str
    sub: str


def cross_validation_html(page: CrossValidationPage) -> str:
    """The page as one HTML document; everything a user gave is escaped."""
    environment = Environment(
        loader=PackageLoader("tumorlens.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    comparison = page.comparison
    return environment.get_template("cross_validation.html.j2").render(
        comparison=comparison,
        css=Markup((resources.files("tumorlens.reports") / "templates" / "report.css").read_text("utf-8")),
        subtitle=_subtitle(comparison),
        research_only=RESEARCH_ONLY,
        banners=[mark_sentence(mark) for mark in comparison.marks],
        cards=[_card(row) for row in _shown_first(comparison)][:_MOST_CARDS],
        grids=cross_validation_grids(comparison),
        caveats=cross_validation_caveats(comparison)[len(comparison.marks) : -1],
        overview=_inline(page.plots, "overview", "folds", "roc"),
        confusions=_inline(page.plots, "confusion"),
        flow=page.flow,
        parts=parts_grid(comparison),
        data_check=page.data_check,
        pictures=page.pictures,
        facts=_facts(page),
        next_commands=page.next_commands,
    )


def write_cross_validation_page(page: CrossValidationPage, path: Path) -> Path:
    """Write :func:`cross_validation_html` to ``path`` atomically; return the path.

    Raises:
        StorageError: It could not be written.
    """
    write_text(path, cross_validation_html(page))
    return path


def _subtitle(comparison: CrossValidation) -> str:
    scans = sum(sum(counts.values()) for counts in comparison.parts.values())
    protocol = f"cross-validation by {comparison.groups_are}, {protocol_words(comparison)}"
    classes = f"classes: {', '.join(comparison.classes)}"
    return " · ".join(part for part in (counted(scans, "scan"), classes, protocol, comparison.created[:10]) if part)


def _shown_first(comparison: CrossValidation) -> list[CrossValidatedFigures]:
    """The networks in their order, then the baselines, the majority class last."""
    return sorted(comparison.rows, key=lambda row: (row.kind == "baseline", row.backbone == MAJORITY_CLASS))


def _card(row: CrossValidatedFigures) -> _Card:
    if row.collapsed:
        return _Card(row_title(row), "collapsed", row.collapsed_because or "")
    ends = interval(row.test_accuracy_low, row.test_accuracy_high)
    level = f"{100 * row.interval.level:g} % interval {ends}" if row.interval else "no interval"
    return _Card(f"Accuracy of {row_title(row)}", number(row.test_accuracy), level)


def _inline(plots: Sequence[Plot], *kinds: str) -> list[Markup]:
    return [Markup(figure_svg(plot.figure, label=plot.label)) for plot in plots if plot.kind in kinds]


def _facts(page: CrossValidationPage) -> dict[str, str]:
    comparison = page.comparison
    facts = {
        "Protocol": f"cross-validation, {protocol_words(comparison)}",
        "Folds digest": comparison.split_digest,
        "Seed": f"{comparison.seed} for the first repeat, one more for each further one",
        "Test part opened": "never: there is none",
        "Created": comparison.created,
        "Machine": comparison.machine,
        "Versions": ", ".join(f"{name} {version}" for name, version in comparison.versions.items()),
        **page.facts,
    }
    return {name: value for name, value in facts.items() if value}
