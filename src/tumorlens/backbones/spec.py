"""What is known about one pretrained network. Knows nothing about files on this machine or about graphs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tumorlens.backbones.preprocessing import Preprocessing

__all__ = ["BackboneSpec", "Paper", "PublishedWeights", "Source"]

Source = Literal["keras", "package"]
"""Where a network comes from: ``keras.applications``, or a checkpoint inside an installed package."""


@dataclass(frozen=True)
class Paper:
    """Where a network was published.

    Attributes:
        citation: Authors, title, venue and year.
        arxiv: The arXiv identifier ("1512.03385").
    """

    citation: str
    arxiv: str


@dataclass(frozen=True)
class PublishedWeights:
    """The weights file without classifier, as its publisher offers it.

    Attributes:
        file_name: The name under which Keras keeps the file in its cache.
        url: Where Keras downloads it from; ``None`` when an installed package carries it.
        digest: The published hash in hexadecimal, MD5 (32 digits) or SHA-256 (64 digits); ``None`` where Keras
            publishes none.
    """

    file_name: str
    url: str | None
    digest: str | None

    @property
    def algorithm(self) -> Literal["md5", "sha256"]:
        """The hash function of :attr:`digest`."""
        return "md5" if self.digest is not None and len(self.digest) == 32 else "sha256"


@dataclass(frozen=True)
class BackboneSpec:
    """One pretrained network without its classifier.

    Attributes:
        name: The name in commands and files ("resnet50").
        title: The name in tables and text ("ResNet50").
        family: The family it belongs to ("ResNet").
        builder: Name of its function in ``keras.applications``, or of our own builder for a package's network.
        source: Where builder and weights come from.
        input_size: Edge length in pixels it was trained with.
        minimum_size: Smallest edge length in pixels it accepts.
        preprocessing: What becomes of 0..255 RGB pixels before the first convolution.
        preprocessing_in_keras: Whether Keras' own model does that itself, so that Keras' callers pass raw 0..255.
        fitted_normalisation: Whether the weights file holds the mean and variance of the preprocessing
            (Keras' first EfficientNets).
        width: Channels of the last map, and length of the pooled feature vector.
        feature_layer: Keras layer that gives the features (of a network that normalises after pooling: the
            normalisation).
        stages: Pairs (stage, Keras layer that ends it), from input to output: the places to split for fine-tuning.
        normalised: Whether the last normalisation comes before pooling, after it, or not at all.
        parameters: Number of weights without the classifier, as Keras counts them.
        weights: The published file.
        licence: Licence of the weights.
        paper: Where the network was published.
    """

    name: str
    title: str
    family: str
    builder: str
    source: Source
    input_size: int
    minimum_size: int
    preprocessing: Preprocessing
    preprocessing_in_keras: bool
    fitted_normalisation: bool
    width: int
    feature_layer: str
    stages: tuple[tuple[str, str], ...]
    normalised: Literal["before pooling", "after pooling", "not at all"]
    parameters: int
    weights: PublishedWeights
    licence: str
    paper: Paper

    def stage_layer(self, stage: str) -> str:
        """The Keras layer that ends ``stage``.

        Raises:
            KeyError: There is no such stage.
        """
        return dict(self.stages)[stage]
