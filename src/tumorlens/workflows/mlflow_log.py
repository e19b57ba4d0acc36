"""Finished runs are logged in MLflow. MLflow gets what :mod:`tumorlens.workflows.mlflow_record` says, nothing else.

Its client is used, not its ``start_run``, which would send the user's name and the path of the script along. Its own
reports of use are switched off.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Any

from tumorlens.errors import InputError
from tumorlens.extras import require_extra
from tumorlens.workflows.mlflow_record import CREATED_TAG, RUN_TAG, MlflowRecord, mlflow_record
from tumorlens.workflows.runs import RunRecord

__all__ = ["MlflowLog"]

_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # its default goes on for minutes
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}
_ADDRESS = re.compile(r"(https?|sqlite|postgresql|mysql|databricks)(\+\w+)?://.+|file:.+|databricks")
_USER = re.compile(r"//[^/@\s]*@")
_LONGEST = 160  # what is wrong stands at the end of MLflow's messages
_PARAMETERS_A_CALL, _METRICS_A_CALL = 100, 1000


class MlflowLog:
    """A place in MLflow that answers.

    Args:
        uri: Its tracking URI, such as ``http://localhost:5000``; MLflow finds names and tokens in its own environment
            variables.

    Raises:
        MissingExtraError: MLflow is not installed.
        InputError: The URI is none, or nothing answers there.
    """

    def __init__(self, uri: str) -> None:
        if not _ADDRESS.fullmatch(uri):
            raise InputError(f"Expected --mlflow with an address such as http://localhost:5000, got {uri!r}.")
        require_extra("mlflow", purpose="--mlflow")
        for name, value in _ENVIRONMENT.items():
            os.environ.setdefault(name, value)
        from mlflow import MlflowClient

        self._uri = uri
        self._client = MlflowClient(tracking_uri=uri)
        try:
            self._client.search_experiments(max_results=1)
        except Exception as error:  # a store of a third party may raise anything
            raise InputError(
                f"MLflow does not answer at {self._shown} ({self._reason(error)}): start its server or leave out "
                "--mlflow."
            ) from error

    def add(self, runs: Sequence[RunRecord]) -> str:
        """Log runs that are not there yet.

        Returns:
            Empty; or, where MLflow failed, a sentence that says so: the runs themselves are finished and kept.
        """
        try:
            for run in runs:
                self._add(mlflow_record(run))
        except Exception as error:  # whatever it is, it must not cost a finished run
            return (
                f"Not all runs could be logged in MLflow at {self._shown} ({self._reason(error)}); they are finished "
                "and kept: run the same command again, and they are logged without being computed again."
            )
        return ""

    def _add(self, record: MlflowRecord) -> None:
        experiment = self._experiment(record.tags["tumorlens.dataset"])
        same = [f"tags.`{tag}` = '{record.tags[tag]}'" for tag in (RUN_TAG, CREATED_TAG)]
        for found in self._client.search_runs([experiment], filter_string=" and ".join(same)):
            if found.info.status == "FINISHED":
                return
            self._client.delete_run(found.info.run_id)  # an attempt that was cut off
        created = self._client.create_run(
            experiment, start_time=record.start_ms, tags=dict(record.tags), run_name=record.name
        )
        self._fill(created.info.run_id, record)
        self._client.set_terminated(created.info.run_id, status="FINISHED", end_time=record.end_ms)

    def _fill(self, run_id: str, record: MlflowRecord) -> None:
        from mlflow.entities import Metric, Param

        parameters = [Param(name, value) for name, value in record.parameters.items()]
        metrics = [Metric(metric.name, metric.value, record.end_ms, metric.step) for metric in record.metrics]
        for batch in _batches(parameters, _PARAMETERS_A_CALL):
            self._client.log_batch(run_id, params=batch, synchronous=True)
        for batch in _batches(metrics, _METRICS_A_CALL):
            self._client.log_batch(run_id, metrics=batch, synchronous=True)

    def _experiment(self, dataset: str) -> str:
        name = f"tumorlens {dataset}"
        found = self._client.get_experiment_by_name(name)
        return str(self._client.create_experiment(name) if found is None else found.experiment_id)

    @property
    def _shown(self) -> str:
        """The URI without user and password."""
        return _USER.sub("//", self._uri)

    def _reason(self, error: Exception) -> str:
        words = " ".join(_USER.sub("//", str(error)).split())
        return f"{type(error).__name__}: {words if len(words) <= _LONGEST else '…' + words[-_LONGEST:]}"


def _batches(items: list[Any], size: int) -> list[list[Any]]:
    return [items[start : start + size] for start in range(0, len(items), size)]
