"""One training step of MiniLM on the CPU: torch's fused attention against plain matrix products.

    python benchmarks/attention.py [ROUNDS]

Both take turns in one process, on the same batch of 32 texts of 22 tokens, in bf16 autocast.
"""

import json
import sys
import time

import numpy as np
import torch

from emolens.encode.backbone import find_encoder, sequence_classifier

SIDES = {"fused (sdpa)": "sdpa", "plain (eager)": "eager"}


def step(model, optimizer, batch) -> float:
    """Seconds of forward, backward and update."""
    started = time.perf_counter()
    with torch.autocast("cpu", torch.bfloat16):
        loss = model(**batch).loss
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    return time.perf_counter() - started


def main(rounds: int) -> None:
    """Print a table, then one JSON line."""
    torch.manual_seed(0)
    mask = torch.ones((32, 22), dtype=torch.int64)
    mask[::3, 18:] = 0
    batch = {
        "input_ids": torch.randint(1000, 20000, (32, 22)),
        "attention_mask": mask,
        "labels": torch.randint(0, 6, (32,)),
    }
    model = sequence_classifier(find_encoder("minilm"), dict(enumerate("abcdef"))).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-5, fused=True)
    seconds: dict[str, list[float]] = {side: [] for side in SIDES}
    for turn in range(rounds + 2):
        for side, implementation in SIDES.items():
            model.set_attn_implementation(implementation)
            taken = step(model, optimizer, batch)
            if turn >= 2:  # the first two warm up
                seconds[side].append(taken)
    medians = {side: float(np.median(times)) for side, times in seconds.items()}
    for side, times in seconds.items():
        low, high = min(times) * 1e3, max(times) * 1e3
        print(f"{side:<15} {medians[side] * 1e3:6.0f} ms per step  ({low:.0f}–{high:.0f})")
    fused, plain = medians.values()
    print(json.dumps({"benchmark": "attention", "rounds": rounds, "fused/plain": fused / plain}))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
