"""A stored result becomes its page, plots and texts in a folder: the same for compare and for report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from tumorlens.backbones import BACKBONES
from tumorlens.reports import (
    Plot,
    Report,
    ReportFacts,
    RocPoint,
    bibliography,
    checklists_markdown,
    class_precision_grid,
    comparison_plots,
    data_sheet,
    fill_checklists,
    member_grid,
    model_card,
    to_bibtex,
    to_document_markdown,
    write_html_report,
    write_plots,
)
from tumorlens.reports.grid import Grid
from tumorlens.workflows.dataset_facts import check_facts, flow_facts
from tumorlens.workflows.report_details import row_details
from tumorlens.workflows.report_errors import wrong_answers
from tumorlens.workflows.report_rules import rule_parts
from tumorlens.workflows.report_table import table_one
from tumorlens.workflows.report_texts import gather_facts, summary_grid
from tumorlens.workflows.runs import RunRecord, read_predictions
from tumorlens.workflows.sheet_pictures import sheet_pictures
from tumorlens.workflows.stored_results import StoredResult
from tumorlens.workspace import Workspace, write_text

__all__ = ["REPORT_FILE", "next_commands", "write_report"]

REPORT_FILE = "report.html"


def write_report(
    stored: StoredResult,
    folder: Path,
    *,
    workspace: Workspace,
    pictures: bool = True,
    data_licence: str = "",
    notes: Sequence[str] = (),
    threads: int | None = None,
) -> tuple[Path, ...]:
    """Write ``report.html``, ``plots/``, model card, data sheet, checklists and references into a folder.

    Args:
        stored: The run or comparison.
        folder: Where to; files of these names are replaced, others stay.
        workspace: Where it lies.
        pictures: Whether scans may be shown there.
        data_licence: Licence of the data; empty where nobody gave it.
        notes: What must be said of the page.
        threads: CPU threads; all by default.

    Returns:
        The files, the page first.

    Raises:
        StorageError: They could not be written.
        IntegrityError: Something stored is damaged.
    """
    run, details = stored.shown, row_details(stored)
    wrong = None
    if run is not None and not run.row.collapsed:
        wrong = wrong_answers(run, stored.dataset, pictures=pictures, threads=threads)
    count = None if wrong is None else wrong.wrong
    rules = rule_parts(stored)
    facts = gather_facts(stored, details, workspace=workspace, wrong=count, data_licence=data_licence)
    facts = replace(facts, subgroups=rules.columns)
    plots = (*comparison_plots(stored.comparison, details, operating_points=_operating_points(facts)), *rules.plots)
    card = model_card(facts)
    first = _table_one(stored)
    documents = (*(() if card is None else (card,)), data_sheet(facts, tables=() if first is None else (first,)))
    checklists, references = fill_checklists(facts), to_bibtex(bibliography(facts))
    page = Report(
        comparison=stored.comparison,
        plots=plots,
        flow=flow_facts(stored.dataset) if stored.dataset else {},
        data_check=check_facts(stored.dataset) if stored.dataset else {},
        facts=_made_with(stored, data_licence=data_licence),
        test_openings=facts.test_openings,
        next_commands=next_commands(stored),
        methods="" if run is None else run.methods,
        pictures=sheet_pictures(stored.dataset) if pictures and stored.dataset else (),
        run=stored.name if stored.single else None,
        table_one=first,
        tables=[*_tables(stored, facts, details), *rules.grids],
        wrong=wrong,
        documents=documents,
        references=references,
        checklists=checklists,
        notes=(*stored.notes, *notes),
    )
    texts = {document.file_name: to_document_markdown(document) for document in documents}
    texts |= {"checklists.md": checklists_markdown(checklists), "references.bib": references}
    return _written(folder, page, plots, texts)


def next_commands(stored: StoredResult) -> tuple[str, ...]:
    """What to type after a report; a mistake made on purpose is no model to use."""
    run = stored.shown
    usable = run is not None and run.row.mistake is None
    commands = [f"tumorlens predict {run.name} SCAN.png"] if run is not None and usable else []
    if stored.single:
        return (*commands, *([f"tumorlens evaluate {stored.name} DATASET"] if usable else ["tumorlens runs list"]))
    others = f"tumorlens compare {stored.comparison.dataset} --backbones resnet50,vgg16,efficientnetb0"
    return (*commands, *([f"tumorlens report {run.name}"] if run is not None else []), others)


def _written(folder: Path, page: Report, plots: Sequence[Plot], texts: dict[str, str]) -> tuple[Path, ...]:
    files = [write_html_report(page, folder / REPORT_FILE)]
    for name, text in texts.items():
        write_text(folder / name, text)
        files.append(folder / name)
    return (*files, *write_plots(plots, folder / "plots", marks=page.comparison.marks))


def _made_with(stored: StoredResult, *, data_licence: str) -> dict[str, str]:
    first = stored.shown or next(iter(stored.runs.values()), None)
    names = [row.backbone for row in stored.comparison.rows]
    names += [str(network["name"]) for network in stored.card.networks] if stored.card else []
    specs = {name: BACKBONES[name].licence for name in names if name in BACKBONES}
    facts = {}
    if first is not None:
        config = first.config["run"]
        facts = {"Data set digest": str(config["manifest_digest"])}
        facts |= {"Input size": f"{config['size']} px"} if "size" in config else {}
    licences = ", ".join(f"{name} {licence}" for name, licence in specs.items())
    return {**facts, "Licences of weights": licences, "Licence of the data": data_licence or "unknown"}


def _right_run(stored: StoredResult) -> RunRecord | None:
    """A run whose parts are those of the comparison; mistakes made on purpose may have others."""
    right = [run for run in stored.runs.values() if run.row.mistake is None]
    return stored.shown or (right[0] if right else None)


def _table_one(stored: StoredResult) -> Grid | None:
    run = _right_run(stored)
    if run is None or stored.dataset is None:
        return None
    return table_one(stored.dataset, read_predictions(run.folder)["part"].to_numpy(dtype=np.str_))


def _tables(stored: StoredResult, facts: ReportFacts, details: Sequence) -> list[Grid]:
    members = () if facts.card is None else facts.card.members
    grids = (member_grid(members), summary_grid(facts), class_precision_grid(stored.comparison.rows, details))
    return [grid for grid in grids if grid is not None]


def _operating_points(facts: ReportFacts) -> dict[str, RocPoint]:
    """Where the shown model's answers lie on its ROC curve."""
    row, summary, point = facts.row, facts.summary, facts.card.operating_point if facts.card else None
    if row is None or row.run is None or summary is None or point is None:
        return {}
    sensitivity, specificity = summary.metrics["sensitivity"].value, summary.metrics["specificity"].value
    if sensitivity is None or specificity is None:
        return {}
    return {row.run: RocPoint(1.0 - specificity, sensitivity, point.threshold)}
