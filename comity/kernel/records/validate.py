"""The one judgement of a proposal: the change that it makes, or a refusal with every fault of it. It writes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from comity.errors import Fault, Problem
from comity.kernel.duties import enforced_on_act, lateness
from comity.kernel.ledger import items
from comity.kernel.records import guards, links, mark_propagation, offers, overrides
from comity.kernel.records.proposal import Proposal
from comity.kernel.types import lifecycle, shape
from comity.kernel.types.catalogue import Act, Answer, Type
from comity.kernel.types.definition import nearest
from comity.kernel.types.language import called, called_in, with_name
from comity.kernel.work.change import Change, Step, about_anothers, changed, occurred_at
from comity.kernel.work.node import Work
from comity.kernel.work.results import as_uuid
from comity.kernel.work.subject import allow
from comity.sentences import Text, listed, say


def validate(work: Work, asked: Proposal) -> Change:
    """Judge a proposal. The order: may this actor; is it this act's turn; what is written; its conditions; its time.

    Raises Problem: not_allowed, act_forbidden, act_unknown, act_out_of_turn, same_member, late_cause_needed,
    offer_not_agreed, agency_unknown, and invalid with every fault at once.
    """
    asked.refuse_unspellable()
    of = asked.of
    known = links.targets(work, [(of, asked.links)]) if asked.targets is None else asked.targets
    draft = _draft(work, asked, known)
    allow(work, asked.action, asked.resource(draft.marks), act=asked.rule.name)
    state = _state_to(asked)
    if asked.rule.not_by:
        guards.refuse_same_member(work, of, asked.subject.id, asked.rule)
    happened, faults = _happened(work, asked, draft)
    change = _change(work, asked, draft, Step(asked.kind, asked.rule.name, state, happened))
    faults += _content_faults(work, asked, draft, change, known)
    if not faults and not asked.batch.together:
        faults = _unmet(work, asked, change)
    if faults:
        raise refused(asked, faults)
    if asked.action == "amend" and not draft.items:
        raise Problem("invalid", say("invalid.nothing_would_change"))
    if lateness.judges(work.catalogue, of.core_name, of.effective_field or ""):
        change = lateness.timed(work, change, known.records, owner=asked.subject.agency)
    return offers.offered(work, change, known, asked.manifest) if asked.new and of.offer else change


def _unmet(work: Work, asked: Proposal, change: Change) -> list[Fault]:
    """What the conditions of the act refuse, where any stand on it: its own, law enforced on it, a link's shape."""
    enforced = enforced_on_act.enforced(work.catalogue, asked.rule.name, asked.subject.core_type)
    stand = asked.rule.guards or enforced or (asked.links and guards.shaped(asked))
    return guards.faults(work, asked, change) if stand else []


def _state_to(asked: Proposal) -> str:
    """Where the record comes to. What ends an offer ends it wherever its record stands."""
    of, rule = asked.of, asked.rule
    if asked.new:
        return of.initial
    if isinstance(rule, Answer):
        return lifecycle.target(of.states, rule.to, asked.before.state)
    return lifecycle.step(of, rule.name, asked.before.state)


def refused(asked: Proposal, faults: Sequence[Fault]) -> Problem:
    """The refusal of a proposal, with its faults."""
    rule = asked.rule
    if asked.kind == "answer":
        said = say("invalid.answer_is_refused", name=called(rule))
    elif asked.kind == "act":
        said = say("invalid.is_refused", label=called(rule))
    else:
        said = say("invalid.is_not_valid", title=called(asked.of))
    return Problem("invalid", said, faults=faults)


@dataclass(frozen=True, slots=True)
class _Draft:
    """What a proposal would put into its entry.

    `items` without the words; `fields` the field map afterwards; `supplied` the fields that it gives or changes;
    `marks` those that the record would have to be decided under.
    """

    items: Mapping[str, Any]
    fields: Mapping[str, Any]
    supplied: frozenset[str]
    marks: frozenset[str]


def _draft(work: Work, asked: Proposal, known: links.Targets) -> _Draft:
    """The items of a proposal: only what differs from what is there."""
    before = asked.before
    if asked.kind == "answer":
        given = asked.given
        return _Draft(items.answer_fields(given), {**before.fields, **given}, frozenset(given), frozenset(before.marks))
    filled = asked.new and asked.links
    taken = links.taken_over(work, asked.of, asked.given, asked.links, known) if filled else {}
    wanted = {**asked.fields, **{name: value for name, (value, _) in taken.items()}}
    content, fields = _field_items(before.fields, wanted)
    supplied = frozenset(items.parse(path).name for path in content)
    content |= items.take_over({name: source for name, (_, source) in taken.items()})
    content |= items.add_links(_missing(before.links, asked.links)) | items.remove_links(_held(before, asked.unlink))
    marks = _marks(work, asked, known)
    content |= items.put_marks(sorted(marks)) | items.mark_fields(asked.field_marks)
    if isinstance(asked.rule, Act):
        content |= items.lift_marks(sorted(asked.rule.lifts & set(before.marks)))
    return _Draft(content, fields, supplied - taken.keys(), frozenset(before.marks) | marks)


def _field_items(before: Mapping[str, Any], wanted: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(items, fields afterwards) of the fields that really change. None unsets."""
    gone = [name for name, value in wanted.items() if value is None and name in before]
    new = {
        name: value
        for name, value in wanted.items()
        if value is not None and (name not in before or before[name] != value or type(before[name]) is not type(value))
    }
    after = {name: value for name, value in {**before, **new}.items() if name not in gone}
    return items.set_fields(new) | items.unset_fields(gone), after


def _missing(before: items.Links, wanted: items.Links) -> dict[str, list[str]]:
    return {name: [one for one in ids if one not in before.get(name, ())] for name, ids in wanted.items()}


def _held(before: Any, wanted: items.Links) -> dict[str, list[str]]:
    return {name: [one for one in ids if one in before.links.get(name, ())] for name, ids in wanted.items()}


def _marks(work: Work, asked: Proposal, known: links.Targets) -> set[str]:
    """The marks that the entry puts on: those asked for, and those that its new links bring."""
    held, wanted = asked.before.marks, set(asked.marks)
    brought = links.inherited(asked.of, asked.links, known) if asked.links else set()
    if asked.new:
        return wanted | brought | asked.of.handling | asked.batch.marks
    if wanted & set(held):  # one that the record only inherited may be put on it for itself
        wanted -= mark_propagation.of_its_own(work, asked.subject.id, held)
    return wanted | brought - set(held)


def _happened(work: Work, asked: Proposal, draft: _Draft) -> tuple[datetime | None, list[Fault]]:
    """When it happened. A correction takes the effective time of the entry that it names."""
    if not asked.words.corrects:
        return occurred_at(work, asked.of, draft.fields if asked.new else {}, asked.occurred_at)
    row = work.conn.execute(
        "select occurred_at from comity.entry where id = %s and record = %s and agency = %s",
        (as_uuid(asked.words.corrects), asked.subject.id, asked.subject.agency),
    ).fetchone()
    if row is None:
        said = say("corrects_unknown.this_record_has_no_such")
        return None, [Fault("corrects_unknown", "corrects", said, say("corrects_unknown.take_it_from_its_history.fix"))]
    return row[0], []


def _change(work: Work, asked: Proposal, draft: _Draft, done: Step) -> Change:
    """The change as it would be written, before it is judged."""
    words = asked.words
    content = {
        **draft.items,
        **items.say(
            reason=words.reason, cause=words.late_cause, authority=words.authority, corrects=words.corrects
        ),
        **items.override(words.override),
    }  # fmt: skip
    if asked.offer is not None:
        done = replace(done, refers=asked.offer["offer_entry"], state_from=asked.offer["state"])
        if asked.offer["from_agency"] != work.agency:
            return about_anothers(work, asked.of, asked.before, asked.subject.id, done, content)
        done = replace(done, state_from=None)
    if asked.cause is not None:
        done = replace(done, refers=asked.cause)
    return changed(work, asked.of, asked.before, asked.subject.id, done, content)


def _content_faults(
    work: Work, asked: Proposal, draft: _Draft, change: Change, known: links.Targets
) -> list[Fault]:  # fmt: skip
    """All that is wrong with what is given: settable, fixed, shape, links, marks, needs."""
    of, before, state = asked.of, asked.before, change.entry.state_to
    found = _settable(asked) + _unknown(asked) + ([] if asked.new else fixed(of, draft.items))
    shaped = shape.judge(of, before=None if asked.new else before.fields, after=draft.fields,
        state=before.state if asked.answering else state, supplied=draft.supplied, act=asked.rule.name,
    )  # fmt: skip
    found += [one for one in shaped if not _offerers(asked, one)]
    if asked.links:
        found += links.faults(of, asked.links, known, types=work.catalogue.types, own=asked.batch.own)
    if not asked.answering:
        after = {name: ids for name, ids in change.after.links.items() if name in of.links}
        held = None if asked.new else before.links
        found += shape.judge_links(of, before=held, after=after, state=state, act=asked.rule.name)
    if asked.new and of.offer:
        found += offers.counterparty_faults(work, of, draft.fields)
    found += mark_faults(work, draft.marks if asked.new else frozenset(asked.marks), asked)
    return found + needs(asked, draft) + (overrides.faults(work, asked) if asked.words.override else [])


def _offerers(asked: Proposal, one: Fault) -> bool:
    """Whether what lacks was the offerer's to give: its state asked for it before anybody answered. What an answer must
    give, it `needs`. Of an offer from another node, the owner judges what was not shown here."""
    name = one.path.partition(".")[2]
    return asked.answering and one.code == "required" and not shape.is_there(asked.before.fields.get(name))


def _settable(asked: Proposal) -> list[Fault]:
    """An act or answer sets what its rule names, and nothing else; entering and amending set what the type has."""
    rule = asked.rule
    if asked.kind not in ("act", "answer"):
        return []
    of = asked.of
    fields = [one for one in asked.fields if one not in rule.sets and one in of.fields]
    links = [  # an answer says fields: the record's links are its owner's
        one for one in asked.links if (one not in rule.sets or asked.answering) and one in of.links
    ]
    if not fields and not links:
        return []
    sets = with_name({**of.links, **of.fields}, rule.sets)
    fix = say("not_set_by_act.it_sets.fix", sets=sets) if sets else say("not_set_by_act.it_sets_nothing.fix")
    act = called(rule)
    told = [
        (f"fields.{one}", say("not_set_by_act.does_not_set", name=act, one=called(of.fields[one]))) for one in fields
    ]
    told += [
        (f"links.{one}", say("not_set_by_act.does_not_set_link", name=act, one=called(of.links[one]))) for one in links
    ]
    return [Fault("not_set_by_act", path, said, fix) for path, said in told]


def _unknown(asked: Proposal) -> list[Fault]:
    """What is unset or unlinked and the type has not, or is linked and unlinked at once; the rest is the shape's."""
    of = asked.of
    return (
        [
            Fault(
                "unknown_field",
                f"fields.{name}",
                say("unknown_field.has_no_field", title=called(of), name=name),
                nearest(name, of.fields),
            )
            for name, value in asked.fields.items()
            if value is None and name not in of.fields
        ]
        + [
            Fault(
                "unknown_link",
                f"unlink.{name}",
                say("unknown_link.has_no_link", title=called(of), name=name),
                nearest(name, of.links),
            )
            for name in asked.unlink
            if name not in of.links
        ]
        + [
            Fault(
                "link_both_ways",
                f"unlink.{name}",
                say("link_both_ways.is_to_be_added_and", name=called_in(of.links, name)),
            )
            for name, ids in asked.unlink.items()
            if set(ids) & set(asked.links.get(name, ()))
        ]
    )


def fixed(of: Type, content: Mapping[str, Any]) -> list[Fault]:
    """What would change that is set once: a field or link that the type says is `fixed`."""
    found: dict[str, Fault] = {}
    for item, _ in items.parsed(content):
        link = item.kind in items.OF_A_LINK
        part = of.links.get(item.name) if link else of.fields.get(item.name)
        if (link or item.kind in (items.SET, items.UNSET)) and part is not None and part.fixed:
            path = f"{'links' if link else 'fields'}.{item.name}"
            said = say("fixed.is_set_on_entering_and", name=called(part))
            found[item.name] = Fault("fixed", path, said, say("fixed.take_record_back_and_enter.fix"))
    return list(found.values())


def needs(asked: Proposal, draft: _Draft) -> list[Fault]:
    """What the act needs and was not given: a reason, a field, a link. A correction needs a reason.

    What is null, blank or empty was not given; what the record has already counts for an act that sets nothing.
    """
    given: Mapping[str, Any] = draft.fields if asked.new else asked.fields
    if asked.action == "amend":
        given = {name: draft.fields.get(name) for name in draft.supplied}
    elif asked.kind == "act" and not asked.rule.sets:
        given = {**asked.before.fields, **asked.fields}
    reason = shape.is_there(asked.words.reason)
    wanted = dict.fromkeys((*asked.rule.needs, *(overrides.NEEDS if asked.words.override else ())))
    out = []
    for name in wanted:
        there = reason if name == "reason" else shape.is_there(given.get(name)) or bool(asked.links.get(name))
        if not there:
            path = name if name == "reason" else f"{'links' if name in asked.of.links else 'fields'}.{name}"
            out.append(Fault("needs", path, _needed(asked.of, name)))
    if asked.words.corrects and not reason and not any(one.path == "reason" for one in out):
        out.append(Fault("needs", "reason", say("needs.correction_says_why")))
    return out


def _needed(of: Type, name: str) -> Text:
    if name == "reason":
        return say("needs.this_act_needs_reason")
    return say("needs.this_act_needs", label=called_in({**of.links, **of.fields}, name), name=name)


def mark_faults(work: Work, marks: frozenset[str], asked: Proposal) -> list[Fault]:
    """Marks that nobody declared, and marked fields that the type has not."""
    unknown = (marks | {m for given in asked.field_marks.values() for m in given}) - set(work.catalogue.marks)
    if not unknown and not asked.field_marks:
        return []
    known = listed(sorted(work.catalogue.marks))
    return [
        Fault("mark_unknown", "marks", say("mark_unknown.no_handling_mark", one=one, known=known))
        for one in sorted(unknown)
    ] + [
        Fault(
            "unknown_field",
            f"field_marks.{name}",
            say("unknown_field.has_no_field", title=called(asked.of), name=name),
        )
        for name in asked.field_marks
        if name not in asked.of.fields
    ]
