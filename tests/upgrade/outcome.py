"""What a node holds and answers, in words that outlive its tables: what an upgrade must leave as it was."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from comity import clock
from comity.errors import Problem
from comity.kernel.duties.reconcile import reconcile_all
from comity.kernel.policy.actor import Actor
from comity.kernel.portability import rebuild
from comity.kernel.views.read import read
from comity.kernel.work.node import NODE, Node

OWN, OTHERS = 2, 3
"""So many records of its own agency, and of others, each seat reads."""

Reading = Mapping[str, Any]


def outcome(node: Node, at: datetime, readings: Sequence[Reading]) -> dict[str, Any]:
    """All of it, as JSON, asked at an instant. What the readings cost in disclosures is not in it."""
    with clock.at(at):
        return {
            "leaves": leaves(node),
            "bytes": entry_bytes(node),
            "sequence": places(node),
            "records": counts(node),
            "rebuild": rebuilt(node),
            "reconcile": reconciled(node),
            "definitions": definitions(node),
            "readings": [{**one, "shown": shown(node, one)} for one in readings],
        }


def leaves(node: Node) -> dict[str, dict[str, str]]:
    """Of each agency, every entry's leaf by its id."""
    return {
        agency: dict(_rows(node, agency, "select id::text, encode(leaf, 'hex')")) for agency in [*node.agencies(), NODE]
    }


def entry_bytes(node: Node) -> dict[str, str]:
    """Of each agency, one digest over all that its entries are made of, content and salts too."""
    found = {}
    for agency in [*node.agencies(), NODE]:
        state = hashlib.sha256()
        for row in _rows(node, agency, f"select {', '.join(_PARTS)}, c.content, c.salts", "order by id"):
            state.update(repr([bytes(one) if isinstance(one, memoryview) else one for one in row]).encode())
        found[agency] = state.hexdigest()
    return found


_PARTS = (
    "id::text", "e.agency", "e.record::text", "type", "type_version", "kind", "act", "actor::text",
    "occurred_at at time zone 'UTC'", "entered_at at time zone 'UTC'", "version", "state_from", "state_to",
    "refers::text", "commitments", "leaf",
)  # fmt: skip


def _rows(node: Node, agency: str, what: str, more: str = "") -> list[Any]:
    with node.transaction(agency) as (conn, _):
        tables = "comity.entry e left join comity.entry_content c on c.entry = e.id"
        return conn.execute(f"{what} from {tables} where e.agency = comity.me() {more}".encode()).fetchall()


def places(node: Node) -> dict[str, list[Any]]:
    """Of each agency, the ids of its entries in the order of their places, which must be 1, 2, 3 and so on."""
    found = {}
    for agency in [*node.agencies(), NODE]:
        with node.transaction(agency) as (conn, _):
            rows = conn.execute(
                "select agency_place, entry::text from comity.sequence where agency = comity.me() order by agency_place"
            ).fetchall()
        assert [row[0] for row in rows] == list(range(1, len(rows) + 1)), f"the log of {agency} has a gap"
        found[agency] = [row[1] for row in rows]
    return found


def counts(node: Node) -> dict[str, dict[str, int]]:
    """Of each agency, how many records of a type are in a state."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for agency in node.agencies():
        with node.transaction(agency) as (conn, _):
            for kind, state, count in conn.execute(
                """select type, state, count(*) from comity.record where agency = comity.me()
                    group by type, state order by type, state"""
            ):
                found[agency][f"{kind} {state}"] = count
    return dict(found)


def rebuilt(node: Node) -> dict[str, Any]:
    found = rebuild.run(node).as_json()
    return {name: found[name] for name in ("equal", "records", "entries", "members", "agencies", "differences")}


def reconciled(node: Node) -> dict[str, Any]:
    found = reconcile_all(node)
    return {"given": found.given, "done": found.done, "open": len(found.open), "differences": len(found.differences)}


def definitions(node: Node) -> dict[str, list[str]]:
    """Of each agency, the types that it knows by the definitions in force."""
    return {agency: sorted(node.catalogue(agency).types) for agency in node.agencies()}


def shown(node: Node, reading: Reading) -> Any:
    """A record as a seat sees it; the code of the refusal where it may not."""
    try:
        view = read(node, actor(node, reading["agency"], reading["member"]), reading["record"])
    except Problem as refused:
        return refused.code
    return {
        "type": view.type, "number": view.number, "title": view.title, "state": view.state, "version": view.version,
        "fields": dict(view.fields), "links": {name: list(ids) for name, ids in view.links.items()},
        "marks": list(view.marks), "masked": sorted({one["field"] for one in view.masked if "field" in one}),
    }  # fmt: skip


def actor(node: Node, agency: str, member: str) -> Actor:
    """A member as signed in."""
    with node.transaction(agency) as (conn, _):
        row = conn.execute("select name, roles from comity.member where id = %s", (member,)).fetchone()
    assert row is not None, f"{agency} has no member {member}"
    return Actor.of(node.catalogue(agency), member=member, name=row[0], held=row[1])


def choose_readings(node: Node) -> Iterator[Reading]:
    """Who reads what: each member some records of its own agency, and some of others that were opened to it."""
    for agency in node.agencies():
        with node.transaction(agency) as (conn, _):
            members = conn.execute("select id::text from comity.member where state = 'active' order by name").fetchall()
            own = conn.execute(
                "select id::text from comity.record where agency = comity.me() order by md5(id::text)"
            ).fetchall()
            others = conn.execute(
                """select distinct record::text, md5(record::text) from comity.share
                    where to_agency = comity.me() and live and until is null order by 2"""
            ).fetchall()
        for at, (member,) in enumerate(members):
            for record, *_ in own[at * OWN : (at + 1) * OWN] + others[at * OTHERS : (at + 1) * OTHERS]:
                yield {"agency": agency, "member": member, "record": record}
