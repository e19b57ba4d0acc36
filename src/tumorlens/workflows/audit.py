"""The audit: what is wrong with a data set, found before a network learns it, as a folder with a page."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tumorlens.audit.findings import Audit
from tumorlens.backbones import find_backbone, resolve_weights
from tumorlens.datasets import Dataset, load_dataset
from tumorlens.errors import InputError
from tumorlens.progress import SILENT, Progress
from tumorlens.reports import audit_document, audit_lines
from tumorlens.workflows.audit_compute import compute_audit
from tumorlens.workflows.audit_settings import AuditContext, AuditSettings
from tumorlens.workflows.audit_steps import AuditSteps
from tumorlens.workflows.audit_write import AUDIT_PAGE, AUDIT_QUEUE, write_audit
from tumorlens.workflows.doctor import machine_facts, version_facts
from tumorlens.workflows.fit import Network, prepare_network
from tumorlens.workspace import Workspace, remove_leftovers

__all__ = ["AuditResult", "AuditSettings", "audit_dataset"]

_NO_NETWORK = "No network was run, as asked: the price of leakage and contradicted labels are left out."


@dataclass(frozen=True)
class AuditResult:
    """A finished audit and where it lies.

    Attributes:
        audit: What was found.
        folder: Page, JSON, plots and queue.
        sources: Source of every row.
    """

    audit: Audit
    folder: Path
    sources: tuple[str, ...]

    @property
    def report(self) -> Path:
        """The HTML page."""
        return self.folder / AUDIT_PAGE

    @property
    def queue(self) -> Path:
        """The labels to look at (.csv), to be corrected and read back."""
        return self.folder / AUDIT_QUEUE

    @property
    def next_commands(self) -> tuple[str, ...]:
        """What to type next."""
        return (*_correct_commands(self.audit, str(self.queue)), *_next_commands(self.audit))

    def lines(self) -> list[str]:
        """The audit for a terminal, and where it lies."""
        queue = [f"Queue:  {self.queue}"] if _has_queue(self.audit) else []
        return [*audit_lines(self.audit), f"Report: {self.report}", *queue]

    def to_json(self) -> dict[str, Any]:
        """The document of ``data audit --json``."""
        document = audit_document(self.audit, sources=self.sources)
        return {**document, "report": str(self.report), "queue": str(self.queue)}


def audit_dataset(
    dataset: str | Dataset,
    settings: AuditSettings | None = None,
    *,
    workspace: Workspace,
    threads: int | None = None,
    progress: Progress = SILENT,
) -> AuditResult:
    """Find what is wrong with a data set; features that are cached are not computed again.

    Names, weights and size are checked before long work starts. A step that these data do not allow (too few groups,
    one class in a single group) becomes a note of the audit.

    Args:
        dataset: The data set or its name.
        settings: What is looked at; everything, with EfficientNet-Lite0, by default.
        workspace: Where things are kept.
        threads: CPU threads for the network; all by default.
        progress: Told of all long work.

    Returns:
        What was found, and the folder with the page; an earlier audit of the same data with the same settings is
        replaced.

    Raises:
        InputError: A name, a weight file or the size cannot be used.
        WeightsUnavailableError: Weights are neither on disk nor to be downloaded.
    """
    settings = AuditSettings() if settings is None else settings
    scans = load_dataset(workspace, dataset) if isinstance(dataset, str) else dataset
    others = _others(scans, settings, workspace)
    remove_leftovers(workspace.root)
    steps = AuditSteps(progress)
    network = _network(settings, workspace, steps, progress)
    context = AuditContext(scans, others, network, steps, workspace, settings.seed, threads, progress)
    audit = compute_audit(context)
    folder = workspace.audits / f"{scans.name}-{_digest(scans, others, settings, network)}"
    write_audit(
        folder,
        audit,
        scans,
        others=others,
        facts=_facts(settings, network),
        next_commands=_next_commands(audit),
        correct_commands=_correct_commands(audit, AUDIT_QUEUE),
    )
    return AuditResult(audit, folder, tuple(scans.manifest["source"].tolist()))


def _others(scans: Dataset, settings: AuditSettings, workspace: Workspace) -> dict[str, Dataset]:
    others = {name: load_dataset(workspace, name) for name in settings.against}
    if any(other.path.resolve() == scans.path.resolve() for other in others.values()):
        raise InputError(f"Expected another data set after --against, got {scans.name!r} itself: name another one.")
    return others


def _network(settings: AuditSettings, workspace: Workspace, steps: AuditSteps, progress: Progress) -> Network | None:
    if not settings.price:
        steps.notes.append(_NO_NETWORK)
        return None
    spec = find_backbone(settings.backbone)
    weights = resolve_weights(spec, weights=settings.weights, weights_dir=settings.weights_dir, progress=progress)
    return steps.do(
        "network",
        lambda: prepare_network(spec, weights, size=settings.size, workspace=workspace, progress=progress),
    )


def _facts(settings: AuditSettings, network: Network | None) -> dict[str, str]:
    versions = version_facts()
    facts = (
        {} if network is None else {"Network": f"{network.spec.name}, {settings.size} px", "Note": network.note or ""}
    )
    return {
        **facts,
        "Seed": str(settings.seed),
        "Machine": machine_facts(),
        "Versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
    }


def _digest(scans: Dataset, others: Mapping[str, Dataset], settings: AuditSettings, network: Network | None) -> str:
    decides = {
        "dataset": scans.digest,
        "others": [other.digest for other in others.values()],
        "graph": None if network is None else network.graph.digest,
        "settings": asdict(settings),
    }
    return hashlib.sha256(json.dumps(decides, sort_keys=True, default=str).encode()).hexdigest()[:8]


def _has_queue(audit: Audit) -> bool:
    return bool(audit.label_conflicts or audit.contradictions)


def _correct_commands(audit: Audit, queue: str) -> list[str]:
    if not _has_queue(audit):
        return []
    name = audit.dataset
    return [f"tumorlens data relabel {name} --corrections {shlex.quote(queue)} --name {name}-corrected"]


def _next_commands(audit: Audit) -> list[str]:
    return [f"tumorlens compare {audit.dataset} --backbones efficientnet-lite0"]
