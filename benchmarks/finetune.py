"""How fast and how well emolens fine-tunes, beside the reference recipe with the same encoder.

    python benchmarks/finetune.py DATA [--seeds 42 43 44] [--recipe fast] [--target 0.9245]
        [--reference WORKFLOW ENCODER]

DATA: the folder of dair-ai/emotion. Each seed is a process of its own. Prints a line of JSON for
each: the seconds from the call until validation first reaches the target, with all looks at
validation; those of the training; those of the whole call, with calibration and the saved model;
texts per second, where R-Drop counts a text twice; the peak of memory; the figures. WORKFLOW: the
reference workflow as a script; it trains the encoder in the folder ENCODER for two epochs, in the
same call, between the seeds. At the end: the means, their spread, and the ratios.

Test is scored for the last lines only: choose a recipe by validation.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time

FIGURES = ("validation", "validation_f1", "test", "test_f1")


def one_seed(data, seed, kind, target):
    from sklearn.metrics import accuracy_score, f1_score

    import emolens as el
    from emolens.learn import finetune as room
    from emolens.study.meter import Meter

    meter, started, reached = Meter(), time.perf_counter(), []
    dataset = el.load_dataset(data)
    recipe = el.plan_recipe("minilm", dataset, kind, seed=seed)
    look_of = room._look

    def timed(*arguments):
        look = look_of(*arguments)

        def timed_look(model, epoch):
            seen = look(model, epoch)
            if seen.point.accuracy >= target:
                reached.append(time.perf_counter() - started)
            return seen

        return timed_look

    room._look = timed
    with tempfile.TemporaryDirectory() as folder:
        scores = el.finetune("minilm", dataset, f"{folder}/model", recipe=recipe)
    whole = time.perf_counter() - started
    facts = scores.facts
    passes = 2 if recipe.rdrop else 1
    figures = {}
    for split in ("validation", "test"):
        both = dataset[split].labels, scores.predictions(split)
        figures[split] = accuracy_score(*both)
        figures[f"{split}_f1"] = f1_score(*both, average="macro")
    return {
        "seed": seed,
        "until_target": round(reached[0], 1) if reached else None,
        "training": round(facts.seconds, 1),
        "whole": round(whole, 1),
        "texts_per_second": round(facts.texts_per_second * passes, 1),
        "peak_mb": round(meter.peak_memory_mb or 0),
        "epochs": [(point.epoch, round(point.accuracy, 4)) for point in facts.history],
        **{name: round(value, 4) for name, value in figures.items()},
    }


def in_own_process(arguments, seed):
    command = [sys.executable, __file__, arguments.data, "--recipe", arguments.recipe]
    command += ["--target", str(arguments.target), "--one", str(seed)]
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(out.splitlines()[-1])


def reference(workflow, encoder, data):
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, workflow, encoder, data, "finetune"]
        run = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=folder)
    # The Trainer prints its own figures, too, as Python writes dictionaries.
    steps = [json.loads(line) for line in run.stdout.splitlines() if line.startswith('{"step"')]
    seconds = {step["step"]: step for step in steps}
    return {
        "reference": round(time.perf_counter() - started, 1),
        "training": seconds["finetune"]["seconds"],
        "validation": seconds["predict"]["test_accuracy"],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("--seeds", type=int, nargs="+", default=[42, 43, 44])
    parser.add_argument("--recipe", default="fast")
    parser.add_argument("--target", type=float, default=0.9245)
    parser.add_argument("--reference", nargs=2, metavar=("WORKFLOW", "ENCODER"))
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one is not None:
        print(json.dumps(one_seed(chosen.data, chosen.one, chosen.recipe, chosen.target)))
        return
    runs, theirs = [], None
    for place, seed in enumerate(chosen.seeds):
        if chosen.reference and place == len(chosen.seeds) // 2:
            theirs = reference(*chosen.reference, chosen.data)
            print(json.dumps(theirs), flush=True)
        runs.append(in_own_process(chosen, seed))
        print(json.dumps(runs[-1]), flush=True)
    names = ("until_target", "training", "whole", "texts_per_second", "peak_mb", *FIGURES)
    means = {}
    for name in names:
        values = [run[name] for run in runs if run[name] is not None]
        spread = statistics.stdev(values) if len(values) > 1 else 0.0
        if len(values) == len(runs):
            means[name] = f"{statistics.mean(values):.4g} ± {spread:.2g}"
    print(json.dumps({"recipe": chosen.recipe, "seeds": len(runs), **means}))
    if theirs:
        mean = {n: statistics.mean(r[n] for r in runs if r[n]) for n in ("until_target", "whole")}
        ratios = {name: round(theirs["training"] / value, 1) for name, value in mean.items()}
        print(json.dumps({"times faster than the reference's training": ratios}))


if __name__ == "__main__":
    main()
