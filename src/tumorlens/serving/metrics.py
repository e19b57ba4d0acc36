"""What the server counts for Prometheus: requests, scans, waiting."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from tumorlens.serving.model_host import ModelHost

__all__ = ["Metrics"]

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Metrics:
    """Counters of one server.

    Args:
        host: Asked for how many scans wait, and for the model's name.
    """

    def __init__(self, host: ModelHost) -> None:
        self._host = host
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "tumorlens_requests", "Requests answered.", ("method", "route", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "tumorlens_request_seconds",
            "Seconds from a request's head to its answer.",
            ("route",),
            registry=self._registry,
            buckets=_SECONDS,
        )
        self._scans = Counter("tumorlens_scans", "Scans by what came of them.", ("outcome",), registry=self._registry)
        waiting = Gauge("tumorlens_scans_waiting", "Scans that wait or are computed.", registry=self._registry)
        waiting.set_function(lambda: float(host.depth))
        self._model = Gauge(
            "tumorlens_model", "The model that is served.", ("model", "precision"), registry=self._registry
        )

    def add_request(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request.

        Args:
            method: HTTP method.
            route: Path of the route, with names in the place of values.
            status: HTTP status.
            seconds: How long it took.
        """
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def add_scans(self, *, answered: int, refused: int) -> None:
        """Count scans."""
        self._scans.labels("answered").inc(answered)
        self._scans.labels("refused").inc(refused)

    def render(self) -> tuple[bytes, str]:
        """The document for Prometheus, and its media type."""
        with self._host.model() as model:
            card = model.predictor.card
            self._model.clear()
            self._model.labels(card.model, card.precision).set(1)
        return generate_latest(self._registry), CONTENT_TYPE_LATEST
