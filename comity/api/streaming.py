"""The live feed as an ASGI application: server-sent events, one stream a ticket. Nothing of Django's is in it.

One LISTEN connection a process hears that the stream grew or that rights changed; it only listens. The streams of one
agency share a room: at a wake the room asks once for all of them, and each is told what its reader may see at that
moment. A stream that is still sending is asked nothing more, so memory is bounded; one that does not take what it is
sent is cut, and goes on later from its `Last-Event-ID`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any
from urllib.parse import parse_qs

import orjson
import psycopg

from comity.api.language import accepted, known_locale
from comity.errors import Problem
from comity.kernel.ledger.sequence import WAKE
from comity.kernel.sharing import channels
from comity.kernel.sharing.channel import Reader, Told
from comity.kernel.sharing.feed import end_of_stream
from comity.kernel.sharing.ticket import Admitted, redeem_ticket
from comity.kernel.work.node import Node
from comity.sentences import Locale, in_words, say

RIGHTS = "comity_rights"
BEAT = 15.0
"""Seconds between heartbeats; the rights of silent streams are looked at as often, without any wake."""
SLOW = 10.0
"""Seconds that a stream may take to accept what it is sent."""
MOST, MOST_OF_MEMBER = 2_000, 8
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
    (b"access-control-allow-origin", b"*"),
]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Stream:
    """One open stream. `box` holds what it is to send next: one page at most."""

    def __init__(self, admitted: Admitted, place: int) -> None:
        self.admitted, self.place = admitted, place
        self.box: asyncio.Queue[Told] = asyncio.Queue()
        self.busy = False
        self.closed: asyncio.Future[Problem] = asyncio.get_running_loop().create_future()

    def reader(self) -> Reader:
        return Reader(self.admitted, self.place, ready=not self.busy)

    def close(self, why: Problem) -> None:
        if not self.closed.done():
            self.closed.set_result(why)


class Room:
    """The open streams of one agency. Lives as long as it has any."""

    def __init__(self, node: Node, agency: str) -> None:
        self.node, self.agency = node, agency
        self.streams: set[Stream] = set()
        self.wake = asyncio.Event()

    async def run(self) -> None:
        while self.streams:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.wake.wait(), BEAT)
            self.wake.clear()
            asked = list(self.streams)
            try:
                told = await asyncio.to_thread(channels.tell, self.node, self.agency, [one.reader() for one in asked])
            except (Problem, psycopg.Error):
                await asyncio.sleep(0.5)  # the database is away: nothing is told meanwhile, and rights are asked again
                self.wake.set()
                continue
            for one, what in zip(asked, told, strict=True):
                self._hand(one, what)

    def _hand(self, one: Stream, what: Told) -> None:
        if what.closed is not None:
            one.close(what.closed)
        elif not one.busy:
            one.place = what.place
            if what.pointers or what.troubles:
                one.busy = True
                one.box.put_nowait(what)
            elif what.more:
                self.wake.set()


class Feed:
    """The application. `listen` is the address for the one LISTEN connection: a role of the app."""

    def __init__(self, node: Node, listen: str, *, beat: float = BEAT, slow: float = SLOW) -> None:
        self.node, self._listen, self._beat, self._slow = node, listen, beat, slow
        self._rooms: dict[str, Room] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.listening = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    async def start(self) -> None:
        self._keep(self._hear())

    async def stop(self) -> None:
        """End every task, asking until it has: `wait_for` before Python 3.12 loses a cancellation that meets a wake."""
        while pending := [one for one in self._tasks if not one.done()]:
            for task in pending:
                task.cancel()
            await asyncio.wait(pending, timeout=0.2)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self.start()
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    def _keep(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _hear(self) -> None:
        """Listen for ever. After a lost connection every room is woken: what was not heard is asked for."""
        while True:
            with contextlib.suppress(psycopg.Error, OSError):
                async with await psycopg.AsyncConnection.connect(
                    self._listen, autocommit=True, application_name="comity-feed"
                ) as conn:
                    await conn.execute(f"listen {WAKE}")
                    await conn.execute(f"listen {RIGHTS}")
                    self.listening.set()
                    self._wake(None)
                    async for heard in conn.notifies():
                        self._wake(heard.payload if heard.channel == RIGHTS else None)
            self.listening.clear()
            await asyncio.sleep(0.3)

    def _wake(self, agency: str | None) -> None:
        for name, room in self._rooms.items():
            if agency is None or agency == name:
                room.wake.set()

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            stream = await self._opened(scope)
        except Problem as problem:
            await _refuse(send, scope, problem)
            return
        except psycopg.Error:
            await _refuse(send, scope, Problem("unavailable"))
            return
        if stream is None:
            await _answer(
                send, 200, orjson.dumps({"status": "ok", "streams": self._open_streams()}), "application/json"
            )
            return
        room = self._room(stream)
        gone = asyncio.ensure_future(_gone(receive))
        try:
            await self._speak(stream, room, gone, send)
        finally:
            room.streams.discard(stream)
            if not room.streams:
                self._rooms.pop(room.agency, None)
                room.wake.set()
            gone.cancel()

    async def _opened(self, scope: Scope) -> Stream | None:
        if scope["path"] == "/health":
            return None
        if scope["path"] != "/feed":
            raise Problem("route_unknown")
        if scope["method"] != "GET":
            raise Problem("method_not_allowed")
        query = parse_qs(scope["query_string"].decode("latin-1"))
        ticket = query.get("ticket", [""])[0]
        headers = {name.lower(): value for name, value in scope["headers"]}
        after = headers.get(b"last-event-id", b"").decode("latin-1") or query.get("last_event_id", [""])[0]
        if after and not (after.isascii() and after.isdigit() and len(after) < 19):
            raise Problem("request_invalid", say("request_invalid.last_event_id_is_not"))
        if self._open_streams() >= MOST:
            raise Problem("too_many", say("too_many.there_are_as_many_streams"))
        admitted = await asyncio.to_thread(redeem_ticket, self.node, ticket)
        mine = self._rooms.get(admitted.agency)
        if mine and sum(one.admitted.member == admitted.member for one in mine.streams) >= MOST_OF_MEMBER:
            raise Problem("too_many", say("too_many.member_opens_at_most_streams", most_of_member=MOST_OF_MEMBER))
        end = await asyncio.to_thread(end_of_stream, self.node, admitted.agency)
        return Stream(admitted, min(int(after), end) if after else end)

    def _open_streams(self) -> int:
        return sum(len(room.streams) for room in self._rooms.values())

    def _room(self, stream: Stream) -> Room:
        agency = stream.admitted.agency
        room = self._rooms.get(agency)
        if room is None:
            room = self._rooms[agency] = Room(self.node, agency)
            room.streams.add(stream)
            self._keep(room.run())
        room.streams.add(stream)
        room.wake.set()  # its rights are looked at, and what came since its place is told
        return room

    async def _speak(self, stream: Stream, room: Room, gone: asyncio.Future[None], send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        chunk = b"retry: 1000\n" + _event("open", stream.place, {"place": stream.place})
        while True:
            if not await self._sent(stream, gone, send, chunk):
                return
            if stream.busy:
                stream.busy = False
                room.wake.set()
            taking = asyncio.ensure_future(stream.box.get())
            await _first(taking, stream.closed, gone, seconds=self._beat)
            if stream.closed.done():
                taking.cancel()
                await self._end(stream, send)
                return
            if gone.done():
                taking.cancel()
                return
            if taking.done():
                chunk = _events(taking.result())
            else:
                taking.cancel()
                chunk = b"id: %d\n: beat\n\n" % stream.place

    async def _sent(self, stream: Stream, gone: asyncio.Future[None], send: Send, chunk: bytes) -> bool:
        """Whether the other side took it. Cut when it does not in time, is gone, or has lost its rights meanwhile."""
        sending = asyncio.ensure_future(send({"type": "http.response.body", "body": chunk, "more_body": True}))
        await _first(sending, stream.closed, gone, seconds=self._slow)
        if sending.done() and not sending.cancelled() and sending.exception() is None:
            return True
        if stream.closed.done():
            with contextlib.suppress(asyncio.TimeoutError, Exception):
                await asyncio.wait_for(sending, 0.2)
        sending.cancel()
        return False

    async def _end(self, stream: Stream, send: Send) -> None:
        problem = stream.closed.result()
        last = _event("closed", None, {"code": problem.code, "detail": problem.detail})
        with contextlib.suppress(asyncio.TimeoutError, Exception):
            await asyncio.wait_for(send({"type": "http.response.body", "body": last, "more_body": False}), 0.5)


async def _first(*awaited: asyncio.Future[Any], seconds: float) -> None:
    """Wait until one of these is done, or time is over. Cancels none."""
    await asyncio.wait(awaited, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _events(told: Told) -> bytes:
    """A page as events, in order of place. Each carries its place as its id."""
    made = [(one.place, _event("entry", one.place, one.as_json())) for one in told.pointers]
    made += [
        (place, _event("trouble", place, {"place": place, "code": problem.code, "detail": problem.detail}))
        for place, problem in told.troubles
    ]
    return b"".join(event for _, event in sorted(made))


def _event(kind: str, place: int | None, data: Mapping[str, Any]) -> bytes:
    identified = b"id: %d\n" % place if place is not None else b""
    return identified + b"event: " + kind.encode() + b"\ndata: " + orjson.dumps(data) + b"\n\n"


async def _refuse(send: Send, scope: Scope, problem: Problem) -> None:
    said = in_words(problem.as_json(), _locale(scope))
    await _answer(send, problem.status, orjson.dumps(said), "application/problem+json")


def _locale(scope: Scope) -> Locale:
    """Whoever asks for a stream has not signed in yet: its browser says what it reads."""
    headers = {name.lower(): value for name, value in scope["headers"]}
    return known_locale(accepted(headers.get(b"accept-language", b"").decode("latin-1")))


async def _answer(send: Send, status: int, body: bytes, media_type: str) -> None:
    headers = [
        (b"content-type", media_type.encode()), (b"cache-control", b"no-store"), (b"access-control-allow-origin", b"*"),
        (b"content-length", str(len(body)).encode()),
    ]  # fmt: skip
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
