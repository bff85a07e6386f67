"""The channel to the inbox: a notice for a member, or for everybody in a role. The same delivery twice is one row."""

from __future__ import annotations

from uuid import UUID

from comity.kernel.sharing import outbox
from comity.kernel.sharing.channel import Channel, Notice
from comity.kernel.work.node import Work


def keep(work: Work, notice: Notice) -> None:
    """Write what a subscription is told; sharing/inbox shows it."""
    told = notice.told
    work.conn.execute(
        """insert into comity.notice (id, agency, member, role, subscription, entry, record, act, from_agency,
               place, at)
           select id, %s, %s, %s, %s, entry, record, act, agency, place, %s
             from unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::bigint[])
               as t (id, entry, record, act, agency, place)
           on conflict do nothing""",
        (
            work.agency, notice.member, notice.role, notice.subscription, work.now,
            [outbox.delivery_id(notice.subscription, pointer.entry) for pointer in told],
            [UUID(pointer.entry) for pointer in told], [UUID(pointer.record) for pointer in told],
            [pointer.act for pointer in told], [pointer.agency for pointer in told],
            [pointer.place for pointer in told],
        ),
    )  # fmt: skip


INBOX = Channel("inbox", keep=keep)
