"""Whose label means what: the classes of a data set become the classes of a model that may name them otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tumorlens.errors import InputError

__all__ = ["map_classes", "parse_label_map"]


def parse_label_map(words: Sequence[str]) -> dict[str, list[str]]:
    """Read ``TRAINED=HERE`` words; a trained class may stand in several.

    Raises:
        InputError: A word has another form.
    """
    found: dict[str, list[str]] = {}
    for word in words:
        trained, sign, here = word.partition("=")
        if not (trained and sign and here):
            raise InputError(f"Expected --map TRAINED=HERE (the model's class, then the data set's), got {word!r}.")
        found.setdefault(trained, []).append(here)
    return found


def map_classes(
    trained: Sequence[str], here: Sequence[str], *, label_map: Mapping[str, str | Sequence[str]]
) -> dict[str, str]:
    """Find the model's class of each class of a data set: by ``label_map``, else by name.

    Args:
        trained: The model's classes.
        here: The data set's classes.
        label_map: The model's class to the data set's class or classes.

    Returns:
        The data set's class to the model's.

    Raises:
        InputError: A class is unknown, stands twice, or has no counterpart; the message lists the choices.
    """
    choices = f"the model has {', '.join(trained)}; the data set has {', '.join(here)}"
    found: dict[str, str] = {}
    for label, own in label_map.items():
        for name in [own] if isinstance(own, str) else own:
            if label not in trained or name not in here:
                raise InputError(f"There is no pair of classes {label!r} and {name!r} to map: {choices}.")
            if name in found:
                raise InputError(f"The data set's class {name!r} is mapped twice: map it once.")
            found[name] = label
    for name in here:
        if name not in found and name not in trained:
            raise InputError(
                f"The data set's class {name!r} has no counterpart in the model: {choices}; give --map TRAINED={name}."
            )
        found.setdefault(name, name)
    return found
