"""An agency is suspended while an offer is open: its partners' duties go on, nothing of it is lost, nothing hangs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from comity import clock
from comity.config import worker
from comity.kernel.policy import tokens
from comity.kernel.records.answer import answer
from comity.kernel.sharing.inbox import inbox
from comity.kernel.views.read import read
from comity.kernel.work.results import Receipt
from tests.joints.test_turns import a_stay, an_item, sending, transferring
from tests.pillars.stage import Stage, refused
from tests.records.conftest import at_once, code_of
from tests.world import instant


@contextmanager
def suspended(stage: Stage, agency: str) -> Iterator[None]:
    tokens.suspend_agency(stage.node, tokens.operator(), agency, reason="Key lost")
    stage.agencies.remove(agency)
    try:
        yield
    finally:
        tokens.suspend_agency(stage.node, tokens.operator(), agency, reason="New key", lift=True)
        stage.agencies.append(agency)


def follow(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """What the worker does for every agency, until nothing moves; it has nothing to complain of."""
    for _ in range(20):
        if not worker.follow_all(stage.node):
            break
    else:
        raise AssertionError("the followers never come to rest")
    assert capsys.readouterr().err == ""


@pytest.fixture
def transfer(stage: Stage) -> str:
    return str(transferring(stage, *a_stay(stage, "marshal", "usms"), "detention")().record)


def offer_of(stage: Stage, seat: str, record: str) -> dict[str, object]:
    found = read(stage.node, stage.seats[seat], record).offer
    assert found is not None
    return dict(found)


def test_a_suspended_receiver_answers_nothing_and_finds_the_offer_again(
    stage: Stage, transfer: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with suspended(stage, "detention"):
        with refused("agency_suspended"):
            stage.answer("intake", transfer, "accepted", received_at=instant())
        follow(stage, capsys)
        assert (offer_of(stage, "marshal", transfer)["state"], offer_of(stage, "marshal", transfer)["suspended"]) == (
            "offered",
            ["detention"],
        )
        stay, person = a_stay(stage, "marshal", "usms")
        waiting = stage._done(transferring(stage, stay, person, "detention")())  # may be asked; it waits there
    for record in (transfer, waiting):
        stage.answer("intake", record, "accepted", received_at=instant())
        assert stage.state("marshal", record) == "accepted"
    assert offer_of(stage, "marshal", transfer)["suspended"] == []


def test_an_offerer_may_take_back_what_a_suspended_receiver_cannot_answer(stage: Stage, transfer: str) -> None:
    with suspended(stage, "detention"):
        stage.act("marshal", transfer, "withdrawn")
    with refused("offer_already_answered"):
        stage.answer("intake", transfer, "accepted", received_at=instant())


def test_the_receiver_of_a_suspended_offerer_still_answers(
    stage: Stage, transfer: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with suspended(stage, "usms"):
        said = [one.message for one in inbox(stage.node, stage.seats["intake"]) if one.record == transfer]
        assert "suspended" in said[0]
        with refused("agency_suspended"):
            stage.act("marshal", transfer, "withdrawn")
        stage.answer("intake", transfer, "accepted", received_at=instant(), condition="Well")
        follow(stage, capsys)
        assert offer_of(stage, "intake", transfer)["state"] == "accepted"
        assert stage.state("intake", transfer) == "offered"  # its owner's log is its own: it follows when it is back
        other, person = a_stay(stage)
        assert stage.state("records", other) == "in_custody" and person
    follow(stage, capsys)
    assert stage.state("marshal", transfer) == stage.state("intake", transfer) == "accepted"
    assert offer_of(stage, "marshal", transfer)["answer"]["condition"] == "Well"  # type: ignore[index]


def test_what_expires_while_its_offerer_is_suspended_ends_once_it_is_back(
    stage: Stage, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    item = an_item(stage)
    record = str(sending(stage, item)().record)
    now = clock.now
    with suspended(stage, "atf"):
        monkeypatch.setattr(clock, "now", lambda: now() + timedelta(days=31))
        with refused("offer_already_answered"):
            stage.answer("lab", record, "accepted", received=instant())
        assert record not in {one.record for one in inbox(stage.node, stage.seats["lab"])}
        follow(stage, capsys)
    follow(stage, capsys)
    assert stage.state("custodian", record) == "expired"
    assert sending(stage, item)().record != record  # and the item can go out again


def test_a_suspension_and_an_answer_at_once_have_one_outcome(stage: Stage) -> None:
    for _ in range(4):
        transfer = str(transferring(stage, *a_stay(stage, "marshal", "usms"), "detention")().record)

        def accept(transfer: str = transfer) -> Receipt:
            return answer(stage.node, stage.seats["intake"], transfer, "accepted", fields={"received_at": instant()})

        def suspend() -> None:
            tokens.suspend_agency(stage.node, tokens.operator(), "detention", reason="Key lost")

        said = code_of(at_once([accept, suspend])[0])
        tokens.suspend_agency(stage.node, tokens.operator(), "detention", reason="New key", lift=True)
        state = offer_of(stage, "marshal", transfer)["state"]
        # suspended in the middle of the answer, it reaches no row of another any more
        assert (said, state) in (("done", "accepted"), ("agency_suspended", "offered"), ("not_found", "offered"))
