"""Erasing what an entry said, under an order: from the log, and in the same transaction from all that was made of it.

The order is an entry of the same record. So it stands in its history, and an act that read what is erased meets it as
a newer version. What it says holds in the place of what is erased (ledger/fold): that a value or a link is not there,
so that nothing older comes back; and again, how the record is handled, so that erasing moves no mark and no role. What
others took over into their own records stays theirs; an earlier entry that says the same needs an order of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from comity import names
from comity.errors import Problem
from comity.kernel.ledger import erase as ledger
from comity.kernel.ledger import items
from comity.kernel.ledger.append import append
from comity.kernel.ledger.entry import ABOUT_ANOTHERS, ERASE, Entry
from comity.kernel.ledger.fold import Folded, fold
from comity.kernel.records import deconfliction, project
from comity.kernel.work.change import Row
from comity.kernel.work.node import Work
from comity.kernel.work.subject import loaded
from comity.sentences import reason, say

OF_THE_KERNEL = ("kernel.member", "kernel.emergency")


def erase(work: Work, entry: UUID, *, authority: str, paths: Collection[str] | None = None) -> ledger.Erased:
    """Erase an entry of the own log, or only its items at `paths`, by the order that `authority` names.

    Decides no right: no way in offers it yet, and the one that will must ask for it. Raises Problem: not_found,
    invalid (an entry of the kernel's own, or one without such content), version_conflict.
    """
    rows = _entries(work, entry)
    erased = next((row for row in rows if row["id"] == entry), None)
    if erased is None:
        raise Problem("not_found", say("not_found.no_such_entry_in_agency"))
    if (erased["type"].startswith("kernel.") and erased["type"] not in OF_THE_KERNEL) or erased["kind"] == ERASE:
        raise Problem("invalid", say("invalid.what_system_itself_said_is"))
    order = _order(work, erased, rows, authority, paths)
    try:
        append(work.conn, [order])
        done = ledger.erase(work.conn, entry, order=order.id, paths=paths)
    except psycopg.errors.UniqueViolation:
        raise Problem("version_conflict", say("version_conflict.changed_in_the_meantime")) from None
    except ValueError as error:
        raise Problem("invalid", reason(error), fix=say("invalid.name_what_entry_still_says.fix")) from None
    if erased["type"] == "kernel.member":
        work.conn.execute("update comity.member set version = %s where id = %s", (order.version, order.record))
    elif rows[0]["kind"] not in ABOUT_ANOTHERS and not erased["type"].startswith("kernel."):
        _project(work, order, rows[0])
    _forget_files(work, order.record)
    return done


def _forget_files(work: Work, record: UUID) -> None:
    """Delete, once this is committed, the bytes of the record's files whose key is gone: they are noise from then on,
    so where the store fails, or the process ends before, they tell nobody anything."""

    def delete(stored: str) -> None:
        with suppress(OSError):
            work.node.files.delete(work.agency, stored)

    for (stored,) in work.conn.execute(
        "select stored from comity.file where record = %s and agency = comity.me() and data_key = ''", (record,)
    ).fetchall():
        work.after.append(partial(delete, stored))


def _entries(work: Work, entry: UUID) -> list[dict[str, Any]]:
    """The own entries about the record that an own entry is about, in order of versions."""
    return (
        work.conn.cursor(row_factory=dict_row)
        .execute(
            """select e.*, c.content from comity.entry e left join comity.entry_content c on c.entry = e.id
                where e.agency = comity.me() and e.record = (
                      select record from comity.entry where id = %s and agency = comity.me()) order by e.version""",
            (entry,),
        )
        .fetchall()
    )


def _order(
    work: Work, erased: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], authority: str,
    paths: Collection[str] | None,
) -> Entry:  # fmt: skip
    last = rows[-1]
    gone = {path: value for path, value in (loaded(erased["content"]) or {}).items() if paths is None or path in paths}
    told: set[str] = set().union(*((loaded(row["content"]) or {}) for row in rows if row["id"] != erased["id"]))
    again = dict(_instead(gone, told, member=erased["type"] == "kernel.member"))
    return Entry(
        id=names.new_id(), agency=work.agency, record=erased["record"], type=last["type"],
        type_version=last["type_version"], kind=ERASE, act=ERASE, actor=UUID(work.actor.member), occurred_at=work.now,
        entered_at=work.now, version=last["version"] + 1, state_from=last["state_to"], state_to=last["state_to"],
        content={**again, **items.say(authority=authority)}, refers=erased["id"],
    )  # fmt: skip


def _instead(gone: Mapping[str, Any], told: Collection[str], *, member: bool) -> Iterator[tuple[str, Any]]:
    """What holds in the place of erased items. `told` are the paths of the record's other entries: a link that none of
    them speaks of is not named. A number or a file is said once, and is just gone."""
    for path, value in gone.items():
        item = items.parse(path)
        if item.kind in items.HANDLING or (member and item == items.Item(items.SET, "roles")):
            yield path, value
        elif item.kind in (items.SET, items.UNSET):
            yield from items.unset_fields([item.name]).items()
        elif item.kind in items.OF_A_LINK and items.spell(item._replace(kind=items.LINK)) in told:
            yield from items.remove_links({item.name: [item.target]}).items()


def _project(work: Work, order: Entry, first: Mapping[str, Any]) -> None:
    """The record's row, links, search terms and collisions as what is left of its entries makes them."""
    rows = _entries(work, order.id)
    after: Folded = fold([{**row, "content": loaded(row["content"])} for row in rows])
    held = work.conn.execute("select type, core_type from comity.record where id = %s", (order.record,)).fetchone()
    if held is None:
        return
    of = work.type_of(work.agency, *held)
    row = Row(order.record, work.agency, of, after, first["entered_at"], order.entered_at)
    project.refolded(work.conn, row)
    deconfliction.deconflicted(work.conn, work.node.keys, [(order.record, of, after)], [order.record], work.now)
