"""One self-contained HTML page of a search, for a phone, a laptop and A4."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tumorlens.evaluation import RowFigures
from tumorlens.reports.caveats import mark_sentence
from tumorlens.reports.comparison import RESEARCH_ONLY
from tumorlens.reports.plots import Plot
from tumorlens.reports.search import DEFAULT, DEFAULT_TUNED, SearchRecord
from tumorlens.reports.search_plots import STAGE_WORDS
from tumorlens.reports.search_tables import ROLE_WORDS, search_sentences, test_grid, trials_grid
from tumorlens.reports.style import figure_svg
from tumorlens.reports.tables import parts_grid
from tumorlens.reports.wording import counted, duration, interval, number
from tumorlens.training.search_journal import LEAST_TRIALS_FOR_IMPORTANCE
from tumorlens.training.search_space import Place, Stage
from tumorlens.workspace import write_text

__all__ = ["search_html", "write_search_page"]


@dataclass(frozen=True)
class _Card:
    title: str
    main: str
    sub: str


def search_html(record: SearchRecord, plots: tuple[Plot, ...], *, next_commands: list[str]) -> str:
    """The page as one HTML document; everything a user gave is escaped."""
    environment = Environment(
        loader=PackageLoader("tumorlens.reports"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("search.html.j2").render(
        record=record,
        css=Markup((resources.files("tumorlens.reports") / "templates" / "report.css").read_text("utf-8")),
        subtitle=_subtitle(record),
        research_only=RESEARCH_ONLY,
        banners=[mark_sentence(mark) for mark in record.test.marks],
        cards=_cards(record),
        test=test_grid(record),
        sentences=[one for one in search_sentences(record) if one not in map(mark_sentence, record.test.marks)],
        importances=[_inline(plot) for plot in plots if plot.kind == "importance"],
        losses=[_inline(plot) for plot in plots if plot.kind == "losses"],
        too_few=_too_few(record),
        trials=trials_grid(record),
        parts=parts_grid(record.test),
        facts=_facts(record),
        next_commands=next_commands,
    )


def write_search_page(record: SearchRecord, plots: tuple[Plot, ...], path: Path, *, next_commands: list[str]) -> Path:
    """Write :func:`search_html` to ``path`` atomically; return the path.

    Raises:
        StorageError: It could not be written.
    """
    write_text(path, search_html(record, plots, next_commands=next_commands))
    return path


def _subtitle(record: SearchRecord) -> str:
    split = f"split by {record.test.groups_are}"
    return " · ".join(
        [counted(len(record.trials), "trial"), f"{duration(record.seconds)} of work", split, record.test.created[:10]]
    )


def _cards(record: SearchRecord) -> list[_Card]:
    cards = [_Card("Found", Place.of(record.found.params).backbone, record.found.words)]
    cards += [_accuracy_card("Its test accuracy", record.row("found"))]
    for role in (DEFAULT, DEFAULT_TUNED):
        if role in record.chosen and record.chosen[role].run != record.found.run:
            cards.append(_accuracy_card(f"{ROLE_WORDS[role]}: test accuracy", record.row(role)))
    return cards


def _accuracy_card(title: str, row: RowFigures | None) -> _Card:
    if row is None or row.collapsed:
        return _Card(title, "collapsed", "" if row is None else row.collapsed_because or "")
    level = f"{100 * row.interval.level:g} % interval " if row.interval else "no interval"
    return _Card(title, number(row.test_accuracy), level + interval(row.test_accuracy_low, row.test_accuracy_high))


def _inline(plot: Plot) -> Markup:
    return Markup(figure_svg(plot.figure, label=plot.label))


def _too_few(record: SearchRecord) -> list[str]:
    """Where nothing is said about what mattered, why."""
    return [
        f"Nothing is said about what mattered in {STAGE_WORDS[stage]}: that takes {LEAST_TRIALS_FOR_IMPORTANCE} "
        f"finished trials with different losses, and there were {_finished(record, stage)}."
        for stage, found in record.importances.items()
        if not found
    ]


def _finished(record: SearchRecord, stage: Stage) -> int:
    return sum(trial.stage == stage and trial.loss is not None for trial in record.trials)


def _facts(record: SearchRecord) -> dict[str, str]:
    runs = {ROLE_WORDS[role]: f"{chosen.run} ({chosen.words})" for role, chosen in record.chosen.items()}
    opened = "; ".join(f"{one['time']} for {one['run']}" for one in record.own_openings)
    return {
        "Search": record.search,
        "Given": record.plan,
        "Judged by": "log loss on the validation part, the same scans for every trial",
        "Seed": str(record.seed),
        "Split digest": record.split_digest,
        "Test part opened": f"{counted(len(record.own_openings), 'time')} by this search: {opened}",
        "Opened before by others": counted(record.openings_before, "time"),
        **runs,
        "Created": record.test.created,
        "Machine": record.test.machine,
        "Versions": ", ".join(f"{name} {version}" for name, version in record.test.versions.items()),
    }
