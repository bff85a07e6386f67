"""The live feed as its readers know it: in order, under their rights of the moment, resumed, and closed with them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from comity import clock
from comity.api.streaming import MOST_OF_MEMBER, Feed
from comity.kernel.policy import tokens
from comity.kernel.sharing.ticket import issue_ticket, redeem_ticket
from tests.patience import PATIENCE
from tests.sharing.stage import case, incident, place_all
from tests.world import World, refused


class Client:
    """One reader of the feed, as ASGI has it. `take` false: it accepts nothing more of what is sent."""

    def __init__(self, feed: Feed, query: str, headers: Mapping[str, str] | None = None) -> None:
        self.raw, self.status, self.over = b"", 0, False
        self.taking = asyncio.Event()
        self.taking.set()
        self._gone = asyncio.Event()
        named = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
        scope = {
            "type": "http", "method": "GET", "path": "/feed", "query_string": query.encode(), "headers": named,
        }  # fmt: skip
        self.task = asyncio.ensure_future(feed(scope, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        await self.taking.wait()
        if message["type"] == "http.response.start":
            self.status = message["status"]
        else:
            self.raw += message["body"]
            self.over = not message.get("more_body", False)

    def leave(self) -> None:
        self._gone.set()

    def events(self, kind: str) -> list[dict[str, Any]]:
        found = []
        for block in self.raw.decode().split("\n\n"):
            lines = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line and not line.startswith(":"))
            if lines.get("event") == kind:
                found.append({**json.loads(lines["data"]), "event_id": lines.get("id")})
        return found

    async def until(self, holds: Callable[[], Any]) -> None:
        began = clock.monotonic()
        while not holds():
            assert clock.monotonic() - began < PATIENCE, f"it did not come about; so far {self.raw!r}"
            await asyncio.sleep(0.005)


def play(world: World, story: Callable[[Feed], Awaitable[None]], **options: float) -> None:
    """Run a story with the feed listening, and end everything after it."""

    async def whole() -> None:
        feed = Feed(world.node, world.database.app_url, **options)
        await feed.start()
        await asyncio.wait_for(feed.listening.wait(), PATIENCE)
        try:
            await asyncio.wait_for(story(feed), 4 * PATIENCE)
        finally:
            await feed.stop()

    asyncio.run(whole())


def ticket(world: World, seat: str, wanted: dict[str, Any] | None = None, *, token: str | None = None) -> str:
    token = token or world.issued[seat].token
    return "ticket=" + issue_ticket(world.node, world.seats[seat], wanted or {}, token=token).ticket


async def opened(feed: Feed, world: World, seat: str, wanted: dict[str, Any] | None = None, **more: Any) -> Client:
    client = Client(feed, await asyncio.to_thread(ticket, world, seat, wanted), **more)
    await client.until(lambda: client.events("open") or client.over)
    return client


async def happen(world: World, what: Callable[[World], Any]) -> Any:
    """Let something happen and get its place."""
    made = await asyncio.to_thread(what, world)
    await asyncio.to_thread(place_all, world)
    return made


def test_what_happens_is_told_in_order_and_points_without_telling(world: World) -> None:
    place_all(world)

    async def story(feed: Feed) -> None:
        bureau = await opened(feed, world, "atf_agent")
        lab = await opened(feed, world, "fsl_analyst")
        first = await happen(world, incident)
        second = await happen(world, case)
        await bureau.until(lambda: len(bureau.events("entry")) == 2)
        told = bureau.events("entry")
        assert [one["record"] for one in told] == [first.record, second.record]
        assert [one["event_id"] for one in told] == [str(one["place"]) for one in told]
        assert set(told[0]) == {
            "place", "entry", "record", "type", "act", "agency", "at", "address", "event_id"
        }  # fmt: skip
        assert lab.events("entry") == []
        bureau.leave()
        await bureau.until(bureau.task.done)

    play(world, story)
    seen = world.rows("cpd", "select agency, verb from comity.disclosure where owner = 'cpd' and verb = 'feed'")
    assert ("atf", "feed") in seen


def test_a_reader_goes_on_from_its_last_event(world: World) -> None:
    place_all(world)

    async def story(feed: Feed) -> None:
        client = await opened(feed, world, "atf_agent")
        await happen(world, incident)
        await client.until(lambda: client.events("entry"))
        last = client.events("entry")[-1]["event_id"]
        client.leave()
        await client.until(client.task.done)
        missed = [await happen(world, incident) for _ in range(3)]
        again = await opened(feed, world, "atf_agent", headers={"Last-Event-ID": last})
        await again.until(lambda: len(again.events("entry")) == 3)
        assert [one["record"] for one in again.events("entry")] == [one.record for one in missed]

    play(world, story)


def test_more_than_a_page_is_caught_up_page_by_page(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from comity.kernel.sharing import feed as reading

    monkeypatch.setattr(reading, "PAGE", 2)
    place_all(world)
    start = world.rows("atf", "select comity.stream_end()")[0][0]
    made = [incident(world) for _ in range(7)]
    place_all(world)

    async def story(feed: Feed) -> None:
        client = await opened(feed, world, "atf_agent", headers={"Last-Event-ID": str(start)})
        await client.until(lambda: len(client.events("entry")) == 7)
        assert [one["record"] for one in client.events("entry")] == [one.record for one in made]

    play(world, story)


def test_a_filter_narrows_and_one_that_errs_is_told(world: World) -> None:
    place_all(world)

    async def story(feed: Feed) -> None:
        wanted = {"types": ["investigation.incident"], "where": "record.narrative.contains('gun')"}
        client = await opened(feed, world, "atf_agent", wanted)
        await happen(world, case)
        await happen(world, incident)
        right = await happen(world, lambda w: incident(w, fields={"narrative": "A gun."}))
        await client.until(lambda: client.events("entry"))
        assert [one["record"] for one in client.events("entry")] == [right.record]
        (trouble,) = client.events("trouble")
        assert trouble["code"] == "guard_error" and "record.narrative" in trouble["detail"]

    play(world, story)


def test_rights_are_those_of_the_moment(world: World) -> None:
    place_all(world)

    async def story(feed: Feed) -> None:
        client = await opened(feed, world, "atf_agent")
        hidden = await asyncio.to_thread(incident, world)
        await asyncio.to_thread(
            lambda: world.amend("cpd_sergeant", hidden.record, marks=["informant"], reason="a source")
        )
        shown = await happen(world, incident)
        await client.until(lambda: client.events("entry"))
        assert [one["record"] for one in client.events("entry")] == [shown.record]

    play(world, story)


def suspend_member(world: World, seat: str) -> Callable[[], Any]:
    chief = world.seats[world.seat("atf", "administrator")]
    member = world.seats[seat].member
    tokens.suspend_member(world.node, chief, member, reason="inquiry")
    return lambda: tokens.suspend_member(world.node, chief, member, reason="ended", lift=True)


def suspend_agency(world: World, seat: str) -> Callable[[], Any]:
    tokens.suspend_agency(world.node, tokens.operator(), "atf", reason="audit")
    return lambda: tokens.suspend_agency(world.node, tokens.operator(), "atf", reason="ended", lift=True)


def revoke_token(world: World, seat: str) -> Callable[[], Any]:
    def set_to(value: str) -> None:
        with world.node.transaction("atf") as (conn, _):
            member = world.seats[seat].member
            conn.execute(f"update comity.token set revoked_at = {value} where member = %s", (member,))

    set_to("now()")
    return lambda: set_to("null")


@pytest.mark.parametrize(
    ("revoke", "code"),
    [(suspend_member, "member_suspended"), (suspend_agency, "agency_suspended"), (revoke_token, "token_invalid")],
    ids=lambda one: getattr(one, "__name__", one),
)
@pytest.mark.parametrize("slow", [False, True], ids=["reading", "stuck"])
def test_a_revocation_closes_the_stream_before_the_next_beat(world: World, revoke: Any, code: str, slow: bool) -> None:
    seat = world.seat("atf", "special_agent", also="to be revoked")
    other = "cpd_records"
    place_all(world)

    async def story(feed: Feed) -> None:
        client = await opened(feed, world, seat)
        apart = await opened(feed, world, other)
        if slow:
            client.taking.clear()
            await happen(world, incident)
            await asyncio.sleep(0.1)
        undo = await asyncio.to_thread(revoke, world, seat)
        try:
            await client.until(client.task.done)
        finally:
            await asyncio.to_thread(undo)
        if not slow:
            assert [one["code"] for one in client.events("closed")] == [code]
        assert not apart.task.done()
        apart.leave()

    play(world, story, beat=4 * PATIENCE, slow=4 * PATIENCE)


def test_a_token_that_expires_ends_the_stream_at_the_next_beat(world: World) -> None:
    seat = world.seat("atf", "special_agent", also="to expire")
    place_all(world)

    async def story(feed: Feed) -> None:
        client = await opened(feed, world, seat)
        with clock.at(clock.now() + tokens.TOKEN_LIFE + timedelta(days=1)):
            feed._rooms["atf"].wake.set()
            await client.until(client.task.done)
        assert client.events("closed")[0]["code"] == "token_invalid"

    play(world, story)


def test_a_slow_reader_is_cut_and_may_go_on_later(world: World) -> None:
    place_all(world)

    async def story(feed: Feed) -> None:
        slow = await opened(feed, world, "atf_agent")
        quick = await opened(feed, world, "atf_supervisor")
        place = slow.events("open")[0]["event_id"]
        slow.taking.clear()
        made = [await happen(world, incident) for _ in range(5)]
        await quick.until(lambda: len(quick.events("entry")) == 5)
        await slow.until(slow.task.done)
        assert slow.events("entry") == []
        again = await opened(feed, world, "atf_agent", headers={"Last-Event-ID": place})
        await again.until(lambda: len(again.events("entry")) == 5)
        assert [one["record"] for one in again.events("entry")] == [one.record for one in made]

    play(world, story, slow=0.5)


def test_a_silent_stream_beats(world: World) -> None:
    place_all(world)

    async def story(feed: Feed) -> None:
        client = await opened(feed, world, "atf_agent")
        await client.until(lambda: client.raw.count(b": beat") >= 2)

    play(world, story, beat=0.1)


def test_a_lost_listening_connection_loses_nothing(world: World) -> None:
    place_all(world)

    async def story(feed: Feed) -> None:
        client = await opened(feed, world, "atf_agent")

        def cut() -> int:
            with psycopg.connect(world.database.superuser_url, autocommit=True) as conn:
                return len(
                    conn.execute(
                        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'comity-feed'"
                    ).fetchall()
                )

        assert await asyncio.to_thread(cut) == 1
        made = await happen(world, incident)
        await client.until(lambda: client.events("entry"))
        assert [one["record"] for one in client.events("entry")] == [made.record]

    play(world, story)


def test_a_ticket_is_good_once_and_not_for_long(world: World) -> None:
    actor = world.seats["atf_agent"]
    made = issue_ticket(world.node, actor, {}, token=world.issued["atf_agent"].token)
    assert redeem_ticket(world.node, made.ticket).agency == "atf"
    assert refused(redeem_ticket, world.node, made.ticket).code == "ticket_invalid"
    assert refused(redeem_ticket, world.node, "never issued").code == "ticket_invalid"
    late = issue_ticket(world.node, actor, {})
    with clock.at(late.expires_at):
        assert refused(redeem_ticket, world.node, late.ticket).code == "ticket_invalid"
    assert refused(issue_ticket, world.node, actor, {"types": ["no.such"]}).code == "invalid"


def test_what_is_no_stream_is_refused(world: World) -> None:
    async def story(feed: Feed) -> None:
        wrong = Client(feed, "ticket=nothing")
        await wrong.until(lambda: wrong.over)
        assert wrong.status == 401 and json.loads(wrong.raw)["code"] == "ticket_invalid"
        query = await asyncio.to_thread(ticket, world, "atf_agent")
        bad = Client(feed, query, {"Last-Event-ID": "1; drop"})
        await bad.until(lambda: bad.over)
        assert bad.status == 400 and json.loads(bad.raw)["code"] == "request_invalid"
        still = Client(feed, query)
        await still.until(lambda: still.events("open"))
        many = [await opened(feed, world, "atf_agent") for _ in range(MOST_OF_MEMBER)]
        assert many[-1].status == 429
        assert [one.status for one in many[:-1]] == [200] * (MOST_OF_MEMBER - 1)

    play(world, story)
