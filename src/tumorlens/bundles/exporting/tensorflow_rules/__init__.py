"""TensorFlow operations for OpenVINO's, one table a theme. Imported in a child process alone."""

from tumorlens.bundles.exporting.rule_table import RuleTable
from tumorlens.bundles.exporting.tensorflow_rules.elementwise import ELEMENTWISE
from tumorlens.bundles.exporting.tensorflow_rules.filters import FILTERS
from tumorlens.bundles.exporting.tensorflow_rules.shapes import SHAPES
from tumorlens.bundles.exporting.tensorflow_rules.sums import SUMS

__all__ = ["TENSORFLOW_RULES"]

TENSORFLOW_RULES = RuleTable("TensorFlow Lite", ELEMENTWISE, FILTERS, SHAPES, SUMS)
"""All of them."""
