"""The code blocks of the documents, and whether each of them runs or says why not."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ROOT

DOCUMENTS = [
    *sorted(ROOT.glob("*.md")),
    *sorted(p for p in (ROOT / "docs").rglob("*.md") if not {"_build", "generated"} & {*p.parts}),
]
# A comment on the line above a block; pages do not show it.
_BLOCK = re.compile(
    r"^(?:<!-- not run: (?P<reason>[^\n]+?) -->\n)?"
    r"(?P<fence>`{3,})(?P<language>[^\n]*)\n(?P<text>.*?)^(?P=fence)$",
    re.DOTALL | re.MULTILINE,
)
COMMANDS = ("", "bash", "console", "powershell")
OUTPUT = "text"  # what a program prints, and nothing to type


@dataclass(frozen=True)
class Block:
    """A code block: where it begins, its language, and the reason if it is not run."""

    document: Path
    line: int
    language: str
    text: str
    reason: str | None

    def __str__(self) -> str:
        return f"{self.document.relative_to(ROOT).as_posix()}:{self.line}"

    @property
    def lines(self) -> list[str]:
        """What a reader types; of a block with `$ `, not what the program prints."""
        lines = self.text.splitlines()
        typed = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
        return typed or [line for line in lines if line.strip() and not line.startswith("#")]

    @property
    def shown(self) -> list[str]:
        """The commands of emolens in it, also inside of a pipe."""
        found = []
        for line in self.lines:
            if "emolens " in line:  # other lines need not be words of a shell
                found += [words for words in parts_of(words_of(line)) if words[:1] == ["emolens"]]
        return [shlex.join(words) for words in found]


def blocks_of(document: Path) -> list[Block]:
    """All blocks of a document, in their order."""
    text = document.read_text(encoding="utf-8")
    return [
        Block(
            document,
            text[: found.start("fence")].count("\n") + 1,
            found["language"],
            found["text"],
            found["reason"],
        )
        for found in _BLOCK.finditer(text)
    ]


def is_code(block: Block) -> bool:
    """Whether it is no directive of the site, such as {toctree}."""
    return not block.language.startswith("{")


BLOCKS = [block for document in DOCUMENTS for block in blocks_of(document) if is_code(block)]


def parts_of(words: list[str]) -> list[list[str]]:
    """The commands of a line, without the files that their output goes to."""
    parts: list[list[str]] = [[]]
    for word in words:
        if word in ("|", "&&", ">"):
            parts.append([])
        else:
            parts[-1].append(word)
    return parts


def words_of(line: str) -> list[str]:
    """The words of a command, without its comment."""
    return shlex.split(line, comments=True)
