"""Sharing on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from comity.cli.app import run
from comity.config.main import services
from tests.sharing.stage import incident, place_all
from tests.world import World

Command = Callable[..., tuple[int, Any]]


@pytest.fixture
def comity(world: World, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command as a seat of the world, by the token in its environment."""

    def call(seat: str, *arguments: str) -> tuple[int, Any]:
        monkeypatch.setenv("COMITY_TOKEN", world.issued[seat].token)
        capfd.readouterr()
        code = run(services(), [*arguments, "--json"])
        return code, json.loads(capfd.readouterr()[0])

    return call


def test_subscribing_listening_and_replaying_at_a_terminal(world: World, comity: Command) -> None:
    agent, chief = "atf_agent", world.seat("atf", "administrator")
    wanted = ("--type", "investigation.incident", "--where", "record.narrative == ''")
    code, made = comity(agent, "subscribe", *wanted, "--name", "at a terminal")
    assert code == 0 and made["state"] == "active"
    place_all(world)
    start = world.rows("atf", "select comity.stream_end()")[0][0]
    known = incident(world)
    world.follow()
    code, heard = comity(agent, "feed", "--type", "investigation.incident", "--after", str(start), "--for", "0")
    assert code == 0 and [one["record"] for one in heard["items"]] == [known.record]
    code, dead = comity(agent, "dead-letters", "list")
    letter = next(one for one in dead["items"] if one["subscription"] == made["id"])
    assert letter["code"] == "guard_error"
    assert comity(agent, "dead-letters", "replay", letter["id"]) == (0, {"replayed": 1})
    code, hook = comity(chief, "webhook", "add", "https://hooks.example/x")
    assert code == 0 and hook["secret"].startswith("whsec_")
    assert comity(agent, "webhook", "list")[1]["items"][-1]["id"] == hook["id"]
    assert comity(agent, "webhook", "remove", hook["id"])[1]["code"] == "not_allowed"
    assert comity(chief, "webhook", "remove", hook["id"])[0] == 0
    assert comity(agent, "subscriptions", "--end", made["id"])[1]["state"] == "ended"
    code, refused = comity(agent, "subscribe", "--type", "no.such")
    assert code == 1 and refused["faults"][0]["code"] == "type_unknown"
