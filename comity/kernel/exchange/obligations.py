"""Obligations: what is open on a record, what a package still lacks, who owes it and since when.

Which types are obligations and how they hang on a record is declared (types/obligation). One that a submitting act
entered closes by itself once the package of that very act lacks it no more; others are met by the acts of their type.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row

from comity.errors import Problem
from comity.extensions import Missing
from comity.kernel.exchange import packages
from comity.kernel.records import links
from comity.kernel.records.act import propose_act
from comity.kernel.records.enter import proposal
from comity.kernel.records.open_obligations import OPEN, OWING, kinds, say_owing, subjects_owing
from comity.kernel.records.validate import validate
from comity.kernel.records.write import write
from comity.kernel.types.catalogue import Act, Type
from comity.kernel.types.obligation import Obligation
from comity.kernel.work.follower import Follower
from comity.kernel.work.node import Node, Work, system
from comity.kernel.work.results import Draft, Receipt
from comity.kernel.work.subject import Subject, find_subject


def record(work: Work, act: Act, subject: Subject, missing: Sequence[Missing], to: str) -> list[str]:
    """Enter an obligation for each blocking lack of an act's package that has none open yet; the ids of all open ones.

    They are entered by the agency's system actor: nobody typed them, so they count neither as typed nor as retyped.
    """
    of = work.catalogue.type(str(act.owes))
    rule = of.obligation
    if rule is None:
        return []
    open_now = {one.key: one.id for one in _open(work, subject) if (one.type, one.act) == (of.name, act.name)}
    changes, ids = [], []
    doer = work.as_system()
    for one in missing:
        if one.severity != "error":
            continue
        held = open_now.get(_key(rule, one.code, one.about))
        if held:
            ids.append(str(held))
            continue
        draft = _draft(of, rule, act, subject, one, to)
        known = links.targets(doer, [(of, draft.links)])
        if rule.about and one.about not in known.records:
            seen = find_subject(work, one.about)
            known = links.Targets({**known.records, one.about: seen}, known.members)
        changes.append(validate(doer, replace(proposal(doer, draft), targets=known)))
        ids.append(str(changes[-1].entry.record))
    if changes:
        write(doer, changes)
    return ids


def _draft(of: Type, rule: Obligation, act: Act, subject: Subject, lack: Missing, to: str) -> Draft:
    """A lack as a record of the type: its members in the fields of their names, and what the obligation declares."""
    fields = {**asdict(lack), "since": lack.since.isoformat(), "message": str(lack.message), "fix": str(lack.fix)}
    fields |= {rule.owed_by: lack.owed_by, rule.owed_to: to, rule.act: act.name}
    pointed = {rule.on: [str(subject.id)], rule.about: [lack.about]}
    return Draft(
        of.name, {k: v for k, v in fields.items() if v and k in of.fields},
        {k: v for k, v in pointed.items() if k in of.links},
    )  # fmt: skip


def _key(rule: Obligation, lack: str, about: str | None) -> tuple[str, str]:
    """By what two lacks of one package are told apart, as far as the type keeps it."""
    return lack if rule.code else "", str(about or "") if rule.about else ""


class _Owed:
    """An open obligation on a record: the lack that it is, the submitting act that it came from, who asks for it."""

    def __init__(self, of: Type, acts: Sequence[Act], row: dict[str, Any]) -> None:
        rule = of.obligation
        assert rule is not None
        fields = row["fields"]
        self.id: UUID = row["id"]
        self.type, self.declared = of.name, rule
        self.key = _key(rule, fields.get(rule.code, ""), row["about"])
        self.to: str = fields.get(rule.owed_to, "")
        named = fields.get(rule.act) if rule.act else None
        owed = [one for one in acts if one.package and one.owes == of.name]
        # one that was entered before acts were named came from the first act that owes such
        self.rule = next((one for one in owed if named in (None, one.name)), None)

    @property
    def act(self) -> str:
        return self.rule.name if self.rule else ""


def _open(work: Work, subject: Subject) -> list[_Owed]:
    rows = work.conn.cursor(row_factory=dict_row).execute(
        f"""select r.id, k.type, r.fields, (select a.target::text from comity.link a
                    where a.record = r.id and a.name = k.about limit 1) as about
            {OPEN} where l.target = %(target)s order by r.entered_at, r.id""",
        {"kinds": kinds(work.catalogue), "target": subject.id},
    )
    acts = list(work.type_of(subject.agency, subject.type_name, subject.core_type).acts.values())
    return [_Owed(work.catalogue.type(row["type"]), acts, row) for row in rows]


def close_met(node: Node, agency: str) -> list[Receipt]:
    """Close every open obligation of an agency whose lack is gone. Called by the follower after entries of any agency.

    It judges with the rights of the agency itself, as the submitting act did: what the agency may see, counts.
    """
    done: list[Receipt] = []
    with node.work(system(agency)) as work:
        say_owing(work)
        for target in subjects_owing(work):
            done += _close(work, target)
    return done


def _close(work: Work, target: UUID) -> list[Receipt]:
    subject = find_subject(work, target)
    held = _open(work, subject)
    out: list[Receipt] = []
    for (_, to), rule in {(one.act, one.to): one.rule for one in held if one.rule and one.to}.items():
        lacks = _lacks(work, rule, subject, to)
        if lacks is None:
            continue
        for one in held:
            if one.rule is rule and one.to == to and one.key not in {_key(one.declared, *lack) for lack in lacks}:
                out += _met(work, one)
    return out


def _lacks(work: Work, rule: Act, subject: Subject, to: str) -> set[tuple[str, str]] | None:
    """What the package of an act lacks for an agency; None where it cannot be judged now."""
    try:
        return {(one.code, one.about) for one in packages.build(work, rule, subject, to).missing}
    except Problem:
        return None


def _met(work: Work, one: _Owed) -> Iterator[Receipt]:
    held = find_subject(work, one.id)
    of = work.type_of(held.agency, held.type_name, held.core_type)
    if of.obligation is not None and of.obligation.met_by:
        yield from write(work, [validate(work, propose_act(of, held, of.obligation.met_by))])


FOLLOWER = Follower(
    "obligations", "effect", lambda node, agency: len(close_met(node, agency)), of_any=True,
    pending=f"""exists (select from comity.agency a where a.id = comity.me()
             and (a.owing is null or exists (select {OWING.format(kinds="a.owing")})))""",
)  # fmt: skip
"""Pending while an obligation is open, which any entry may meet, or while it is not known yet what is one."""
