"""Vectors become a classifier: linear, one hidden layer, the study's heads, fine-tuning, a CNN from scratch; and a
search among these.

TensorFlow is only ever imported in a child process.
"""

from tumorlens.training.budget import Plan, budget_words, parse_budget
from tumorlens.training.fine_tune import fit_fine_tuned
from tumorlens.training.fitted import EpochRecord, FittedHead, FittedNetwork, PathRecord
from tumorlens.training.folds import check_groups
from tumorlens.training.linear import fit_linear
from tumorlens.training.mlp import MlpSettings, fit_mlp
from tumorlens.training.mlp_by_group import fit_mlp_by_group
from tumorlens.training.recipe import Recipe
from tumorlens.training.scratch import SCRATCH_NETWORK, SCRATCH_RECIPE, fit_from_scratch
from tumorlens.training.search_costs import Costs, Sizes
from tumorlens.training.search_journal import SearchJournal
from tumorlens.training.search_space import Place, Trial, best_trial, recipe_of, trial_parts, trial_words, views_of
from tumorlens.training.sources import BoundarySource, StoreSource, ViewSource
from tumorlens.training.study import fit_study_head, study_hidden_units
from tumorlens.training.tuning_job import EVENTS_FOLDER, STATE_FILE

__all__ = [
    "EVENTS_FOLDER",
    "SCRATCH_NETWORK",
    "SCRATCH_RECIPE",
    "STATE_FILE",
    "BoundarySource",
    "Costs",
    "EpochRecord",
    "FittedHead",
    "FittedNetwork",
    "MlpSettings",
    "PathRecord",
    "Place",
    "Plan",
    "Recipe",
    "SearchJournal",
    "Sizes",
    "StoreSource",
    "Trial",
    "ViewSource",
    "best_trial",
    "budget_words",
    "check_groups",
    "fit_fine_tuned",
    "fit_from_scratch",
    "fit_linear",
    "fit_mlp",
    "fit_mlp_by_group",
    "fit_study_head",
    "parse_budget",
    "recipe_of",
    "study_hidden_units",
    "trial_parts",
    "trial_words",
    "views_of",
]
