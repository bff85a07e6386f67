"""Webhooks from entry to receiver: signed, pointing only, sent again with patience, never doubled, never lost."""

from __future__ import annotations

import base64
import hmac
import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from comity import clock
from comity.kernel.sharing import channels, send, signature
from comity.kernel.sharing.dead_letters import dead_letters, replay_all
from comity.kernel.sharing.endpoint import Endpoint, add_webhook, remove_webhook, webhooks
from comity.kernel.sharing.http_client import HttpClient
from comity.kernel.sharing.subscribe import Subscription
from comity.kernel.sharing.webhook import webhook
from tests.patience import PATIENCE, eventually
from tests.sharing.stage import LOOPBACK, Receiver, incident, match, outbox, place_all, subscribed
from tests.world import World, refused

OUT = HttpClient(allowed=LOOPBACK, seconds=PATIENCE)


def going_out_by(client: HttpClient, patched: pytest.MonkeyPatch) -> None:
    """Let the channel of webhooks use this client."""
    patched.setattr(channels, "CHANNELS", (*(one for one in channels.CHANNELS if one.send is None), webhook(client)))


@pytest.fixture
def listed(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """The node with loopback listed among the networks that webhooks may reach."""
    going_out_by(OUT, monkeypatch)
    return world


@pytest.fixture
def chief(world: World) -> Any:
    return world.seats[world.seat("atf", "administrator")]


@pytest.fixture
def hooked(listed: World, chief: Any) -> Iterator[tuple[Receiver, Endpoint, Subscription]]:
    """A receiver, its webhook, and the agent's subscription that delivers there."""
    with Receiver().listening() as there:
        made = add_webhook(listed.node, chief, there.url)
        with subscribed(listed, "atf_agent", {"types": ["investigation.incident"]}, webhook=str(made.id)) as one:
            yield there, made, one
        remove_webhook(listed.node, chief, str(made.id))


def sent(world: World, made: Endpoint) -> int:
    """One round of the sender at one address, after the followers'."""
    place_all(world)
    match(world)
    ready = [one for one in send.ready(world.node, "atf") if one.id == made.id]
    return sum(send.send_due(world.node, "atf", one) for one in ready)


def verified(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """An independent check, by the text of the Standard Webhooks specification."""
    key = base64.b64decode(secret.split("_", 1)[1])
    text = headers["webhook-id"].encode() + b"." + headers["webhook-timestamp"].encode() + b"." + body
    want = base64.b64encode(hmac.digest(key, text, "sha256")).decode()
    given = [one.split(",", 1) for one in headers["webhook-signature"].split(" ")]
    return any(version == "v1" and hmac.compare_digest(one, want) for version, one in given)


def test_the_worked_example_of_the_specification() -> None:
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    made = signature.headers(
        secret, message="msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp=1614265330, body=b'{"test": 2432232314}'
    )
    assert made["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_delivery_is_signed_and_points_without_telling(world: World, hooked: Any) -> None:
    there, made, one = hooked
    known = incident(world, fields={"offense_description": "NARCOTICS: HEROIN", "beat": "0713"})
    assert sent(world, made) == 1
    ((headers, body),) = there.got
    assert verified(made.secret, headers, body)
    assert not verified(made.secret, headers, body + b" ")
    assert not verified(made.secret, {**headers, "webhook-timestamp": "1"}, body)
    assert not verified("whsec_" + base64.b64encode(b"x" * 32).decode(), headers, body)
    told = json.loads(body)
    assert told["type"] == "investigation.incident.enter"
    assert told["data"]["record"] == known.record and told["data"]["agency"] == "cpd"
    assert set(told["data"]) == {
        "place", "entry", "record", "type", "act", "agency", "at", "address", "subscription"
    }  # fmt: skip
    assert b"HEROIN" not in body and (known.number or "-").encode() not in body
    assert abs(int(headers["webhook-timestamp"]) - clock.now().timestamp()) < 60
    disclosed = world.rows("cpd", "select verb, records::text from comity.disclosure where owner = 'cpd'")
    assert any(verb == "webhook" and known.record in records for verb, records in disclosed)
    assert outbox(world, one) == [("webhook", "done", "")]


def test_the_secret_is_shown_once_and_not_kept_in_the_clear(world: World, hooked: Any, chief: Any) -> None:
    _, made, _ = hooked
    assert all("secret" not in one.as_json() for one in webhooks(world.node, chief))
    ((kept,),) = world.rows("atf", "select secret from comity.endpoint where id = %s", made.id)
    assert base64.b64decode(made.secret.removeprefix("whsec_")) not in bytes(kept)


def test_only_an_administrator_says_where_deliveries_go(listed: World) -> None:
    actor = listed.seats["atf_agent"]
    assert refused(add_webhook, listed.node, actor, "https://hooks.example/x").code == "not_allowed"


def test_an_address_inside_is_refused_when_it_is_added(world: World, chief: Any) -> None:
    for url in ("https://127.0.0.1/x", "https://[::1]/x", "https://10.0.0.8/", "https://169.254.169.254/latest"):
        assert refused(add_webhook, world.node, chief, url).code == "webhook_refused"
    assert refused(add_webhook, world.node, chief, "http://hooks.example/x").code == "webhook_refused"


def test_a_name_that_turns_inward_later_is_a_dead_letter_at_once(
    world: World, hooked: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, made, one = hooked
    incident(world)
    place_all(world)
    match(world)
    going_out_by(HttpClient(resolver=lambda host, port: ["169.254.169.254"]), monkeypatch)
    with world.node.transaction("atf") as (conn, _):
        conn.execute("update comity.endpoint set url = 'https://hooks.example/' where id = %s", (made.id,))
    (ready,) = [found for found in send.ready(world.node, "atf") if found.id == made.id]
    assert send.send_due(world.node, "atf", ready) == 0
    assert outbox(world, one)[0][1] == "dead" and outbox(world, one)[0][2].startswith("webhook_refused")


def test_a_receiver_that_answers_twice_is_sent_once(world: World, hooked: Any) -> None:
    there, made, one = hooked
    there.answer = lambda _: b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"
    incident(world)
    assert sent(world, made) == 1
    assert sent(world, made) == 0
    assert len(there.got) == 1
    assert outbox(world, one) == [("webhook", "done", "")]


def test_one_that_was_gone_for_a_day_gets_each_delivery_once(world: World, hooked: Any) -> None:
    there, made, one = hooked
    there.answer = lambda _: b"HTTP/1.1 503 Gone fishing\r\n\r\n"
    for _ in range(3):
        incident(world)
    assert sent(world, made) == 0
    assert len(there.got) == 1, "one that failed is not tried with the rest"
    assert sent(world, made) == 0 and len(there.got) == 1, "nor at once again"
    there.answer = Receiver().answer
    there.got.clear()
    with clock.at(clock.now() + timedelta(days=1)):
        assert sent(world, made) == 3
        assert sent(world, made) == 0
    assert len({headers["webhook-id"] for headers, _ in there.got}) == 3
    assert {row[1] for row in outbox(world, one)} == {"done"}


def test_a_sender_killed_between_sending_and_marking_sends_again_under_the_same_id(
    world: World, hooked: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, made, one = hooked
    incident(world)
    with monkeypatch.context() as patched:
        patched.setattr(send.outbox, "mark", _killed)
        with pytest.raises(KeyboardInterrupt):
            sent(world, made)
    assert sent(world, made) == 0, "the lease of the killed one still holds"
    with clock.at(clock.now() + send.LEASE):
        assert sent(world, made) == 1
    first, second = (headers for headers, _ in there.got)
    assert first["webhook-id"] == second["webhook-id"]
    assert outbox(world, one) == [("webhook", "done", "")]


def _killed(*_: object) -> None:
    raise KeyboardInterrupt


def test_rights_lost_before_sending_send_nothing(world: World, hooked: Any) -> None:
    there, made, one = hooked
    known = incident(world)
    place_all(world)
    match(world)
    world.amend("cpd_sergeant", known.record, marks=["informant"], reason="a source")
    assert sent(world, made) == 0
    assert there.got == []
    assert {row[1] for row in outbox(world, one)} == {"done"}


def test_an_address_that_fails_for_days_is_stopped_told_and_replayed(world: World, hooked: Any, chief: Any) -> None:
    there, made, one = hooked
    there.answer = lambda _: b"HTTP/1.1 500 No\r\n\r\n"
    incident(world)
    incident(world)
    at = clock.now()
    for _ in range(send.TRIES + 2):
        with clock.at(at):
            sent(world, made)
        at += timedelta(days=1, minutes=1)
    (held,) = [found for found in webhooks(world.node, chief) if found.id == made.id]
    assert held.state == "stopped" and held.failures == send.TRIES
    letters = [dead for dead in dead_letters(world.node, world.seats["atf_agent"]) if dead.subscription == one.id]
    assert sorted(dead.kind for dead in letters) == ["subscription", "webhook", "webhook"]
    assert all("500" in dead.reason for dead in letters)
    there.answer = Receiver().answer
    there.got.clear()
    assert replay_all(world.node, world.seats["atf_agent"], str(one.id)) == 3
    assert sent(world, made) == 2
    assert {row[1] for row in outbox(world, one)} == {"done"}


def test_one_that_says_gone_is_stopped_at_once(world: World, hooked: Any, chief: Any) -> None:
    there, made, one = hooked
    there.answer = lambda _: b"HTTP/1.1 410 Gone\r\n\r\n"
    incident(world)
    sent(world, made)
    (held,) = [found for found in webhooks(world.node, chief) if found.id == made.id]
    assert held.state == "stopped" and "endpoint_gone" in held.reason
    assert {row[1] for row in outbox(world, one)} == {"dead"}


def test_the_pauses_grow_to_a_day_and_are_not_all_alike() -> None:
    assert all(timedelta(seconds=4) <= send.back_off(1) <= timedelta(seconds=6) for _ in range(50))
    assert all(send.back_off(n) <= timedelta(days=1) for n in range(1, 40))
    assert send.back_off(20) == timedelta(days=1)
    assert len({send.back_off(3) for _ in range(20)}) > 10


def test_a_slow_address_holds_up_no_other(world: World, hooked: Any, chief: Any) -> None:
    there, made, _ = hooked
    go_on = threading.Event()
    with Receiver(hold=go_on).listening() as slow:
        other = add_webhook(world.node, chief, slow.url)
        with subscribed(world, "atf_agent", {"types": ["investigation.incident"]}, webhook=str(other.id)):
            for _ in range(3):
                incident(world)
            place_all(world)
            match(world)
            sender = send.Sender(world.node)
            started = sender.round()
            eventually(lambda: len(there.got) == 3)
            assert len(slow.got) == 1
            go_on.set()
            for one in started:
                one.result(PATIENCE)
            sender.close()
        assert len(slow.got) == 3
        remove_webhook(world.node, chief, str(other.id))
    assert made.id
