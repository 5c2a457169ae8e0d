"""How much a fine-tuned model's probabilities in each precision differ from those of torch in fp32.

    python benchmarks/drift.py MODEL DATA

MODEL: a model folder after `emolens export MODEL --int8`. DATA: the data it was trained on; its
validation and test texts are predicted. torch predicts one text at a time.
"""

import argparse
import json
from pathlib import Path

import numpy as np

import emolens as el
from emolens.decide import ONE_CLASS
from emolens.encode.backbone import logits_of, trained_classifier
from emolens.encode.engines.choose import choose
from emolens.encode.engines.torch import TorchEngine
from emolens.predict.classifier import Classifier


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("data")
    given = parser.parse_args()
    data = el.load_dataset(given.data)
    rows = [data["validation"], data["test"]]
    texts = [text for split in rows for text in split.texts]
    y = np.concatenate([split.labels for split in rows])
    classifiers = {p: Classifier(given.model, precision=p) for p in ("fp32", "bf16", "int8")}
    engine = TorchEngine(logits_of(trained_classifier(Path(given.model))), choose("fp32"))
    tokens = classifiers["fp32"].tokenizer.encode(texts)
    logits = [
        engine(ids[None].astype(np.int64), np.ones((1, len(ids)), np.int64)) for ids in tokens
    ]
    exact = ONE_CLASS.probabilities(np.concatenate(logits))
    right = exact.argmax(1) == y
    print(f"{len(texts)} texts, accuracy {right.mean():.4f}")
    print("| precision | label flips | max |Δp| | accuracy | points lost |\n|---|---|---|---|---|")
    results = {}
    for precision, classifier in classifiers.items():
        p = classifier.predict_proba(texts)
        accuracy = float((p.argmax(1) == y).mean())
        results[precision] = result = {
            "flips": int((p.argmax(1) != exact.argmax(1)).sum()),
            "max_dp": float(np.abs(p - exact).max()),
            "accuracy": accuracy,
            "points_lost": 100 * (float(right.mean()) - accuracy),
        }
        print(f"| {precision} | {result['flips']} | {result['max_dp']:.5f} | {accuracy:.4f}"
              f" | {result['points_lost']:.2f} |")  # fmt: skip
    print(json.dumps({"benchmark": "drift", "texts": len(texts), "precisions": results}))


if __name__ == "__main__":
    main()
