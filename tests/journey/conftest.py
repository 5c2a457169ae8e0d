"""A small walkthrough, as the files of the real one are written."""

from __future__ import annotations

from pathlib import Path

import pytest

from emolens.journey import parts

FIRST = """\
# ---
# jupyter:
#   jupytext:
#     text_representation: {}
# ---

# %% [markdown]
# # The rows
#
# A journey of **two** parts, see [there](../so/report-1.md#top) and [here](#it).

# %%
import json

ROWS = [3, 1, 2]

# %% [markdown]
# ## Sorted rows
# Sorting helps.

# %%
print("sorting")
ROWS.sort()
ROWS

# %% [markdown]
# **Try this:** more rows.

# %% [markdown]
# ## A slow one

# %%
SLOW = json.loads("[9]")
open("slow.txt", "w").write("ran");

# %% [markdown]
# **Try this:** nothing.
"""
SECOND = """\
# %% [markdown]
# # Pictures

# %% [markdown]
# ## Two pictures, one value

# %%
import matplotlib.pyplot as plt

for rows in (ROWS, [1, 1]):
    fig, ax = plt.subplots(figsize=(2, 2))
    ax.plot(rows)
plt.show()

# %%
len(ROWS)

# %% [markdown]
# **Try this:** three pictures.

# %% [markdown]
# ## What fails

# %%
total = sum(ROWS)
total / 0

# %% [markdown]
# **Try this:** another divisor.
"""


@pytest.fixture
def walkthrough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two parts with four sections; the command finds them here. The folder `here` is current."""
    folder = tmp_path / "walkthrough"
    folder.mkdir()
    (folder / "01-rows.py").write_text(FIRST, encoding="utf-8")
    (folder / "02-pictures.py").write_text(SECOND, encoding="utf-8")
    monkeypatch.setattr(parts, "PLACES", (tmp_path / "nowhere", folder))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return folder
