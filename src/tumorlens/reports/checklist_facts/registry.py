"""The register of what a run knows of checklist items, by the name that the lists use."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from tumorlens.reports.report_facts import ReportFacts

__all__ = ["FACTS", "Fact", "fact"]

Fact: TypeAlias = Callable[[ReportFacts], str]

FACTS: dict[str, Fact] = {}
"""Every fact function by the name that the lists use."""


def fact(function: Fact) -> Fact:
    """Enter a function in the register under its own name."""
    FACTS[function.__name__] = function
    return function
