"""A view: how many acts of each kind an agency did on which day, by type. It counts entries and shows no content.
What stands on a record that was entered in error is taken off when it is asked for: the view knows no states.

It moves its place in the same transaction as its rows, and can be rebuilt from nothing at any time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from comity.kernel.ledger import follow
from comity.kernel.policy.actor import Actor
from comity.kernel.work.follower import Follower, Statistic, behind_own_log
from comity.kernel.work.node import Node, system

NAME = "activity"
BATCH = 10_000


@dataclass(frozen=True, slots=True)
class Activity:
    """The entries of one day in UTC: `act` on records of `type`."""

    day: date
    type: str
    act: str
    entries: int

    def as_json(self) -> dict[str, Any]:
        return {"day": self.day.isoformat(), "type": self.type, "act": self.act, "entries": self.entries}


def advance(node: Node, agency: str) -> int:
    """Count the agency's entries that were sequenced since; answers how many. One worker at a time holds the place."""
    with node.view(agency) as conn:
        place = follow.place_of(conn, NAME, agency)
        row = conn.execute(
            """with news as (
                   select s.agency_place as place, e.entered_at, e.type, e.act
                     from comity.sequence s join comity.entry e on e.id = s.entry
                    where s.agency = comity.me() and s.agency_place > %(place)s order by s.agency_place limit %(batch)s
               ), counted as (
                   insert into comity.activity as a (agency, day, type, act, entries)
                   select comity.me(), (entered_at at time zone 'UTC')::date, type, act, count(*) from news
                    group by 2, 3, 4
                   on conflict (agency, day, type, act) do update set entries = a.entries + excluded.entries
               )
               select count(*), max(place) from news""",
            {"place": place, "batch": BATCH},
        ).fetchone()
        assert row is not None
        if row[0]:
            follow.move(conn, NAME, agency, row[1])
        return int(row[0])


def restart(node: Node, agency: str) -> int:
    """Forget the view and count again from the first entry; answers how many entries were counted."""
    with node.work(system(agency)) as work:
        follow.place_of(work.conn, NAME, agency)
        work.conn.execute("delete from comity.activity where agency = comity.me()")
        follow.move(work.conn, NAME, agency, 0)
    counted = 0
    while moved := advance(node, agency):
        counted += moved
    return counted


def activity(node: Node, actor: Actor, *, since: date | None = None) -> list[Activity]:
    """The counts of the actor's own agency, newest day first, without the acts on what was entered in error."""
    with node.work(actor) as work:
        rows = work.conn.execute(
            """with wrong as (
                   select (e.entered_at at time zone 'UTC')::date as day, e.type, e.act, count(*) as entries
                     from comity.record r join comity.entry e on e.record = r.id and e.agency = r.agency
                     join comity.sequence s on s.entry = e.id
                    where r.agency = comity.me() and r.core_type = any(%(types)s)
                      and r.core_type || ' ' || r.core_state = any(%(wrong)s)
                      and s.agency_place <= (select place from comity.follower where name = %(name)s
                                                and agency = comity.me())
                    group by 1, 2, 3
               )
               select a.day, a.type, a.act, (a.entries - coalesce(w.entries, 0))::int
                 from comity.activity a left join wrong w using (day, type, act)
                where a.day >= coalesce(%(since)s, '-infinity'::date) and a.entries > coalesce(w.entries, 0)
                order by a.day desc, a.type, a.act limit 5000""",
            {
                "since": since, "name": NAME, "types": sorted({of for of, _ in work.catalogue.in_error()}),
                "wrong": [" ".join(one) for one in work.catalogue.in_error()],
            },
        )  # fmt: skip
        return [Activity(*row) for row in rows]


FOLLOWER = Follower(
    NAME, "view", advance, pending=behind_own_log(NAME), restart=restart,
    statistic=Statistic(
        "How many acts of each kind this agency did on which day (UTC)", ("day", "type", "act", "entries"),
        lambda node, actor, since: activity(node, actor, since=since),
    ),
)  # fmt: skip
