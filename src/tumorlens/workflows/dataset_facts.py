"""What is said about a data set: the flow of numbers of its import and the short data check."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tumorlens.datasets import Dataset, ImportResult, list_datasets, short_check
from tumorlens.errors import InputError
from tumorlens.workflows.audit_short import short_finding, worst_finding
from tumorlens.workspace import Workspace

__all__ = [
    "check_facts",
    "dataset_lines",
    "describe_dataset",
    "flow_facts",
    "import_lines",
    "read_renames",
    "summarise_datasets",
]


def describe_dataset(dataset: Dataset) -> dict[str, Any]:
    """The keys of ``data show --json``."""
    record, check = dataset.record, short_check(dataset)
    return {
        "name": dataset.name,
        "scans": check.scans,
        "distinct": check.distinct,
        "exact_groups": check.exact_groups,
        "scans_in_copies": check.scans_in_copies,
        "near_twins": check.near_twins,
        "groups": check.groups,
        "groups_are": check.groups_are,
        "classes": list(dataset.classes),
        "positive_class": dataset.positive_class,
        "by_class": dict(check.by_class),
        "digest": dataset.digest,
        "synthetic": dataset.synthetic,
        "flow": flow_facts(dataset),
        "notes": list(record.notes),
        "finding": worst_finding(dataset),
        "dropped": list(record.dropped),
        "contact_sheet": str(dataset.contact_sheet),
    }


def summarise_datasets(workspace: Workspace) -> list[dict[str, Any]]:
    """The keys of ``data list --json``, for every data set of a workspace."""
    return [
        {
            "name": record.name,
            "scans": record.flow.imported,
            "distinct": record.flow.distinct,
            "groups": record.groups,
            "groups_are": record.groups_are,
            "classes": list(record.classes),
            "by_class": record.flow.by_class,
            "digest": record.digest,
            "synthetic": record.synthetic,
        }
        for record in list_datasets(workspace)
    ]


def flow_facts(dataset: Dataset) -> dict[str, int]:
    """The flow of numbers of the import, in order."""
    flow = dataset.record.flow
    return {
        "files": flow.files,
        "readable": flow.readable,
        "dropped": flow.dropped,
        "imported": flow.imported,
        "distinct": flow.distinct,
    }


def check_facts(dataset: Dataset) -> dict[str, str]:
    """The short data check, a sentence a subject."""
    check = short_check(dataset)
    marked = {"Synthetic": "the scans are made up"} if dataset.synthetic else {}
    facts = {
        **marked,
        "Scans": f"{check.scans}, of which {check.distinct} distinct",
        "Classes": ", ".join(f"{name} {count}" for name, count in check.by_class.items()),
        "Exact copies": f"{check.scans_in_copies} scans in {check.exact_groups} groups of identical pixels",
        "Groups": f"{check.groups} {check.groups_are}",
    }
    if check.near_twins is not None:
        facts["Near-twins"] = f"{check.near_twins} scans have an upright near-twin (thumbnail correlation above 0.94)"
    if check.groups_are == "clusters":
        facts["Patients"] = "not known: clusters of near-duplicates stand in, and they are not patients"
    return facts


def dataset_lines(dataset: Dataset) -> list[str]:
    """The data check for a person."""
    return [f"{name}: {text}" for name, text in check_facts(dataset).items()]


def import_lines(result: ImportResult) -> list[str]:
    """What an import tells: the flow of numbers, notes, the check, the contact sheet."""
    flow = " → ".join(f"{count} {name}" for name, count in flow_facts(result.dataset).items())
    dropped = [f"Left out: {source}" for source in result.dataset.record.dropped]
    dropped += [f"Could not be read: {source}" for source in result.unreadable]
    return [
        flow,
        *result.dataset.record.notes,
        *dropped,
        *dataset_lines(result.dataset),
        *short_finding(result.dataset)[1:],
        f"Contact sheet: {result.dataset.contact_sheet}",
    ]


def read_renames(words: Sequence[str]) -> dict[str, str]:
    """Read ``OLD=NEW`` words.

    Raises:
        InputError: One has no ``=`` or an empty side.
    """
    renames: dict[str, str] = {}
    for word in words:
        old, sign, new = word.partition("=")
        if not (sign and old and new):
            raise InputError(f"Expected --rename OLD=NEW, got {word!r}.")
        renames[old] = new
    return renames
