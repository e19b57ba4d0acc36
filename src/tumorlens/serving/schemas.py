"""The documents of the REST API, for its description and for clients that are made from it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

__all__ = ["AnswerOut", "GroupOut", "ModelChoice", "ModelOut", "PredictOut", "ProblemOut", "RefusalOut", "RunOut"]


class ProblemOut(BaseModel):
    """What is wrong, by RFC 9457."""

    type: str
    title: str
    status: int
    detail: str


class NoveltyOut(BaseModel):
    """How far a scan is from the training data."""

    distance: float = Field(description="Cosine distance to the nearest reference scan, 0..2.")
    threshold: float = Field(description="The distance above which a scan is unlike the training data.")
    unlike: bool


class SimilarOut(BaseModel):
    """A training scan that is alike by features."""

    label: str
    distance: float = Field(description="Cosine distance of the features, 0..2.")
    source: str | None
    digest: str


class OperatingPointOut(BaseModel):
    """Where a probability becomes a label."""

    positive_class: str
    threshold: float
    basis: str


class AnswerOut(BaseModel):
    """What the model says of one scan. Research output, not for patient care."""

    source: str
    label: str = Field(description="The answer at the operating point.")
    decision: str = Field(description='"unlike the training data", else "undecided", else the label.')
    probabilities: dict[str, float] = Field(description="Probability in 0..1 by class.")
    conformal_set: list[str] | None = Field(description="Classes that cannot be excluded; null: not offered.")
    novelty: NoveltyOut | None
    similar: list[SimilarOut] | None = Field(description="Training scans most alike, when asked for and at hand.")
    model: str
    precision: str
    views: Any | None = None
    marks: list[str]
    use: str
    pixel_digest: str = Field(description="SHA-256 of the pixels that the model was given.")
    heatmap_check: str
    heatmap_png: str | None = Field(description="Base64 of a PNG, when asked for.")


class GroupOut(BaseModel):
    """Answers for one picture, volume or series."""

    source: str
    order: str = Field(description="How the answers are ordered.")
    answers: list[AnswerOut]


class RefusalOut(BaseModel):
    """A scan that could not be read."""

    source: str
    reason: str


class PredictOut(BaseModel):
    """Answers for an upload."""

    model: str
    model_digest: str
    data_digest: str = Field(description="Digest of the data set that the model was trained on.")
    operating_point: OperatingPointOut | None
    calibration: str = Field(description="What the probabilities rest on.")
    not_offered: list[str]
    verdict: None = Field(None, description="Nothing is said of a series as a whole: the model answers per slice.")
    groups: list[GroupOut]
    refused: list[RefusalOut]
    notes: list[str]
    use: str


class ModelOut(BaseModel):
    """The model that is served."""

    name: str
    model: str
    digest: str
    title: str
    labels: list[str]
    precision: str
    sizes: list[int]
    scan_steps: list[str]
    operating_point: OperatingPointOut | None
    calibration: str
    not_offered: list[str]
    data_digest: str
    marks: list[str]
    metrics: dict[str, Any]
    use: str


class ModelChoice(BaseModel):
    """Which run's model is to be served."""

    run: str = Field(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")


class RunOut(BaseModel):
    """A run of the workspace."""

    name: str
    dataset: str
    has_bundle: bool
    served: bool
