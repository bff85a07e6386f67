"""Views that count the entries of an agency's own log, by day (UTC) and by what each says: a statistic is one value.

Counts and no content. A view moves its place in the same transaction as its rows and can be made anew from nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from comity.kernel.ledger import follow
from comity.kernel.policy.actor import Actor
from comity.kernel.work.follower import Follower, Row, Statistic, behind_own_log
from comity.kernel.work.node import Node, system

BATCH = 10_000
MOST_SHOWN = 5_000
Rows = Callable[[Node, Actor, date | None], Sequence[Row]]


@dataclass(frozen=True, slots=True)
class Counted:
    """A line of a count: a day, what was counted, how many entries."""

    columns: tuple[str, ...]
    values: tuple[Any, ...]

    def as_json(self) -> Mapping[str, Any]:
        return dict(zip(self.columns, self.values, strict=True))


def counting(name: str, title: str, *, by: tuple[str, ...], key: str, rows: Rows | None = None) -> Follower:
    """A follower that counts every entry once, under the members `by` of its key.

    `key` says them in SQL as an array of texts, one for each, of the entry's row `e`. What is shown is what was
    counted, unless `rows` says otherwise.
    """
    columns = ("day", *by, "entries")

    def advance(node: Node, agency: str) -> int:
        with node.view(agency) as conn:
            place = follow.place_of(conn, name, agency)
            row = conn.execute(
                f"""with news as (
                       select s.agency_place as place, (e.entered_at at time zone 'UTC')::date as day, {key} as key
                         from comity.sequence s join comity.entry e on e.id = s.entry
                        where s.agency = comity.me() and s.agency_place > %(place)s
                        order by s.agency_place limit %(batch)s
                   ), counted as (
                       insert into comity.tally as t (agency, statistic, day, key, entries)
                       select comity.me(), %(name)s, day, key, count(*) from news group by day, key
                       on conflict (agency, statistic, day, key) do update set entries = t.entries + excluded.entries
                   )
                   select count(*), max(place) from news""",
                {"name": name, "place": place, "batch": BATCH},
            ).fetchone()
            assert row is not None
            if row[0]:
                follow.move(conn, name, agency, row[1])
            return int(row[0])

    def restart(node: Node, agency: str) -> int:
        with node.work(system(agency)) as work:
            follow.place_of(work.conn, name, agency)
            work.conn.execute("delete from comity.tally where agency = comity.me() and statistic = %s", (name,))
            follow.move(work.conn, name, agency, 0)
        counted = 0
        while moved := advance(node, agency):
            counted += moved
        return counted

    def counts(node: Node, actor: Actor, since: date | None) -> Sequence[Row]:
        with node.work(actor) as work:
            found = work.conn.execute(
                """select day, key, entries from comity.tally where statistic = %s
                      and day >= coalesce(%s, '-infinity'::date) order by day desc, key limit %s""",
                (name, since, MOST_SHOWN),
            )
            return [Counted(columns, (day.isoformat(), *held, entries)) for day, held, entries in found]

    return Follower(
        name, "view", advance, pending=behind_own_log(name), restart=restart,
        statistic=Statistic(title, columns, rows or counts),
    )  # fmt: skip
