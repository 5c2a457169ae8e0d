"""The models that others must beat: the largest class, and logistic regression on TF-IDF."""

from __future__ import annotations

import numpy as np

from emolens.data.balance import Balance
from emolens.data.dataset import TRAIN, VALIDATION, Dataset
from emolens.errors import DataError, require
from emolens.learn.logistic import fit_logistic
from emolens.scores import MAJORITY, TFIDF, LinearFacts, MajorityFacts, Scores


def majority(dataset: Dataset) -> Scores:
    """Always predicts the largest class of train; the probabilities are its class shares."""
    dataset.check_one_class()
    shares = dataset.counts(TRAIN) / len(dataset[TRAIN])
    probabilities = {
        name: np.tile(shares, (len(split), 1))
        for name, split in dataset.splits.items()
        if name != TRAIN
    }
    facts = MajorityFacts(largest=dataset.labels.names[int(shares.argmax())])
    return Scores(MAJORITY.name, probabilities, facts)


def tfidf(dataset: Dataset, balance: Balance | None = None) -> Scores:
    """Logistic regression on TF-IDF of words and word pairs.

    A part of validation chooses C, the other part calibrates.
    """
    dataset.check_one_class()
    text = require("sklearn.feature_extraction.text", "train")
    # A word that is in only one text can't help; but in a small corpus nearly all words are such.
    min_df = 2 if len(dataset[TRAIN]) >= 1000 else 1
    vectorizer = text.TfidfVectorizer(ngram_range=(1, 2), min_df=min_df, sublinear_tf=True)
    try:
        X = {TRAIN: vectorizer.fit_transform(dataset[TRAIN].texts)}
    except ValueError as error:
        raise DataError(
            f"The training texts of {dataset.name} have no words.",
            hint="Check that the text column is the right one (--text).",
        ) from error
    X |= {n: vectorizer.transform(s.texts) for n, s in dataset.splits.items() if n != TRAIN}
    balance = balance or Balance.as_is(len(dataset[TRAIN]), len(dataset.labels))
    train = X[TRAIN][balance.rows], dataset[TRAIN].labels[balance.rows]
    validation = X[VALIDATION], dataset[VALIDATION].labels
    strengths = (0.1, 1.0, 10.0, 100.0)
    fit = fit_logistic(train, validation, balance.class_weights, strengths=strengths).calibrated()
    probabilities = {name: fit.probabilities(X[name]) for name in X if name != TRAIN}
    facts = LinearFacts(fit.c, fit.path, n_features=len(vectorizer.vocabulary_))
    return Scores(TFIDF.name, probabilities, facts, fit.calibration)
