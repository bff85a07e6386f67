"""Orders given against acts done: the finished stories agree, and each single step left out is found."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from types import ModuleType

import pytest

from comity import clock
from comity.config import loader, paths
from comity.kernel.definitions.load import read_folder
from comity.kernel.duties.duty import Duty
from comity.kernel.duties.reconcile import reconcile, reconcile_all
from comity.kernel.policy import tokens
from comity.kernel.sharing.inbox import inbox
from comity.kernel.views.read import read
from tests.orders.flow import Release
from tests.pillars import test_federal_story, test_india_story
from tests.pillars.stage import Stage, refused, staged

MONTH = timedelta(days=30)


@pytest.fixture(scope="module", params=["us-federal", "india"])
def finished(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A story played to its end, before anybody asks."""
    story: ModuleType = {"us-federal": test_federal_story, "india": test_india_story}[request.param]
    story.made.clear()
    law = read_folder(paths.jurisdictions() / request.param)
    with staged(tmp_path_factory.mktemp("finished")) as on:
        for name in story.AGENCIES:
            on.install(name, loader.core_files(), law, read_folder(paths.agencies() / name))
        for agency, name, role in story.SEATS:
            on.seat(agency, name, role)
        for chapter in story.CHAPTERS:
            chapter(on)
        yield on


def test_a_finished_story_has_nothing_open_and_no_difference(finished: Stage) -> None:
    found = reconcile_all(finished.node)
    assert [one.bare() for one in (*found.open, *found.differences)] == []
    assert found.given == found.done > 30
    later = reconcile_all(finished.node, at=clock.now() + 12 * MONTH)
    assert [one.code for one in (*later.open, *later.differences)] == []


def test_each_seat_of_a_finished_story_reconciles_what_it_sees(finished: Stage) -> None:
    for seat, actor in finished.seats.items():
        found = reconcile(finished.node, actor, at=clock.now() + MONTH)
        assert found.given == found.done, seat
        assert (found.open, found.differences) == ((), ()), seat


def differences(stage: Stage, before: set[tuple[str, str, str]] | None = None) -> list[Duty]:
    """What is different in a month, and was not among what was different before."""
    found = reconcile_all(stage.node, at=clock.now() + MONTH).differences
    return [one for one in found if (one.joint, one.record, one.each) not in (before or set())]


def keys(found: list[Duty]) -> set[tuple[str, str, str]]:
    return {(one.joint, one.record, one.each) for one in found}


def left_out(stage: Stage, step: str) -> tuple[Release, list[Duty]]:
    before = keys(differences(stage))
    played = Release(stage, step).played()
    return played, differences(stage, before)


def test_a_release_with_every_step_has_no_difference(stage: Stage) -> None:
    assert left_out(stage, "nothing")[1] == []


@pytest.mark.parametrize(
    ("step", "codes", "owed_by"),
    [
        ("service on pretrial", {"served"}, {"usdc"}),
        ("acknowledgment of pretrial", {"acknowledged"}, {"pretrial"}),
        ("return of pretrial", {"executed"}, {"pretrial"}),
        ("release", {"released"}, {"detention"}),
        ("order behind the release", {"released", "release_was_ordered"}, {"detention"}),
        ("end of the stay", {"release_ends_the_stay"}, {"detention"}),
        ("hold on the detainer", {"detainer_held", "released", "executed"}, {"detention"}),
        ("ending the hold of a lifted detainer", {"detainer_gone", "released", "executed"}, {"detention"}),
        ("supervision", {"supervised"}, {"pretrial"}),
        ("notice", {"informed"}, {"usao"}),
        ("telling the victim", {"told"}, {"usao"}),
    ],
)
def test_a_step_that_is_left_out_is_listed(stage: Stage, step: str, codes: set[str], owed_by: set[str]) -> None:
    _, found = left_out(stage, step)
    if step == "release":
        codes = {*codes, "executed"}
    assert {one.code for one in found} == codes
    assert {one.owed_by for one in found} == owed_by
    assert all(one.message and one.fix and "{" not in one.message for one in found)


def test_an_order_recalled_while_it_is_served_leaves_no_duty_under_it(stage: Stage) -> None:
    """Each service follows the recall by itself; the addressees' views of the order stay as it was offered to them.

    None of them can take that for the order as it is: the service says recalled, the order that it has changed since.
    """
    played, found = left_out(stage, "recall")
    assert found == []
    assert {stage.state("clerk", played.made[to]) for to in ("detention", "pretrial", "usao")} == {"recalled"}
    jailer = stage.seats["records"]
    assert stage.state("records", played.made["detention"]) == "recalled"
    assert stage.state("records", played.made["order"]) == "recalled"  # by agreement: it keeps people under orders
    view = read(stage.node, stage.seats["pretrial"], played.made["order"])
    assert view.state == "entered" and view.as_sent and view.as_sent["changed_since"]
    assert (played.made["detention"], "recalled") in {(one.record, one.state) for one in inbox(stage.node, jailer)}


def test_an_order_executed_after_its_recall_is_a_difference_at_once(stage: Stage) -> None:
    before = {one.record for one in reconcile_all(stage.node).differences}
    with clock.at(clock.now() - timedelta(hours=2)):
        played = Release(stage, "recall").played()
    filing = stage.enter(
        "pretrial",
        "court.filing",
        {
            "court": "usdc",
            "kind": "return",
            "title": "Return",
            "outcome": "executed",
            "executed_at": clock.show_instant(clock.now() - timedelta(hours=1)),
        },
        service=played.made["pretrial"],
    )
    stage.answer("clerk", filing, "filed", filed_at=clock.show_instant(clock.now()))
    found = [one for one in reconcile_all(stage.node).differences if one.record not in before]
    assert [(one.code, one.record) for one in found] == [("not_executed_after_recall", filing)]


def test_within_its_time_it_is_open_with_the_moment_at_which_it_is_due(stage: Stage) -> None:
    played = Release(stage, "acknowledgment of pretrial").played()
    mine = reconcile(stage.node, stage.seats["clerk"], case=played.made["case"])
    assert [(one.code, one.owed_by, one.state) for one in mine.open] == [("acknowledged", "pretrial", "open")]
    one = mine.open[0]
    assert one.due - one.since == timedelta(hours=24)
    assert mine.differences == ()
    assert mine.given == mine.done + 1
    over = reconcile(stage.node, stage.seats["clerk"], case=played.made["case"], at=one.due)
    assert [duty.code for duty in over.differences] == ["acknowledged"]


def test_the_past_is_asked_as_it_was_known_then(stage: Stage) -> None:
    with clock.at(clock.now() - timedelta(days=10)):
        played = Release(stage, "acknowledgment of pretrial").played()
        then = clock.now() + timedelta(hours=1)
    stage.answer("pretrial", played.made["pretrial"], "acknowledged", acknowledged_at=clock.show_instant(clock.now()))
    past = reconcile(stage.node, stage.seats["clerk"], case=played.made["case"], at=then)
    assert [one.code for one in past.open] == ["acknowledged"]
    assert reconcile(stage.node, stage.seats["clerk"], case=played.made["case"], at=then - MONTH).given == 0
    now = reconcile(stage.node, stage.seats["clerk"], case=played.made["case"])
    assert [one.code for one in now.open] == ["executed"], "acknowledged late, and from then on within its seven days"
    assert now.differences == ()


def test_an_agency_reconciles_only_what_it_sees(stage: Stage) -> None:
    played = Release(stage, "release").played()
    with refused("not_found"):
        reconcile(stage.node, stage.seats["sergeant"], case=played.made["case"])
    seen = reconcile(stage.node, stage.seats["sergeant"], at=clock.now() + MONTH)
    assert {one.type for one in (*seen.open, *seen.differences)} <= {"custody.detainer", "custody.hold"}
    court = reconcile(stage.node, stage.seats["clerk"], case=played.made["case"], at=clock.now() + MONTH)
    assert [one.code for one in court.differences] == ["executed"], "that nobody left is for the facility to say"
    reconcile(stage.node, stage.seats["records"])
    with stage.node.transaction("usdc") as (conn, _):
        told = conn.execute("select agency from comity.disclosure where verb = 'reconcile' and owner = 'usdc'")
        assert ("detention",) in told.fetchall(), "its reading of the court's records is disclosed to the court"


def test_a_sealed_order_is_no_difference_to_a_seat_that_may_not_know_of_it(stage: Stage) -> None:
    played = Release(stage)
    played.ordered()
    case = played.made["case"]
    order = stage.enter(
        "clerk",
        "court.order",
        {"kind": "other", "title": "Sealed", "terms": "So ordered.", "addressees": ["usms"]},
        marks=["sealed"],
        case=case,
    )
    stage.act("judge", order, "sign")
    line = stage.enter("clerk", "court.docket_entry", {"entered_on": "2026-11-01", "text": "Sealed"}, case=case)
    stage.act("clerk", order, "enter_on_docket", entered_on="2026-11-01", links={"docket_entry": line})
    assert order in {one.record for one in reconcile(stage.node, stage.seats["clerk"]).open}
    assert read(stage.node, stage.seats["clerk"], order).marks == ("sealed",)
    for seat in ("marshal", "attorney", "records"):
        found = reconcile(stage.node, stage.seats[seat], at=clock.now() + MONTH)
        assert order not in {one.record for one in (*found.open, *found.differences)}
    bare = [one.bare() for one in reconcile_all(stage.node, at=clock.now() + MONTH).differences]
    assert all(not ({"message", "title", "each"} & one.keys()) for one in bare)


def test_a_suspended_agency_is_named_and_the_others_are_read(stage: Stage) -> None:
    operator = tokens.operator()
    tokens.suspend_agency(stage.node, operator, "state-police", reason="Test")
    try:
        found = reconcile_all(stage.node)
        assert found.suspended == ("state-police",)
        assert found.given > 0
    finally:
        tokens.suspend_agency(stage.node, operator, "state-police", reason="Test over", lift=True)
