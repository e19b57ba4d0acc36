"""Whether a data set's pixels are what a model expects, and what is still to be done to them."""

from __future__ import annotations

from dataclasses import dataclass

from tumorlens.errors import InputError
from tumorlens.scans import AS_READ, PixelSteps, Scan, prepare_scan, reading_of
from tumorlens.types import Pixels

__all__ = ["StepsToDo", "compare_steps"]


@dataclass(frozen=True)
class StepsToDo:
    """What is to be done to a data set's stored pixels before they go through a model's graph.

    Attributes:
        pixel_steps: The steps after reading that the model declares and the data set does not have; false: nothing is
            to be done.
        notes: What must be said of the steps.
    """

    pixel_steps: PixelSteps
    notes: tuple[str, ...]

    def apply(self, pixels: Pixels) -> Pixels:
        """The pixels ``(h, w, 3)`` uint8 as the graph is to be given them."""
        return prepare_scan(Scan(pixels, "stored", "RGB", "stored"), self.pixel_steps).pixels


def compare_steps(model: tuple[str, ...], dataset: tuple[str, ...]) -> StepsToDo:
    """Say what is to be done to a data set that was read by other ``scan_steps`` than a model's.

    Missing steps after reading are applied, once. Window and plane apply to volumes only: they must agree where the
    data set was read from volumes, with the defaults where the model knows none. Which series were read is a choice of
    scans.

    Raises:
        InputError: The data set's pixels went through a step that the model's did not, or through another.
    """
    wanted, done = reading_of(model), reading_of(dataset)
    to_do = AS_READ if done.pixel_steps == wanted.pixel_steps else wanted.pixel_steps
    notes = []
    if done.pixel_steps and done.pixel_steps != wanted.pixel_steps:
        trained = f"with {wanted.pixel_steps.options}" if wanted.pixel_steps else "without"
        again = wanted.pixel_steps.options or f"no {done.pixel_steps.options}"
        raise InputError(
            f"The data set was imported with {done.pixel_steps.options}, but the model was trained {trained}: import "
            f"it again with {again}."
        )
    if to_do:
        steps = ", ".join(to_do.words)
        notes.append(f"The model's {steps} was applied to the scans, which were imported without it.")
    if _from_volumes(dataset):
        if (done.window, done.plane) != (wanted.window, wanted.plane):
            raise InputError(
                f"The data set was read with window={done.window.text} and plane={done.plane}, but the model expects "
                f"window={wanted.window.text} and plane={wanted.plane}: import it again with --window "
                f"{wanted.window.text} --plane {wanted.plane}."
            )
    elif _from_volumes(model):
        notes.append("The model was trained on volumes, whose grey levels these pictures may not follow.")
    if done.series != wanted.series:
        series = done.series or "any"
        notes.append(f"The series differ: {wanted.series or 'any'} in training, {series} here.")
    return StepsToDo(to_do, tuple(notes))


def _from_volumes(steps: tuple[str, ...]) -> bool:
    return any(step.startswith("plane=") for step in steps)
