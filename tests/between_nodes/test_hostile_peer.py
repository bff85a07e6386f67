"""What a peer may send and is refused: each line by itself, with its reason, and nothing of it is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from comity import clock
from comity.kernel.ledger import items
from comity.kernel.ledger.carried import LONGEST, line
from comity.kernel.ledger.entry import Entry, Sealed, seal_bytes
from comity.kernel.ledger.offer_side import NOTED
from comity.kernel.portability import rebuild
from comity.kernel.work.results import Receipt
from tests.between_nodes.conftest import LEAD, Home, Two


def carried(sealed: Sealed) -> bytes:
    """The line of an entry as its own node would make it, with all that it says."""
    header = orjson.loads(sealed.entry.header())
    row = {"commitments": sealed.commitments, "leaf": sealed.leaf, "content": sealed.content, "salts": sealed.salts}
    return line({**header, **row}, lambda path: True)


def answer(lead: Receipt, **other: Any) -> Entry:
    """Chicago's acceptance of ATF's lead, as its node would enter it."""
    now = clock.now()
    made = Entry(
        id=uuid4(), agency="cpd", record=UUID(lead.record), type=LEAD, type_version=1, kind="answer", act="agreed",
        actor=uuid4(), occurred_at=now, entered_at=now, version=1, state_from="offered", state_to="agreed",
        refers=UUID(lead.entry),
    )  # fmt: skip
    return replace(made, **other)


def own(**other: Any) -> Entry:
    """A record of Chicago's, offered to ATF."""
    now = clock.now()
    content = items.set_fields({"partner": "atf", "lead_agency": "cpd"}) | items.offer("atf", None)
    made = Entry(
        id=uuid4(), agency="cpd", record=uuid4(), type=LEAD, type_version=1, kind="enter", act="enter", actor=uuid4(),
        occurred_at=now, entered_at=now, version=1, state_from="", state_to="offered", content=content,
    )  # fmt: skip
    return replace(made, **other)


def spoiled(sealed: Sealed, **members: Any) -> bytes:
    return orjson.dumps({**orjson.loads(carried(sealed)), **members})


LINES: dict[str, tuple[str, Callable[[Receipt], bytes]]] = {
    "no JSON": ("unreadable", lambda _: b"{"),
    "no object": ("unreadable", lambda _: b"[]"),
    "too long": ("unreadable", lambda _: b" " * (LONGEST + 1)),
    "one member more": ("unreadable", lambda o: spoiled(seal_bytes(answer(o)), more=1)),
    "another version of the bytes": (
        "unreadable", lambda o: carried(seal_bytes(answer(o))).replace(b'"v":1', b'"v":2')
    ),
    "another act in the header": (
        "leaf_differs", lambda o: carried(seal_bytes(answer(o))).replace(b'"act":"agreed"', b'"act":"declined"')
    ),
    "another value in an item": (
        "leaf_differs",
        lambda o: carried(seal_bytes(answer(o, content=items.answer_fields({"counter_terms": "Yes"}))))
        .replace(b"Yes", b"No!"),
    ),
    "an item that was not committed to": (
        "leaf_differs", lambda o: spoiled(seal_bytes(answer(o)), content='{"reason":"x"}', salts="00" * 16)
    ),
    "another leaf": ("leaf_differs", lambda o: spoiled(seal_bytes(answer(o)), leaf="00" * 32)),
    "an entry of who takes it": ("not_its_log", lambda o: carried(seal_bytes(answer(o, agency="atf")))),
    "an entry of a third": ("not_its_log", lambda o: carried(seal_bytes(answer(o, agency="dea")))),
    "a definition": ("not_its_record", lambda _: carried(seal_bytes(own(type="kernel.layer", kind="install")))),
    "a verdict": ("not_its_record", lambda o: carried(seal_bytes(answer(o, kind="confirm")))),
    "an answer to nothing": ("not_its_record", lambda o: carried(seal_bytes(answer(o, record=uuid4())))),
    "an answer to another entry": ("not_its_record", lambda o: carried(seal_bytes(answer(o, refers=uuid4())))),
    "a note of no end": (
        "not_its_record", lambda o: carried(seal_bytes(answer(o, kind="note", act=NOTED, state_to="withdrawn")))
    ),
    "an act on a record of who takes it": (
        "not_its_record",
        lambda o: carried(seal_bytes(own(record=UUID(o.record)))),
    ),
    "an offer to somebody else": (
        "not_its_record", lambda _: carried(seal_bytes(own(content=items.offer("dea", None))))
    ),
    "an offer of a type that is none": ("not_its_record", lambda _: carried(
        seal_bytes(own(type="registry.person", state_to="current"))
    )),
    "an offer that was not agreed to": ("offer_not_agreed", lambda _: carried(
        seal_bytes(own(type="prosecution.referral", state_to="offered"))
    )),
    "a type that is unknown": ("act_refused", lambda _: carried(seal_bytes(own(type="investigation.nothing")))),
    "a state that the type has not": ("act_refused", lambda _: carried(seal_bytes(own(state_to="somewhere")))),
    "a record that begins in its middle": ("act_refused", lambda _: carried(seal_bytes(own(state_from="offered")))),
    "an answer that the type has not": ("answer_refused", lambda o: carried(seal_bytes(answer(o, act="perhaps")))),
    "a field that the answer does not set": (
        "answer_refused", lambda o: carried(seal_bytes(answer(o, content=items.answer_fields({"terms": "Mine"}))))
    ),
    "a value that the field does not take": (
        "answer_refused", lambda o: carried(seal_bytes(answer(o, content=items.answer_fields({"counter_terms": 7}))))
    ),
    "an answer after the time": (
        "answer_refused", lambda o: carried(seal_bytes(answer(o, entered_at=clock.read_when("2099-01-01T00:00:00Z"))))
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def lead(two: Two) -> Receipt:
    return two.offers("cpd")


@pytest.fixture(scope="module")
def atf(two: Two) -> Home:
    """ATF's node, as it takes what comes from Chicago's."""
    return replace(two.atf, peer="cpd")


@pytest.mark.parametrize("what", LINES)
def test_a_line_is_refused_with_its_reason_and_changes_nothing(atf: Home, lead: Receipt, what: str) -> None:
    code, forged = LINES[what]
    counted = """select (select count(*) from comity.entry), (select count(*) from comity.record),
                        (select count(*) from comity.share), (select count(*) from comity.waiting_entry)"""
    before = atf.world.rows("atf", counted)
    taken = atf.takes([forged(lead)])
    assert ([one for _, one in taken.refused], taken.taken, taken.waiting) == ([code], [], [])
    assert atf.world.rows("atf", counted) == before
    assert atf.side(lead.record)["state"] == "offered"


def test_a_bad_line_spoils_no_good_one(two: Two, atf: Home) -> None:
    made = two.offers("cpd")
    good = seal_bytes(answer(made))
    taken = atf.takes([b"{", carried(good), b"[]"])
    assert taken.taken == [str(good.entry.id)] and [code for _, code in taken.refused] == ["unreadable"] * 2
    assert atf.side(made.record)["state"] == "agreed"


def test_a_log_that_is_told_twice_and_differently_is_refused(two: Two, atf: Home) -> None:
    """The first that came counts: another entry at its place, and its own id with other bytes, are none."""
    made = two.offers("cpd")
    first = answer(made)
    once = seal_bytes(first)
    assert atf.takes([carried(once)]).taken == [str(first.id)]
    for other in (
        replace(first, id=uuid4(), act="declined"),
        replace(first, act="declined"),
        replace(first, version=2),
        replace(first, content=items.answer_fields({"counter_terms": "More"})),
    ):
        taken = atf.takes([carried(seal_bytes(other))])
        assert [code for _, code in taken.refused] == ["two_entries"], other
    assert atf.takes([carried(once), carried(once)]).taken == [str(first.id)] * 2, "the same again is no fault"
    second = replace(first, id=uuid4(), version=2, act="declined", state_from="agreed")
    assert [code for _, code in atf.takes([carried(seal_bytes(second))]).refused] == ["answer_refused"]
    assert atf.side(made.record)["state"] == "agreed"


def test_who_noted_the_end_has_not_answered(two: Two, atf: Home) -> None:
    made = two.offers("cpd")
    atf.world.act("atf_agent", made.record, "withdrawn")
    ((end,),) = atf.world.rows("atf", "select ended_entry from comity.offer where id = %s", made.record)
    note = answer(made, kind="note", act=NOTED, refers=end, state_to="withdrawn")
    late = answer(made, version=2)
    taken = atf.takes([carried(seal_bytes(late)), carried(seal_bytes(note))])
    assert (taken.taken, taken.refused) == ([str(note.id)], [(str(late.id), "answer_refused")])
    assert atf.side(made.record)["state"] == "withdrawn"


def test_what_comes_too_early_waits_and_so_does_what_is_judged_by_definitions_that_are_not_here(
    two: Two, atf: Home
) -> None:
    made = two.offers("cpd")
    early = answer(made, version=2)
    newer = answer(made, type_version=99)
    taken = atf.takes([carried(seal_bytes(early)), carried(seal_bytes(newer))])
    assert (taken.taken, taken.refused) == ([], []) and set(taken.waiting) == {str(early.id), str(newer.id)}
    assert atf.side(made.record)["state"] == "offered"
    assert rebuild.run(atf.world.node, agency="atf").equal
