"""Results become tables, plots, an HTML report and a paragraph for a paper.

Everything starts from a :class:`Comparison`; nothing here computes a figure.
"""

from tumorlens.reports.caveats import caveats
from tumorlens.reports.comparison import (
    LEAKY,
    RANDOM_WEIGHTS,
    RESEARCH_ONLY,
    SYNTHETIC,
    Comparison,
    Protocol,
)
from tumorlens.reports.details import HistoryRow, RowDetail, row_detail
from tumorlens.reports.html import Picture, Report, html_report, write_html_report
from tumorlens.reports.methods import MethodsFacts, methods_paragraph
from tumorlens.reports.plots import Plot, comparison_plots, write_plots
from tumorlens.reports.rendering import to_csv, to_markdown, write_tables
from tumorlens.reports.terminal import to_rich

__all__ = [
    "LEAKY",
    "RANDOM_WEIGHTS",
    "RESEARCH_ONLY",
    "SYNTHETIC",
    "Comparison",
    "HistoryRow",
    "MethodsFacts",
    "Picture",
    "Plot",
    "Protocol",
    "Report",
    "RowDetail",
    "caveats",
    "comparison_plots",
    "html_report",
    "methods_paragraph",
    "row_detail",
    "to_csv",
    "to_markdown",
    "to_rich",
    "write_html_report",
    "write_plots",
    "write_tables",
]
