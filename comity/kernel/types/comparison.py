"""How texts are compared: for search, for retyped facts, and for collisions between agencies.

Deconfliction rules say which fields name a target, a place or a planned operation, and the texts that then collide.

    deconflict:
      - [name, birth_date]                                       # a target: equal fields of records of one type
      - { fields: [address], about: place }                      # compared by words, without punctuation
      - { fields: [address], during: [starts, ends], about: operation, while: [planned, under_way] }

With `during` there is one text for each two hours that the window touches. Windows that share an instant share the text
of that instant's two hours, so every overlap is found. Windows that do not overlap but touch the same two hours collide
too: a near miss is worth the call. A window is at most `LONGEST`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from comity.clock import parse_instant
from comity.errors import Fault, Problem
from comity.kernel.types.definition import Faults, Form, Node, is_names, is_text
from comity.sentences import Given, say

ABOUT = ("target", "place", "operation")
BUCKET = timedelta(hours=2)
LONGEST = timedelta(days=14)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def normalise(text: str) -> str:
    """One spelling for search and comparison: NFKC, case folded, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def words(text: str) -> list[str]:
    """The words of a normalised text in their order: runs of letters, marks and digits, in any script."""
    return "".join(char if char.isalnum() or unicodedata.category(char)[0] == "M" else " " for char in text).split()


@dataclass(frozen=True, slots=True)
class Rule:
    """`fields` must all be there. `during` are the fields with the first and last instant, or empty. `while_` are the
    core states in which the record collides; empty: all. `listed`: written as a plain list of fields."""

    fields: tuple[str, ...]
    about: str = "target"
    during: tuple[str, ...] = ()
    while_: frozenset[str] = frozenset()
    listed: bool = True

    def texts(self, core_name: str, core_state: str, fields: Mapping[str, Any]) -> Iterator[str]:
        """What is compared with other agencies' texts, by a keyed digest. None where a field is not there."""
        values = [fields.get(name) for name in self.fields]
        if any(value in (None, "") for value in values) or (self.while_ and core_state not in self.while_):
            return
        if self.listed:
            yield "\x1f".join([core_name, *self.fields, *(normalise(str(value)) for value in values)])
            return
        said = "\x1f".join([self.about, *self.fields, *(" ".join(words(normalise(str(value)))) for value in values)])
        if not self.during:
            yield said
        elif window := self._window(fields):
            for bucket in buckets(*window):
                yield f"{said}\x1f{bucket}"

    def refuse_unreadable(self, core_state: str, fields: Mapping[str, Any]) -> None:
        """Problem `invalid` where an end of the window stands there and cannot be read: it would collide with nothing.

        New values are judged by their shape; this is for one that was entered before that was strict.
        """
        if self.while_ and core_state not in self.while_:
            return
        faults = [
            Fault("format", f"fields.{name}", say("format.cannot_be_read_so_nothing", fields=fields[name]))
            for name in self.during
            if fields.get(name) not in (None, "") and _read(fields[name]) is None
        ]  # fmt: skip
        if faults:
            raise Problem("invalid", say("invalid.window_cannot_be_deconflicted"), faults=faults)

    def _window(self, fields: Mapping[str, Any]) -> tuple[datetime, datetime] | None:
        first, last = (_read(fields.get(name)) for name in self.during)
        if first is None or last is None or first > last:
            return None
        if last - first > LONGEST:
            path = f"fields.{self.during[-1]}"
            faults = [Fault("window_too_long", path, say("window_too_long.at_most_days", days=LONGEST.days))]
            raise Problem("invalid", say("invalid.window_is_too_long_to"), faults=faults)
        return first, last


def _read(value: Any) -> datetime | None:
    try:
        return parse_instant(str(value))
    except ValueError:
        return None


def buckets(first: datetime, last: datetime) -> range:
    """The numbers of the two hours that a window touches, both ends included, counted from 1970 in UTC."""
    return range((first - _EPOCH) // BUCKET, (last - _EPOCH) // BUCKET + 1)


def read_rules(node: Node | None, faults: Faults) -> Iterator[Rule]:
    """The rules as written; what refers to fields and states is judged in `finish`."""
    if node is None:
        return
    for one in node.value if node.is_list else (node,):
        if one.is_list and one.value and is_names(one.plain()):
            yield Rule(tuple(one.plain()))
            continue
        form = Form(
            one, faults, "deconflict", {"fields": is_names, "during": is_names, "about": is_text, "while": is_names}
        )
        if not one.is_map or not form.names("fields"):
            fix = say("wrong_kind.write_name_birth_date_or.fix")
            faults.add("wrong_kind", one.source, say("wrong_kind.deconflict_is_list_of_lists"), fix)
        elif form.text("about", "target") not in ABOUT:
            faults.add(
                "wrong_kind", form.at("about"), say("wrong_kind.collision_is_about_one_of"), Given(", ".join(ABOUT))
            )
        elif len(form.names("during")) not in (0, 2):
            faults.add("wrong_kind", form.at("during"), say("wrong_kind.window_has_two_ends"))
        else:
            yield Rule(
                form.names("fields"), form.text("about", "target"), form.names("during"),
                frozenset(form.names("while")), listed=False,
            )  # fmt: skip
