"""Which acts were refused: a member sees its own, who has the power those of all members of the agency."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from psycopg.rows import dict_row

from comity.clock import show_instant
from comity.kernel.policy.actor import Actor
from comity.kernel.policy.decide import Resource
from comity.kernel.policy.powers import SEE_REFUSALS
from comity.kernel.views.cursor import make_cursor, read_cursor
from comity.kernel.work.node import Node, Work
from comity.kernel.work.results import Page
from comity.kernel.work.subject import readable

MOST = 200
HIDDEN = "not_found"
"""What is said of a refusal on a record that the reader may not read: as of one that is not there."""


@dataclass(frozen=True, slots=True)
class Query:
    """`since`: last refused on that day of the agency's zone, or at that instant, or later. `member`: an id, or a name.
    `code`: of the refusal, of one of its faults, or a rule."""

    since: date | datetime | None = None
    member: str | None = None
    code: str | None = None
    limit: int = 50
    cursor: str | None = None


def refusals(node: Node, actor: Actor, **asked: Any) -> Page:
    """A page of what was refused, by the beginning of each row, newest first; `asked` are the members of Query.

    A row stands for `times` equal refusals between `first_at` and `last_at`. Of a record that the reader may not read
    now, or of a type that it would never be shown, only who, when and by which verb is told, and nothing where a code
    is asked for. Raises Problem: not_allowed (another's, without the power `see_refusals`), cursor_invalid.
    """
    query = Query(**asked)
    with node.work(actor) as work:
        conditions, params = _conditions(work, query)
        limit = max(1, min(query.limit, MOST))
        rows = (
            work.conn.cursor(row_factory=dict_row)
            .execute(
                f"""select r.*, m.name from comity.refusal r
                      left join comity.member m on m.id = r.member and m.agency = r.agency
                     where {" and ".join(conditions)} order by r.first_at desc, r.id desc limit %(limit)s""",
                {**params, "limit": limit + 1},
            )
            .fetchall()
        )
        page = rows[:limit]
        seen = readable(work, {row["record"] for row in page if row["record"]})
        last = page[-1] if len(rows) > limit else None
        return Page(
            [
                _item(row, shown=shown)
                for row in page
                if (shown := row["record"] in seen if row["record"] else _speaks_of(work, row)) or query.code is None
            ],
            make_cursor(last["first_at"], str(last["id"])) if last else None,
        )


def _conditions(work: Work, query: Query) -> tuple[list[str], dict[str, Any]]:
    conditions, params = ["r.agency = comity.me()"], dict[str, Any](me=work.actor.member)
    if query.member is not None:
        params["member"] = query.member.strip()
        conditions.append("(r.member::text = lower(%(member)s) or lower(m.name) = lower(%(member)s))")
    if not work.may(SEE_REFUSALS):
        if query.member is not None and params["member"].lower() not in (work.actor.member, work.actor.name.lower()):
            work.demand(SEE_REFUSALS)
        conditions.append("r.member::text = %(me)s")
    if query.since is not None:
        params["since"] = _instant(work, query.since)
        conditions.append("r.last_at >= %(since)s")
    if query.code is not None:
        params["code"] = query.code
        conditions.append(
            """(r.code = %(code)s or %(code)s = any(r.rules)
                or r.faults @> jsonb_build_array(jsonb_build_object('code', %(code)s::text)))"""
        )
    if query.cursor:
        params["at"], params["after"] = read_cursor(query.cursor)
        conditions.append("(r.first_at, r.id) < (%(at)s, %(after)s)")
    return conditions, params


def _instant(work: Work, since: date | datetime) -> datetime:
    """The instant itself, or the beginning of the day in the agency's zone."""
    if isinstance(since, datetime):
        return since
    return datetime.combine(since, time(), ZoneInfo(work.catalogue.definition.zone))


def _speaks_of(work: Work, row: Mapping[str, Any]) -> bool:
    """Whether the reader may know of the type: of one whose records bear marks from the first, who receives them, and
    who asked."""
    of = work.catalogue.types.get(row["type"])
    if of is None or not of.handling or str(row["member"]) == work.actor.member:
        return True
    one = Resource(work.agency, of.name, core_type=of.core_name, state=of.initial, marks=frozenset(of.handling))
    return work.policies.decide(work.actor, "read", one, today=work.today).allowed


def _item(row: Mapping[str, Any], *, shown: bool) -> dict[str, Any]:
    told = ("type", "act", "code", "faults", "rules")
    hidden = {"type": "", "act": "", "code": HIDDEN, "faults": [], "rules": []}
    return {
        "id": str(row["id"]), "first_at": show_instant(row["first_at"]), "last_at": show_instant(row["last_at"]),
        "times": row["times"], "member": str(row["member"]), "name": row["name"] or "", "on_behalf": row["on_behalf"],
        "verb": row["verb"], "record": str(row["record"]) if shown and row["record"] else None,
        **({name: row[name] for name in told} if shown else hidden),
    }  # fmt: skip
