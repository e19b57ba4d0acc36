"""An audit becomes a folder: page, JSON, plots, and the queue of labels to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from tumorlens.audit.correction_queue import write_queue
from tumorlens.audit.findings import Audit
from tumorlens.datasets import Dataset
from tumorlens.reports import SYNTHETIC, AuditPage, audit_document, audit_plots, write_audit_page, write_plots
from tumorlens.workspace import atomic_directory, write_json

__all__ = ["AUDIT_JSON", "AUDIT_PAGE", "AUDIT_QUEUE", "write_audit"]

AUDIT_PAGE = "audit.html"
"""Name of the page inside an audit's folder."""

AUDIT_JSON = "audit.json"
"""Name of the JSON document."""

AUDIT_QUEUE = "queue.csv"
"""Name of the queue of labels to look at; no more than its heading where there are none."""


def write_audit(
    folder: Path,
    audit: Audit,
    dataset: Dataset,
    *,
    others: Mapping[str, Dataset],
    facts: Mapping[str, str],
    next_commands: Sequence[str],
    correct_commands: Sequence[str],
) -> None:
    """Write everything an audit shows; an audit already there is replaced as a whole.

    Args:
        folder: Where it goes.
        audit: What was found.
        dataset: The scans.
        others: Data sets they were held against, by name.
        facts: How it was made, in order.
        next_commands: What to type next.
        correct_commands: What to type once the queue was corrected; empty without a queue.

    Raises:
        StorageError: It could not be written; nothing is left behind.
    """
    plots = audit_plots(audit)
    page = AuditPage(
        audit=audit,
        dataset=dataset,
        others=others,
        plots=plots,
        facts=facts,
        next_commands=next_commands,
        correct_commands=correct_commands,
        version=version("tumorlens"),
    )
    with atomic_directory(folder, replace=True) as temporary:
        write_plots(plots, temporary / "plots", marks=[SYNTHETIC] if audit.synthetic else [])
        write_json(temporary / AUDIT_JSON, audit_document(audit, sources=dataset.manifest["source"].tolist()))
        write_queue(temporary / AUDIT_QUEUE, dataset, audit.label_conflicts, audit.contradictions)
        write_audit_page(page, temporary / AUDIT_PAGE)
