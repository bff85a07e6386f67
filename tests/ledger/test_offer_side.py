"""One side's row of an offer: whatever order its entries come in, and however often, they make the same row."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from comity.kernel.ledger import items
from comity.kernel.ledger.entry import NOTE, Entry
from comity.kernel.ledger.offer_side import NOTED, OfferSide, made, project, take

AT = datetime(2026, 11, 28, 9, tzinfo=UTC)
OFFER = Entry(
    id=UUID(int=10), agency="atf", record=UUID(int=1), type="investigation.lead", type_version=1, kind="enter",
    act="enter", actor=UUID(int=5), occurred_at=AT, entered_at=AT, version=1, state_from="", state_to="offered",
    content=items.offer("dea", "2026-12-05T09:00:00.000000Z"),
)  # fmt: skip
HOUR = timedelta(hours=1)
WITHDRAWN = replace(
    OFFER, id=UUID(int=11), kind="act", act="withdrawn", version=2, entered_at=AT + HOUR, content={}, refers=None
)
ANSWER = replace(
    OFFER, id=UUID(int=12), agency="dea", kind="answer", act="agreed", version=1, entered_at=AT + 2 * HOUR,
    content=items.answer_fields({"counter_terms": "Weekly"}), refers=OFFER.id,
)  # fmt: skip
END_NOTED = replace(ANSWER, id=UUID(int=13), kind=NOTE, act=NOTED, content={}, refers=WITHDRAWN.id)
SETTLED = replace(WITHDRAWN, id=UUID(int=14), kind="settle", act="agreed", version=3, refers=ANSWER.id)
LATE = replace(ANSWER, id=UUID(int=15), entered_at=AT + timedelta(days=7))
CASES: dict[str, tuple[list[Entry], str, str, bool]] = {
    "nothing": ([], "offered", "offered", False),
    "answered": ([ANSWER, SETTLED], "agreed", "agreed", False),
    "withdrawn, and the receiver has not spoken": ([WITHDRAWN], "withdrawing", "withdrawn", True),
    "withdrawn and noted": ([WITHDRAWN, END_NOTED], "withdrawn", "withdrawn", True),
    "answered before the withdrawal came": ([WITHDRAWN, ANSWER, SETTLED], "agreed", "agreed", True),
    "withdrawn because what it stood on was": (
        [replace(WITHDRAWN, refers=UUID(int=99)), END_NOTED], "withdrawn", "withdrawn", False,
    ),
    "answered when its time was over": ([LATE], "offered", "offered", False),
}  # fmt: skip
"""Entries; the state at the offerer and at the receiver; whether the grant has ended."""


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("side", ["atf", "dea"])
def test_any_order_and_any_repetition_make_the_same_row(case: str, side: str) -> None:
    entries, at_offerer, at_receiver, ends = CASES[case]
    start = made(side, OFFER, "dea", "Lead")
    wanted = project(start, entries, {})
    assert (wanted.state, wanted.ends) == (at_offerer if side == "atf" else at_receiver, ends)
    for seed in range(200):
        mixed = [*entries, *entries, OFFER]
        random.Random(seed).shuffle(mixed)
        row = start
        for one in mixed:
            row = take(row, one)
        assert row == wanted, [one.act for one in mixed]


def test_what_stands_first_in_the_receivers_log_is_the_outcome() -> None:
    start = made("atf", OFFER, "dea", "Lead")
    second = replace(ANSWER, id=UUID(int=16), version=2)
    for first, later, state in ((END_NOTED, second, "withdrawn"), (ANSWER, replace(END_NOTED, version=2), "agreed")):
        row = project(start, [later, WITHDRAWN, first], {})
        assert (row.state, row.noted_entry is None) == (state, state == "agreed")


def test_an_answer_that_ends_the_grant_does_and_nobody_elses_entry_counts() -> None:
    start: OfferSide = made("dea", OFFER, "dea", "Lead")
    assert take(start, ANSWER, grant_ends=True).ends
    for stranger in (replace(ANSWER, agency="cpd"), replace(WITHDRAWN, agency="cpd"), replace(END_NOTED, agency="cpd")):
        assert take(start, stranger) == start
    assert take(start, replace(WITHDRAWN, agency="dea")) == start, "who was asked does not withdraw"
    assert take(start, WITHDRAWN, alone=True).state == "withdrawn"
