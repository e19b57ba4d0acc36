"""The Open Inference Protocol (KServe V2), so that existing clients work: pixels in, the graph's tensors out.

Scan steps such as a crop are not done here: a client of this protocol sends what the network is to see.
"""

from __future__ import annotations

import asyncio
from importlib.metadata import version as package_version
from typing import Annotated, Any

import numpy as np
from anyio import to_thread
from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, Response

from tumorlens.bundles.predictor import GRAPH_OUTPUTS
from tumorlens.serving.access import allowed
from tumorlens.serving.health_routes import is_ready
from tumorlens.serving.model_host import HostedModel
from tumorlens.serving.predict_routes import REFUSALS
from tumorlens.serving.problems import ProblemError, problem
from tumorlens.serving.state import Shared, shared_of
from tumorlens.serving.tensors import HEADER_LENGTH, InferRequest, pack_answer, parse_request

__all__ = ["router"]

_VERSION = "1"
_AHEAD = 8

router = APIRouter(prefix="/v2", tags=["inference protocol"], responses=REFUSALS)
_KEYED = [Depends(allowed("predict"))]
SharedNow = Annotated[Shared, Depends(shared_of)]


@router.get("")
async def server() -> dict[str, Any]:
    """What speaks here."""
    return {"name": "tumorlens", "version": package_version("tumorlens"), "extensions": ["binary_tensor_data"]}


@router.get("/health/live")
async def live() -> dict[str, bool]:
    """The process lives."""
    return {"live": True}


@router.get("/health/ready", response_model=dict[str, bool])
async def ready(shared: SharedNow) -> JSONResponse:
    """Scans may be sent."""
    if not is_ready(shared):
        return problem(503, "As many scans are waiting as may: send more later.", headers={"Retry-After": "1"})
    return JSONResponse({"ready": True})


@router.get("/models/{name}", dependencies=_KEYED)
@router.get("/models/{name}/versions/{version}", dependencies=_KEYED)
def describe(name: str, shared: SharedNow, version: str = _VERSION) -> dict[str, Any]:
    """Inputs and outputs of the model."""
    with shared.host.model() as model:
        _check_name(model, name, version)
        card, shapes = model.predictor.card, model.output_shapes
        return {
            "name": name,
            "versions": [_VERSION],
            "platform": "openvino",
            "inputs": [{"name": "pixels", "datatype": "UINT8", "shape": [-1, -1, -1, 3]}],
            "outputs": [{"name": one, "datatype": "FP32", "shape": [-1, *shapes[one]]} for one in GRAPH_OUTPUTS],
            "parameters": {"labels": list(card.labels), "use": card.use},
        }


@router.get("/models/{name}/ready", dependencies=_KEYED)
@router.get("/models/{name}/versions/{version}/ready", dependencies=_KEYED)
def model_ready(name: str, shared: SharedNow, version: str = _VERSION) -> dict[str, Any]:
    """Whether this model answers."""
    with shared.host.model() as model:
        _check_name(model, name, version)
    return {"name": name, "ready": True}


@router.post("/models/{name}/infer", response_class=Response, dependencies=_KEYED)
@router.post("/models/{name}/versions/{version}/infer", response_class=Response, dependencies=_KEYED)
async def infer(name: str, request: Request, shared: SharedNow, version: str = _VERSION) -> Response:
    """The graph's outputs for each scan."""
    limits = shared.settings.limits
    asked = parse_request(
        await request.body(),
        request.headers.get(HEADER_LENGTH),
        known=GRAPH_OUTPUTS,
        most_pixels=limits.pixels,
    )
    if len(asked.pixels) > limits.frames:
        raise ProblemError(413, f"The batch holds {len(asked.pixels)} scans, the limit is {limits.frames}.")
    work = to_thread.run_sync(_infer, shared, name, version, asked, abandon_on_cancel=True)
    try:
        body, header_length = await asyncio.wait_for(work, timeout=limits.answer_seconds)
    except TimeoutError:
        raise ProblemError(503, "The answer took too long: send fewer scans.", headers={"Retry-After": "5"}) from None
    if header_length is None:
        return Response(body, media_type="application/json")
    return Response(body, media_type="application/octet-stream", headers={HEADER_LENGTH: str(header_length)})


def _infer(shared: Shared, name: str, version: str, asked: InferRequest) -> tuple[bytes, int | None]:
    with shared.host.model() as model:
        _check_name(model, name, version)
        rows: list[dict[str, Any]] = []
        for start in range(0, len(asked.pixels), _AHEAD):
            futures = [model.queue.submit(scan) for scan in asked.pixels[start : start + _AHEAD]]
            rows += [future.result() for future in futures]
        shared.metrics.add_scans(answered=len(rows), refused=0)
    tensors = {output: np.concatenate([row[output] for row in rows]) for output in asked.outputs}
    document: dict[str, Any] = {"model_name": name, "model_version": version}
    if asked.id:
        document["id"] = asked.id
    return pack_answer(document, tensors, asked.outputs)


def _check_name(model: HostedModel, name: str, version: str) -> None:
    if name != model.name or version != _VERSION:
        raise ProblemError(
            404, f"There is no model {name!r} of version {version!r}: served is {model.name!r}, version 1."
        )
