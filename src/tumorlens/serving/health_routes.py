"""Whether the server lives and can answer, and what it has counted."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import JSONResponse, Response

from tumorlens.serving.access import allowed
from tumorlens.serving.predict_routes import REFUSALS
from tumorlens.serving.problems import problem
from tumorlens.serving.state import Shared, shared_of

__all__ = ["is_ready", "router"]

router = APIRouter(tags=["health"])


def is_ready(shared: Shared) -> bool:
    """Whether the model is there and more scans may wait for it."""
    return shared.host.depth < shared.settings.limits.waiting


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process lives."""
    return {"status": "alive"}


@router.get("/readyz", response_model=dict[str, str], responses={503: REFUSALS[503]})
async def readyz(shared: Annotated[Shared, Depends(shared_of)]) -> JSONResponse:
    """The model was tested when it was loaded, and scans may be sent."""
    if not is_ready(shared):
        return problem(503, "As many scans are waiting as may: send more later.", headers={"Retry-After": "1"})
    return JSONResponse({"status": "ready"})


@router.get(
    "/metrics",
    dependencies=[Depends(allowed("predict"))],
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}},
)
def metrics(shared: Annotated[Shared, Depends(shared_of)]) -> Response:
    """Counters for Prometheus."""
    document, media_type = shared.metrics.render()
    return Response(document, media_type=media_type)
