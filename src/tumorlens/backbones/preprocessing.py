r"""What a network was trained to see: pixels in 0..255 become :math:`(s\,x_{\pi(c)} - \mu_c) / \sigma_c`.

The three conventions are those of ``keras.applications.imagenet_utils.preprocess_input``, plus the one of the large
EfficientNetV2. Knows nothing about graphs: :mod:`tumorlens.runtime` turns a description into operations.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CAFFE", "HALF_RANGE", "TF", "TORCH", "Preprocessing"]

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Preprocessing:
    """One way from 0..255 RGB pixels to a network's input; steps are done in the order of the fields.

    Attributes:
        name: What Keras' documentation calls it.
        reverse_channels: Whether RGB becomes BGR first.
        scale: Factor for the pixels.
        mean: Subtracted after scaling, per channel in the network's order.
        std: Divides what is left, per channel in the network's order.
    """

    name: str
    reverse_channels: bool
    scale: float
    mean: Triple
    std: Triple

    @property
    def gain(self) -> Triple:
        """Factor per channel in the network's order: the network's input is ``gain * pixel + offset``."""
        a, b, c = self.std
        return (self.scale / a, self.scale / b, self.scale / c)

    @property
    def offset(self) -> Triple:
        """Summand per channel in the network's order: the network's input is ``gain * pixel + offset``."""
        (a, b, c), (i, j, k) = self.mean, self.std
        return (-a / i, -b / j, -c / k)


CAFFE = Preprocessing(
    name="caffe",
    reverse_channels=True,
    scale=1.0,
    mean=(103.939, 116.779, 123.68),
    std=(1.0, 1.0, 1.0),
)
"""BGR, ImageNet's mean subtracted, not scaled."""

TF = Preprocessing(
    name="tf",
    reverse_channels=False,
    scale=1.0 / 127.5,
    mean=(1.0, 1.0, 1.0),
    std=(1.0, 1.0, 1.0),
)
"""RGB in -1..1."""

TORCH = Preprocessing(
    name="torch",
    reverse_channels=False,
    scale=1.0 / 255.0,
    mean=(0.485, 0.456, 0.406),
    std=(0.229, 0.224, 0.225),
)
"""RGB in 0..1, then ImageNet's mean and standard deviation."""

HALF_RANGE = Preprocessing(
    name="x/128-1",
    reverse_channels=False,
    scale=1.0 / 128.0,
    mean=(1.0, 1.0, 1.0),
    std=(1.0, 1.0, 1.0),
)
"""RGB divided by 128, minus 1 (EfficientNetV2 S, M and L)."""
