"""How Comity refuses.

A refusal is a `Problem` (RFC 9457): a code that never changes, what happened, what to do next, and the faults gathered,
each with the path of the field it concerns. Absent and forbidden look the same: `not_found`. What each code means
stands in one table, `comity/problems`. What is said is a text that knows other languages (`comity/sentences`): it is in
English until a way out says it to its reader.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from comity.problems import ADDRESS, CODES, STATUSES
from comity.sentences import NOTHING, Sentence, Text


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong: `code` from the rule that found it, `path` of the field (`fields.title`) or `file:line`.

    What to do, unless given, is what the catalogue says behind the message."""

    code: str
    path: str
    message: Text
    fix: Text = NOTHING

    def __post_init__(self) -> None:
        if not self.fix and isinstance(self.message, Sentence):
            object.__setattr__(self, "fix", self.message.fix)

    def as_json(self) -> dict[str, str]:
        out = {"code": self.code, "path": self.path, "message": self.message}
        return {**out, "fix": self.fix} if self.fix else out


class Problem(Exception):
    """A refusal. `code` is a key of STATUSES; `detail` says what happened; `fix` what to do next."""

    def __init__(
        self, code: str, detail: Text = NOTHING, *, faults: Iterable[Fault] = (), fix: Text = NOTHING, **extra: Any
    ) -> None:
        self.code = code
        self.status, self.title = STATUSES[code], CODES[code].title
        self.detail: Text = detail or self.title
        self.faults = tuple(faults)
        self.fix: Text = fix or (detail.fix if isinstance(detail, Sentence) else NOTHING)
        self.extra = extra
        super().__init__(f"{code}: {self.detail}")

    def as_json(self) -> dict[str, Any]:
        """The body of an `application/problem+json` answer (RFC 9457)."""
        out: dict[str, Any] = {
            "type": ADDRESS + self.code,
            "title": self.title,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
        }
        if self.fix:
            out["fix"] = self.fix
        if self.faults:
            out["faults"] = [fault.as_json() for fault in self.faults]
        return {**out, **self.extra}
