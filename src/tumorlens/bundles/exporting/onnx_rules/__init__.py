"""ONNX operators for OpenVINO's operations, one table a theme. The semantics are those of opset 18."""

from tumorlens.bundles.exporting.onnx_rules.elementwise import ELEMENTWISE
from tumorlens.bundles.exporting.onnx_rules.filters import FILTERS
from tumorlens.bundles.exporting.onnx_rules.integers import INTEGERS
from tumorlens.bundles.exporting.onnx_rules.shapes import SHAPES
from tumorlens.bundles.exporting.onnx_rules.sums import SUMS
from tumorlens.bundles.exporting.rule_table import RuleTable

__all__ = ["ONNX_RULES"]

ONNX_RULES = RuleTable("ONNX", ELEMENTWISE, FILTERS, INTEGERS, SHAPES, SUMS)
"""All of them."""
