"""What a mistake made on purpose is called and what it does, in the words of tables, notes and run folders.

Knows no figure and makes no mistake itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from tumorlens.reports.comparison import RESEARCH_ONLY

__all__ = ["MISTAKES", "MistakeWords", "mistake_paragraph", "mistake_title"]

_WATERMARK = "MISTAKE ON PURPOSE"


@dataclass(frozen=True)
class MistakeWords:
    """How one mistake is told.

    Attributes:
        title: What it is, in a few words.
        done: What was done, as a clause without a full stop.
    """

    title: str
    done: str


MISTAKES = {
    "split": MistakeWords(
        "random split", "scans were dealt out one by one, so that slices of one group stand in training and test"
    ),
    "scaling": MistakeWords(
        "pixels / 255 first",
        "pixels were divided by 255 before the network's own preprocessing, which expects 0 to 255, "
        "so that every scan looks nearly the same to it",
    ),
    "duplicates": MistakeWords(
        "copied before the split",
        "the mirrored copies of the test scans stand in training, "
        "as they may where scans are mirrored before the split",
    ),
}
"""Every mistake by its name on the command line."""


def mistake_title(name: str) -> str:
    """What a row made with the mistake is called; a mistake of a newer version keeps its own name."""
    words = MISTAKES.get(name)
    return f"{_WATERMARK}: {name if words is None else words.title}"


def mistake_paragraph(name: str) -> str:
    """What stands in a run folder in the place of the paragraph for a paper."""
    ending = f"{RESEARCH_ONLY[0].upper()}{RESEARCH_ONLY[1:]}."
    return (
        f"{mistake_title(name)}. In this run {MISTAKES[name].done}. It was made to show what that does, "
        f"so there is no paragraph for a methods section, and its figures must not be published as a result.\n\n"
        f"{ending}\n"
    )
