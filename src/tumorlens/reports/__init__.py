"""Results become tables, plots, an HTML report and a paragraph for a paper.

Everything starts from a :class:`Comparison` or an :class:`~tumorlens.audit.findings.Audit`; nothing here computes a
figure.
"""

from tumorlens.reports.audit_json import audit_document
from tumorlens.reports.audit_lines import audit_lines
from tumorlens.reports.audit_page import AuditPage, audit_html, write_audit_page
from tumorlens.reports.audit_plots import audit_plots
from tumorlens.reports.audit_words import AuditFinding, ranked_findings, verdict
from tumorlens.reports.bibliography import bibliography, to_bibtex
from tumorlens.reports.caveats import caveats
from tumorlens.reports.checklists import checklists_markdown, fill_checklists
from tumorlens.reports.comparison import (
    LEAKY,
    MISTAKE,
    RANDOM_WEIGHTS,
    RESEARCH_ONLY,
    SYNTHETIC,
    Comparison,
    Protocol,
)
from tumorlens.reports.cross_validation import CrossValidation
from tumorlens.reports.cross_validation_caveats import cross_validation_caveats
from tumorlens.reports.cross_validation_files import (
    cross_validation_to_markdown,
    cross_validation_to_rich,
    write_cross_validation_tables,
)
from tumorlens.reports.cross_validation_page import (
    CrossValidationPage,
    cross_validation_html,
    write_cross_validation_page,
)
from tumorlens.reports.cross_validation_plots import cross_validation_plots
from tumorlens.reports.data_sheet import data_sheet
from tumorlens.reports.details import HistoryRow, RowDetail, row_detail
from tumorlens.reports.differences import difference_line
from tumorlens.reports.document import Document, to_document_markdown
from tumorlens.reports.fold_detail import fold_detail
from tumorlens.reports.forest_plot import SubgroupFigure, forest_grid
from tumorlens.reports.html import Picture, Report, html_report, write_html_report
from tumorlens.reports.member_grid import member_grid
from tumorlens.reports.methods import MemberFacts, MethodsFacts, methods_paragraph
from tumorlens.reports.mistakes import mistake_paragraph
from tumorlens.reports.model_card import model_card
from tumorlens.reports.plots import Plot, comparison_plots, reliability_plot, subgroup_plot, write_plots
from tumorlens.reports.pr_plot import class_precision_grid
from tumorlens.reports.rendering import to_csv, to_markdown, write_tables
from tumorlens.reports.report_facts import ReportFacts
from tumorlens.reports.roc_plot import RocPoint
from tumorlens.reports.search import DEFAULT, DEFAULT_TUNED, FOUND, Chosen, SearchRecord
from tumorlens.reports.search_page import search_html, write_search_page
from tumorlens.reports.search_plots import search_plots
from tumorlens.reports.search_tables import search_to_rich
from tumorlens.reports.terminal import to_rich
from tumorlens.reports.wording import duration
from tumorlens.reports.wrong_answers import Neighbour, WrongAnswer, WrongAnswers

__all__ = [
    "DEFAULT",
    "DEFAULT_TUNED",
    "FOUND",
    "LEAKY",
    "MISTAKE",
    "RANDOM_WEIGHTS",
    "RESEARCH_ONLY",
    "SYNTHETIC",
    "AuditFinding",
    "AuditPage",
    "Chosen",
    "Comparison",
    "CrossValidation",
    "CrossValidationPage",
    "Document",
    "HistoryRow",
    "MemberFacts",
    "MethodsFacts",
    "Neighbour",
    "Picture",
    "Plot",
    "Protocol",
    "Report",
    "ReportFacts",
    "RocPoint",
    "RowDetail",
    "SearchRecord",
    "SubgroupFigure",
    "WrongAnswer",
    "WrongAnswers",
    "audit_document",
    "audit_html",
    "audit_lines",
    "audit_plots",
    "bibliography",
    "caveats",
    "checklists_markdown",
    "class_precision_grid",
    "comparison_plots",
    "cross_validation_caveats",
    "cross_validation_html",
    "cross_validation_plots",
    "cross_validation_to_markdown",
    "cross_validation_to_rich",
    "data_sheet",
    "difference_line",
    "duration",
    "fill_checklists",
    "fold_detail",
    "forest_grid",
    "html_report",
    "member_grid",
    "methods_paragraph",
    "mistake_paragraph",
    "model_card",
    "ranked_findings",
    "reliability_plot",
    "row_detail",
    "search_html",
    "search_plots",
    "search_to_rich",
    "subgroup_plot",
    "to_bibtex",
    "to_csv",
    "to_document_markdown",
    "to_markdown",
    "to_rich",
    "verdict",
    "write_audit_page",
    "write_cross_validation_page",
    "write_cross_validation_tables",
    "write_html_report",
    "write_plots",
    "write_search_page",
    "write_tables",
]
