"""Statutory clocks as data: what starts one, what stops it, how it counts, what the law says happens then.

    rule: us-federal.clocks
    clocks:
      indictment:
        title: Indictment or information after arrest
        start: { latest: [arrest, filed] }      # or a name; {event, field, pick, plus}; {earliest: [..]}; {due: clock}
        stop: [indictment]
        count: us.days
        cases: [{ when: "record.in_custody", days: 14 }, { days: 21 }]   # or plain: days, hours, months, years
        exclude: sta                            # a named list of intervals under `exclusions`
        extend: [{ event: extended, days: 30, in_time: true }]
        consequence: .., citation: .., verified: read | GK | secondary    # in other languages: label_hi, message_hi
        versions: [{ from: 2009-12-01 }]        # each may replace any of the above from that day on

Dated versions leave no gap. All faults of a file are gathered, each with its line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import Any

from comity.kernel.law.calendars import DAY, read_day
from comity.kernel.law.clock_rules import (
    Anchor,
    Case,
    ClockRule,
    Decide,
    Extension,
    Move,
    Parameter,
    Version,
)
from comity.kernel.law.counting import RULES, Period
from comity.kernel.types.definition import (
    Faults,
    Form,
    Node,
    is_any,
    is_flag,
    is_map,
    is_names,
    is_text,
    is_words,
    nearest,
)
from comity.kernel.types.expression import guard_text
from comity.kernel.types.part import Part
from comity.sentences import say

KINDS = ("deadline", "not_before", "term", "measure")
MARKS = ("read", "GK", "secondary")
TRANSITIONS = ("start", "now", "decide")


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


_LENGTH: Mapping[str, Any] = dict.fromkeys(("days", "hours", "months", "years", "weeks"), _is_whole)
_CASE: Mapping[str, Any] = {
    **_LENGTH, "when": is_text, "until": is_text, "part": is_text, "of": is_text, "answer": is_words,
    "forthwith": is_flag, "title": is_text, "citation": is_text,
}  # fmt: skip
_ANCHOR: Mapping[str, Any] = {
    "event": is_names, "field": is_text, "pick": lambda v: v in ("first", "last"), "plus": is_map, "optional": is_flag,
    "when": is_text, "latest": _is_list, "earliest": _is_list, "due": is_text,
}  # fmt: skip
_EXTEND: Mapping[str, Any] = {
    **_LENGTH, "event": is_names, "field": is_text, "until": is_text, "at_most": is_map, "in_time": is_flag,
    "late": lambda v: v in ("ignored", "decide"), "requires": is_text, "times": _is_whole, "citation": is_text,
}  # fmt: skip
_RULE: Mapping[str, Any] = {
    **_LENGTH, "title": is_text, "kind": lambda v: v in KINDS, "start": is_any, "restart": is_any,
    "stop": is_names, "applies": is_text, "decide": _is_list, "cases": _is_list, "until": is_text, "part": is_text,
    "of": is_text, "answer": is_words, "forthwith": is_flag, "count": lambda v: v in RULES, "exclude": is_names,
    "extend": _is_list, "warn": _is_list, "stages": is_map, "transition": lambda v: v in TRANSITIONS,
    "service": is_flag, "filing": is_flag, "early": is_flag, "each": is_text, "calendar": is_text, "parameters": is_map,
    "consequence": is_words, "limit": is_words, "citation": is_text, "verified": lambda v: v in MARKS,
    "owed_by": is_words,
    "dated": lambda v: v in MARKS, "from": is_text, "until_day": is_text, "measure": is_text, "note": is_text,
    "row": is_names, "versions": _is_list,
}  # fmt: skip
_PARAMETER: Mapping[str, Any] = {"value": is_any, "note": is_words}
_NAMED: Mapping[str, Any] = {"code": is_text, "message": is_words, "when": is_text, "still": is_flag}


def _period(plain: Mapping[str, Any]) -> Period | None:
    if not any(key in plain for key in _LENGTH):
        return None
    days = int(plain.get("days", 0)) + 7 * int(plain.get("weeks", 0))
    return Period(days, int(plain.get("hours", 0)), int(plain.get("months", 0)) + 12 * int(plain.get("years", 0)))


def read_length(form: Form, key: str, faults: Faults) -> Period | None:
    """A length of time that a key says, such as { days: 30 }; None where it is not written or is none."""
    held = form.plain(key)
    if held is None:
        return None
    made = _period(held) if not held.keys() - _LENGTH.keys() else None
    if made is None or not all(_is_whole(one) for one in held.values()):
        faults.add("wrong_kind", form.at(key), say("wrong_kind.is_no_length_of_time", key=key))
    return made


def each(node: Node) -> tuple[Node, ...]:
    """The parts of a list, or the one that stands for itself."""
    return node.value if node.is_list else (node,)


def read_clock(name: str, node: Node, faults: Faults) -> ClockRule | None:
    """One clock by its full name; None where it has no version. Faults: clock_gap, clock_overlap, counting_unknown,
    version_missing, period_missing, citation_missing, and those of any definition file."""
    return _Reading(name, node, faults).rule()


class _Reading:
    """One clock's mapping, its dated versions laid over what they have in common."""

    def __init__(self, code: str, node: Node, faults: Faults) -> None:
        self.code = code
        self.node = node
        self.faults = faults

    def rule(self) -> ClockRule | None:
        form = Form(self.node, self.faults, Part("clock", self.code), _RULE)
        listed = form.get("versions")
        common = {key: one for key, one in self.node.items() if key != "versions"}
        versions = []
        for one in listed.value if listed is not None else (Node({}, self.node.source, {}),):
            laid = Node({**common, **dict(one.items())}, one.source, {**(self.node.keys or {}), **(one.keys or {})})
            versions.append(self.version(Form(laid, self.faults, Part("clock", self.code), _RULE)))
        if not form.text("title"):
            self.faults.add("wrong_kind", form.source, say("wrong_kind.clock_has_no_title", code=self.code))
        if not versions:
            self.faults.add("version_missing", form.source, say("version_missing.clock_has_no_version", code=self.code))
            return None
        self.dates(versions, listed)
        return ClockRule(
            code=self.code, title=form.titled(self.code),
            versions=tuple(sorted(versions, key=lambda one: one.from_ or date.min)),
            transition=form.text("transition", "start"), each=form.text("each"), calendar=form.text("calendar"),
            owed_by=form.worded("owed_by"), rows=form.names("row"), source=str(form.source),
        )  # fmt: skip

    def dates(self, versions: list[Version], listed: Node | None) -> None:
        """Each version begins on the day after the one before ends: no day is without law, none has two."""
        places = [one.source for one in listed.value] if listed is not None else [self.node.source]
        order = sorted(range(len(versions)), key=lambda at: versions[at].from_ or date.min)
        for before, after in pairwise(order):
            ends, begins = versions[before].until, versions[after].from_
            if begins is None or ends is None or begins <= ends:
                said = say("clock_overlap.two_versions_of_hold_on", code=self.code, begins=begins)
                self.faults.add(
                    "clock_overlap", places[after], said, say("clock_overlap.end_earlier_one_with_until.fix")
                )
            elif begins != ends + DAY:
                said = say("clock_gap.no_version_of_holds_from", code=self.code, ends=ends + DAY, begins=begins - DAY)
                self.faults.add("clock_gap", places[after], said, say("clock_gap.let_each_version_begin_day.fix"))

    def version(self, form: Form) -> Version:
        start = form.get("start")
        if start is None:
            self.faults.add("wrong_kind", form.source, say("wrong_kind.clock_has_no_start", code=self.code))
        count = form.text("count")
        if not count:
            fix = nearest("", RULES)
            self.faults.add(
                "counting_unknown",
                form.at("count"),
                say("counting_unknown.clock_has_no_counting_rule", code=self.code),
                fix,
            )
        if "citation" not in form or "verified" not in form:
            fix = say("citation_missing.add_citation_and_verified.fix")
            self.faults.add(
                "citation_missing", form.source, say("citation_missing.clock_cites_nothing", code=self.code), fix
            )
        stages = form.plain("stages", {})
        restart = form.get("restart")
        return Version(
            from_=read_day(form.plain("from"), form, "from", self.faults),
            until=read_day(form.plain("until_day"), form, "until_day", self.faults),
            start=self.anchor(start) if start is not None else Anchor(), count=count or "plain",
            cases=self.cases(form), kind=form.text("kind", "deadline"),
            restart=tuple(self.anchor(one) for one in each(restart)) if restart is not None else (),
            stop=form.names("stop"), applies=guard_text(form, "applies", self.faults),
            decide=tuple(self.decision(one) for one in self.list(form, "decide")), exclude=form.names("exclude"),
            extend=tuple(self.extension(one) for one in self.list(form, "extend")),
            warn=tuple(self.case(one) for one in self.list(form, "warn")),
            first_stage=str(stages.get("first", "")), moves=self.moves(form) if stages else (),
            service=form.plain("service", False), filing=form.plain("filing", False), measure=form.text("measure"),
            early=form.plain("early", False),
            parameters=self.parameters(form), consequence=form.worded("consequence"), limit=form.worded("limit"),
            citation=form.text("citation"), verified=form.text("verified", "GK"), dated=form.text("dated", "GK"),
            note=form.text("note"),
        )  # fmt: skip

    def list(self, form: Form, key: str) -> tuple[Node, ...]:
        held = form.get(key)
        return held.value if held is not None else ()

    def anchor(self, node: Node) -> Anchor:
        if isinstance(node.value, str):
            return Anchor(events=(node.value,))
        if node.is_list:
            return Anchor(events=tuple(str(one.value) for one in node.value))
        form = Form(node, self.faults, Part("start_of", self.code), _ANCHOR)
        parts = {key: tuple(self.anchor(one) for one in self.list(form, key)) for key in ("latest", "earliest")}
        made = Anchor(
            events=form.names("event"), field=form.text("field"), pick=form.text("pick", "first"),
            plus=read_length(form, "plus", self.faults), optional=form.plain("optional", False),
            when=guard_text(form, "when", self.faults), due=form.text("due"), **parts,
        )  # fmt: skip
        if not (made.events or made.latest or made.earliest or made.due):
            self.faults.add("wrong_kind", form.source, say("wrong_kind.start_of_names_no_event", code=self.code))
        return made

    def cases(self, form: Form) -> tuple[Case, ...]:
        if "cases" in form:
            return tuple(self.case(one) for one in self.list(form, "cases"))
        made = self._case(form)
        if made is None:
            if form.text("kind") == "measure":
                return (Case(),)
            fix = say("period_missing.add_days_hours_months_years.fix")
            self.faults.add(
                "period_missing", form.source, say("period_missing.clock_has_no_period", code=self.code), fix
            )
        return (replace(made or Case(), when=""),)

    def case(self, node: Node) -> Case:
        form = Form(node, self.faults, Part("case_of", self.code), _CASE)
        made = self._case(form)
        if made is None:
            self.faults.add("period_missing", form.source, say("period_missing.case_of_has_no_period", code=self.code))
        return replace(made or Case(), when=guard_text(form, "when", self.faults))

    def _case(self, form: Form) -> Case | None:
        plain = {key: form.plain(key) for key in _LENGTH if key in form}
        part = form.text("part")
        whole = (0, 1)
        if part:
            top, _, bottom = part.partition("/")
            whole = (int(top), int(bottom)) if top.isdigit() and bottom.isdigit() and int(bottom) else (0, 1)
            if not whole[0] or "of" not in form:
                self.faults.add("wrong_kind", form.at("part"), say("wrong_kind.part_of", part=part, code=self.code))
        made = Case(
            period=_period(plain),
            until=form.text("until"),
            part=whole,
            of=form.text("of"),
            answer=form.worded("answer"),
            forthwith=form.plain("forthwith", False),
            title=form.titled(),
            citation=form.text("citation"),
        )
        return made if plain or made.until or part or made.answer or made.forthwith else None

    def decision(self, node: Node) -> Decide:
        form = Form(node, self.faults, Part("decision_of", self.code), _NAMED)
        if not form.text("code") or not form.text("message"):
            self.faults.add("wrong_kind", form.source, say("wrong_kind.decision_of_has_no_code", code=self.code))
        return Decide(
            form.text("code"), form.worded("message"), guard_text(form, "when", self.faults), form.plain("still", False)
        )

    def extension(self, node: Node) -> Extension:
        form = Form(node, self.faults, Part("extension_of", self.code), _EXTEND)
        length = _period({key: form.plain(key) for key in _LENGTH if key in form})
        if not form.names("event") or not (length or form.text("field") or form.text("until")):
            fix = say("wrong_kind.name_event_and_days_field.fix")
            self.faults.add("wrong_kind", form.source, say("wrong_kind.extension_of_says_not_how", code=self.code), fix)
        return Extension(
            events=form.names("event"), period=length, field=form.text("field"), until=form.text("until"),
            at_most=read_length(form, "at_most", self.faults), in_time=form.plain("in_time", False),
            late=form.text("late", "ignored"), requires=guard_text(form, "requires", self.faults),
            times=form.plain("times", 0), citation=form.text("citation"),
        )  # fmt: skip

    def moves(self, form: Form) -> tuple[Move, ...]:
        held = form.get("stages")
        rows = held.get("moves") if held is not None else None
        out = []
        for one in rows.value if rows is not None and rows.is_list else ():
            keys: Mapping[str, Callable[[Any], bool]] = {
                "stage": is_text, "on": is_names, "from": is_names, "code": is_text, "message": is_words,
            }  # fmt: skip
            move = Form(one, self.faults, Part("stage_of", self.code), keys)
            decide = Decide(move.text("code"), move.worded("message")) if "code" in move else None
            out.append(Move(move.text("stage"), move.names("on"), move.names("from"), decide))
        return tuple(out)

    def parameters(self, form: Form) -> Mapping[str, Parameter]:
        out = {}
        for name, one in form.items("parameters"):
            part = Form(one, self.faults, Part("parameter", name), _PARAMETER, nullable=("value",))
            out[name] = Parameter(name, part.plain("value"), part.worded("note"))
        return out
