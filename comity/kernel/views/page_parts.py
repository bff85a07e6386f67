"""The parts of a record's page that are read off its view: fields, links, the offer, what is owed, what is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from comity.kernel.records.readiness import Lack
from comity.kernel.types.lifecycle import answers
from comity.kernel.views.read import Look
from comity.kernel.views.wording import Line, Parts, Value, Wording, kind_of
from comity.kernel.work.node import Work
from comity.kernel.work.results import LinkedRecord, View
from comity.kernel.work.subject import subjects
from comity.kernel.work.visibility import readable_fields
from comity.sentences import Given


@dataclass(frozen=True, slots=True)
class MarkShown:
    """A handling mark with its title and its legal basis."""

    name: str
    label: str
    basis: str
    text: str

    @classmethod
    def of(cls, said: Wording, name: str) -> MarkShown:
        known = said.catalogue.marks.get(name)
        basis, text = known.basis if known else "", said.say("marked", mark=said.mark(name))
        return cls(name, said.mark(name), basis, f"{text} · {said.locale.given(basis)}" if basis else text)

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "label": self.label, "basis": self.basis, "text": self.text}


@dataclass(frozen=True, slots=True)
class SentRecord:
    """A line of an offer's manifest: a record at a version, how it was sent and on which ground."""

    record: str
    label: str
    version: int
    agency: str
    decision: str
    ground: str
    version_text: str

    @property
    def texts(self) -> tuple[str, ...]:
        said = (self.version_text, self.agency, self.decision, self.ground)
        return tuple(part for part in said if part)

    def as_json(self) -> dict[str, Any]:
        return {
            "record": self.record, "label": self.label, "version": self.version, "agency": self.agency,
            "decision": self.decision, "ground": self.ground, "texts": list(self.texts),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class OfferShown:
    """Where an offer stands, in one sentence; what was answered; what was sent with it."""

    state: str
    state_label: str
    text: str
    answer: tuple[Line, ...] = ()
    manifest: tuple[SentRecord, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "state": self.state, "state_label": self.state_label, "text": self.text,
            "answer": [one.as_json() for one in self.answer], "manifest": [one.as_json() for one in self.manifest],
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Owed:
    """Something that is open on the record: the obligation, what it says, who owes it and since when."""

    id: str
    number: str | None
    text: str
    lack: Lack

    def as_json(self) -> dict[str, Any]:
        since = self.lack.since
        return {
            "heading": "owed", "id": self.id, "label": self.number or self.id, "texts": [self.text],
            "message": self.lack.message,
            "owed_by": self.lack.owed_by,
            "since": since.isoformat() if since else None,
        }  # fmt: skip


def agencies_of(seen: Look) -> set[str]:
    """The agencies of which the page of a record speaks."""
    view, offer = seen.view, seen.view.offer or {}
    named = {view.agency, view.on_behalf, offer.get("from"), offer.get("to"), offer.get("reported_by"), *view.seen_by}
    named |= {name for one in (*view.linked, *view.linked_from) for name in (one.agency, one.on_behalf)}
    named |= {one["agency"] for one in offer.get("manifest") or ()}
    for name, value in {**view.fields, **(offer.get("answer") or {})}.items():
        one = seen.of.fields.get(name)
        if one is not None and kind_of(one) == "agency":
            named.update(value if isinstance(value, list) else [value])
    for held in view.linked_from:
        named.add(held.agency)
    return {name for name in named if name}


def notices_of(view: View, said: Wording) -> tuple[str, ...]:
    """What must be known before anything else is read: that it has changed since, that it was entered in error."""
    out = []
    if sent := view.as_sent:
        whose = said.whose(view.agency, view.on_behalf)
        out.append(said.say("as_sent", version=sent["version"], at=said.when(sent["at"]), agency=whose))
    if view.in_error:
        numbers = ", ".join(one.number or one.id for one in view.replaced_by)
        out.append(said.say("in_error_see", numbers=numbers) if numbers else said.say("in_error"))
    return tuple(out)


def field_lines(seen: Look, parts: Parts, *, apart: str) -> tuple[tuple[Line, ...], tuple[Line, ...]]:
    """(featured, the others) of the fields that have a value, in the type's order; a masked one with its ground. The
    field `apart` stands elsewhere."""
    view, of = seen.view, parts.theirs
    masked = {one["field"]: one for one in view.masked if one.get("field")}
    named = [name for name in of.fields if name in view.fields or name in masked]
    named += [name for name in (*view.fields, *masked) if name not in named]
    named = [name for name in named if name != apart]
    made = {
        name: Line(name, parts.label(name), masked=parts.ground(masked[name]))
        if name in masked
        else parts.line(name, view.fields[name])
        for name in named
    }
    featured = [name for name in dict.fromkeys((*of.caption, *of.featured)) if name in made]
    return tuple(made[name] for name in featured), tuple(made[name] for name in named if name not in featured)


def links_out(view: View, parts: Parts) -> tuple[Line, ...]:
    """What the record points at, a line for each link; those that the type features first."""
    by_name: dict[str, list[Value]] = {}
    for one in view.linked:
        by_name.setdefault(one.name, []).append(parts.wording.linked(one))
    first = [name for name in parts.theirs.featured if name in by_name]
    return tuple(
        parts.wording.line(name, parts.label(name), by_name[name]) for name in dict.fromkeys((*first, *by_name))
    )


def links_in(view: View, said: Wording) -> tuple[Line, ...]:
    """What points at the record and is not pointed at by it, a line for each type of record."""
    out = {one.id for one in view.linked}
    by_type: dict[str, list[LinkedRecord]] = {}
    for one in {one.id: one for one in view.linked_from}.values():
        if one.id not in out:
            by_type.setdefault(one.type, []).append(one)
    return tuple(
        said.line(
            type, said.type_label(type),
            [said.linked(one, with_type=False) for one in sorted(held, key=lambda one: one.number or "")],
        )
        for type, held in sorted(by_type.items())
    )  # fmt: skip


def offer_shown(view: View, parts: Parts) -> OfferShown | None:
    offer, said = view.offer, parts.wording
    if not offer:
        return None
    state = _offer_state(parts, offer["state"])
    text = parts.say(
        "offered_on", offerer=said.whose(offer["from"], view.on_behalf), receiver=said.agency(offer["to"]),
        at=said.when(offer["offered_at"]), state=state,
    )  # fmt: skip
    if offer.get("answered_at"):
        text += parts.say("answered_on", at=said.when(offer["answered_at"]))
        if offer.get("reported_by"):
            text += f", {said.whose(offer['reported_by'], offer['to'])}"
        text += parts.say("silent") if offer.get("silent_since") else ""
    else:
        text += parts.say("seen_on", at=said.when(offer["seen_at"])) if offer.get("seen_at") else parts.say("not_seen")
        text += parts.say("expires_on", at=said.when(offer["expires_at"])) if offer.get("expires_at") else ""
    answer = tuple(_answered(parts, name, value) for name, value in (offer.get("answer") or {}).items())
    return OfferShown(offer["state"], state, text, answer, tuple(_manifest(view, offer, said)))


def _offer_state(parts: Parts, name: str) -> str:
    """What an offer's state is called: that it is open, the answer by its label, or how it ended."""
    found = answers(parts.theirs.offer).get(name)
    if found is not None and found.label:
        return found.label
    return parts.wording.word(f"state_{name}") or (parts.state(found.to) if found is not None else parts.state(name))


def _answered(parts: Parts, name: str, value: Any) -> Line:
    if parts.field(name) is None and (label := parts.wording.word(name)):
        return parts.wording.line(name, label, [Value("text", parts.wording.locale.given(str(value)), value)])
    return parts.line(name, value)


def _manifest(view: View, offer: Mapping[str, Any], said: Wording) -> Iterator[SentRecord]:
    known = {one.id: f"{one.number or ''} {one.title}".strip() for one in view.linked}
    known[view.id] = view.number or view.id
    for one in offer.get("manifest") or ():
        decision = said.word(f"sent_{one['decision']}") or one["decision"]
        label = said.locale.given(known.get(one["record"]) or one["record"] or "") or said.say("unseen_record")
        yield SentRecord(
            one["record"] or "", label, one["version"], said.agency(one["agency"]), decision,
            said.locale.given(one["ground"] or ""), said.say("version", version=one["version"]),
        )  # fmt: skip


def other_lines(view: View, said: Wording) -> Iterator[Line]:
    """What is known of the record beside it: claims of identity, collisions with others' work, who else sees it."""
    kinds = [of for of in said.catalogue.types.values() if of.ties]
    for claim in view.claims:
        of = next((one for one in kinds if set(claim["fields"]) <= set(one.fields)), None)
        yield _claim(claim, Parts(said, of, of) if of else None, said)
    for pointer in view.pointers:
        key = f"pointer_{pointer.get('about') or 'target'}"
        call = pointer.get("call") or {}
        who = " ".join(str(call[name]) for name in ("name", "phone") if name in call)
        text = said.say("call", agency=pointer.get("title") or pointer["agency"], who=who)
        yield Line("pointer", said.word(key) or said.say("pointer_identity"), (Value("text", text, pointer["agency"]),))
    if view.seen_by:
        values = [Value("agency", said.agency(one), one) for one in view.seen_by]
        yield said.line("seen_by", said.say("seen_by"), values)


def _claim(claim: Mapping[str, Any], parts: Parts | None, said: Wording) -> Line:
    """A claim that the record is, or is not, the same as another: with what its type features."""
    fields, told, state = claim["fields"], [], claim["state"]
    if parts is not None:
        state = parts.state(state)
        held = [name for name in parts.theirs.featured if name in fields]
        told = [text for name in held for text in parts.line(name, fields[name]).texts]
    text = said.say(
        "claim", other=claim["other_number"] or claim["other"] or said.say("unseen_record"), said="; ".join(told),
        number=claim["number"], author=said.agency(claim["author"]), state=state,
    )  # fmt: skip
    label = said.say("not_same_as" if claim["apart"] else "same_as")
    return Line("claim", label, (Value("text", text, claim["claim"]),))


def open_obligations(work: Work, seen: Look, parts: Parts) -> tuple[Owed, ...]:
    """What is open on the record and the reader sees, by what the definitions declare to be obligations."""
    kinds = {of.core_name: of.obligation for of in parts.wording.catalogue.types.values() if of.obligation}
    ids = [
        one.id for one in seen.view.linked_from
        if one.type in kinds and one.name == kinds[one.type].on and one.state in kinds[one.type].open
    ]  # fmt: skip
    out = []
    for one in subjects(work, ids).values():
        rule = kinds[one.core_type]
        fields, _ = readable_fields(work, work.type_of(one.agency, one.type_name, one.core_type), one)
        told = ": ".join(str(fields[name]) for name in rule.says if fields.get(name)) or one.title
        since = fields.get(rule.since) if rule.since else None
        owed_by = str(fields.get(rule.owed_by, ""))
        day = date.fromisoformat(since[:10]) if isinstance(since, str) else None
        message = parts.wording.locale.given(told)
        lack = Lack("not_ready", Given(told), owed_by=owed_by, since=day)
        who = parts.wording.agency(owed_by)
        owing = (
            parts.say("owed_by_since", agency=who, since=lack.since) if lack.since else parts.say("owed_by", agency=who)
        )
        out.append(Owed(str(one.id), one.folded.number, f"{message} ({owing})" if owed_by else message, lack))
    return tuple(out)


def sentences(notes: Sequence[str]) -> str:
    return "; ".join(notes)
