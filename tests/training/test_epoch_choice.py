"""The latest epoch is kept that is not shown to be worse than the best."""

from __future__ import annotations

import numpy as np

from tumorlens.training.epoch_choice import EpochChoice

GROUPS = np.repeat(np.arange(20), 5)


def losses(mean: float, *, spread: float = 0.0, by_group: bool = True) -> np.ndarray:
    """Losses with a mean; half of all groups above it, half below, or scans within each group."""
    signs = np.where(GROUPS % 2 == 0, 1.0, -1.0) if by_group else np.where(np.arange(100) % 2 == 0, 1.0, -1.0)
    return mean + spread * signs


def test_lower_losses_are_kept_and_clearly_higher_ones_are_not() -> None:
    choice = EpochChoice(GROUPS)
    assert choice.keeps(1, losses(0.5)) and choice.keeps(2, losses(0.3))
    assert not choice.keeps(3, losses(0.4))
    assert choice.kept == 2
    assert choice.keeps(4, losses(0.2)) and choice.kept == 4


def test_a_higher_loss_within_a_standard_error_is_kept() -> None:
    choice = EpochChoice(GROUPS)
    choice.keeps(1, losses(0.30))
    spread = 0.2  # standard error of the difference: 0.2 / sqrt(19)
    assert choice.keeps(2, losses(0.30 + 0.9 * spread / np.sqrt(19), spread=spread))
    assert not choice.keeps(3, losses(0.30 + 1.1 * spread / np.sqrt(19), spread=spread))
    assert choice.kept == 2


def test_epochs_are_held_against_the_lowest_and_not_against_the_kept_one() -> None:
    choice = EpochChoice(GROUPS)
    choice.keeps(1, losses(0.30))
    for epoch, mean in enumerate((0.33, 0.34, 0.36), start=2):
        choice.keeps(epoch, losses(mean, spread=0.2))
    assert choice.kept == 3


def test_scans_of_a_group_do_not_count_as_independent() -> None:
    above = losses(0.32, spread=0.2)
    within = losses(0.32, spread=0.2, by_group=False)
    for change, kept in ((above, True), (within, False)):
        choice = EpochChoice(GROUPS)
        choice.keeps(1, losses(0.30))
        assert choice.keeps(2, change) == kept


def test_one_group_says_nothing_about_chance() -> None:
    choice = EpochChoice(np.zeros(10, np.int64))
    assert choice.keeps(1, np.full(10, 0.30))
    assert not choice.keeps(2, np.linspace(0.2, 0.41, 10))


def test_it_goes_on_from_what_was_noted() -> None:
    first = EpochChoice(GROUPS)
    first.keeps(1, losses(0.3))
    first.keeps(2, losses(0.5))
    second = EpochChoice(GROUPS)
    second.take_up(first.kept, first.lowest)
    assert second.kept == 1 and not second.keeps(3, losses(0.4)) and second.keeps(4, losses(0.3))
