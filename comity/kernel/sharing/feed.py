"""What the live feed tells: to the open streams of one agency, what came since, decided for each reader anew.

One transaction for all streams of an agency. It also finds the streams that must end: a suspended agency or member, a
token that was revoked or has expired.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from comity.errors import Problem
from comity.kernel.policy.actor import Actor
from comity.kernel.sharing.channel import Channel, Reader, Told
from comity.kernel.sharing.stream_event import Pointer, StreamEvent, chosen, judge, stream_end, stream_events
from comity.kernel.work import disclosure
from comity.kernel.work.node import Node, Work, system
from comity.kernel.work.subject import Subject
from comity.sentences import say

PAGE = 200


def end_of_stream(node: Node, agency: str) -> int:
    with node.transaction(agency) as (conn, _):
        return stream_end(conn)


def told(node: Node, agency: str, readers: Sequence[Reader]) -> list[Told]:
    """What each reader is told now, in their order. Others' records that it points at are disclosed to their owners."""
    try:
        with node.work(system(agency)) as work:
            return _told(work, readers)
    except Problem as problem:
        if problem.code not in ("agency_suspended", "agency_unknown"):
            raise
        return [Told(one.place, closed=problem) for one in readers]


def _told(work: Work, readers: Sequence[Reader]) -> list[Told]:
    hashes = [one.admitted.token for one in readers if one.admitted.token is not None]
    rows = work.conn.execute(
        """select id, name, roles, state, comity.stream_end(),
                  array(select hash from comity.token where hash = any(%s) and revoked_at is null and expires_at > %s)
             from comity.member where id = any(%s)""",
        (hashes, work.now, list({one.admitted.member for one in readers})),
    ).fetchall()
    members = {row[0]: row[:4] for row in rows}
    good = {bytes(one) for one in rows[0][5]} if rows else set()
    end = rows[0][4] if rows else 0
    pages: dict[int, list[StreamEvent]] = {}
    out = []
    for one in readers:
        closed = _closed(one, members.get(one.admitted.member), good)
        if closed is not None or not one.ready or one.place >= end:
            out.append(Told(one.place, closed=closed))
            continue
        if one.place not in pages:
            pages[one.place] = stream_events(work.conn, after=one.place, until=end, limit=PAGE)
        out.append(_page(work, one, members[one.admitted.member], pages[one.place], end))
    return out


def _closed(one: Reader, member: tuple[UUID, str, list[str], str] | None, good: set[bytes]) -> Problem | None:
    if member is None or member[3] != "active":
        return Problem("member_suspended", say("member_suspended.member_is_suspended"))
    if one.admitted.token is not None and one.admitted.token not in good:
        return Problem("token_invalid", say("token_invalid.token_was_revoked_or_has"))
    return None


def _page(
    work: Work, one: Reader, member: tuple[UUID, str, list[str], str], found: Sequence[StreamEvent], end: int
) -> Told:
    actor = Actor.of(
        work.catalogue, member=str(member[0]), name=member[1], held=member[2], purpose=one.admitted.purpose
    )
    mine = replace(work, actor=actor)
    wanted = chosen(work.conn, one.admitted.wanted, found)
    verdicts, seen = judge(mine, one.admitted.wanted, wanted)
    _disclose(mine, seen)
    more = len(found) == PAGE
    pointers = [verdict for hit in wanted if isinstance(verdict := verdicts.get(hit.entry), Pointer)]
    troubles = [(hit.place, verdict) for hit in wanted if isinstance(verdict := verdicts.get(hit.entry), Problem)]
    return Told(found[-1].place if more else end, pointers, troubles, None, more)


def _disclose(work: Work, seen: Sequence[Subject]) -> None:
    disclosure.told(work, "feed", [(subject, ["pointer"]) for subject in seen])


FEED = Channel("feed", live=told)
