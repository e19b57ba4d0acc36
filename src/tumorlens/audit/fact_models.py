"""Small classifiers on trivial facts, each scan answered by one that saw neither it nor its group.

A fact alone: logistic regression on numbers, their squares and products, and on categories as columns of 0 and 1, as in
:func:`tumorlens.evaluation.area_and_brightness`. All facts together: gradient-boosted trees on histograms
(scikit-learn's form of Ke et al., "LightGBM", NeurIPS 2017), as facts interact.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from tumorlens.audit.facts import Fact
from tumorlens.types import Labels, Probabilities

__all__ = ["Answers", "answer_out_of_fold", "answers_from_all", "answers_from_fact"]

_FEWEST_OF_A_CATEGORY = 5
_TREES = 100
_LEAVES = 15


class Answers(Protocol):
    """A classifier, fitted and asked in one go."""

    def __call__(self, *, train_rows: npt.NDArray[np.int64]) -> Probabilities:
        """Train on some rows; return the probabilities ``(n, k)`` of all scans."""


def answer_out_of_fold(answers: Answers, *, folds: npt.NDArray[np.int64]) -> Probabilities:
    """Probabilities ``(n, k)`` of every scan from the classifier that its fold was left out of.

    Args:
        answers: The classifier.
        folds: ``(n,)`` fold numbers 0..folds-1.
    """
    rows = np.arange(len(folds))
    by_fold = np.stack([answers(train_rows=rows[folds != fold]) for fold in range(int(folds.max()) + 1)])
    return by_fold[folds, rows]


def answers_from_fact(fact: Fact, labels: Labels, *, train_rows: npt.NDArray[np.int64]) -> Probabilities:
    """Probabilities ``(n, k)`` of all scans from one fact; every class must occur among ``train_rows``."""
    from sklearn.linear_model import LogisticRegression

    inputs = _inputs([fact], train_rows, polynomial=True)
    model = LogisticRegression(max_iter=1_000).fit(inputs[train_rows], labels[train_rows])
    return model.predict_proba(inputs)


def answers_from_all(facts: Sequence[Fact], labels: Labels, *, train_rows: npt.NDArray[np.int64]) -> Probabilities:
    """Probabilities ``(n, k)`` of all scans from all facts; every class must occur among ``train_rows``."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    inputs = _inputs(facts, train_rows, polynomial=False)
    model = HistGradientBoostingClassifier(
        max_iter=_TREES, max_leaf_nodes=_LEAVES, early_stopping=False, random_state=0
    )
    return model.fit(inputs[train_rows], labels[train_rows]).predict_proba(inputs)


def _inputs(facts: Sequence[Fact], train_rows: npt.NDArray[np.int64], *, polynomial: bool) -> npt.NDArray[np.float64]:
    """``(n, m)`` columns for a classifier; whatever is fitted for that is fitted on the training rows."""
    numbers = np.concatenate([fact.numbers for fact in facts], axis=1)
    categories = np.concatenate([fact.categories for fact in facts], axis=1)
    parts = [_polynomials(numbers, train_rows) if polynomial and numbers.shape[1] else numbers]
    if categories.shape[1]:
        parts.append(_indicators(categories, train_rows))
    return np.concatenate(parts, axis=1)


def _polynomials(numbers: npt.NDArray[np.float64], train_rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    steps = make_pipeline(
        SimpleImputer(strategy="median", keep_empty_features=True),
        PolynomialFeatures(degree=2, include_bias=False),
        StandardScaler(),
    )
    return steps.fit(numbers[train_rows]).transform(numbers)


def _indicators(categories: npt.NDArray[np.object_], train_rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """A column a category; those on fewer than five training scans share one."""
    from sklearn.preprocessing import OneHotEncoder

    encoder = OneHotEncoder(
        min_frequency=_FEWEST_OF_A_CATEGORY, handle_unknown="infrequent_if_exist", sparse_output=False
    )
    return encoder.fit(categories[train_rows]).transform(categories)
