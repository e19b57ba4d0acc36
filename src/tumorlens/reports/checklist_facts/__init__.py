"""What a run knows of the items of a reporting checklist: one named function a subject.

Each gives a sentence or two, or nothing where the run does not know; none says that an item is met.
"""

from tumorlens.reports.checklist_facts import data, results
from tumorlens.reports.checklist_facts.model import licences
from tumorlens.reports.checklist_facts.registry import FACTS

__all__ = ["FACTS", "data", "licences", "results"]
