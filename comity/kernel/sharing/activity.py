"""A view: how many acts of each kind an agency did on which day, by type. It counts entries and shows no content.
What stands on a record that was entered in error is taken off when it is asked for: the view knows no states.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from comity.kernel.policy.actor import Actor
from comity.kernel.sharing.tally import MOST_SHOWN, counting
from comity.kernel.work.node import Node
from comity.sentences import say

NAME = "activity"


@dataclass(frozen=True, slots=True)
class Activity:
    """The entries of one day in UTC: `act` on records of `type`."""

    day: date
    type: str
    act: str
    entries: int

    def as_json(self) -> dict[str, Any]:
        return {"day": self.day.isoformat(), "type": self.type, "act": self.act, "entries": self.entries}


def activity(node: Node, actor: Actor, since: date | None = None) -> list[Activity]:
    """The counts of the actor's own agency, newest day first, without the acts on what was entered in error."""
    with node.work(actor) as work:
        rows = work.conn.execute(
            """with wrong as (
                   select (e.entered_at at time zone 'UTC')::date as day, array[e.type, e.act] as key,
                          count(*) as entries
                     from comity.record r join comity.entry e on e.record = r.id and e.agency = r.agency
                     join comity.sequence s on s.entry = e.id
                    where r.agency = comity.me() and r.core_type = any(%(types)s)
                      and r.core_type || ' ' || r.core_state = any(%(wrong)s)
                      and s.agency_place <= (select place from comity.follower where name = %(name)s
                                                and agency = comity.me())
                    group by 1, 2
               )
               select t.day, t.key[1], t.key[2], (t.entries - coalesce(w.entries, 0))::int
                 from comity.tally t left join wrong w using (day, key)
                where t.statistic = %(name)s and t.day >= coalesce(%(since)s, '-infinity'::date)
                  and t.entries > coalesce(w.entries, 0)
                order by t.day desc, t.key limit %(most)s""",
            {
                "since": since, "name": NAME, "most": MOST_SHOWN,
                "types": sorted({of for of, _ in work.catalogue.in_error()}),
                "wrong": [" ".join(one) for one in work.catalogue.in_error()],
            },
        )  # fmt: skip
        return [Activity(*row) for row in rows]


FOLLOWER = counting(
    NAME, say("statistics.activity"), by=("type", "act"),
    key="array[e.type, e.act]", rows=activity,
)  # fmt: skip
