"""What MLflow is told of a finished run: parameters, figures, tags and the methods text. No pixel, no name of a file.

Knows nothing about servers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import Any

from tumorlens.reports import RESEARCH_ONLY
from tumorlens.workflows.runs import RunRecord

__all__ = ["CREATED_TAG", "RUN_TAG", "MlflowMetric", "MlflowRecord", "mlflow_record"]

RUN_TAG, CREATED_TAG = "tumorlens.run", "tumorlens.created"
"""Tags by which a run is found again."""

_DESCRIPTION_TAG = "mlflow.note.content"  # MLflow shows it at the top of a run's page
_SIGN = re.compile(r"[^\w\- ]")


@dataclass(frozen=True)
class MlflowMetric:
    """One value of a metric.

    Attributes:
        name: Words joined by ``/``, which MLflow shows as groups.
        value: A finite number.
        step: The epoch; 0 for figures of the finished model.
    """

    name: str
    value: float
    step: int = 0


@dataclass(frozen=True)
class MlflowRecord:
    """Everything MLflow is told of one run.

    Attributes:
        name: The run's name.
        tags: Where it belongs, and what must be said with it.
        parameters: Its configuration, head or recipe, calibration, precision and versions.
        metrics: Its final figures with the ends of their intervals, and those of each epoch.
        start_ms: When it began, milliseconds since 1970.
        end_ms: When it was finished.
    """

    name: str
    tags: Mapping[str, str]
    parameters: Mapping[str, str]
    metrics: tuple[MlflowMetric, ...]
    start_ms: int
    end_ms: int


def mlflow_record(run: RunRecord) -> MlflowRecord:
    """What is told of ``run``."""
    end_ms = int(datetime.fromisoformat(run.created).timestamp() * 1000)
    figures = run.row.to_json()
    figures.pop("published", None)  # another study's
    final = (MlflowMetric("/".join(path), value) for path, value in _numbers(figures))
    return MlflowRecord(
        name=run.name,
        tags=_tags(run),
        parameters={".".join(path): _word(value) for path, value in _leaves(run.config) if value not in ("", [])},
        metrics=(*final, *_epochs(run)),
        start_ms=end_ms - int((run.row.seconds or 0.0) * 1000),
        end_ms=end_ms,
    )


def _tags(run: RunRecord) -> dict[str, str]:
    config, row = run.config["run"], run.row
    tags = {
        RUN_TAG: run.name,
        CREATED_TAG: run.created,
        "tumorlens.use": f"{RESEARCH_ONLY.capitalize()}.",
        "tumorlens.marks": "; ".join(run.marks),
        **{
            f"tumorlens.{name}": str(config[name])
            for name in ("dataset", "manifest_digest", "split_digest", "protocol")
        },
        "tumorlens.kind": row.kind,
        "tumorlens.backbone": row.backbone,
        "tumorlens.head": row.head or "",
        _DESCRIPTION_TAG: run.methods,
    }
    return {name: value for name, value in tags.items() if value}


def _epochs(run: RunRecord) -> Iterator[MlflowMetric]:
    for record in run.history:
        if "epoch" in record:
            for name, value in record.items():
                if name != "epoch" and isinstance(value, float) and isfinite(value):
                    yield MlflowMetric(f"epoch/{name}", value, int(record["epoch"]))


def _numbers(figures: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], float]]:
    for path, value in _leaves(figures):
        if isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value):
            yield path, float(value)


def _leaves(values: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Values of nested mappings by path; signs that MLflow takes in no name become their code."""
    for name, value in values.items():
        part = _SIGN.sub(lambda match: f"_{ord(match[0]):x}_", name)
        if isinstance(value, Mapping):
            yield from (((part, *path), leaf) for path, leaf in _leaves(value))
        else:
            yield (part,), value


def _word(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
