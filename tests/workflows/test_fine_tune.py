"""A fine-tuned network goes the whole way: run, bundle, the same answers, found again, and its words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tumorlens.bundles import Predictor
from tumorlens.cli.main import main
from tumorlens.errors import InputError
from tumorlens.training import Recipe
from tumorlens.workflows.compare import CompareSettings, compare_networks
from tumorlens.workflows.fine_tune import FineTuneSettings
from tumorlens.workflows.runs import read_predictions

_SETTINGS = CompareSettings(
    backbones=("efficientnet-lite0",),
    heads=(),
    size=64,
    fine_tune=FineTuneSettings(fine_tune="last", views=1, recipe=Recipe(epochs=2, batch_size=16)),
)


@pytest.fixture(scope="module")
def tuned(tiny_study):
    return compare_networks(tiny_study.dataset, _SETTINGS, workspace=tiny_study.workspace)


@pytest.mark.slow
def test_a_fine_tuned_network_is_a_run_like_any_other(tuned, tiny_study) -> None:
    (run,) = tuned.runs
    assert (run.row.head, run.row.trained_from) == ("fine-tuned", "block7")
    assert tuned.comparison.dataset == "tiny-brain"
    assert [record["epoch"] for record in run.history] == [1.0, 2.0]
    assert "layers from block7 on were trained further" in run.methods
    assert not [path for path in (tiny_study.workspace.training / "resumable").iterdir() if path.is_dir()]
    again = compare_networks(tiny_study.dataset, _SETTINGS, workspace=tiny_study.workspace)
    assert again.runs[0].created == run.created


@pytest.mark.slow
def test_its_bundle_gives_the_answers_that_were_measured(tuned, tiny_study) -> None:
    (run,) = tuned.runs
    table, dataset = read_predictions(run.folder), tiny_study.dataset
    predictor = Predictor(run.bundle)
    with dataset.open_pixels() as pixels:
        for row in dataset.manifest.index[:3]:
            answer = predictor.predict(np.array(pixels.get(dataset.digests[row])))
            for label, probability in answer.probabilities.items():
                assert probability == pytest.approx(table[f"probability_{label}"][row], abs=1e-5)
            assert np.isfinite(answer.class_maps).all()


def test_fine_tuning_is_refused_where_it_cannot_be(tiny_study) -> None:
    with pytest.raises(InputError, match="leave out --fine-tune"):
        compare_networks(tiny_study.dataset, replace(_SETTINGS, mistake="split"), workspace=tiny_study.workspace)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--views", "2"], "--views is for fine-tuning"),
        (["--fine-tune", "last", "--head", "mlp"], "has its own linear head"),
        (["--fine-tune", "last", "--recipe", "speed=2"], "a name among epochs"),
    ],
)
def test_options_that_do_not_fit_are_one_sentence(words, said, tmp_path, capsys) -> None:
    code = main(["train", "none", "--backbone", "vgg16", "--workspace", str(tmp_path), *words])
    assert code != 0 and said in capsys.readouterr().err
