"""Runs emolens commands, each in a fork of a process that has already imported every library.

A command then takes a fraction of a second. Reads one job per line of stdin, as JSON, and answers
with the exit code: minus the signal if one ended the process, or None if it took too long. Run
with faults.c preloaded; imports only, because threads of a library do not survive a fork.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

LIBRARIES = (
    "emolens.cli",
    "emolens.encode.table",
    "emolens.export.openvino",
    "emolens.export.verify",
    "emolens.predict.tables",
    "emolens.show.report",
    "emolens.study",
    "filelock",
    "jinja2",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
    "matplotlib.figure",
    "numba",
    "pyarrow.parquet",
    "safetensors.torch",
    "scipy.stats",
    "sklearn.feature_extraction.text",
    "sklearn.linear_model",
    "sklearn.neighbors",
    "tokenizers",
    "torch",
    "torch.utils.data",
    "transformers.models.bert.modeling_bert",
    "umap",
)
PATIENCE = 120.0
STOPPING = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}


def main() -> None:
    """Answer jobs until stdin ends."""
    from emolens.encode.engines.openvino import silent_openvino

    silent_openvino()
    for library in LIBRARIES:
        importlib.import_module(library)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while line := sys.stdin.readline():
        job = json.loads(line)
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
        process = os.fork()
        if process == 0:
            begin(job)
            os._exit(command())
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
        sys.stdout.write(json.dumps(waited(process, job["stop"])) + "\n")
        sys.stdout.flush()


def begin(job: dict[str, Any]) -> None:
    """Give the fork its folder, streams, arguments and faults."""
    os.chdir(job["folder"])
    os.environ.update(job["environment"])
    for descriptor, name, flags in ((0, os.devnull, 0), (1, job["out"], 1), (2, job["err"], 1)):
        opened = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC if flags else os.O_RDONLY)
        os.dup2(opened, descriptor)
        os.close(opened)
    sys.stdin = os.fdopen(0, closefd=False)
    sys.argv = ["emolens", *job["arguments"]]
    texts, numbers = job["faults"][:4], job["faults"][4:]
    arm: Callable[..., None] = ctypes.CDLL(None).faults_arm
    arm(*(text.encode() for text in texts), ctypes.c_long(numbers[0]), numbers[1], numbers[2])


def command() -> int:
    """Run the command. The fork then ends at once: to unload every library takes two seconds."""
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
    except KeyboardInterrupt:  # it came before the command had begun
        return 130
    try:
        importlib.import_module("emolens.cli").main()
    except SystemExit as stop:
        code = stop.code
    except BaseException:
        traceback.print_exc()
        code = 99
    else:
        code = 0
    sys.stdout.flush()
    sys.stderr.flush()
    return code if isinstance(code, int) else int(code is not None)


def waited(process: int, stop: tuple[int, float] | None) -> int | None:
    """The exit code of the fork, to which the signal `stop[0]` is sent after `stop[1]` seconds."""
    started = time.monotonic()
    while True:
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        passed = time.monotonic() - started
        if stop and passed >= stop[1]:
            os.kill(process, stop[0])
            stop = None
        if passed > PATIENCE:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            return None
        time.sleep(0.002)


if __name__ == "__main__":
    main()
