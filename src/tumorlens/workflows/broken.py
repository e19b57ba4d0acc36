"""Mistakes made on purpose, for teaching: the same network and head once more, with one thing wrong.

Each mistake changes one of three things and leaves the rest of the path alone: the split, the network's graph, or what
a head is fitted on. A mistaken run carries a mark wherever it is shown and is never the best one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from tumorlens.errors import InputError
from tumorlens.reports.mistakes import MISTAKES, mistake_title
from tumorlens.runtime.scaled_graphs import scaled_graph
from tumorlens.workflows.broken_copies import fitted_on_copies
from tumorlens.workflows.broken_difference import accuracy_difference, shared_groups
from tumorlens.workflows.broken_split import with_random_split
from tumorlens.workflows.context import RunContext
from tumorlens.workflows.fit import Network, fit_backbone
from tumorlens.workflows.heads import HeadKind
from tumorlens.workflows.runs import RunRecord

__all__ = ["check_mistake", "fit_beside", "mistake_notes"]

_SCALE = 1.0 / 255.0


@dataclass(frozen=True)
class _Trial:
    """What a run is fitted from."""

    context: RunContext
    network: Network
    heads: Sequence[HeadKind]


def check_mistake(name: str, *, protocol: str, from_scratch: bool) -> None:
    """Raise unless the mistake can be made beside the right way.

    Raises:
        InputError: There is none of that name, the protocol is not ``grouped``, or a CNN from scratch is asked for.
    """
    if name not in MISTAKES:
        raise InputError(f"Expected --break {', '.join(MISTAKES)}, got {name!r}.")
    if protocol != "grouped":
        raise InputError(
            f"--break shows a mistake beside the grouped split, but the protocol is {protocol}: leave out --protocol."
        )
    if from_scratch:
        raise InputError(
            "--break shows a mistake with pretrained networks only: leave out --from-scratch or run it by itself."
        )


def fit_beside(context: RunContext, network: Network, heads: Sequence[HeadKind], *, mistake: str) -> list[RunRecord]:
    """Fit each head the right way and with a mistake.

    Args:
        context: Data set, split and workspace.
        network: The network.
        heads: Kinds of heads.
        mistake: A name that :func:`check_mistake` let pass.

    Returns:
        Two runs a head: the right one, then the mistaken one.
    """
    right = fit_backbone(context, network, heads)
    trial = _BREAK[mistake](_Trial(replace(context, mistake=mistake), network, heads))
    wrong = fit_backbone(trial.context, trial.network, trial.heads)
    return [run for pair in zip(right, wrong, strict=True) for run in pair]


def mistake_notes(context: RunContext, runs: Sequence[RunRecord]) -> tuple[str, ...]:
    """One sentence for each mistaken run: what was done, and what it does to the figures of the right run before it.

    Args:
        context: The right one.
        runs: In the order :func:`fit_beside` gives them.
    """
    return tuple(_note(context, right, wrong) for right, wrong in pairwise(runs) if wrong.row.mistake)


def _note(context: RunContext, right: RunRecord, wrong: RunRecord) -> str:
    name = str(wrong.row.mistake)
    row = f"{wrong.row.backbone}, {wrong.row.head} head"
    return f"{mistake_title(name)} ({row}): {_done(context, wrong)}; {_effect(context, right, wrong)}."


def _done(context: RunContext, wrong: RunRecord) -> str:
    done = MISTAKES[str(wrong.row.mistake)].done
    if wrong.row.mistake != "split":
        return done
    shared, total = shared_groups(context.dataset, wrong)
    group = context.dataset.groups_are.removesuffix("s")
    return (
        f"{done.replace('one group', f'one {group}')} ({shared:,} of {total:,} test scans share theirs with training)"
    )


def _effect(context: RunContext, right: RunRecord, wrong: RunRecord) -> str:
    if right.row.collapsed or wrong.row.collapsed:
        which = "the right row" if right.row.collapsed else "the row"
        reason = right.row.collapsed_because or wrong.row.collapsed_because
        return f"{which} collapsed ({reason}), so no points can be given"
    found = accuracy_difference(context.dataset, right, wrong, seed=context.seed)
    ends = f"test accuracy {wrong.row.test_accuracy:.3f} instead of {right.row.test_accuracy:.3f}"
    if right.row.test_roc_auc is not None and wrong.row.test_roc_auc is not None:
        ends += f", ROC AUC {wrong.row.test_roc_auc:.3f} instead of {right.row.test_roc_auc:.3f}"
    if found.low is None or found.high is None:
        return f"{_points(found.value)}, {ends}"
    return f"{_points(found.value)} (95 % interval {100 * found.low:+.1f} to {100 * found.high:+.1f}), {ends}"


def _points(value: float) -> str:
    shown = f"{abs(100 * value):.1f}"
    if shown == "0.0":
        return "it changes the figure by 0.0 points here"
    return f"it {'adds' if value > 0 else 'costs'} {shown} points"


def _break_split(trial: _Trial) -> _Trial:
    return replace(trial, context=with_random_split(trial.context))


def _break_scaling(trial: _Trial) -> _Trial:
    graph = scaled_graph(trial.network.graph, factor=_SCALE, cache=trial.context.workspace.graphs)
    return replace(trial, network=replace(trial.network, graph=graph))


def _break_copies(trial: _Trial) -> _Trial:
    return replace(trial, heads=[fitted_on_copies(head, trial.network.graph) for head in trial.heads])


_BREAK: dict[str, Callable[[_Trial], _Trial]] = {
    "split": _break_split,
    "scaling": _break_scaling,
    "duplicates": _break_copies,
}
