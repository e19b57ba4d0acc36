"""How rows and figures are named and written: the same words in tables, plots, reports and methods
paragraphs.
"""

from __future__ import annotations

from tumorlens.evaluation import RowFigures
from tumorlens.reports.mistakes import mistake_title

__all__ = [
    "FIGURE_NAMES",
    "NO_VALUE",
    "capitalised",
    "counted",
    "duration",
    "head_name",
    "interval",
    "number",
    "row_name",
    "row_title",
    "shortened",
    "stacked_title",
]

NO_VALUE = "–"
"""Stands where a figure does not exist."""

_HEADS = {
    "linear": "linear head",
    "mlp": "MLP head",
    "study": "study head",
}


FIGURE_NAMES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "ppv": "positive predictive value",
    "npv": "negative predictive value",
    "f1": "F1",
    "mcc": "Matthews' correlation",
    "roc_auc": "ROC area",
    "average_precision": "average precision",
    "log_loss": "log loss (nats)",
    "brier": "Brier score",
    "ppv_at_prevalence": "positive predictive value",
    "npv_at_prevalence": "negative predictive value",
}
"""What each figure of a summary is called, in the order shown."""


def capitalised(text: str) -> str:
    """The text with a capital letter first."""
    return text[:1].upper() + text[1:]


def row_name(row: RowFigures) -> str:
    """The network, baseline or mistake: what a row is mainly called."""
    if row.mistake is not None:
        return mistake_title(row.mistake)
    if row.members is not None:
        return f"ensemble of {len(row.members)} models"
    return "CNN from scratch" if row.kind == "scratch" else row.backbone


def head_name(row: RowFigures) -> str:
    """What stands behind the name: the head, or that it is a baseline; of a mistaken row the network too."""
    if row.kind == "baseline":
        return "baseline"
    head = "" if row.kind == "scratch" else _HEADS.get(row.head or "", row.head or "")
    if row.trained_from is not None:
        head = "fine-tuned whole" if row.trained_from == "all" else f"fine-tuned from {row.trained_from}"
    weights = "random weights" if row.weights == "random" else ""
    network = row.backbone if row.mistake is not None else ""
    return ", ".join(part for part in (network, head, weights) if part)


def row_title(row: RowFigures) -> str:
    """Name and head in one line."""
    behind = head_name(row)
    return f"{row_name(row)}, {behind}" if behind and row.kind != "baseline" else row_name(row)


def stacked_title(row: RowFigures) -> str:
    """Name and head on lines short enough for a plot."""
    return "\n".join(filter(None, [row_name(row).replace(": ", ":\n"), head_name(row)]))


def number(value: float | None, *, digits: int = 3) -> str:
    """A figure with fixed digits, or a dash."""
    return NO_VALUE if value is None else f"{value:.{digits}f}"


def interval(low: float | None, high: float | None, *, digits: int = 3) -> str:
    """``low–high``, or nothing where there is no interval."""
    return "" if low is None or high is None else f"{low:.{digits}f}–{high:.{digits}f}"


def counted(count: int, singular: str, plural: str | None = None) -> str:
    """``1 scan``, ``3,762 scans``."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def shortened(text: str, length: int) -> str:
    """``text`` in one line of at most ``length`` characters; what is cut ends in an ellipsis."""
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[: length - 1]}…"


def duration(seconds: float | None) -> str:
    """``<0.1 s``, ``0.4 s``, ``12 s``, ``3 min 5 s``, ``14 min``, ``1 h 4 min``, or a dash."""
    if seconds is None:
        return NO_VALUE
    if seconds < 0.05:
        return "<0.1 s"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    minutes = round(whole / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
