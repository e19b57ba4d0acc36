"""``POST /v1/predict``: files in, answers out."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Depends, Query, Request

from tumorlens.serving.access import allowed
from tumorlens.serving.answers import Answered, answer_files
from tumorlens.serving.memory_folder import memory_folder
from tumorlens.serving.model_host import HostedModel
from tumorlens.serving.problems import ProblemError
from tumorlens.serving.schemas import PredictOut, ProblemOut
from tumorlens.serving.state import Shared, shared_of
from tumorlens.serving.uploads import Upload, read_uploads, write_uploads

__all__ = ["REFUSALS", "router"]

REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": ProblemOut, "content": {"application/problem+json": {}}}
    for status in (400, 401, 403, 408, 413, 415, 421, 422, 429, 500, 503)
}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["files"],
                    "properties": {
                        "files": {"type": "array", "minItems": 1, "items": {"type": "string", "format": "binary"}}
                    },
                }
            }
        },
    }
}

router = APIRouter(tags=["predict"], dependencies=[Depends(allowed("predict"))])


@router.post("/v1/predict", response_model=PredictOut, responses=REFUSALS, openapi_extra=_BODY)
async def predict(
    request: Request,
    shared: Annotated[Shared, Depends(shared_of)],
    heatmap: Annotated[bool, Query(description="Also a picture of where each score came from, base64.")] = False,
    similar: Annotated[bool, Query(description="Also the training scans most alike.")] = False,
) -> dict[str, Any]:
    """Class and probability of each scan: PNG, JPEG, TIFF, DICOM, NIfTI. Research output, not for patient care.

    The field `files` may be repeated. A volume or series is answered slice by slice, highest first.
    """
    uploads = await read_uploads(request, shared.settings.limits)
    gone = threading.Event()
    work = to_thread.run_sync(_answer, shared, uploads, heatmap, similar, gone, abandon_on_cancel=True)
    try:
        return await asyncio.wait_for(work, timeout=shared.settings.limits.answer_seconds)
    except TimeoutError:
        raise ProblemError(
            503, "The answer took too long: send fewer scans, or send them again later.", headers={"Retry-After": "5"}
        ) from None
    finally:
        gone.set()


def _answer(
    shared: Shared, uploads: Sequence[Upload], heatmap: bool, similar: bool, gone: threading.Event
) -> dict[str, Any]:
    limits = shared.settings.limits
    with memory_folder(shared.settings.keep_uploads) as folder, shared.host.model() as model:
        names = write_uploads(uploads, folder)
        answered = answer_files(
            model, names, limits=limits.reading, heatmaps=heatmap, similar=similar, is_gone=gone.is_set
        )
        count = sum(len(group["answers"]) for group in answered.groups)
        shared.metrics.add_scans(answered=count, refused=len(answered.refused))
        if not count and answered.refused and not gone.is_set():
            first = answered.refused[0]["reason"]
            more = f" ({len(answered.refused) - 1} more were refused.)" if len(answered.refused) > 1 else ""
            raise ProblemError(422, f"{first}{more}")
        return _document(model, answered)


def _document(model: HostedModel, answered: Answered) -> dict[str, Any]:
    card = model.predictor.card
    point = card.operating_point
    return {
        "model": card.model,
        "model_digest": card.digest,
        "data_digest": card.manifest_digest,
        "operating_point": None if point is None else vars(point),
        "calibration": card.calibration,
        "not_offered": list(card.not_offered),
        "verdict": None,
        "groups": answered.groups,
        "refused": answered.refused,
        "notes": answered.notes,
        "use": card.use,
    }
