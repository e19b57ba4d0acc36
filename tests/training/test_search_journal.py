"""The journal outlives kills: a cut line, an open trial, the same proposals as without the kill."""

from __future__ import annotations

from pathlib import Path

import pytest

from tumorlens.errors import IntegrityError
from tumorlens.training import SearchJournal
from tumorlens.training.search_journal import LEAST_TRIALS_FOR_IMPORTANCE, repair_journal
from tumorlens.training.search_space import FROZEN, TUNED, Place, all_choices, default_tuned, frozen_space, tuned_space

pytest.importorskip("optuna")

_SPACE = frozen_space(["a", "b"], [64, 96], ["stored", "brain"])


def _loss(params: dict) -> float:
    return params["size"] / 100 + (params["head"] == "mlp") * 0.1


def _go_on(journal: SearchJournal, trials: int) -> list[dict]:
    proposed = []
    for _ in range(trials):
        tried = [trial.params for trial in journal.trials()]
        params = journal.propose(FROZEN, _SPACE, is_open=lambda params, tried=tried: params not in tried)
        if params is None:
            break
        at = float(len(tried))
        journal.begin(FROZEN, params, _SPACE).finish(_loss(params), seconds=1.0, at=at, facts={"computed": 3})
        proposed.append(params)
    return proposed


def test_every_combination_is_tried_once_then_nothing_is_left(tmp_path: Path) -> None:
    proposed = _go_on(SearchJournal(tmp_path / "journal.log", seed=3), 99)
    assert sorted(map(str, proposed)) == sorted(map(str, all_choices(_SPACE) or ()))


def test_proposals_go_on_after_a_kill_as_without_one(tmp_path: Path) -> None:
    undisturbed = _go_on(SearchJournal(tmp_path / "one" / "journal.log", seed=5), 9)
    path = tmp_path / "two" / "journal.log"
    first = _go_on(SearchJournal(path, seed=5), 4)
    killed = SearchJournal(path, seed=5)
    killed.begin(FROZEN, undisturbed[4], _SPACE)
    path.write_bytes(path.read_bytes()[:-9])
    journal = SearchJournal(path, seed=5)
    journal.give_up_running()
    assert first + _go_on(journal, 5) == undisturbed
    assert _go_on(SearchJournal(tmp_path / "other" / "journal.log", seed=6), 9) != undisturbed


def test_a_kill_before_a_trial_was_begun_shifts_no_other(tmp_path: Path) -> None:
    path = tmp_path / "journal.log"
    choices = list(all_choices(_SPACE) or ())
    SearchJournal(path, seed=0)._studies[FROZEN].enqueue_trial(choices[0])
    journal = SearchJournal(path, seed=0)
    for number, params in enumerate([choices[1], choices[0], choices[2]]):
        journal.begin(FROZEN, params, _SPACE).finish(float(number), seconds=1.0, at=float(number))
    assert [(trial.params, trial.loss) for trial in journal.trials()] == [
        (choices[1], 0.0),
        (choices[0], 1.0),
        (choices[2], 2.0),
    ]


@pytest.mark.parametrize("lines", range(1, 7))
def test_what_a_kill_left_open_is_told_whole(tmp_path: Path, lines: int) -> None:
    path = tmp_path / "journal.log"
    params = list(all_choices(_SPACE) or ())[3]
    SearchJournal(path, seed=0).begin(FROZEN, params, _SPACE)
    whole = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(whole[:-lines]))
    assert SearchJournal(path, seed=0).give_up_running() in ([(FROZEN, params)], [])


def test_an_open_trial_is_given_up_and_told(tmp_path: Path) -> None:
    params = default_tuned(Place("a", 64, "stored"))
    space = tuned_space([Place("a", 64, "stored")])
    trial = SearchJournal(tmp_path / "journal.log", seed=0).begin(TUNED, params, space)
    trial.report(1, 0.7)
    journal = SearchJournal(tmp_path / "journal.log", seed=0)
    assert journal.give_up_running() == [(TUNED, params)]
    assert journal.give_up_running() == [] and journal.trials() == []


def test_a_trial_behind_the_median_is_pruned_and_kept_with_its_reason(tmp_path: Path) -> None:
    journal = SearchJournal(tmp_path / "journal.log", seed=0)
    space = tuned_space([Place("a", 64, "stored")])
    params = default_tuned(Place("a", 64, "stored"))
    for number, losses in enumerate([(0.5, 0.4, 0.3)] * 2 + [(0.9, 0.9, 0.9)]):
        trial = journal.begin(TUNED, params | {"epochs": (4, 8, 12)[number]}, space)
        verdicts = [trial.report(epoch, loss) for epoch, loss in enumerate(losses, start=1)]
        if number < 2:
            assert not any(verdicts)
            trial.finish(losses[-1], seconds=1.0, at=float(number))
    assert verdicts == [False, True, True]
    trial.prune(seconds=1.0, at=9.0, reason="behind")
    last = journal.trials()[-1]
    assert (last.state, last.loss, last.epochs, last.reason) == ("pruned", None, (0.9, 0.9, 0.9), "behind")


@pytest.mark.parametrize("cut", [1, 7, 40])
def test_a_cut_last_line_is_taken_out(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "journal.log"
    _go_on(SearchJournal(path, seed=0), 3)
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    assert repair_journal(path) and not repair_journal(path)
    assert whole.startswith(path.read_bytes())
    assert len(_go_on(SearchJournal(path, seed=0), 2)) == 2
    assert len(SearchJournal(path, seed=0).trials()) >= 4


def test_damage_elsewhere_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "journal.log"
    _go_on(SearchJournal(path, seed=0), 1)
    path.write_bytes(b"no journal\n" + path.read_bytes())
    with pytest.raises(IntegrityError, match=r"Line 1 of .* is damaged"):
        SearchJournal(path, seed=0)


def test_importances_name_what_decides_the_loss(tmp_path: Path) -> None:
    journal = SearchJournal(tmp_path / "journal.log", seed=0)
    _go_on(journal, LEAST_TRIALS_FOR_IMPORTANCE - 1)
    assert journal.importances(FROZEN) is None
    _go_on(journal, 99)
    found = journal.importances(FROZEN)
    assert found is not None and next(iter(found)) == "size"
    assert found["size"] > 0.8 and sum(found.values()) == pytest.approx(1.0)
