"""Deconfliction by place and time: two agencies learn that they collide and whom to call, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.kernel.records.enter import enter
from comity.kernel.sharing.inbox import inbox
from comity.kernel.types.comparison import BUCKET, LONGEST, Rule, buckets
from comity.kernel.views.read import read
from comity.kernel.work.results import Receipt
from tests.pillars.stage import Stage, refused
from tests.records.conftest import at_once
from tests.speeds.sizes import size

DAWN = datetime(2027, 3, 1, 5, tzinfo=UTC)
INSTANTS = st.integers(0, 60 * 72).map(lambda minutes: DAWN + timedelta(minutes=minutes))
LENGTHS = st.integers(0, 60 * 24).map(lambda minutes: timedelta(minutes=minutes))


@settings(max_examples=size(small=300, deep=20_000), deadline=None)
@given(INSTANTS, LENGTHS, INSTANTS, LENGTHS)
def test_windows_that_overlap_always_share_two_hours_and_far_ones_never(
    a: datetime, long: timedelta, b: datetime, wide: timedelta
) -> None:
    met = set(buckets(a, a + long)) & set(buckets(b, b + wide))
    apart = max(a - (b + wide), b - (a + long))
    if apart <= timedelta(0):
        assert met
    if apart >= BUCKET:
        assert not met  # in between lies the near miss, which may be a pointer too


def test_a_window_is_bounded_and_needs_both_ends() -> None:
    rule = Rule(("address",), "operation", ("starts", "ends"), frozenset(["planned"]), listed=False)

    def texts(state: str = "planned", **fields: str) -> list[str]:
        return list(rule.texts("any.operation", state, {"address": "1 Main St", **fields}))

    whole = {"starts": DAWN.isoformat(), "ends": (DAWN + LONGEST).isoformat()}
    assert len(texts(**whole)) == LONGEST // BUCKET + 1
    assert texts("done", **whole) == texts(starts=whole["starts"]) == texts(starts="soon", ends="later") == []
    assert texts(starts=whole["ends"], ends=whole["starts"]) == []
    with refused("invalid", "window_too_long"):
        texts(starts=whole["starts"], ends=(DAWN + LONGEST + timedelta(minutes=1)).isoformat())


def test_a_window_that_cannot_be_read_is_told_and_does_not_pass_as_none() -> None:
    rule = Rule(("address",), "operation", ("starts", "ends"), frozenset(["planned"]), listed=False)
    old = {"address": "1 Main St", "starts": "2026-12-01T11:00:00Z", "ends": "2026-12-01T23:59:60Z"}
    with refused("invalid", "format") as caught:
        rule.refuse_unreadable("planned", old)
    assert [one.path for one in caught[0].faults] == ["fields.ends"]
    rule.refuse_unreadable("done", old)
    rule.refuse_unreadable("planned", {"address": "1 Main St", "starts": "2026-12-01T11:00:00Z"})


def test_an_address_is_compared_by_its_words() -> None:
    rule = Rule(("address",), "place", listed=False)
    said = {next(rule.texts("t", "s", {"address": one})) for one in ("12 Main St.", "12  main st", "12, MAIN ST")}
    assert len(said) == 1
    assert next(rule.texts("t", "s", {"address": "12 Main Ave"})) not in said


def planned(stage: Stage, seat: str, address: str, hour: float, hours: float = 2, **more: str) -> Receipt:
    starts = DAWN + timedelta(hours=hour)
    fields = {
        "kind": "raid", "address": address, "starts": starts.isoformat(),
        "ends": (starts + timedelta(hours=hours)).isoformat(), **more,
    }  # fmt: skip
    return enter(stage.node, stage.seats[seat], "investigation.operation", fields)


def told(stage: Stage, seat: str, record: str) -> list[tuple[str, str]]:
    items = inbox(stage.node, stage.seats[seat])
    return [(one.from_agency, one.message) for one in items if (one.kind, one.record) == ("pointer", record)]


@pytest.fixture
def address() -> str:
    return f"{uuid4().hex[:8]} Example Ave"


def test_two_raids_on_one_house_meet_and_show_nothing_else(stage: Stage, address: str) -> None:
    ours = planned(stage, "agent", address, 0, plan="Through the back door")
    theirs = planned(stage, "other agent", address.upper() + ".", 1)
    assert theirs.pointers == ("atf",) and ours.pointers == ()
    ((who, message),) = told(stage, "agent", ours.record)
    assert who == "dea" and "operation at this place and time" in message and "call" in message
    assert told(stage, "other agent", theirs.record)[0][0] == "atf"
    pointer = read(stage.node, stage.seats["agent"], ours.record).pointers[0]
    assert set(pointer) == {"agency", "title", "call", "since", "about"} and pointer["about"] == "operation"
    with refused("not_found"):
        stage.fields("agent", theirs.record)
    with refused("not_found"):
        stage.fields("other agent", ours.record)


@pytest.mark.parametrize(("hour", "hours", "meets"), [(1.5, 1, True), (2, 1, True), (30, 2, False), (-9, 2, False)])
def test_only_windows_that_touch_collide(stage: Stage, address: str, hour: float, hours: float, meets: bool) -> None:
    planned(stage, "agent", address, 0)
    assert planned(stage, "other agent", address, hour, hours).pointers == (("atf",) if meets else ())


def test_another_house_does_not_collide(stage: Stage, address: str) -> None:
    planned(stage, "agent", address, 0)
    assert planned(stage, "other agent", address + " rear", 0).pointers == ()


def test_what_is_called_off_or_moved_collides_no_more(stage: Stage, address: str) -> None:
    first = planned(stage, "agent", address, 0)
    stage.act("agent", first.record, "call_off", reason="The source is not trusted")
    assert planned(stage, "other agent", address, 0).pointers == ()
    moved = planned(stage, "agent", address + " 2", 0)
    day = DAWN + timedelta(days=3)
    stage.amend("agent", moved.record, starts=day.isoformat(), ends=(day + timedelta(hours=1)).isoformat())
    assert planned(stage, "other agent", address + " 2", 0).pointers == ()
    assert planned(stage, "other agent", address + " 2", 72).pointers == ("atf",)


def test_a_window_that_is_wrong_is_refused(stage: Stage, address: str) -> None:
    with refused("invalid", "window_reversed"):
        planned(stage, "agent", address, 0, -1)
    with refused("invalid", "window_too_long"):
        planned(stage, "agent", address, 0, 24 * 14 + 1)
    planned(stage, "agent", address, 0, 24 * 14)
    for other in ("2027-03-01t07:00:00z", "2027-03-01T23:59:60Z"):
        with refused("invalid", "format"):
            planned(stage, "agent", address, 0, ends=other)


def test_a_place_collides_only_where_it_is_of_interest(stage: Stage, address: str) -> None:
    stage.enter("agent", "registry.place", {"address": address, "kind": "premises_of_interest"})
    plain = enter(stage.node, stage.seats["other agent"], "registry.place", {"address": address, "kind": "address"})
    fields = {"address": address, "kind": "premises_of_interest"}
    watched = enter(stage.node, stage.seats["other agent"], "registry.place", fields)
    assert (plain.pointers, watched.pointers) == ((), ("atf",))
    assert "same place" in told(stage, "other agent", watched.record)[0][1]


def test_an_operation_takes_its_address_over_from_its_place(stage: Stage, address: str) -> None:
    planned(stage, "other agent", address, 0)
    place = stage.enter("agent", "registry.place", {"address": address})
    window = {"starts": DAWN.isoformat(), "ends": (DAWN + timedelta(hours=1)).isoformat()}
    made = enter(
        stage.node,
        stage.seats["agent"],
        "investigation.operation",
        {"kind": "search", **window},
        links={"place": [place]},
    )
    assert made.pointers == ("dea",)


def test_who_fishes_tells_everybody_that_it_asked(stage: Stage) -> None:
    """By design: each question is a record of its own, brings a pointer at most, and alerts the other side."""
    houses = [f"{uuid4().hex[:8]} Example Ave" for _ in range(size(small=20, deep=150))]
    hidden = planned(stage, "agent", houses[17], 0)
    asked = [planned(stage, "other agent", house, 0) for house in houses]
    assert [at for at, one in enumerate(asked) if one.pointers] == [17]
    assert [who for who, _ in told(stage, "agent", hidden.record)] == ["dea"]


def test_two_who_plan_at_once_both_learn_it(stage: Stage, address: str) -> None:
    for hour in range(size(small=4, deep=40)):
        house = f"{address} {hour}"
        both = at_once([partial(planned, stage, seat, house, 0) for seat in ("agent", "other agent")])
        said = [told(stage, seat, one.record)[0][0] for seat, one in zip(("agent", "other agent"), both, strict=True)]
        assert said == ["dea", "atf"]
