"""The real client libraries of the Hub against a real server on this machine."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import feeling_rows, write_csv
from tests.hub.standin import StandIn

WEIGHTS = "model.safetensors"
NAMES = ("sadness", "joy", "anger")
CLIENT = """
import json, sys, warnings
from emolens.errors import EmolensError
try:
    if sys.argv[1] == "dataset":
        from emolens.data.sources import load_dataset
        data = load_dataset(sys.argv[2])
        value = {"name": data.name, "sizes": data.sizes, "labels": data.labels.names,
                 "first": data.head(1)[0], "columns": data.columns}
        if "notes" in sys.argv:
            value = [str(note) for note in data.notes]
        if "commit" in sys.argv:
            value = data.commit
    else:
        from emolens.encode.backbone import find_encoder
        with warnings.catch_warnings(record=True) as notes:
            encoder = find_encoder(sys.argv[2])
        value = {"folder": str(encoder.folder), "fingerprint": encoder.weights_sha256,
                 "notes": [str(note.message) for note in notes]}
except EmolensError as error:
    value = {"kind": type(error).__name__, "message": str(error), "hint": error.hint}
print(json.dumps(value))
"""


def load(hub: StandIn, what: str, spec: str, *more: str, **environment: str) -> Any:
    """What a fresh process gets; it must say nothing on stderr."""
    client = hub.python("-c", CLIENT, what, spec, *more, **environment)
    assert client.stderr == ""
    return json.loads(client.stdout)


def notes(hub: StandIn, spec: str, **environment: str) -> list[str]:
    texts: list[str] = load(hub, "dataset", spec, "notes", **environment)
    return texts


def publish(
    hub: StandIn, *, revision: str = "main", n: int = 12, default: str | None = "split"
) -> None:
    """A repository as `dair-ai/emotion` is: Parquet by split, two configurations, class names."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder = hub.served / "datasets" / "dair-ai" / "emotion" / revision
    label = {"names": list(NAMES), "_type": "ClassLabel"}
    info = {"info": {"features": {"text": {"_type": "Value", "dtype": "string"}, "label": label}}}
    sizes = {"train": n, "validation": 6, "test": 6}
    for start, config in ((0, "split"), (100, "unsplit")):
        for split, size in sizes.items():
            rows = feeling_rows(size, start=start)
            table = pa.table(
                {
                    "text": [text for text, _ in rows],
                    "label": pa.array([NAMES.index(name) for _, name in rows], pa.int64()),
                }
            )
            path = folder / config / f"{split}-00000-of-00001.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(table.replace_schema_metadata({"huggingface": json.dumps(info)}), path)
    configs = "".join(
        f"- config_name: {config}\n"
        + ("  default: true\n" if config == default else "")
        + "  data_files:\n"
        + "".join(f"  - split: {split}\n    path: {config}/{split}-*\n" for split in sizes)
        for config in ("split", "unsplit")
    )
    (folder / "README.md").write_text(f"---\nconfigs:\n{configs}---\n# emotion\n", "utf-8")


def test_a_dataset_is_fetched_once_then_read_from_the_cache(hub: StandIn) -> None:
    publish(hub)
    hub.start()
    fetched = load(hub, "dataset", "dair-ai/emotion")
    text, name = feeling_rows(1)[0]
    assert fetched == {
        "name": "dair-ai/emotion",
        "sizes": {"train": 12, "validation": 6, "test": 6},
        "labels": list(NAMES),
        "first": {"text": text, "label": 0, "label_name": name},
        "columns": ["text", "label"],
    }
    (hub.served / "down").touch()
    assert load(hub, "dataset", "dair-ai/emotion") == fetched
    hub.stop()
    assert load(hub, "dataset", "dair-ai/emotion") == fetched
    assert load(hub, "dataset", "emotion", HF_HUB_OFFLINE="1") == fetched
    other = load(hub, "dataset", "dair-ai/emotion:unsplit")
    assert other["kind"] == "HubError"
    assert "does not answer, and the cache does not have" in other["message"]


def test_a_configuration_and_a_revision_are_what_was_asked_for(hub: StandIn) -> None:
    publish(hub)
    publish(hub, revision="v2", n=9)
    hub.start()
    other = load(hub, "dataset", "dair-ai/emotion:unsplit@v2")
    assert load(hub, "dataset", "emotion:unsplit@v2") == other
    assert other["sizes"]["train"] == 9
    assert other["first"]["text"] == feeling_rows(1, start=100)[0][0]
    unknown = load(hub, "dataset", "dair-ai/emotion@v3")
    assert unknown["kind"] == "HubError"
    assert "does not have the data set dair-ai/emotion at v3" in unknown["message"]
    hub.stop()
    assert load(hub, "dataset", "dair-ai/emotion:unsplit@v2") == other
    # Offline, `datasets` itself would hand over v2 here.
    main = load(hub, "dataset", "dair-ai/emotion:unsplit@main")
    assert main["message"].endswith(
        "the cache does not have the data set dair-ai/emotion:unsplit at main."
    )
    shutil.rmtree(hub.home / "hub")  # what tells which commit v2 is
    lost = load(hub, "dataset", "dair-ai/emotion:unsplit@v2")
    assert lost["message"].endswith(
        "the cache does not have the data set dair-ai/emotion:unsplit at v2."
    )


def test_the_cache_gives_the_revision_and_the_configuration_that_were_asked_for(
    hub: StandIn,
) -> None:
    publish(hub)
    publish(hub, revision="v2", n=9)
    hub.start()
    main = load(hub, "dataset", "dair-ai/emotion")
    cached = load(hub, "dataset", "dair-ai/emotion@v2")  # the last one
    load(hub, "dataset", "dair-ai/emotion:unsplit@v2")
    (commit,) = notes(hub, "dair-ai/emotion@v2")
    assert load(hub, "dataset", "dair-ai/emotion@v2", "commit")[:12] in commit
    assert re.fullmatch(r"dair-ai/emotion is used as it was at commit [0-9a-f]{12}\.", commit)
    hub.stop()
    assert load(hub, "dataset", "dair-ai/emotion") == main
    assert load(hub, "dataset", "dair-ai/emotion@main") == {**main, "name": "dair-ai/emotion@main"}
    assert load(hub, "dataset", "dair-ai/emotion@v2", HF_HUB_OFFLINE="1") == cached
    other = load(hub, "dataset", "dair-ai/emotion:unsplit")
    assert other["message"].endswith(
        "the cache does not have the data set dair-ai/emotion:unsplit."
    )
    begin = f"{commit} It comes from the cache"
    assert notes(hub, "dair-ai/emotion@v2") == [f"{begin}: the Hub does not answer."]
    assert notes(hub, "dair-ai/emotion@v2", HF_HUB_OFFLINE="1") == [f"{begin}."]


def test_another_configuration_is_not_used_in_place_of_the_default_one(hub: StandIn) -> None:
    publish(hub)
    hub.start()
    load(hub, "dataset", "dair-ai/emotion:unsplit")
    hub.stop()
    error = load(hub, "dataset", "dair-ai/emotion")
    assert error["message"].endswith("the cache does not have the data set dair-ai/emotion.")


def test_a_missing_or_wrong_configuration_is_named_with_those_that_there_are(hub: StandIn) -> None:
    publish(hub, default=None)
    hub.start()
    online = [
        load(hub, "dataset", f"dair-ai/emotion{more}") for more in ("", "@main", ":Split", ":other")
    ]
    assert [(error["message"], error["hint"]) for error in online] == [
        (
            "The data set dair-ai/emotion has several configurations and no default:"
            " split, unsplit.",
            f"Add one of them to the name, such as dair-ai/emotion:split{at}",
        )
        for at in ("", "@main")
    ] + [
        (f"The data set dair-ai/emotion has no configuration '{config}'.", hint)
        for config, hint in (
            ("Split", "Did you mean 'split'? Known: split, unsplit."),
            ("other", "Known: split, unsplit."),
        )
    ]
    named = load(hub, "dataset", "dair-ai/emotion:split")
    assert named["sizes"]["train"] == 12
    hub.stop()
    assert load(hub, "dataset", "dair-ai/emotion:split") == named
    assert load(hub, "dataset", "dair-ai/emotion") == online[0]
    assert load(hub, "dataset", "dair-ai/emotion:other") == online[3]


def test_a_private_dataset_needs_a_token(hub: StandIn) -> None:
    publish(hub)
    folder = hub.served / "datasets" / "someone" / "mine"
    shutil.move(hub.served / "datasets" / "dair-ai" / "emotion", folder)
    (folder / "private").touch()
    hub.start()
    for token in ({}, {"HF_TOKEN": "hf_wrong"}):
        assert load(hub, "dataset", "someone/mine", **token)["kind"] == "HubError"
    mine = load(hub, "dataset", "someone/mine", HF_TOKEN="hf_read")
    assert mine["sizes"]["train"] == 12
    hub.stop()
    assert load(hub, "dataset", "someone/mine") == mine


@pytest.mark.parametrize("offline", ["0", "1"])
@pytest.mark.parametrize(
    ("what", "spec", "named"),
    [
        ("dataset", "dair-ai/emotion", "the data set dair-ai/emotion"),
        ("encoder", "distilbert", "the encoder distilbert/distilbert-base-uncased"),
    ],
)
def test_without_hub_and_cache_the_error_says_what_to_do(
    hub: StandIn, what: str, spec: str, named: str, offline: str
) -> None:
    error = load(hub, what, spec, HF_HUB_OFFLINE=offline)
    assert error["kind"] == "HubError"
    assert error["message"] == (
        f"The Hugging Face Hub does not answer, and the cache does not have {named}."
    )
    assert "emolens run starter" in error["hint"]


@pytest.mark.parametrize("what", ["dataset", "encoder"])
def test_a_repository_that_the_hub_does_not_have(hub: StandIn, what: str) -> None:
    hub.start()
    error = load(hub, what, "nobody/nothing")
    assert error["kind"] == "HubError"
    assert "The Hub does not have" in error["message"]
    assert "nobody/nothing" in error["message"]
    assert "HF_TOKEN" in error["hint"]


def test_an_encoder_is_fetched_once_then_read_from_the_cache(
    hub: StandIn, tiny_encoder: Path
) -> None:
    from emolens.output import sha256

    folder = hub.served / "models" / "someone" / "tiny" / "main"
    folder.parent.mkdir(parents=True)
    folder.symlink_to(tiny_encoder)
    hub.start()
    fetched = load(hub, "encoder", "someone/tiny")
    assert fetched["fingerprint"] == sha256(tiny_encoder / "model.safetensors")
    assert Path(fetched["folder"]).is_relative_to(hub.home)
    unknown = load(hub, "encoder", "someone/tiny@v9")
    assert "does not have the encoder someone/tiny at v9" in unknown["message"]
    commit = Path(fetched["folder"]).name
    assert load(hub, "encoder", f"someone/tiny@{commit}") == fetched
    assert load(hub, "encoder", "someone/tiny", HF_HUB_OFFLINE="1") == fetched
    (hub.served / "down").touch()
    note = "The Hub did not give the encoder someone/tiny, so the copy in the cache is used, commit"
    assert load(hub, "encoder", "someone/tiny")["notes"] == [f"{note} {commit[:12]}."]
    hub.stop()
    assert load(hub, "encoder", "someone/tiny")["notes"] == [f"{note} {commit[:12]}."]
    assert load(hub, "encoder", f"someone/tiny@{commit}") == fetched  # needs no answer


def test_an_encoder_has_the_revision_that_was_asked_for(hub: StandIn, tiny_encoder: Path) -> None:
    from safetensors.numpy import load_file, save_file

    from emolens.output import sha256

    wanted = {}
    for revision, factor in (("main", 1), ("v2", 2)):
        folder = hub.files("models", "someone/tiny", revision)
        shutil.copytree(tiny_encoder, folder)
        weights = {name: array * factor for name, array in load_file(folder / WEIGHTS).items()}
        save_file(weights, folder / WEIGHTS, metadata={"format": "pt"})
        wanted[f"someone/tiny@{revision}"] = sha256(folder / WEIGHTS)
    hub.start()
    for spec, digest in wanted.items():
        assert load(hub, "encoder", spec)["fingerprint"] == digest
    commit = Path(load(hub, "encoder", "someone/tiny@v2")["folder"]).name
    wanted |= {
        "someone/tiny": wanted["someone/tiny@main"],
        f"someone/tiny@{commit}": wanted["someone/tiny@v2"],
    }
    hub.stop()
    for offline in ("0", "1"):
        for spec, digest in wanted.items():
            assert load(hub, "encoder", spec, HF_HUB_OFFLINE=offline)["fingerprint"] == digest


def test_without_hub_the_error_names_a_folder_of_the_same_name(
    hub: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_csv(tmp_path / "emotion" / "train.csv", feeling_rows(60))
    monkeypatch.chdir(tmp_path)
    error = load(hub, "dataset", "emotion", HF_HUB_OFFLINE="1")
    assert error["kind"] == "HubError"
    assert error["hint"].startswith("For the file or folder, write ./emotion. ")
    assert load(hub, "dataset", "./emotion")["sizes"]["train"] == 48
