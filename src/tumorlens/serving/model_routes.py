"""Models and runs: what is served, what could be, and the change from one to the other."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from tumorlens.bundles.card import CARD_FILE
from tumorlens.serving.access import allowed
from tumorlens.serving.model_host import HostedModel
from tumorlens.serving.predict_routes import REFUSALS
from tumorlens.serving.problems import ProblemError
from tumorlens.serving.schemas import ModelChoice, ModelOut, RunOut
from tumorlens.serving.state import Shared, shared_of
from tumorlens.workflows.runs import list_runs

__all__ = ["router"]

router = APIRouter(tags=["models"], dependencies=[Depends(allowed("predict"))])


@router.get("/v1/models", response_model=list[ModelOut], responses=REFUSALS)
def models(shared: Annotated[Shared, Depends(shared_of)]) -> list[dict[str, Any]]:
    """The model that is served."""
    with shared.host.model() as model:
        return [_facts(model)]


@router.put(
    "/v1/models/current",
    response_model=ModelOut,
    responses=REFUSALS,
    dependencies=[Depends(allowed("train"))],
)
def choose(choice: ModelChoice, shared: Annotated[Shared, Depends(shared_of)]) -> dict[str, Any]:
    """Serve the model of another run of the workspace, by name.

    It is loaded, verified and tested beside the present one, which goes on where that fails.
    """
    found = [run for run in list_runs(shared.settings.workspace) if run.name == choice.run]
    if not found or not (found[0].bundle / CARD_FILE).is_file():
        raise ProblemError(404, f"There is no run {choice.run!r} with a model: GET /v1/runs lists them.")
    shared.host.swap(found[0].bundle)
    with shared.host.model() as model:
        return _facts(model)


@router.get("/v1/runs", response_model=list[RunOut], responses=REFUSALS)
def runs(shared: Annotated[Shared, Depends(shared_of)]) -> list[dict[str, Any]]:
    """The runs of the workspace."""
    with shared.host.model() as model:
        served = model.predictor.folder.resolve()
    return [
        {
            "name": run.name,
            "dataset": str(run.config["run"]["dataset"]),
            "has_bundle": (run.bundle / CARD_FILE).is_file(),
            "served": run.bundle.resolve() == served,
        }
        for run in list_runs(shared.settings.workspace)
    ]


def _facts(model: HostedModel) -> dict[str, Any]:
    card = model.predictor.card
    return {
        "name": card.name,
        "model": card.model,
        "digest": card.digest,
        "title": card.title,
        "labels": list(card.labels),
        "precision": card.precision,
        "sizes": list(card.sizes),
        "scan_steps": list(card.scan_steps),
        "operating_point": None if card.operating_point is None else vars(card.operating_point),
        "calibration": card.calibration,
        "not_offered": list(card.not_offered),
        "data_digest": card.manifest_digest,
        "marks": list(card.marks),
        "metrics": dict(card.metrics),
        "use": card.use,
    }
