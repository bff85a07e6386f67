"""What a reader may do next with a record, as its page says it: what each act asks for, and what stands in its way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from comity.kernel.records.readiness import Lack, Readiness
from comity.kernel.types.catalogue import Act, Answer
from comity.kernel.views.form_page import Form, act_form
from comity.kernel.views.read import Look
from comity.kernel.views.wording import Parts, Wording
from comity.kernel.work.node import Work

ACT, ANSWER, AMEND, SUBMIT = "act", "answer", "amend", "submit"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What stands in the way of an act: its code, what it is and what to do, the record that it is about, who owes it
    and since when. `text` says it all."""

    code: str
    text: str
    message: str
    fix: str = ""
    path: str = ""
    about: str = ""
    owed_by: str = ""
    since: date | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "code": self.code, "text": self.text, "message": self.message, "fix": self.fix, "path": self.path,
            "about": self.about, "owed_by": self.owed_by, "since": self.since.isoformat() if self.since else None,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class NextAct:
    """An act or answer that the reader may do in this state. `kind` says by which verb: act, amend, answer or submit.
    `state` is where it leads, empty where the record stays. With obstacles it would be refused now."""

    name: str
    label: str
    kind: str
    state: str
    state_label: str
    form: Form
    obstacles: tuple[Obstacle, ...] = ()

    @property
    def ready(self) -> bool:
        return not self.obstacles

    @property
    def heading(self) -> str:
        """Under which of the page's headings it stands."""
        return "answers_open" if self.kind == ANSWER else "open_to_you"

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name, "label": self.label, "kind": self.kind, "heading": self.heading, "state": self.state,
            "state_label": self.state_label, "ready": self.ready, "texts": [one.text for one in self.obstacles],
            "form": self.form.as_json(),
            "obstacles": [one.as_json() for one in self.obstacles],
        }  # fmt: skip


def judged(work: Work, look: Look, parts: Parts) -> list[tuple[Act | Answer, list[Lack], str]]:
    """The acts and answers open to the reader, each with what would refuse it now and the state to which it leads."""
    rules = [rule for name in look.view.acts if (rule := parts.rule(name)) is not None]
    if not rules:
        return []
    readiness = Readiness(work, parts.theirs, look.subject, rules)
    return [(rule, readiness.lacks(rule), readiness.state_after(rule)) for rule in rules]


def next_acts(
    look: Look, parts: Parts, found: Sequence[tuple[Act | Answer, list[Lack], str]], owed: Sequence[Obstacle]
) -> tuple[NextAct, ...]:  # fmt: skip
    """The acts in words. `owed` is what is open on the record: it stands in the way of an act that offers a package."""
    out = []
    for rule, lacks, state in found:
        moved = state != look.subject.folded.state
        package = isinstance(rule, Act) and bool(rule.package)
        obstacles = [obstacle(parts.wording, one) for one in lacks]
        form = act_form(parts, rule, state, look.view.fields, look.seen)
        out.append(
            NextAct(
                rule.name, parts.act(rule.name), _kind(look, rule, package), state if moved else "",
                parts.state(state) if moved else "", replace(form, open=not obstacles),
                (*obstacles, *(owed if package else ())),
            )
        )  # fmt: skip
    return tuple(out)


def _kind(look: Look, rule: Act | Answer, package: bool) -> str:
    answers = look.of.offer.answers if look.of.offer else {}
    if isinstance(rule, Answer) and rule.name in answers:
        return ANSWER
    return AMEND if rule.name == "amend" else SUBMIT if package else ACT


def obstacle(wording: Wording, one: Lack) -> Obstacle:
    """A lack in words: what it is, what to do, who owes it since when."""
    who = wording.agency(one.owed_by) if one.owed_by else ""
    owed = ""
    if who and one.owed_by != wording.own:
        owed = (
            wording.say("owed_by_since", agency=who, since=one.since)
            if one.since
            else wording.say("owed_by", agency=who)
        )
    message, fix = one.message.to(wording.locale), one.fix.to(wording.locale)
    text = " ".join(_sentence(part) for part in (message, fix) if part) + (f" ({owed})" if owed else "")
    return Obstacle(one.code, text, message, fix, one.path, one.about, one.owed_by, one.since)


def _sentence(text: str) -> str:
    """A sentence as it stands among others: with its capital and its full stop."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?", "!", "।")) else ".")
