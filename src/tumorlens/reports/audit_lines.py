"""An audit for the terminal: a few lines, the worst first. Decides nothing about content."""

from __future__ import annotations

from tumorlens.audit.findings import Audit
from tumorlens.reports.audit_words import counts_sentence, queue_rows, ranked_findings, verdict
from tumorlens.reports.caveats import mark_sentence
from tumorlens.reports.comparison import RESEARCH_ONLY, SYNTHETIC
from tumorlens.reports.wording import counted, duration, number

__all__ = ["audit_lines"]


def audit_lines(audit: Audit) -> list[str]:
    """What a person reads after ``tumorlens data audit``.

    Returns:
        Lines without a break in them: the counts, the worst of each subject (of leaks, each), all shortcuts in one
        line, what could not be done.
    """
    queue = len(queue_rows(audit))
    return [
        *([mark_sentence(SYNTHETIC)] if audit.synthetic else []),
        f"{audit.dataset}: {counts_sentence(audit)}",
        *(f"{place}. {sentence}" for place, sentence in enumerate(_worst(audit), start=1)),
        *([f"Shortcuts: {_shortcuts(audit)}."] if audit.shortcuts else []),
        *([f"To look at: the labels of {counted(queue, 'scan')}."] if queue else []),
        *(f"Note: {note}" for note in audit.notes),
        *([f"Took {duration(sum(audit.seconds.values()))}."] if audit.seconds else []),
        f"{RESEARCH_ONLY.capitalize()}.",
    ]


def _worst(audit: Audit) -> list[str]:
    """The findings by weight; of every subject but leaks only the first."""
    said: set[str] = set()
    sentences = []
    for finding in ranked_findings(audit):
        if finding.subject == "leaks" or finding.subject not in said:
            sentences.append(finding.sentence)
        said.add(finding.subject)
    return sentences or list(verdict(audit))


def _shortcuts(audit: Audit) -> str:
    listed = ", ".join(f"{one.name} {number(one.accuracy, digits=2)}" for one in audit.shortcuts)
    return f"{listed}; commonest class {number(audit.shortcuts[0].majority, digits=2)}"
