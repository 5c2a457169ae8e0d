"""A study as a TOML file: its data, its encoder, and how models learn. Runs nothing."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    ValidationError,
    field_validator,
)
from pydantic_core import PydanticCustomError

from emolens.data.balance import Method
from emolens.data.checks import chosen_codes
from emolens.data.dataset import SEED
from emolens.encode.backbone import Pooling
from emolens.errors import UsageError, nearest, require
from emolens.explore.project import Metric
from emolens.learn.finetune.plan import Kind
from emolens.learn.logistic import STRENGTHS
from emolens.names import user_path
from emolens.scores import MOST
from emolens.show.report.points import Texts
from emolens.shown import one_line, quoted, visible

# Always text: a column may be called 2024, and a data set 1979-05-27.
_STRINGS = {
    *("name", "data.dataset", "data.text", "data.label", "data.file_format", "data.encoding"),
    *("data.class_names", "data.missing", "data.drop_classes", "data.label_separator"),
    *("data.delimiter", "data.sheet", "encoder.name", "encoder.sha256"),
    *("card.license", "card.data_license", "card.language", "push.repo"),
    *("data.splits.train", "data.splits.validation", "data.splits.test"),
}
_LARGEST = 1_000_000  # bytes of a study file
BUILTIN = Path(__file__).parent / "builtin"
# As a name of a folder, Windows refuses these, or drops the dot at the end.
_NOT_ON_WINDOWS = re.compile(r"(con|prn|aux|nul|(com|lpt)[0-9¹²³])(\..*)?|.*\.", re.IGNORECASE)
_Name = Annotated[str, Field(min_length=1)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*")
    @classmethod
    def _is_utf8(cls, value: Any) -> Any:
        """Refuse a text that is not UTF-8: it could not be written into study.toml."""
        if isinstance(value, str) and any("\ud800" <= c <= "\udfff" for c in value):
            raise PydanticCustomError("utf8", "the text should be UTF-8")
        return value


class DataSettings(_Table):
    """Where the texts come from: the arguments of `load_dataset`.

    seed: decides which rows are cut out as splits, and which ones `limit` takes. The seed of the
    study decides what is learned from them.
    """

    dataset: _Name
    text: str | None = None
    label: str | None = None
    file_format: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    header: bool | None = None
    skip_rows: int = Field(0, ge=0)
    sheet: str | None = None
    strict: bool = False
    class_names: str | None = None
    missing: str | None = None
    drop_classes: str = ""
    label_separator: str | None = None
    splits: dict[Literal["train", "validation", "test"], _Name] = {}
    shares: tuple[PositiveFloat, PositiveFloat, PositiveFloat] = (0.8, 0.1, 0.1)
    limit: int | None = Field(None, ge=1)
    seed: int = Field(SEED, ge=0, lt=2**32)


class AuditSettings(_Table):
    """The checks that are not wanted, by their codes."""

    ignore: tuple[str, ...] = ()

    @field_validator("ignore")
    @classmethod
    def _are_codes(cls, ignore: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted(chosen_codes(ignore)))


class EncoderSettings(_Table):
    """Which encoder, and how its hidden states become one vector per text."""

    name: _Name
    pooling: Pooling = "cls"
    layer: int = -1
    normalize: bool = False
    precision: Literal["auto", "fp32", "bf16", "int8"] = "auto"
    max_length: int | None = Field(None, ge=3)
    sha256: _Name | None = None


class MapSettings(_Table):
    """UMAP's own settings."""

    n_neighbors: int = Field(15, ge=2)
    min_dist: float = Field(0.1, ge=0, lt=1)
    metric: Metric = "cosine"


class BalanceSettings(_Table):
    """What to do about classes of unequal size, in the training split only."""

    method: Method = "none"


class ProbeSettings(_Table):
    """The values of C that are tried. The best one on validation is used."""

    strengths: tuple[PositiveFloat, ...] = Field(STRENGTHS, min_length=1)


class FinetuneSettings(_Table):
    """The recipe of fine-tuning. What is None follows from the encoder and the data."""

    seeds: int = Field(1, ge=1, le=100)
    recipe: Kind = "best"
    epochs: float | None = Field(None, gt=0, le=MOST)
    learning_rate: float | None = Field(None, gt=0, le=MOST)
    batch_size: int | None = Field(None, ge=1, le=MOST)
    weight_decay: float | None = Field(None, ge=0, le=MOST)
    warmup: float | None = Field(None, ge=0, lt=1)
    rdrop: float | None = Field(None, ge=0, le=MOST)
    patience: int | None = Field(None, ge=0, le=MOST)
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    tracker: Literal["tensorboard"] | None = None


class ExportSettings(_Table):
    """What is exported in addition to fp32."""

    int8: bool = False


class CardSettings(_Table):
    """What the model card says that emolens can't know, and whether it shows texts of the data."""

    license: _Name | None = None
    data_license: _Name | None = None
    language: str | None = None
    examples: Literal["none", "test"] = "none"

    @field_validator("language")
    @classmethod
    def _are_languages(cls, value: str | None) -> str | None:
        codes = [] if value is None else value.split(",")
        if not all(re.fullmatch(r"[a-z]{2,3}|multilingual", code.strip()) for code in codes):
            raise PydanticCustomError(
                "language", "the language should be a code such as en, or several: en, fr"
            )
        return value

    @property
    def languages(self) -> tuple[str, ...]:
        """The codes of the languages."""
        return tuple(code.strip() for code in (self.language or "").split(",") if code.strip())


class ReportSettings(_Table):
    """Which texts the page holds: all, those that the model gets wrong, or none."""

    texts: Texts = "all"


class PushSettings(_Table):
    """Where the model folder goes on the Hub, as the last stage. Without a `repo`, nowhere."""

    repo: _Name | None = None
    public: bool = False


class Study(_Table):
    """All settings of an experiment. Whatever changes a figure is one of them."""

    name: str = Field(pattern=r"^\w[\w.-]*$", max_length=100)
    seed: int = Field(42, ge=0, lt=2**32)
    data: DataSettings
    audit: AuditSettings = AuditSettings()
    encoder: EncoderSettings
    map: MapSettings = MapSettings()
    balance: BalanceSettings = BalanceSettings()
    probe: ProbeSettings = ProbeSettings()
    finetune: FinetuneSettings = FinetuneSettings()
    export: ExportSettings = ExportSettings()
    card: CardSettings = CardSettings()
    report: ReportSettings = ReportSettings()
    push: PushSettings = PushSettings()

    @field_validator("name")
    @classmethod
    def _is_name_of_a_folder(cls, value: str) -> str:
        if _NOT_ON_WINDOWS.fullmatch(value):
            raise PydanticCustomError("name", "no folder on Windows can have this name")
        return value

    def __repr__(self) -> str:
        return one_line(self, repr(self.name), f"{self.data.dataset} with {self.encoder.name}")

    def to_toml(self) -> str:
        """All settings, defaults included, as a study file."""
        toml = str(require("tomli_w", "train").dumps(self.model_dump(exclude_none=True)))
        # Characters that steer a terminal stand in names only, which are quoted.
        return "".join(c if c == "\n" or visible(c) == c else f"\\U{ord(c):08x}" for c in toml)


def builtin_studies() -> list[str]:
    """The names of the studies that come with emolens."""
    return sorted(path.stem for path in BUILTIN.glob("*.toml"))


def load_study(study: str | Path, overrides: dict[str, Any] | None = None) -> Study:
    """Load a built-in study by name, or a TOML file, and replace some settings.

    overrides: for example {'finetune.epochs': 3}. A string that is valid TOML is read as TOML.
    Raises a UsageError that names the file, the key and the nearest known key.
    """
    path = BUILTIN / f"{study}.toml" if str(study) in builtin_studies() else user_path(study)
    if path.is_dir() or (path.exists() and path.suffix.lower() != ".toml"):
        why = "it is a folder" if path.is_dir() else "its name does not end with .toml"
        raise UsageError(
            f"{path} is not a study: {why}.",
            hint=f"To use it as data: emolens run --dataset {quoted(path)}",
        )
    if not path.exists():
        raise UsageError(
            f"There is no study '{study}': neither a built-in one nor a file.",
            hint=nearest(str(study), builtin_studies()) + " Or give a .toml file.",
        )
    values = _read(path)
    values.setdefault("name", re.sub(r"[^\w.-]+", "-", path.stem).strip("-.") or "study")
    for key, value in (overrides or {}).items():
        _set(values, key, value)
    try:
        return Study.model_validate(values)
    except ValidationError as error:
        raise _explained(error, path.name) from error


def _read(path: Path) -> dict[str, Any]:
    """The content of a study file."""
    try:
        if path.stat().st_size > _LARGEST:
            raise UsageError(
                f"{path} is not a study: it has more than {_LARGEST:,} bytes.",
                hint=f"To use it as data: emolens run --dataset {quoted(path)}",
            )
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))  # Windows may begin with a BOM
    except OSError as error:
        raise UsageError(
            f"{path} can't be read: {error.strerror or error}.",
            hint="Check the permissions of the file, or give another one.",
        ) from error
    except (ValueError, RecursionError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else error
        raise UsageError(
            f"{path} is not valid TOML: {why}.", hint='Put text in quotes: name = "my-study".'
        ) from error


def pairs(settings: Iterable[str]) -> dict[str, str]:
    """Overrides from the form that the command line takes: 'finetune.epochs=3'."""
    overrides = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals:
            raise UsageError(
                f"--set {setting} has no '='.", hint="For example: --set finetune.epochs=3"
            )
        overrides[key.strip()] = value.strip()
    return overrides


def _set(values: dict[str, Any], dotted: str, value: Any) -> None:
    *tables, key = dotted.split(".")
    for table in tables:
        values = values.setdefault(table, {})
        if not isinstance(values, dict):
            raise UsageError(
                f"'{table}' in '{dotted}' is not a table of settings.",
                hint=nearest(table, Study.model_fields),
            )
    values[key] = _parsed(dotted, value) if isinstance(value, str) else value


def _parsed(dotted: str, value: str) -> Any:
    """The value read as TOML; unchanged if it is not TOML, or if the setting is text."""
    try:
        parsed = tomllib.loads(f"value = {value}")["value"]
    except (ValueError, RecursionError):  # no TOML, a number of 5,000 digits, or nested too deeply
        return value
    return value if dotted in _STRINGS and not isinstance(parsed, str) else parsed


def _explained(error: ValidationError, origin: str) -> UsageError:
    first = error.errors()[0]
    path = [str(part) for part in first["loc"]]
    dotted = ".".join(path)
    if first["type"] == "extra_forbidden":
        table: Any = Study
        for part in path[:-1]:
            table = table.model_fields[part].annotation
        return UsageError(
            f"{origin}: there is no setting '{dotted}'.", hint=nearest(path[-1], table.model_fields)
        )
    message = first["msg"][0].lower() + first["msg"][1:]
    given = "" if first["type"] == "missing" else f" (given: {first['input']!r})"
    return UsageError(
        f"{origin}: {dotted}: {message}{given}.",
        hint="docs/studies.md lists every setting with its default.",
    )
