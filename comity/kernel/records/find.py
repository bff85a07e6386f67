"""Finding records: by type, owner, state, words and field values, newest first, under the policy in the same statement.

A word or a filter matches only in a field that is readable on the row it returns, so a hidden value cannot be guessed.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from psycopg.rows import dict_row

from comity.clock import parse_instant, show_instant
from comity.errors import Fault, Problem
from comity.kernel.policy.actor import Actor
from comity.kernel.records import disclosure
from comity.kernel.records.node import Node, Work
from comity.kernel.records.project import TERM_LENGTH, normalise, words
from comity.kernel.records.results import Page
from comity.kernel.records.sight import readable_fields
from comity.kernel.records.subject import COLUMNS, subject_of, visible

MOST = 200
COLUMN_FILTERS = ("number", "state", "id")


def find(
    node: Node,
    actor: Actor,
    *,
    type: str | None = None,
    text: str | None = None,
    where: Mapping[str, Any] | None = None,
    limit: int = 20,
    cursor: str | None = None,
    owner: str | None = None,
) -> Page:
    """A page of what the actor may find. `where` filters by findable fields, number, state; all words must match.

    Raises Problem `invalid` for a filter on a field that cannot be filtered, `cursor_invalid`, `not_allowed` where a
    statute bars the search.
    """
    with node.work(actor) as work:
        conditions, params = _conditions(work, type, text, where or {}, owner, cursor)
        limit = max(1, min(limit, MOST))
        rows = (
            work.conn.cursor(row_factory=dict_row)
            .execute(
                f"""select {COLUMNS} from comity.record r where {" and ".join(conditions)}
                     order by r.entered_at desc, r.id desc limit %(limit)s""",
                {**params, "limit": limit + 1, "member": work.actor.member},
            )
            .fetchall()
        )
        found = [subject_of(row) for row in rows[:limit]]
        items: list[dict[str, Any]] = []
        for one in found:
            of = work.type_of(one.agency, one.type_name, one.core_type)
            fields, masked = readable_fields(work, of, one)
            items.append(
                {
                    "id": str(one.id),
                    "type": one.type_name,
                    "agency": one.agency,
                    "number": one.folded.number,
                    "title": one.title,
                    "state": one.folded.state if one.agency == work.agency else one.core_state,
                    "version": one.folded.version,
                    "entered_at": show_instant(one.entered_at),
                    "fields": fields,
                    "masked": len(masked),
                }
            )
        disclosure.told(work, "find", [(one, sorted(item["fields"])) for one, item in zip(found, items, strict=True)])
        last = found[-1] if len(rows) > limit else None
        return Page(items, _cursor(last.entered_at, str(last.id)) if last else None)


def find_by_number(node: Node, actor: Actor, number: str) -> str:
    """The id of the record with this number, the own agency's first; Problem `not_found`."""
    with node.work(actor) as work:
        condition, params = visible(work)
        row = work.conn.execute(
            f"""select r.id::text from comity.record r where r.number = %(number)s and {condition}
                 order by (r.agency = comity.me()) desc limit 1""",
            {**params, "number": number.strip()},
        ).fetchone()
        if row is None:
            raise Problem("not_found", f"No record numbered {number}, or it is not yours to see")
        return str(row[0])


def _conditions(
    work: Work, type: str | None, text: str | None, where: Mapping[str, Any], owner: str | None, cursor: str | None
) -> tuple[list[str], dict[str, Any]]:
    policy, params = visible(work, action="find")
    conditions = [policy]
    if type:
        of = work.catalogue.type(type)
        conditions.append("r.core_type = %(core_type)s")
        params["core_type"] = of.core_name
        if of.name != of.core_name:
            conditions.append("r.type = %(type)s")
            params["type"] = type
    if owner:
        conditions.append("r.agency = %(owner)s")
        params["owner"] = owner
    for at, word in enumerate(sorted(words(normalise(text or "")))):
        conditions.append(_term(work, params, f"w{at}", word, None, whole=False))
    for at, (name, value) in enumerate(where.items()):
        if name in ("number", "state"):
            conditions.append("r.number = %(number)s" if name == "number" else "%(state)s in (r.state, r.core_state)")
            params[name] = str(value)
            continue
        _refuse_unfindable(work, type, name)
        conditions.append(
            _term(work, params, f"f{at}", normalise(str(value))[:TERM_LENGTH], name, whole=True, type=type)
        )
    if cursor:
        at_time, at_id = _read_cursor(cursor)
        conditions.append("(r.entered_at, r.id) < (%(at_time)s, %(at_id)s)")
        params |= {"at_time": at_time, "at_id": at_id}
    return conditions, params


def _refuse_unfindable(work: Work, type: str | None, name: str) -> None:
    of = work.catalogue.type(type) if type else None
    known = of.find_fields if of else sorted({f for t in work.catalogue.types.values() for f in t.find_fields})
    if name not in known:
        raise Problem(
            "invalid", f"{name} is not a field that can be searched by",
            faults=[Fault("not_findable", name, "no findable field of this name", f"search by {', '.join(known)}")],
        )  # fmt: skip
    barred = work.catalogue.forbid.get(f"find.{type}.{name}") if type else None
    if barred is not None:
        raise Problem("not_allowed", f"Searching {type} by {name} is barred here: {barred}")


def _term(
    work: Work, params: dict[str, Any], name: str, token: str, field: str | None, *, whole: bool,
    type: str | None = None,
) -> str:  # fmt: skip
    """A condition that a readable field of the row holds the token. Each group has its own predicate."""
    params[name] = token
    groups = work.policies.groups_of(type)
    readable = []
    for group in groups:
        condition, more = visible(work, action="find", group=group)
        params.update(more)
        readable.append(f"(t.grp = '{group}' and {condition})" if group.replace("_", "").isalnum() else "false")
    narrowed = "and t.field = %(field_" + name + ")s" if field else ""
    if field:
        params["field_" + name] = field
    return (
        f"r.id in (select t.record from comity.term t where t.token = %({name})s and t.whole = {whole} {narrowed})"
        f" and exists (select 1 from comity.term t where t.record = r.id and t.token = %({name})s"
        f" and t.whole = {whole} {narrowed} and ({' or '.join(readable)}))"
    )


def _cursor(at: datetime, record: str) -> str:
    return base64.urlsafe_b64encode(f"{show_instant(at)}|{record}".encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> tuple[datetime, str]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        at, _, record = text.partition("|")
        from uuid import UUID

        return parse_instant(at), str(UUID(record))
    except (ValueError, binascii.Error, UnicodeDecodeError):
        raise Problem("cursor_invalid", "The cursor is not one of ours", fix="start again without a cursor") from None
