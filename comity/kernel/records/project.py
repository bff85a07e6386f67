"""Record rows and what hangs on them, as entries make them. The one place that writes them (a test holds that)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from psycopg.types.json import Jsonb

from comity.kernel.ledger.fold import Folded
from comity.kernel.types.catalogue import Type

if TYPE_CHECKING:
    from comity.kernel.records.change import Change
    from comity.kernel.records.node import Conn, Work

TERM_LENGTH = 200

_UPSERT = """
insert into comity.record (id, agency, type, core_type, number, title, state, core_state, version, type_version,
    fields, links, files, field_marks, marks, assigned, parties, entered_by, entered_at, changed_at)
values (%(id)s, %(agency)s, %(type)s, %(core_type)s, %(number)s, %(title)s, %(state)s, %(core_state)s, %(version)s,
    %(type_version)s, %(fields)s, %(links)s, %(files)s, %(field_marks)s, %(marks)s, %(assigned)s, %(parties)s,
    %(entered_by)s, %(at)s, %(at)s)
on conflict (id) do update set number = excluded.number, title = excluded.title, state = excluded.state,
    core_state = excluded.core_state, version = excluded.version, type_version = excluded.type_version,
    fields = excluded.fields, links = excluded.links, files = excluded.files, field_marks = excluded.field_marks,
    marks = excluded.marks, assigned = excluded.assigned, parties = excluded.parties, changed_at = excluded.changed_at
"""


def records(conn: Conn, changes: Sequence[Change]) -> None:
    """Write the rows, links and search terms of changed records of the own agency, in the caller's transaction."""
    if not changes:
        return
    rows, links, terms, old = [], [], [], []
    for one in changes:
        after, of, entry = one.after, one.type, one.entry
        rows.append({"id": entry.record, "agency": entry.agency, "at": entry.entered_at, **row_of(of, after)})
        if one.before.version:
            old.append(entry.record)
        links += [
            (entry.record, name, UUID(target), entry.agency, of.name)
            for name, ids in after.links.items()
            for target in ids
        ]
        terms += [(entry.record, entry.agency, of.name, *term) for term in terms_of(of, after)]
    with conn.cursor() as cur:
        cur.executemany(_UPSERT, rows) if len(rows) > 1 else cur.execute(_UPSERT, rows[0])
        if old:
            cur.execute("delete from comity.link where record = any(%s)", (old,))
            cur.execute("delete from comity.term where record = any(%s)", (old,))
        if links:
            cur.execute(
                """insert into comity.link (record, name, target, agency, type)
                   select * from unnest(%s::uuid[], %s::text[], %s::uuid[], %s::text[], %s::text[])""",
                [list(column) for column in zip(*links, strict=True)],
            )
        if terms:
            cur.execute(
                """insert into comity.term (record, agency, type, field, grp, token, whole)
                   select * from unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[],
                                        %s::boolean[]) on conflict do nothing""",
                [list(column) for column in zip(*terms, strict=True)],
            )


def row_of(of: Type, after: Folded) -> dict[str, Any]:
    """The columns that policies and lists read, from the folded record and its type; nothing else decides them."""
    return {
        "type": of.name,
        "core_type": of.core_name,
        "number": after.number,
        "title": title_of(of, after),
        "state": after.state,
        "core_state": of.core_state(after.state),
        "version": after.version,
        "type_version": after.type_version,
        "fields": Jsonb(dict(after.fields)),
        "links": Jsonb({name: list(ids) for name, ids in after.links.items()}),
        "files": Jsonb(dict(after.files)),
        "field_marks": Jsonb(dict(after.field_marks)),
        "marks": list(after.marks),
        "assigned": [
            target for name, link in of.links.items() if link.to == ("member",) for target in after.links.get(name, ())
        ],
        "parties": parties_of(of, after),
        "entered_by": after.entered_by,
    }


def parties_of(of: Type, after: Folded) -> list[str]:
    """The agencies that a record names as parties, in fields of one or of many."""
    held = [after.fields[name] for name in of.party_fields if after.fields.get(name)]
    return sorted({one for value in held for one in (value if isinstance(value, list) else [value])})


def title_of(of: Type, after: Folded) -> str:
    """What lists show beside the number: the title field, if everyone who sees the record may read it."""
    one = of.fields.get(of.title_field or "")
    if one is None or one.group != "base" or one.name in after.field_marks:
        return ""
    return str(after.fields.get(one.name, ""))[:TERM_LENGTH]


def terms_of(of: Type, after: Folded) -> Iterable[tuple[str, str, str, bool]]:
    """(field, group, token, whole) of what may be searched: each findable field whole, and its words."""
    for name in of.find_fields:
        if name in after.field_marks or name not in after.fields:
            continue
        group = of.fields[name].group
        value = after.fields[name]
        for text in value if isinstance(value, list) else [value]:
            whole = normalise(str(text))[:TERM_LENGTH]
            yield name, group, whole, True
            for word in words(whole):
                yield name, group, word, False
    if after.number:
        yield "number", "base", normalise(after.number), True
        yield "number", "base", normalise(after.number), False


def normalise(text: str) -> str:
    """One spelling for search and comparison: NFKC, case folded, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def words(text: str) -> set[str]:
    """The words of a normalised text: runs of letters, marks and digits, in any script."""
    out, run = set(), []
    for char in text + " ":
        if char.isalnum() or unicodedata.category(char)[0] == "M":
            run.append(char)
        elif run:
            out.add("".join(run))
            run = []
    return out


def offers(conn: Conn, changes: Sequence[Change]) -> None:
    """The offer rows and shares that new two-sided records bring."""
    made = [one.offer for one in changes if one.offer]
    shares = [share for one in changes for share in one.shares]
    with conn.cursor() as cur:
        if made:
            cur.executemany(
                """insert into comity.offer (id, from_agency, to_agency, type, label, state, offered_at, expires_at,
                       offer_entry)
                   values (%(id)s, %(from_agency)s, %(to_agency)s, %(type)s, %(label)s, 'offered', %(offered_at)s,
                       %(expires_at)s, %(offer_entry)s)""",
                made,
            )
        if shares:
            cur.executemany(
                """insert into comity.share (id, record, agency, to_agency, groups, version, offer, basis, ground,
                       decision)
                   values (gen_random_uuid(), %(record)s, %(agency)s, %(to_agency)s, %(groups)s, %(version)s,
                       %(offer)s, %(basis)s, %(ground)s, %(decision)s)""",
                shares,
            )


def collisions(work: Work, changes: Sequence[Change]) -> Mapping[UUID, Sequence[str]]:
    """Deconfliction by pointer: the agencies whose target collides with each record; they learn the same of us."""
    found: dict[UUID, Sequence[str]] = {}
    for one in changes:
        keys = [
            work.node.keys.collision(text) for text in collision_texts(one.type, one.after) if one.after != one.before
        ]
        if keys:
            rows = work.conn.execute(
                "select * from comity.deconflict(%s, %s, %s)", (keys, one.entry.record, work.now)
            ).fetchall()
            if rows:
                found[one.entry.record] = sorted(row[0] for row in rows)
    return found


def collision_texts(of: Type, after: Folded) -> Iterable[str]:
    """The normalised identifiers of a target, for each rule whose fields are all there.

    Only targets: a court's defendant or a defender's client tells no investigator that anybody has an interest.
    """
    for name, targets in of.deconflict_when.items():
        if of.fields[name].core_code(str(after.fields.get(name))) not in targets:
            return
    for rule in of.deconflict:
        values = [after.fields.get(name) for name in rule]
        if all(value not in (None, "") for value in values):
            yield "\x1f".join([of.core_name, *rule, *(normalise(str(value)) for value in values)])
