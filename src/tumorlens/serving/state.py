"""What all requests share while the server runs."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request
from sqlalchemy import Engine

from tumorlens.serving.metrics import Metrics
from tumorlens.serving.model_host import ModelHost
from tumorlens.serving.rates import Rates
from tumorlens.serving.settings import ServeSettings

__all__ = ["Shared", "shared_of"]


@dataclass(frozen=True)
class Shared:
    """Made when the server starts.

    Attributes:
        settings: How it is run.
        host: The model.
        metrics: What is counted.
        rates: How much a client may ask.
        keys: The database with the keys that clients must have; ``None``: none is asked for.
    """

    settings: ServeSettings
    host: ModelHost
    metrics: Metrics
    rates: Rates
    keys: Engine | None = None


def shared_of(request: Request) -> Shared:
    """What a request's application shares."""
    shared: Shared = request.app.state.shared
    return shared
