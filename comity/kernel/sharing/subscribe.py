"""Subscriptions: made, listed, ended, stopped and taken up again.

A subscription belongs to one member, or to everybody in a role of the agency. It may be told what its member, or a
holder of that role, may read at the moment of delivery: making one grants nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row

from comity import names
from comity.clock import show_instant
from comity.errors import Fault, Problem
from comity.kernel.ledger import follow
from comity.kernel.policy.actor import Actor
from comity.kernel.policy.powers import KEEP_SUBSCRIPTIONS, SUBSCRIBE_FOR_ANY_ROLE
from comity.kernel.sharing import channels, outbox
from comity.kernel.sharing.filter import Filter, read_filter
from comity.kernel.sharing.stream_event import SUBSCRIBER, stream_end
from comity.kernel.work.node import Conn, Node, Work
from comity.kernel.work.results import as_uuid
from comity.sentences import say

FOLLOWER = "subscriptions"
MOST_OF_AGENCY = 1_000


@dataclass(frozen=True, slots=True)
class Subscription:
    """`state`: active · stopped (it erred; `reason` says how) · ended. `endpoint` is where it delivers, `address` how
    that is written; both are empty for what goes to the inbox."""

    id: UUID
    agency: str
    member: UUID | None
    role: str
    name: str
    purpose: str
    wanted: Filter
    endpoint: UUID | None
    state: str
    reason: str
    errors: int
    place: int
    made_at: datetime
    address: str | None = None

    @property
    def effect(self) -> str:
        """Under which name the outbox owes its deliveries, whether or not a channel still serves its address."""
        return outbox.WEBHOOK if self.endpoint else outbox.NOTICE

    @property
    def channel(self) -> str:
        """The channel that serves it; empty where none does any more."""
        return channels.of(self.address).name if not self.address or channels.served(self.address) else ""

    def as_json(self) -> dict[str, Any]:
        return {
            "id": str(self.id), "name": self.name, "channel": self.channel, "for_role": self.role or None,
            "member": str(self.member) if self.member else None, "purpose": self.purpose, **self.wanted.as_json(),
            "webhook": str(self.endpoint) if self.endpoint else None, "state": self.state,
            "reason": self.reason or None, "made_at": show_instant(self.made_at),
        }  # fmt: skip


_COLUMNS = """id, agency, member, role, name, purpose, wanted, endpoint, state, reason, errors, place, made_at,
    (select url from comity.endpoint e where e.id = endpoint) as address"""


def of_row(row: Mapping[str, Any]) -> Subscription:
    return Subscription(**{**row, "wanted": Filter.from_json(row["wanted"])})


def selected(conn: Conn, condition: str, *params: Any) -> list[Subscription]:
    """Subscriptions of the transaction's agency, oldest first."""
    rows = conn.cursor(row_factory=dict_row).execute(
        f"select {_COLUMNS} from comity.subscription where {condition} order by made_at, id", params
    )
    return [of_row(row) for row in rows]


def subscribe(
    node: Node, actor: Actor, wanted: Mapping[str, Any], *, name: str = "", for_role: str = "", webhook: str = "",
) -> Subscription:  # fmt: skip
    """Be told, from now on, of what the filter names and the subscriber may read. Problem `invalid`, `too_many`.

    `for_role` subscribes everybody who holds a role of the agency: one that the actor holds, or any with that power.
    `webhook` is the id of an address of the agency, whose scheme says by which channel it goes; without one it goes to
    the channel that needs none, the inbox.
    """
    with node.work(actor) as work:
        chosen = read_filter(work, wanted)
        _refuse_unfit(work, chosen, for_role)
        endpoint, address = _endpoint(work, webhook)
        channels.of(address)
        _refuse_many(work)
        end = stream_end(work.conn)
        place = follow.place_of(work.conn, FOLLOWER, work.agency)
        if place < end and not selected(work.conn, "state = 'active'"):
            follow.move(work.conn, FOLLOWER, work.agency, end)
        made = Subscription(
            names.new_id(), work.agency, None if for_role else UUID(work.actor.member), for_role,
            name.strip()[:200] or _named(chosen), work.actor.purpose, chosen, endpoint, "active", "", 0, end, work.now,
            address,
        )  # fmt: skip
        work.conn.execute(
            """insert into comity.subscription (id, agency, member, role, made_by, name, purpose, wanted, endpoint,
                   place, made_at) values (%s, %s, %s, %s, %s, %s, %s, %s::jsonb, %s, %s, %s)""",
            (
                made.id, made.agency, made.member, made.role, UUID(work.actor.member), made.name, made.purpose,
                chosen.as_text(), made.endpoint, made.place, made.made_at,
            ),
        )  # fmt: skip
        return made


def subscriptions(node: Node, actor: Actor) -> list[Subscription]:
    """The member's own, those of the roles it holds, and all of the agency for who sees to them."""
    with node.work(actor) as work:
        return [one for one in selected(work.conn, "state <> 'ended'") if concerns(work, one)]


def unsubscribe(node: Node, actor: Actor, subscription: str) -> Subscription:
    """End one. What it still owed is dropped. Problem `not_found`."""
    with node.work(actor) as work:
        found = tended(work, as_uuid(subscription))
        work.conn.execute("update comity.subscription set state = 'ended', reason = '' where id = %s", (found.id,))
        outbox.dismiss(work.conn, found.id, work.now)
        return replace(found, state="ended", reason="")


def tended(work: Work, subscription: UUID) -> Subscription:
    """A subscription that the actor may end or take up again, its row locked; else Problem `not_found`."""
    found = selected(work.conn, "id = %s and state <> 'ended'", subscription)
    if not found or not _tends(work, found[0]):
        raise Problem("not_found", say("not_found.no_such_subscription_or_it"))
    work.conn.execute("select 1 from comity.subscription where id = %s for update", (subscription,))
    return found[0]


def concerns(work: Work, one: Subscription) -> bool:
    """Whether it is the actor's own, or of a role that the actor holds, or the actor sees to all of them."""
    return _tends(work, one) or (one.role != "" and one.role in (work.actor.held or ()))


def _tends(work: Work, one: Subscription) -> bool:
    return str(one.member) == work.actor.member or work.may(KEEP_SUBSCRIPTIONS)


def reader(work: Work, one: Subscription) -> Work:
    """The work with the subscriber's rights as they are now. Problem: the subscriber is no longer one."""
    if one.role:
        if one.role not in work.catalogue.roles:
            raise Problem("not_allowed", say("not_allowed.has_no_role_any_more", agency=one.agency, role=one.role))
        member, title, held = str(SUBSCRIBER), f"role {one.role}", [one.role]
    else:
        row = work.conn.execute(
            "select id::text, name, roles, state from comity.member where id = %s", (one.member,)
        ).fetchone()
        if row is None or row[3] != "active":
            raise Problem("member_suspended", say("member_suspended.member_who_subscribed_is_suspended"))
        member, title, held = row[0], row[1], row[2]
    missing = [name for name in one.wanted.types if name not in work.catalogue.types]
    if missing:
        raise Problem("type_unknown", say("type_unknown.catalogue_has_no_type_any", missing=", ".join(missing)))
    actor = Actor.of(work.catalogue, member=member, name=title, held=held, purpose=one.purpose)
    return replace(work, actor=actor)


def stop(conn: Conn, one: Subscription, why: str, now: datetime) -> None:
    """Stop a subscription that cannot be followed. It is a dead letter; replayed, it goes on where it stopped."""
    conn.execute(
        """update comity.subscription set state = 'stopped', reason = %s, place = greatest(place, coalesce(
               (select place from comity.follower where name = %s and agency = %s), 0)) where id = %s""",
        (why, FOLLOWER, one.agency, one.id),
    )
    outbox.bury(conn, one.id, one.agency, why, now)


def _refuse_unfit(work: Work, wanted: Filter, role: str) -> None:
    faults = []
    if not wanted.narrows:
        faults.append(Fault("needs", "types", say("needs.subscription_names_what_it_wants")))
    if role and role not in work.catalogue.roles:
        fix = say("role_unknown.its_roles_are.fix", roles=", ".join(work.catalogue.roles))
        faults.append(
            Fault("role_unknown", "for_role", say("role_unknown.has_no_role", agency=work.agency, role=role), fix)
        )
    elif role and role not in (work.actor.held or ()) and not work.may(SUBSCRIBE_FOR_ANY_ROLE):
        faults.append(Fault("not_allowed", "for_role", say("not_allowed.you_hold_no_such_role")))
    if faults:
        raise Problem("invalid", say("invalid.subscription_is_not_valid"), faults=faults)


def _refuse_many(work: Work) -> None:
    row = work.conn.execute("select count(*) from comity.subscription where state <> 'ended'").fetchone()
    if row and row[0] >= MOST_OF_AGENCY:
        raise Problem("too_many", say("too_many.has_subscriptions", agency=work.agency, row=row[0]))


def _endpoint(work: Work, webhook: str) -> tuple[UUID | None, str | None]:
    if not webhook:
        return None, None
    row: tuple[UUID, str] | None = work.conn.execute(
        "select id, url from comity.endpoint where id = %s and state <> 'removed'", (as_uuid(webhook),)
    ).fetchone()
    if row is None:
        fault = Fault("not_found", "webhook", say("not_found.agency_has_no_such_webhook"))
        raise Problem("invalid", say("invalid.subscription_is_not_valid"), faults=[fault])
    return row


def _named(wanted: Filter) -> str:
    return ", ".join(wanted.types) or (f"linked to {wanted.linked}" if wanted.linked else wanted.where)[:80]
