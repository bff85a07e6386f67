"""Rebuilding: every record is folded again from its stored entries and compared with its row; every leaf is checked."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row

from comity.clock import show_instant
from comity.kernel.exchange.reported import Rebuilding
from comity.kernel.ledger import items
from comity.kernel.ledger.entry import ABOUT_ANOTHERS, ERASE
from comity.kernel.ledger.fold import Folded, fold
from comity.kernel.ledger.offer_side import OFFERED, WITHDRAWING
from comity.kernel.ledger.verify import check_entry, items_erased
from comity.kernel.portability.derived_tables import DerivedTables
from comity.kernel.types.catalogue import Catalogue, Type
from comity.kernel.work.change import row_of, terms_of
from comity.kernel.work.key_ring import KeyRing
from comity.kernel.work.node import NODE, Conn, Node
from comity.kernel.work.subject import loaded
from comity.sentences import Text, say

MOST = 100
KERNEL_TYPES = ("kernel.layer", "kernel.agency", "kernel.emergency", "kernel.disclosures", "kernel.endpoint")
"""Entries of the kernel's own that stand for no record row."""
DERIVED = ("core_type", "title", "core_state", "assigned", "parties")
"""Columns that policies and lists read, and that follow from a record and its type."""


@dataclass(slots=True)
class Rebuilt:
    """What a rebuild found. `differences` are bounded; `equal` says whether there was none at all."""

    records: int = 0
    entries: int = 0
    members: int = 0
    differences: list[dict[str, str]] = field(default_factory=list)
    agencies: dict[str, int] = field(default_factory=dict)

    @property
    def equal(self) -> bool:
        return not self.differences

    def differ(self, agency: str, record: str, what: Text) -> None:
        if len(self.differences) < MOST:
            self.differences.append({"agency": agency, "record": record, "difference": what})

    def as_json(self) -> dict[str, Any]:
        return {
            "equal": self.equal, "records": self.records, "entries": self.entries, "members": self.members,
            "agencies": self.agencies, "differences": self.differences,
        }  # fmt: skip


def run(node: Node, *, agency: str | None = None) -> Rebuilt:
    """Fold and compare all records of an agency, or of every agency, each with its own rights. Writes nothing."""
    out = Rebuilt()
    for one in [agency] if agency else [*node.agencies(), NODE]:
        with node.transaction(one) as (conn, begun):
            law = None if one == NODE else node.catalogue_of(conn, one)
            judge(conn, out, one, law, begun.agency_version, node.keys)
    return out


def judge(
    conn: Conn, out: Rebuilt, agency: str, catalogue: Catalogue | None, version: int, keys: KeyRing
) -> None:  # fmt: skip
    """One agency's records, in a transaction that acts for it. `catalogue` is in force at `version`; the node has none.

    What is derived with the help of an older type is not judged.
    """
    before = out.records
    types = {(name, version): of for name, of in catalogue.types.items()} if catalogue else {}
    reported, closed = Rebuilding(agency), DerivedTables(conn, keys)
    for record, entries in entries_by_record(conn):
        for row in entries:
            out.entries += 1
            for fault in check_entry(as_text(row)):
                out.differ(agency, str(record), say("rebuild.entry", entry=row["id"], fault=fault))
            reported.take(row, None if items_erased(as_text(row)) else _loaded(row["content"]))
        known = _compare(conn, out, agency, record, entries, types)
        for what in closed.take(record, *(known or (None, None))):
            out.differ(agency, record, what)
    for one, what in (*reported.differences(conn), *closed.left()):
        out.differ(agency, one, what)
    for (lost,) in conn.execute(
        """select id::text from comity.record r where agency = comity.me() and not exists
           (select 1 from comity.entry e where e.record = r.id and e.agency = r.agency)
           union all select id::text from comity.member m where not exists
           (select 1 from comity.entry e where e.record = m.id and e.agency = m.agency)"""
    ):
        out.differ(agency, lost, say("rebuild.row_has_no_entry"))
    _offers(conn, out, agency)
    if catalogue:
        _terms(conn, out, agency, catalogue)
    out.agencies[agency] = out.records - before


def entries_by_record(conn: Conn) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The entries of each record of the transaction's agency, with their content, in order of ids; streamed."""
    with conn.cursor(name="by_record", row_factory=dict_row) as cur:
        cur.itersize = 2_000
        cur.execute(
            """select e.*, c.content, c.salts from comity.entry e left join comity.entry_content c on c.entry = e.id
                where e.agency = comity.me() order by e.record, e.version"""
        )
        for record, rows in groupby(cur, key=lambda row: row["record"]):
            yield str(record), list(rows)


def as_text(row: Mapping[str, Any]) -> dict[str, Any]:
    """An entry's row in the spelling that is hashed."""
    return {
        **row, "entry": str(row["id"]), "record": str(row["record"]), "actor": str(row["actor"]),
        "occurred_at": show_instant(row["occurred_at"]), "entered_at": show_instant(row["entered_at"]),
        "refers": str(row["refers"]) if row["refers"] else None,
        "content": bytes(row["content"]) if row["content"] is not None else None,
    }  # fmt: skip


def _compare(
    conn: Conn, out: Rebuilt, agency: str, record: str, entries: list[dict[str, Any]],
    types: Mapping[tuple[str, int], Type],
) -> tuple[Type, Folded] | None:  # fmt: skip
    """Compares a record with its row; its type and state where what is derived from them can be judged."""
    versions = [row["version"] for row in entries]
    if versions != list(range(1, len(versions) + 1)):
        out.differ(agency, record, say("rebuild.versions_are", versions=versions[:20]))
    if entries[0]["kind"] in (*ABOUT_ANOTHERS, ERASE) or entries[0]["type"] in KERNEL_TYPES:
        return None
    erased = _erased(conn, out, agency, record, entries)
    state = fold([{**row, "content": _loaded(row["content"])} for row in entries])
    if state.type == "kernel.member":
        out.members += 1
        row = conn.execute("select name, roles, state, version from comity.member where id = %s", (record,)).fetchone()
        folded = (state.fields.get("name", record), state.fields.get("roles"), state.state, state.version)
        if row is None or tuple(row) != folded:
            out.differ(agency, record, say("rebuild.member_differs"))
        return None
    out.records += 1
    row = (
        conn.cursor(row_factory=dict_row)
        .execute("select * from comity.record where id = %s and agency = comity.me()", (record,))
        .fetchone()
    )
    if row is None:
        out.differ(agency, record, say("rebuild.record_has_no_row"))
        return None
    for what, folded_value, held in _columns(state, row):
        if folded_value != held and not (what == BEHALF and entries[0]["id"] in erased):
            out.differ(agency, record, say("rebuild.differs", what=say(what)))
    links = conn.execute("select name, target::text from comity.link where record = %s", (record,)).fetchall()
    if sorted(map(tuple, links)) != sorted((name, t) for name, ids in state.links.items() for t in ids):
        out.differ(agency, record, say("rebuild.link_rows_differ"))
    of = types.get((state.type, state.type_version))
    if of is None:
        return None
    for what, derived in row_of(of, state).items():
        if what in DERIVED and _plain(derived) != _plain(row[what]):
            out.differ(agency, record, say("rebuild.is_not_what_they_make_of_it", what=what))
    return of, state


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, list) else value


def _erased(conn: Conn, out: Rebuilt, agency: str, record: str, entries: list[dict[str, Any]]) -> list[UUID]:
    """Those of the entries whose content is gone, or part of it. Each needs an order in the log that refers to it."""
    gone = [row["id"] for row in entries if items_erased(row)]
    if gone:
        orders = conn.execute(
            "select refers from comity.entry where agency = comity.me() and kind = 'erase' and refers = any(%s)",
            (gone,),
        )
        for entry in set(gone) - {row[0] for row in orders}:
            out.differ(agency, record, say("rebuild.content_is_gone", entry=entry))
    return gone


def _loaded(content: bytes | None) -> dict[str, Any] | None:
    """The content; None where it was erased and where it is no JSON object, which check_entry has told."""
    try:
        found = loaded(content)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


BEHALF = "rebuild.on_behalf"
"""It stands in the first entry's content alone, and is kept in the row when that is erased: it says who may act."""


def _columns(state: Folded, row: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    yield "rebuild.type", state.type, row["type"]
    yield "rebuild.state", state.state, row["state"]
    yield "rebuild.version", state.version, row["version"]
    yield "rebuild.type_version", state.type_version, row["type_version"]
    yield "rebuild.entered_by", state.entered_by, row["entered_by"]
    yield "rebuild.number", state.number, row["number"]
    yield "rebuild.fields", dict(state.fields), row["fields"]
    yield "rebuild.links", {name: list(ids) for name, ids in state.links.items()}, row["links"]
    yield "rebuild.marks", list(state.marks), sorted(row["marks"])
    yield "rebuild.field_marks", dict(state.field_marks), row["field_marks"]
    yield "rebuild.files", dict(state.files), row["files"]
    yield BEHALF, state.behalf, row["on_behalf"]


def _offers(conn: Conn, out: Rebuilt, agency: str) -> None:
    """The agency's rows of offers against the entries that made, answered, settled and ended them, of both sides.

    Of an entry of which anything was erased (a salt is half as long as a commitment), the content is not compared.
    """
    for row in conn.cursor(row_factory=dict_row).execute(
        """select o.*, said.act as said, said.agency as sayer,
                  case when 2 * length(made.salts) = length(offered.commitments) then made.content end as made,
                  case when 2 * length(told.salts) = length(said.commitments) then told.content end as told,
                  settled.refers as settles, settled.act as settled, ended.act as ended, ended.agency as ender,
                  noted.refers as notes, noted.agency as noter,
                  exists (select 1 from comity.arrival a
                           where a.agency = comity.me() and o.answered_at < a.at) as brought,
                  not case o.agency when o.to_agency then o.from_agency else o.to_agency end
                      = any (comity.reach()) as unread
             from comity.offer o
             left join comity.entry offered on offered.id = o.offer_entry
             left join comity.entry_content made on made.entry = o.offer_entry
             left join comity.entry said on said.id = o.answer_entry
             left join comity.entry_content told on told.entry = o.answer_entry
             left join comity.entry settled on settled.id = o.settled_entry
             left join comity.entry ended on ended.id = o.ended_entry
             left join comity.entry noted on noted.id = o.noted_entry
            where o.agency = comity.me()"""
    ):
        for what in (*_offer_faults(row), *_end_faults(row)):
            out.differ(agency, str(row["id"]), what)
        if row["from_agency"] == agency:
            _shares(conn, out, agency, row)


def _shares(conn: Conn, out: Rebuilt, agency: str, offer: Mapping[str, Any]) -> None:
    """What an offer opens, against what its entry lists; the offered record itself is open as it stands."""
    made = _loaded(offer["made"])
    if made is None:
        return
    names = ("version", "groups", "decision", "ground")
    rows = conn.execute(
        "select record::text, version, groups, decision, ground from comity.share where offer = %s and to_agency = %s",
        (offer["id"], offer["to_agency"]),
    ).fetchall()
    listed = items.shares(made)
    found = {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows if row[0] != str(offer["id"])}
    if found != listed or len(rows) != len(listed) + 1:
        out.differ(agency, str(offer["id"]), say("rebuild.offer_opens_otherwise"))


def _terms(conn: Conn, out: Rebuilt, agency: str, catalogue: Catalogue) -> None:
    """The search terms of each record that was written under the definitions now in force, against its row."""
    with conn.cursor(name="terms", row_factory=dict_row) as cur:
        cur.execute(
            """select r.id::text, r.type, r.number, r.fields, r.field_marks,
                      coalesce((select array_agg(t.field || ' ' || t.grp || ' ' || t.whole || ' ' || t.token)
                                  from comity.term t where t.record = r.id), '{}') as terms
                 from comity.record r join comity.agency a on a.id = r.agency and a.version = r.type_version
                where r.agency = comity.me()"""
        )
        told = {one["record"] for one in out.differences}
        for row in cur:
            of = catalogue.types.get(row["type"])
            if of is None or row["id"] in told:
                continue
            now = Folded(number=row["number"], fields=row["fields"], field_marks=row["field_marks"])
            wanted = {
                f"{field} {group} {str(whole).lower()} {token}" for field, group, token, whole in terms_of(of, now)
            }
            if wanted != set(row["terms"]):
                out.differ(agency, row["id"], say("rebuild.search_terms_differ"))


def _offer_faults(row: Mapping[str, Any]) -> Iterator[Text]:
    made, told = _loaded(row["made"]), _loaded(row["told"])
    if made is not None:
        until = show_instant(row["expires_at"]) if row["expires_at"] else None
        said = made.get(items.OFFER) or {}
        named = said.get("to")
        if row["to_agency"] not in (named if isinstance(named, list) else [named]) or said.get("expires_at") != until:
            yield say("rebuild.offer_differs")
    if row["answer_entry"] is None:
        if row["answer"] or row["settled_entry"] or row["state"] not in (row["ended_as"] or OFFERED, _between(row)):
            yield say("rebuild.offer_state_has_no_entry", state=row["state"])
        return
    reported = row["sayer"] == row["from_agency"] and (items.behalf(told or {}) or {}).get("agency") == row["to_agency"]
    own = row["agency"] == row["from_agency"]
    if (
        own and row["said"] is None and row["brought"]
    ):  # the answerer's log stayed elsewhere: the own one must name the answer
        if row["settled"] is None:
            yield say("rebuild.offer_answered_elsewhere")
    elif row["said"] is None and row["unread"]:  # it is suspended, or what tied the two has ended
        pass
    elif row["said"] != row["state"] or (row["sayer"] != row["to_agency"] and not reported and told is not None):
        yield say("rebuild.offer_state_differs")
    if told is not None:
        reason = items.text(told, items.REASON)
        if row["answer"] != {**items.answered(told), **({"reason": reason} if reason else {})}:
            yield say("rebuild.offer_answer_differs")
    if row["answer_entry"] == row["settled_entry"] and row["sayer"] == row["from_agency"]:
        return  # one entry of the offerer's own log is both: what it reports, or its own answer to what it reports
    if row["settled"] is not None and (row["settles"], row["settled"]) != (row["answer_entry"], row["state"]):
        yield say("rebuild.offer_settled_otherwise")


def _between(row: Mapping[str, Any]) -> str:
    """What the offerer's row says besides while the receiver has not spoken of the offer's end."""
    waits = row["ended_as"] and row["noted_entry"] is None and row["agency"] == row["from_agency"]
    return WITHDRAWING if waits else OFFERED if not row["ended_as"] else str(row["ended_as"])


def _end_faults(row: Mapping[str, Any]) -> Iterator[Text]:
    """The offerer's own end of an offer, and what the receiver's log says of it; the other log may not be readable."""
    unread = row["unread"] or row["brought"]
    theirs = row["ended"] is None and unread and row["agency"] == row["to_agency"]
    said = row["ended"], row["ender"]
    if row["ended_entry"] and not theirs and said != (row["ended_as"], row["from_agency"]):
        yield say("rebuild.offer_end_differs")
    theirs = row["noter"] is None and unread and row["agency"] == row["from_agency"]
    said = row["notes"], row["noter"]
    if row["noted_entry"] and not theirs and said != (row["ended_entry"], row["to_agency"]):
        yield say("rebuild.offer_end_noted_otherwise")


def digest(node: Node) -> str:
    """SHA-256 over every record row of the node, agency by agency: two equal digests are two equal states."""
    state = hashlib.sha256()
    for one in node.agencies():
        with node.transaction(one) as (conn, _):
            for row in conn.execute(
                """select id, version, state, number, fields::text, links::text, marks::text from comity.record
                    where agency = comity.me() order by id"""
            ):
                state.update(repr(row).encode())
    return state.hexdigest()
