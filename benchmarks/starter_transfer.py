"""Accuracy of a model of the starter corpus on real texts, and of the reverse.

    emolens run starter
    emolens run emotion-minilm --dataset DATA
    python benchmarks/starter_transfer.py runs/starter runs/emotion-minilm DATA

DATA: the folder of dair-ai/emotion. Both models predict in fp32; neutral is never predicted.
"""

import json
import sys
from pathlib import Path

import numpy as np

import emolens as el
from emolens.evaluation.intervals import intervals
from emolens.evaluation.metrics import confusion, summary


def accuracy(labels: np.ndarray, predictions: np.ndarray) -> dict[str, object]:
    """With its 95 % interval."""
    matrix = confusion(labels, predictions, 6)
    figures = {name: round(float(value), 4) for name, value in summary(matrix).items()}
    return {**figures, "interval": intervals(matrix)["accuracy"]}


def main(starter_run: Path, emotion_run: Path, data: str) -> None:
    """Print both directions, then one JSON line."""
    emotion, starter = el.load_dataset(data), el.load_dataset("starter")
    assert starter.labels.names[:6] == emotion.labels.names  # neutral stands last
    model = el.Classifier(starter_run / "model", precision="fp32")
    guess = model.predict_proba(emotion["test"].texts)[:, :6].argmax(axis=1)
    there = accuracy(emotion["test"].labels, guess)
    texts = [text for split in starter.splits.values() for text in split.texts]
    labels = np.concatenate([split.labels for split in starter.splits.values()])
    model = el.Classifier(emotion_run / "model", precision="fp32")
    kept = np.flatnonzero(labels < 6)
    back = accuracy(labels[kept], model.predict_proba([texts[i] for i in kept]).argmax(axis=1))
    print("trained on starter, tested on the test split of emotion:", there)
    print("trained on emotion, tested on starter without neutral:  ", back)
    print(json.dumps({"benchmark": "starter_transfer", "to_emotion": there, "from_emotion": back}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
