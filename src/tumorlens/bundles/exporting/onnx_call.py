"""A translation rule's call where ONNX is written: values are names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from tumorlens.bundles.exporting.onnx_builder import OnnxBuilder
from tumorlens.bundles.exporting.rule_table import Call

__all__ = ["OnnxCall", "OnnxRule"]

OnnxCall: TypeAlias = Call[OnnxBuilder, str]
OnnxRule: TypeAlias = Callable[[OnnxCall], str | Sequence[str]]
