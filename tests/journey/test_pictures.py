"""The pictures of sections in a folder that may hold files of others."""

from __future__ import annotations

from pathlib import Path

import pytest

from emolens.errors import StorageError
from emolens.journey.pictures import LIST, Pictures
from emolens.output import SetAside


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_pictures_are_numbered_and_replaced(tmp_path: Path) -> None:
    pictures = Pictures(tmp_path / "learn")
    assert pictures.keep("01-a", []) == []
    assert not pictures.folder.exists()
    first = pictures.keep("01-a", [b"1"])
    more = pictures.keep("01-a", [b"2", b"3"], before=1)
    assert [path.name for path in [*first, *more]] == ["01-a.png", "01-a-2.png", "01-a-3.png"]
    again = Pictures(tmp_path / "learn")
    assert again.keep("01-a", [b"4"])[0].read_bytes() == b"4"
    assert names(again.folder) == ["01-a-2.png", "01-a-3.png", "01-a.png", LIST]


def test_what_a_section_no_longer_draws_is_deleted(tmp_path: Path) -> None:
    pictures = Pictures(tmp_path)
    pictures.keep("01-a", [b"1", b"2", b"3"])
    pictures.keep("01-under-another-title", [b"4"])
    pictures.keep("02-b", [b"5"])
    (tmp_path / "01-a-3.png").write_bytes(b"drawn on")
    pictures.forget("01-a", 1)
    pictures.forget("03-c", 0)
    assert names(tmp_path) == ["01-a-3.png", "01-a.png", "02-b.png", LIST]
    pictures.forget("02-b", 0)
    assert names(tmp_path) == ["01-a-3.png", "01-a.png", LIST]


@pytest.mark.filterwarnings("ignore::emolens.output.SetAside")
def test_files_of_the_user_are_kept(tmp_path: Path) -> None:
    (tmp_path / "01-a.png").write_bytes(b"mine")
    pictures = Pictures(tmp_path)
    pictures.keep("01-a", [b"1"])
    assert (tmp_path / "01-a.png.yours").read_bytes() == b"mine"
    (tmp_path / "01-a.png").write_bytes(b"drawn on")
    with pytest.warns(SetAside, match=r"01-a.png.yours-2"):
        pictures.keep("01-a", [b"1"])
    pictures.forget("01-a", 0)
    assert names(tmp_path) == ["01-a.png.yours", "01-a.png.yours-2", LIST]


def test_a_list_that_was_changed_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / LIST).write_text('{"files": {"../x": "1"}}')
    with pytest.raises(StorageError, match=r"learn\.json is not as emolens writes it") as caught:
        Pictures(tmp_path).keep("01-a", [b"1"])
    assert "--out" in caught.value.hint
    assert names(tmp_path) == [LIST]
