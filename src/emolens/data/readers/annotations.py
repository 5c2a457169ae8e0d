"""Recognises the exports of doccano, Label Studio and Prodigy, and chats, and finds their labels.

Knows rows of JSON, and no file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from emolens.data.readers.columns import any_usual
from emolens.data.readers.nested import NestedRow, inner_names, nested
from emolens.data.readers.table import Row

_TASKS = ("annotations", "completions")  # where Label Studio keeps answers; the second until 2021
# What Label Studio adds to each row of its smaller export.
_MIN = {"annotator", "annotation_id", "created_at", "updated_at", "lead_time"}
_DOCCANO = ("label", "labels")
_DECISIONS = ("accept", "reject", "ignore")  # of Prodigy
# Where chats keep their turns: the names of who speaks and of what is said.
_CHATS = {"messages": ("role", "content"), "conversations": ("from", "value")}
_ASKING, _ANSWERING = ("user", "human"), ("assistant", "gpt")
_ACCEPTED = "accepted"  # the name for the labels of Prodigy


class _Task(NestedRow):
    """A task of Label Studio. Asked for a question, it gives the choices of its answers."""

    def get(self, name: str, default: Any = None) -> Any:
        """The value of this name, or the choices of this question."""
        if name in self:
            return self[name]
        choices = [
            choice for question, chosen in _answers(self) for choice in chosen if question == name
        ]
        return list(dict.fromkeys(choices)) or super().get(name, default)


class _Decision(NestedRow):
    """A row of Prodigy. Asked for _ACCEPTED, it gives its label, or the choices, if it has some."""

    def get(self, name: str, default: Any = None) -> Any:
        """The value of this name."""
        if name != _ACCEPTED or name in self:
            return super().get(name, default)
        if self["answer"] != "accept":
            return default
        return self["accept"] if "accept" in self else self.get("label", default)


@dataclass
class Survey:
    """What the rows of a file have: names, dotted names, and questions of a labelling tool."""

    columns: dict[str, None] = field(default_factory=dict)
    inner: dict[str, None] = field(default_factory=dict)
    lists: dict[str, None] = field(default_factory=dict)
    questions: dict[str, None] = field(default_factory=dict)
    chats: set[tuple[str, ...]] = field(default_factory=set)
    n_rows: int = 0
    n_tasks: int = 0
    n_lists: int = 0
    n_dialogs: int = 0
    n_differing: int = 0
    n_decisions: int = 0
    n_refused: int = 0
    _last: tuple[str, ...] = ()

    def add(self, row: Row) -> None:
        """Count a row."""
        self.n_rows += 1
        if (names := tuple(row)) != self._last:
            self.columns.update(dict.fromkeys(names))
            self._last = names
        if isinstance(row.get("label"), list) or isinstance(row.get("labels"), list):
            self.n_lists += 1
        if row.get("answer") in _DECISIONS:
            self.n_decisions += 1
            self.n_refused += row["answer"] != "accept"
        if isinstance(row := nested(row), NestedRow):
            self.inner.update(dict.fromkeys(inner_names(row)))
            self.chats.add(_speakers(row))
            self.lists.update({name: None for name, of in row.items() if isinstance(of, list)})
            if _is_task(row):
                self.n_tasks += 1
                answers = list(_answers(row))
                self.questions.update(dict.fromkeys(question for question, _ in answers))
                self.n_differing += len({(q, tuple(chosen)) for q, chosen in answers}) > len(
                    {question for question, _ in answers}
                )

    @property
    def is_label_studio(self) -> bool:
        """Whether each row is a task of Label Studio."""
        return 0 < self.n_tasks == self.n_rows

    @property
    def is_prodigy(self) -> bool:
        """Whether each row is a decision of Prodigy about labels of a whole text."""
        return 0 < self.n_decisions == self.n_rows and not {"accept", "label"}.isdisjoint(
            self.columns
        )

    def row(self, row: Row) -> Row:
        """The row in the form that answers to all names."""
        if self.is_prodigy:
            return _Decision(row)
        return _Task(row) if self.is_label_studio else nested(row)

    def names(self) -> tuple[str, ...]:
        """The dotted names without answers of several questions at once, and the questions."""
        inner = [name for name in self.inner if not self.n_tasks or ".result." not in name]
        questions = [*self.questions, *([_ACCEPTED] if self.is_prodigy else [])]
        return (*inner, *(q for q in questions if q not in self.columns))

    def usual(self) -> tuple[str, dict[str, str]]:
        """What the rows are, or "", and the columns of texts and labels."""
        if self.is_label_studio:
            texts = [name for name in self.inner if name.startswith("data.")]
            return "is an export of Label Studio", _roles(texts, list(self.questions))
        if self.is_prodigy:
            return "is an export of Prodigy", _roles(
                [n for n in self.columns if n == "text"], [_ACCEPTED]
            )
        names = [name for name in self.columns if name not in (*_MIN, "id")]
        if len(_MIN & set(self.columns)) >= 3:
            texts = [name for name in names if name == "text"]
            labels = [name for name in names if name != "text"]
            return "is an export of Label Studio", _roles(texts, labels)
        labels = [name for name in _DOCCANO if name in self.columns]
        if "id" in self.columns and labels and self.n_lists == self.n_rows:
            return "is an export of doccano", _roles(
                [n for n in ("text", "data") if n in self.columns], labels
            )
        if len(self.chats) == 1 and (speakers := next(iter(self.chats))):
            roles = [_turns(speakers, of) for of in (_ASKING, _ANSWERING)]
            return "holds chats", _roles(*roles)
        return "", {}


def _speakers(row: Row) -> tuple[str, ...]:
    """The name of the turns of a chat, and who speaks in each of them; () for other rows."""
    for name, (who, what) in _CHATS.items():
        turns = row.get(name)
        if isinstance(turns, list) and all(
            isinstance(t, dict) and {who, what} <= t.keys() for t in turns
        ):
            return name, *(str(turn[who]) for turn in turns)
    return ()


def _turns(speakers: tuple[str, ...], wanted: tuple[str, ...]) -> list[str]:
    """The columns of what these speakers say."""
    name, *each = speakers
    return [f"{name}.{i}.{_CHATS[name][1]}" for i, who in enumerate(each) if who in wanted]


def _roles(texts: list[str], labels: list[str]) -> dict[str, str]:
    """The only name for each role, or the one that is usual."""
    text = [name for name in texts if name.endswith("text")] or texts
    label = [name for name in labels if any_usual([name], "label")] or labels
    roles: dict[str, str] = {}
    if len(text) == 1:
        roles["text"] = text[0]
    if len(label) == 1:
        roles["label"] = label[0]
    return roles


def _is_task(row: Row) -> bool:
    return isinstance(row.get("data"), dict) and any(isinstance(row.get(k), list) for k in _TASKS)


def _answers(row: Row) -> Iterator[tuple[str, list[str]]]:
    """The questions and choices of all annotators who did not cancel."""
    for kept in (row[name] for name in _TASKS if isinstance(dict.get(row, name), list)):
        for annotation in kept:
            if not isinstance(annotation, dict) or annotation.get("was_cancelled"):
                continue
            for answer in annotation.get("result") or ():
                value = answer.get("value") if isinstance(answer, dict) else None
                choices = value.get("choices") if isinstance(value, dict) else None
                if isinstance(choices, list):
                    yield str(answer.get("from_name", "choices")), list(map(str, choices))
