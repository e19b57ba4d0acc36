"""Puts the application together: the model, the routes, what guards them and what is counted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from anyio import to_thread
from fastapi import FastAPI

from tumorlens.serving import health_routes, model_routes, predict_routes, v2_routes
from tumorlens.serving.counting import Counted
from tumorlens.serving.database import open_database
from tumorlens.serving.guard import Guard
from tumorlens.serving.memory_folder import check_memory, remove_abandoned
from tumorlens.serving.metrics import Metrics
from tumorlens.serving.model_host import ModelHost
from tumorlens.serving.problems import add_problem_handlers
from tumorlens.serving.rates import Rates
from tumorlens.serving.settings import ServeSettings
from tumorlens.serving.state import Shared

__all__ = ["create_app"]

_WORKERS = 16


def create_app(settings: ServeSettings) -> FastAPI:
    """Load the model and make the application that serves it.

    Args:
        settings: How it is run.

    Raises:
        IntegrityError: The bundle is not what was written, or fails its self-test.
        StorageError: Uploads cannot be kept in memory on this machine.
    """
    if settings.keep_uploads is None:
        check_memory()
        remove_abandoned()
    host = ModelHost(settings.bundle, threads=settings.threads, most_waiting=settings.limits.waiting)
    shared = Shared(
        settings,
        host,
        Metrics(host),
        Rates(settings.limits.requests_a_minute),
        open_database(settings.workspace, settings.database_url) if settings.auth else None,
    )

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        to_thread.current_default_thread_limiter().total_tokens = _WORKERS
        yield
        await to_thread.run_sync(host.close)

    app = FastAPI(
        title="tumorlens",
        version=version("tumorlens"),
        summary="Classifies brain-MRI slices. For research, not for patient care.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        separate_input_output_schemas=False,
    )
    app.state.shared = shared
    add_problem_handlers(app)
    for part in (predict_routes, model_routes, health_routes, v2_routes):
        app.include_router(part.router)

    app.add_middleware(Counted, shared=shared)
    app.add_middleware(Guard, limits=settings.limits, host_names=settings.allowed_hosts)
    return app
