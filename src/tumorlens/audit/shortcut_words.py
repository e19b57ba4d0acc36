"""What a shortcut means, in a sentence or two. Knows only its name and figures."""

from __future__ import annotations

from tumorlens.audit.findings import WithInterval

__all__ = ["shortcut_words"]

_SOURCES = "the difference between sources remains"
_CONVERTING = f"Converting hides this shortcut; {_SOURCES}."
_ACQUISITION = "The classes were acquired differently, and a network can see that in the pixels."
_MUST_BEAT = "A network that does no better has shown nothing about disease."

_CHANCE_AREA = 0.6
"""A ROC area up to this is near enough to 0.5."""

_MEANING = {
    "file format": _CONVERTING,
    "image mode": _CONVERTING,
    "size": f"Rescaling to one size hides this shortcut; {_SOURCES}.",
    "aspect": f"Resizing to a square hides this shortcut but deforms heads unequally; {_SOURCES}.",
    "brain area": "The classes show the head at unlike heights or sizes, which a network can see.",
    "brightness": "The classes differ in how grey values were scaled, or a bright lesion darkens the rest.",
    "border pixels": "A network can see the border; cropping to the head hides it.",
    "empty margins": "A network can see how the head was framed; cropping to the head hides it.",
    "slice height": "The classes were taken at unlike heights; compare them at the same height.",
    "area and brightness": _MUST_BEAT,
    "all together": _MUST_BEAT,
}


def shortcut_words(name: str, found: WithInterval, *, roc_auc: float | None, majority: float) -> str:
    """Say how well a fact predicts the label, and what that means.

    Args:
        name: The fact.
        found: Its accuracy with its interval.
        roc_auc: Its ROC area, 0..1; ``None`` without one.
        majority: Accuracy of the commonest class, 0..1.
    """
    alone = "" if name in ("area and brightness", "all together") else " alone"
    measured = f"{name.capitalize()}{alone}: {_percent(found.accuracy)}"
    commonest = f"the commonest class: {_percent(majority)}"
    meaning = _MEANING.get(name, _ACQUISITION)
    if found.low > majority:
        return f"{measured} ({commonest}). {meaning}"
    if roc_auc is not None and roc_auc > _CHANCE_AREA:
        return f"{measured}, no higher than chance allows ({commonest}), but ROC AUC {roc_auc:.2f}. {meaning}"
    return f"{measured}, no better than chance allows ({commonest})."


def _percent(share: float) -> str:
    """Whole per cent; only what is exactly 0 or all is called 0 or 100."""
    whole = round(100 * share)
    if whole in (0, 100) and share not in (0.0, 1.0):
        return f"{100 * share:.1f} %"
    return f"{whole} %"
