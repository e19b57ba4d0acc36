"""What trivial facts tell about the label."""

from __future__ import annotations

import numpy as np
import pytest

from tumorlens.audit.facts import collect_facts
from tumorlens.audit.shortcuts import find_shortcuts
from tumorlens.errors import InputError


def scans(made_up, columns, n_classes=2, count=120, patients=60):
    groups = np.arange(count) % patients
    labels = groups % n_classes
    return made_up(labels, groups, columns={name: column(labels) for name, column in columns.items()})


def shortcuts(dataset):
    return {shortcut.name: shortcut for shortcut in find_shortcuts(dataset)}


def noise(labels):
    return np.random.default_rng(0).random(len(labels))


def test_an_image_mode_that_gives_the_label_away_is_named(made_up):
    def mode(labels):
        modes = np.where(labels == 1, "L", "RGB")
        modes[:4] = "P"
        return modes

    found = shortcuts(scans(made_up, {"mode": mode, "area": noise}))
    assert next(iter(found)) in ("image mode", "all together")
    assert found["image mode"].accuracy > 0.95
    assert found["image mode"].low <= found["image mode"].accuracy <= found["image mode"].high
    assert found["image mode"].roc_auc > 0.95
    assert found["image mode"].majority == 0.5
    assert "Image mode alone: 97 %" in found["image mode"].words
    assert "Converting hides this shortcut" in found["image mode"].words


def test_noise_is_no_shortcut(made_up):
    found = shortcuts(scans(made_up, {"area": noise}))
    assert found["brain area"].low < 0.5
    assert "no better than chance allows" in found["brain area"].words


def test_the_worst_come_first(made_up):
    columns = {
        "area": lambda labels: labels + 0.1 * noise(labels),
        "brightness": lambda labels: labels + 2 * noise(labels),
        "width": lambda labels: 60 + (10 * noise(labels)).astype(int),
    }
    accuracies = [shortcut.accuracy for shortcut in find_shortcuts(scans(made_up, columns))]
    assert accuracies == sorted(accuracies, reverse=True)
    assert accuracies[0] == 1
    assert accuracies[-1] < 0.7


def test_area_and_brightness_are_joined(made_up):
    def crossed(labels):
        return np.where(noise(labels) > 0.5, labels, 1 - labels) + 0.1 * noise(labels)

    columns = {"area": crossed, "brightness": lambda labels: 1.0 * (noise(labels) > 0.5)}
    found = shortcuts(scans(made_up, columns, count=300, patients=150))
    assert found["area and brightness"].accuracy > 0.9
    assert max(found["brain area"].accuracy, found["brightness"].accuracy) < 0.75
    assert found["all together"].accuracy > 0.9


def test_a_fact_that_only_names_the_patient_gains_nothing(made_up):
    groups = np.repeat(np.arange(60), 4)
    labels = np.random.default_rng(3).permutation(np.arange(60) % 2)[groups]
    dataset = made_up(labels, groups, columns={"maker": [f"scanner {group}" for group in groups]})
    assert shortcuts(dataset)["maker"].accuracy < 0.65


def test_more_than_two_classes(made_up):
    columns = {"format": lambda labels: np.array(["PNG", "JPEG", "TIFF", "TIFF"])[labels], "area": noise}
    found = shortcuts(scans(made_up, columns, n_classes=4))
    assert found["file format"].accuracy == pytest.approx(0.75, abs=0.02)
    assert found["file format"].majority == 0.25
    assert 0.9 < found["file format"].roc_auc < 1


def test_unknown_values_and_unseen_categories_are_no_obstacle(made_up):
    columns = {
        "slice_position_mm": lambda labels: ["" if row % 3 else f"{row}" for row in range(len(labels))],
        "maker": lambda labels: [f"maker {row}" if row < 9 else "A" for row in range(len(labels))],
    }
    found = shortcuts(scans(made_up, columns))
    assert set(found) == {"slice height", "maker", "all together"}


def test_without_a_varied_fact_there_is_nothing_to_find(made_up):
    assert find_shortcuts(scans(made_up, {})) == ()


def test_facts_gathered_before_are_used(made_up):
    dataset = scans(made_up, {"area": noise, "mode": lambda labels: np.where(labels, "L", "P")})
    facts = [fact for fact in collect_facts(dataset) if fact.name == "brain area"]
    assert [shortcut.name for shortcut in find_shortcuts(dataset, facts=facts)] == ["brain area"]


def test_folds_and_draws_follow_the_seed(made_up):
    dataset = scans(made_up, {"area": noise})
    found = [find_shortcuts(dataset, seed=seed)[0] for seed in (0, 0, 1)]
    assert found[0] == found[1]
    assert (found[0].accuracy, found[0].low) != (found[2].accuracy, found[2].low)


def test_too_few_groups_are_refused(made_up):
    with pytest.raises(InputError, match="at least 2 groups"):
        find_shortcuts(made_up([0, 0, 1, 1], "aabb"))


@pytest.mark.realdata
@pytest.mark.slow
def test_image_mode_is_a_shortcut_where_sources_differ(real_data, workspace):
    from tumorlens.datasets import import_scans

    dataset = import_scans(real_data / "nickparvar", workspace=workspace, name="nickparvar").dataset
    mode = shortcuts(dataset)["image mode"]
    assert mode.low > mode.majority + 0.1
