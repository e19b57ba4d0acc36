"""A search in two pictures: what mattered, and the loss over time."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tumorlens.reports.plots import Plot
from tumorlens.reports.search import SearchRecord
from tumorlens.reports.style import BLUE, GREY, INK, ORANGE, PLOT_WIDTH_IN, new_figure, plot_style
from tumorlens.training import Trial
from tumorlens.training.search_space import FROZEN, PARAMETER_WORDS, TUNED, Stage

__all__ = ["STAGE_WORDS", "search_plots"]

STAGE_WORDS: Mapping[Stage, str] = {FROZEN: "heads on cached features", TUNED: "fine-tuning"}
"""What each stage is called."""

_BAR_IN = 0.3
_WORDS_BESIDE = 0.62
_COLOURS = {FROZEN: BLUE, TUNED: ORANGE}
_MARKERS = {FROZEN: "o", TUNED: "s"}
_HEADROOM = 3.0


def search_plots(record: SearchRecord) -> tuple[Plot, ...]:
    """The pictures that the trials allow: importances by stage, where there were trials enough, and the losses."""
    plots = [
        Plot("importance", f"importance-{stage}", _importance_words(stage, found), _importance_figure(stage, found))
        for stage, found in record.importances.items()
        if found
    ]
    losses = Plot("losses", "losses", _losses_words(record), _losses_figure(record))
    return (*plots, losses)


def _importance_figure(stage: Stage, found: Mapping[str, float]) -> Figure:
    names = list(found)
    with plot_style():
        figure, (axes,) = new_figure(PLOT_WIDTH_IN, 0.95 + _BAR_IN * len(names))
        places = range(len(names))
        axes.barh(places, [found[name] for name in names], height=0.62, color=_COLOURS[stage])
        axes.set_yticks(places, [PARAMETER_WORDS[name] for name in names])
        axes.invert_yaxis()
        axes.tick_params(axis="y", length=0)
        axes.set_xlim(0, max(1e-9, max(found.values())) * 1.12)
        for place, name in enumerate(names):
            axes.annotate(
                f"{100 * found[name]:.0f} %",
                (found[name], place),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
            )
        axes.set_xticks([])
        axes.spines[["left", "bottom"]].set_visible(False)
        axes.set_title(f"What mattered: {STAGE_WORDS[stage]}")
        axes.set_xlabel("share of the spread of the validation loss")
    return figure


def _importance_words(stage: Stage, found: Mapping[str, float]) -> str:
    shares = ", ".join(f"{PARAMETER_WORDS[name]} {100 * value:.0f} %" for name, value in found.items())
    return f"Share of the spread of the validation loss in trials of {STAGE_WORDS[stage]}: {shares}."


def _losses_figure(record: SearchRecord) -> Figure:
    finished = [trial for trial in record.trials if trial.loss is not None]
    with plot_style():
        figure, (axes,) = new_figure(PLOT_WIDTH_IN, 3.0)
        top = _limit(axes, record.trials)
        _draw_lowest(axes, finished)
        for stage, colour in _COLOURS.items():
            of_stage = [trial for trial in finished if trial.stage == stage]
            axes.plot(
                [trial.at / 60 for trial in of_stage],
                [min(trial.loss or 0.0, top) for trial in of_stage],
                _MARKERS[stage],
                color=colour,
                markersize=5.5,
                label=STAGE_WORDS[stage] if of_stage else None,
            )
        ended = [trial for trial in record.trials if trial.loss is None and trial.epochs]
        axes.plot(
            [trial.at / 60 for trial in ended],
            [min(*trial.epochs, top) for trial in ended],
            "x",
            color=GREY,
            markersize=6,
            label="pruned or stopped: lowest until then" if ended else None,
        )
        axes.set(xlabel="minutes of the search", ylabel="validation log loss, nats", title="Trials over time")
        axes.set_xlim(left=0)
        axes.grid(axis="y")
        axes.legend(frameon=False, fontsize=8.5, loc="upper right")
    return figure


def _draw_lowest(axes: Axes, finished: list[Trial]) -> None:
    """The lowest loss so far, as a step."""
    lowest: list[float] = []
    for trial in finished:
        lowest.append(min(trial.loss or 0.0, lowest[-1] if lowest else float("inf")))
    axes.step(
        [trial.at / 60 for trial in finished], lowest, where="post", color=INK, linewidth=1.2, label="lowest so far"
    )


def _limit(axes: Axes, trials: tuple[Trial, ...]) -> float:
    """Leave room above for the legend; losses far above the others are drawn at the height that is returned."""
    losses = sorted(loss for trial in trials if (loss := _lowest(trial)) is not None)
    middle, low = losses[len(losses) // 2], losses[0]
    top = min(losses[-1], middle + _HEADROOM * max(middle - low, 0.02))
    axes.set_ylim(low - 0.08 * (top - low) - 1e-3, top + 0.35 * (top - low) + 2e-3)
    return top


def _lowest(trial: Trial) -> float | None:
    """What it is drawn at."""
    return trial.loss if trial.loss is not None else min(trial.epochs, default=None)


def _losses_words(record: SearchRecord) -> str:
    counts = [
        f"{sum(trial.stage == stage and trial.loss is not None for trial in record.trials)} of {words}"
        for stage, words in STAGE_WORDS.items()
    ]
    ended = sum(trial.loss is None for trial in record.trials)
    return (
        f"Validation loss of each finished trial over time ({', '.join(counts)}; {ended} did not finish) and the "
        f"lowest so far, which ends at {record.found.validation_loss:.4f}."
    )
