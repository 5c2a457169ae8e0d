"""emolens.json in a model folder: facts about the model, and the files that emolens wrote there.

A model folder of others has no such file. Knows nothing of what the files hold.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from emolens.errors import EncoderError, first_line
from emolens.hub import is_hub_name, name_of
from emolens.names import BUNDLED
from emolens.output import digests, is_file_with, new_output, place, remove_owned, sha256
from emolens.owned import Owned
from emolens.shown import quoted
from emolens.store import load_object, save_json

EMOLENS_JSON = "emolens.json"
EXPORTED_FROM = "exported_from"  # the entry for the weights at the last export
CALIBRATION = "calibration"  # the entry for how far the answers can be trusted
TRAINING_TEXTS = "training_texts"  # the entry for what the texts of train are like
OPENVINO, ONNX = "openvino/", "onnx/"  # the parts of a model folder that an export writes
BUNDLED_FOLDER = Path(__file__).parent / "predict" / "models" / BUNDLED


def read_emolens_json(folder: Path) -> dict[str, Any]:
    """The content of the file; empty if there is no file. EncoderError if it is damaged."""
    path = folder / EMOLENS_JSON
    if not os.path.lexists(path):
        return {}
    try:
        plain = load_object(path)
        Owned.from_json(plain)
        if not isinstance(plain.get("weights_sha256", ""), str):
            raise ValueError("weights_sha256 is not a text")
    except (OSError, ValueError) as error:
        raise not_as_written(folder, error) from error
    return plain


def is_bundled(folder: Path) -> bool:
    """Whether this is the folder of the model that comes with emolens."""
    return folder == BUNDLED_FOLDER


def shown_name(folder: Path) -> str:
    """How to name a model: `general`, owner/name@commit of the Hub, or its folder."""
    if is_bundled(folder):
        return BUNDLED
    own = folder.as_posix()
    return name_of(folder) or (f"./{own}" if own == BUNDLED else own)


def training_data_name(folder: Path) -> str | None:
    """The name of the data set that emolens trained the model with, if emolens.json says so."""
    facts = read_emolens_json(folder).get("training_data")
    name = facts.get("name") if isinstance(facts, dict) else None
    return name if isinstance(name, str) else None


def has_learned_from(folder: Path, name: str) -> bool:
    """Whether emolens.json says that this data set was the training data, or a part of them."""
    facts = read_emolens_json(folder).get("training_data")
    parts = facts.get("sources") if isinstance(facts, dict) else None
    return name in (training_data_name(folder), *(parts if isinstance(parts, list) else ()))


def not_as_written(folder: Path, error: Exception) -> EncoderError:
    """The error for an emolens.json that holds what emolens never writes."""
    return EncoderError(
        f"{folder / EMOLENS_JSON} is not as emolens writes it: {first_line(error)}.",
        hint="Give it another name; the model works without it.",
    )


def export_hint(folder: Path, *, int8: bool = False) -> str:
    """How to export a model: that of a folder, of a copy in the Hub's cache, or of the Hub."""
    if is_bundled(folder):
        return "Install emolens again."
    option = " --int8" if int8 else ""
    named = not folder.is_dir() and is_hub_name(folder)
    if name := folder.as_posix() if named else name_of(folder):
        repo, _, revision = name.partition("@")
        new = repo.split("/")[1]
        return (
            "Download and export it (needs emolens[train]): hf download"
            f" {repo} --revision {revision or 'main'} --local-dir {new}, then: emolens export"
            f" {new}{option}"
        )
    return f"Export it again: emolens export {quoted(folder)}{option} (needs emolens[train])."


def damage_hint(folder: Path, *, int8: bool = False) -> str:
    """How to get the files of an exported model again."""
    if is_bundled(folder):
        return export_hint(folder)
    if name := name_of(folder):
        repo, _, commit = name.partition("@")
        return (
            f"Download it again: hf download {repo} --revision {commit} --force-download. If that"
            " does not help, the files on the Hub are damaged: ask the owner of the model."
        )
    return export_hint(folder, int8=int8)


def owned_in(folder: Path) -> Owned:
    """The files of a model folder that emolens wrote."""
    return Owned.from_json(read_emolens_json(folder))


def renew(
    fresh: Path, folder: Path, *, part: str = "", facts: Mapping[str, Any] | None = None
) -> list[Path]:
    """Move the files of `fresh` into a model folder, and list them in emolens.json.

    part: files that emolens wrote earlier, whose path begins with this, and that `fresh` does not
    have, are deleted. Files of others are never replaced or deleted: see place(). facts: more
    entries for emolens.json. Returns the new paths.
    """
    plain, new = read_emolens_json(folder), digests(fresh)
    before = Owned.from_json(plain).expecting(new, folder)
    plain = {**plain, **(facts or {})}
    plain.pop("pending", None)
    save_json(folder / EMOLENS_JSON, plain | before.to_json())
    paths = place(fresh, folder, new=new, owned=before.files)
    gone = {name for name in before.files if name.startswith(part) and name not in new}
    gone -= remove_owned(folder, sorted(gone), before.files)
    gone |= _changed(folder, before.files.keys() - {*new, *gone}, before.files)
    save_json(folder / EMOLENS_JSON, plain | before.placed(without=gone).to_json())
    return paths


def _changed(folder: Path, names: Iterable[str], owned: Mapping[str, str]) -> set[str]:
    """The names of files that the user has changed, with a warning: emolens forgets them."""
    changed = {name for name in names if not is_file_with(folder / name, owned[name])}
    for name in sorted(changed):
        _warn_of(folder / name)
    return changed


def note_change(folder: Path, name: str) -> None:
    """Warn if a file that people may change is not as emolens wrote it."""
    owned = owned_in(folder)
    listed = [files[name] for files in (owned.files, owned.pending) if name in files]
    if listed and (folder / name).is_file() and sha256(folder / name) not in listed:
        _warn_of(folder / name)


def _warn_of(path: Path) -> None:
    message = f"{path} is not as emolens wrote it; it is used as it is now."
    warnings.warn(message, UserWarning, stacklevel=5)


def check_writable(folder: Path) -> None:
    """Raise if emolens can't write to a model folder, or can't replace its own files there."""
    for name in (EMOLENS_JSON, *owned_in(folder).files):
        new_output(folder / name, overwrite=True)


def check_weights(folder: Path) -> None:
    """Raise EncoderError if weights that emolens trained are damaged or were changed."""
    names = [name for name in owned_in(folder).files if name.endswith(".safetensors")]
    remedy = f"Train it again; if you changed the weights yourself, delete {folder / EMOLENS_JSON}"
    check_files(folder, names, remedy=remedy)


def check_files(folder: Path, names: Collection[str], *, remedy: str) -> None:
    """Raise EncoderError, with this hint, if one of these files is not as emolens wrote it.

    A file is not checked if it is missing, or if emolens.json does not list it. If emolens was
    killed while it replaced files, the list has the SHA-256 of the old files and of the new ones.
    Then these files must all be old, or all be new, because old and new files give wrong answers
    together.
    """
    owned = owned_in(folder)
    old, new = owned.files, {**owned.files, **owned.pending}
    there = {n: sha256(folder / n) for n in names if n in new and (folder / n).is_file()}
    not_old, not_new = (
        [n for n, digest in there.items() if digest != listed.get(n, digest)]
        for listed in (old, new)
    )
    if not_old and not_new:
        raise EncoderError(
            f"{folder / not_new[0]} is not as emolens wrote it: it is damaged, or was changed.",
            hint=remedy,
        )
