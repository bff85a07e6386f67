"""Worked examples: `examples/*.yml` says what must be right, what must be refused and with which code. Data, no code.

    type: investigation.case
    right:           [{name: .., fields: {..}, state: open, links: {subject: [any id]}}]
                     # in place of an id, where the link says what it takes: { type: .., state: .., a field: its value }
    wrong:           [{name: .., fields: {..}, code: required, path: title}]
    lifecycle:       [[enter, suspend, resume, close]]       # or {name: .., acts: [..], ends: closed}
    lifecycle_wrong: [{acts: [enter, reopen], code: act_out_of_turn}]
A file may hold one such mapping or a list of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from comity.errors import Fault, Problem
from comity.kernel.types.catalogue import Catalogue, Type
from comity.kernel.types.lifecycle import step
from comity.kernel.types.link_shape import STATE
from comity.kernel.types.link_shape_types import fits
from comity.kernel.types.shape import judge, judge_links
from comity.sentences import NOTHING, Text, joined, reason, say

_ID = "00000000-0000-4000-8000-000000000000"
_KEYS = frozenset(("type", "right", "wrong", "lifecycle", "lifecycle_wrong", "title", "description"))


@dataclass(frozen=True, slots=True)
class ExampleResult:
    """One example: `file` (`<pillar or layer>.<stem>`), type, kind, name, whether it came out as written, what came."""

    file: str
    type: str
    kind: str
    name: str
    ok: bool
    said: Text = NOTHING

    def as_json(self) -> dict[str, Any]:
        return {
            "file": self.file, "type": self.type, "kind": self.kind, "name": self.name, "ok": self.ok,
            "said": self.said,
        }  # fmt: skip


def run(catalogue: Catalogue) -> list[ExampleResult]:
    """Runs every example of the catalogue. An example that cannot be read is one that fails."""
    out: list[ExampleResult] = []
    for file, data in catalogue.examples.items():
        for one in data if isinstance(data, list) else [data]:
            try:
                out.extend(_file(file, one, catalogue))
            except (Problem, AttributeError, KeyError, TypeError, ValueError) as error:
                named = one.get("type", "") if isinstance(one, dict) else ""
                out.append(unreadable(file, str(named), file, error))
    return out


def unreadable(file: str, type_name: str, name: str, error: Exception) -> ExampleResult:
    """The result of an example that cannot be read."""
    return ExampleResult(file, type_name, "file", name, False, say("examples.cannot_be_read", error=reason(error)))


def _file(file: str, data: Mapping[str, Any], catalogue: Catalogue) -> Iterator[ExampleResult]:
    extra = data.keys() - _KEYS
    if extra:
        raise ValueError(say("examples.unknown_keys", keys=sorted(extra), known=sorted(_KEYS)))
    of = catalogue.type(data["type"])
    for place, item in enumerate(data.get("right", ())):
        faults = _faults(of, catalogue, item)
        found = (say("examples.fault", code=one.code, path=one.path, message=one.message) for one in faults)
        yield ExampleResult(file, of.name, "right", _name(item, place), not faults, joined(found, "semicolon"))
    for place, item in enumerate(data.get("wrong", ())):
        faults = _faults(of, catalogue, item)
        met = any(one.code == item["code"] and _at(one.path, item.get("path")) for one in faults)
        got = joined((say("examples.fault_at", code=one.code, path=one.path) for one in faults), "comma")
        gave = say("examples.gave", got=got) if got else say("examples.gave_no_fault")
        yield ExampleResult(file, of.name, "wrong", _name(item, place), met, NOTHING if met else gave)
    for place, item in enumerate(data.get("lifecycle", ())):
        code, said, state = _walk(of, _acts(item))
        ends = item.get("ends") if isinstance(item, dict) else None
        ok = not code and ends in (None, state, of.core_state(state))
        said = said if said or ok else say("examples.ends_in", state=state)
        yield ExampleResult(file, of.name, "lifecycle", _name(item, place), ok, said)
    for place, item in enumerate(data.get("lifecycle_wrong", ())):
        code, said, state = _walk(of, _acts(item))
        ok = code == item["code"]
        said = NOTHING if ok else said or say("examples.all_was_allowed", state=state)
        yield ExampleResult(file, of.name, "lifecycle_wrong", _name(item, place), ok, said)


def _faults(of: Type, catalogue: Catalogue, item: Mapping[str, Any]) -> list[Fault]:
    fields = item.get("fields") or {}
    state, act = item.get("state", of.initial), item.get("act", "enter")
    before = item.get("before")
    faults = judge(of, before=before, after={**(before or {}), **fields}, state=state, supplied=fields, act=act)
    if "links" in item:
        links = {name: ids if isinstance(ids, list) else [ids] for name, ids in item["links"].items()}
        faults += _unfitting(of, catalogue, links)
        named = {name: [_ID if isinstance(one, dict) else one for one in ids] for name, ids in links.items()}
        faults += judge_links(of, before=None, after=named, state=state, act=act)
    return faults


def _unfitting(of: Type, catalogue: Catalogue, links: Mapping[str, list[Any]]) -> Iterator[Fault]:
    """The targets that are told and are not what their link takes."""
    for name, targets in links.items():
        link = of.links.get(name)
        if link is None or link.shape is None:
            continue
        for one in targets:
            if isinstance(one, dict):
                told = catalogue.type(one.get("type", link.to[0]))
                if not fits(link.shape, told, one, told.core_state(one.get(STATE, told.initial))):
                    yield Fault(link.shape.code, f"links.{name}", link.shape.message or link.shape.said())


def _at(path: str, wanted: str | None) -> bool:
    return wanted is None or path in (wanted, f"fields.{wanted}", f"links.{wanted}")


def _name(item: Any, place: int) -> str:
    if isinstance(item, dict):
        return str(item.get("name") or ", ".join(item.get("acts", ())) or place + 1)
    return ", ".join(map(str, item))


def _acts(item: Any) -> list[str]:
    return list(item["acts"] if isinstance(item, dict) else item)


def _walk(of: Type, acts: list[str]) -> tuple[str, Text, str]:
    """(code of the refusal or "", what it said, the last state). `enter` may be left out; it is only ever first."""
    state = of.initial
    for place, act in enumerate(acts):
        if act == "enter" and place == 0:
            continue
        try:
            state = step(of, act, state)
        except Problem as problem:
            return problem.code, joined((problem.detail, problem.fix), "semicolon"), state
    return "", NOTHING, state
