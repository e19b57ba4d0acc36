from __future__ import annotations

import pytest

from tumorlens.errors import InputError
from tumorlens.training import Recipe
from tumorlens.workflows.fine_tune import FineTuneSettings
from tumorlens.workflows.training_settings import parse_recipe


def test_words_become_settings_of_their_own_type() -> None:
    recipe = parse_recipe(
        ["learning-rate=1e-4", "batch_size=16", "class_weights=balanced"], {"epochs": 3}, start=Recipe()
    )
    assert (recipe.learning_rate, recipe.batch_size, recipe.class_weights) == (1e-4, 16, "balanced")
    assert recipe.epochs == 3 and recipe.mixup == Recipe().mixup


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("learning=1", "a name among epochs, batch_size"),
        ("epochs", "NAME=VALUE"),
        ("epochs=many", "a whole number for epochs, got 'many'"),
        ("mixup=x", "a number for mixup"),
        ("warm_up=2", r"warm up in 0\.\.0\.9, got 2"),
        ("learning_rate=nan", "learning rate in"),
        ("class_weights=some", "none or balanced"),
        ("batch_norm=on", "inference or train"),
    ],
)
def test_a_wrong_setting_is_one_sentence(word: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse_recipe([word], {}, start=Recipe())


@pytest.mark.parametrize(
    ("values", "said"), [({"views": 65}, "0 to 64"), ({"augmentation": "wild"}, "plain, artefacts")]
)
def test_settings_of_views_are_checked(values: dict, said: str) -> None:
    with pytest.raises(InputError, match=said):
        FineTuneSettings(**values)
