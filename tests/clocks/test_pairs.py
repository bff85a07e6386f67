"""Every worked pair holds, and every clock is complete: a citation, its mark, its working cited step by step."""

from __future__ import annotations

from datetime import timedelta

import pytest

from comity.kernel.definitions.clock_pairs import Pair, differences
from comity.kernel.law.clock_calculation import calculate
from comity.kernel.law.counting import RULES
from tests.clocks.books import LAWS, all_pairs, book

PAIRS = all_pairs()
UNPAIRED = 25  # clocks with no pair of their own: they differ from paired ones in a number or a name only


@pytest.mark.parametrize(
    ("law", "pair"), PAIRS, ids=[f"{law}.{one.rule.rpartition('.')[2]}.{one.name}" for law, one in PAIRS]
)
def test_pair(law: str, pair: Pair) -> None:
    assert differences(pair, book(law)) == []


def test_there_are_enough_pairs_and_most_clocks_have_one() -> None:
    assert len(PAIRS) >= 350
    bare = {code for law in LAWS for code in book(law).rules} - {one.rule for _, one in PAIRS}
    assert len(bare) <= UNPAIRED, sorted(bare)


def test_every_counting_rule_has_a_pair() -> None:
    used = {
        step
        for law, pair in PAIRS
        for due in calculate(book(law), pair.rule, pair.events, pair.at, settings=pair.settings)
        for step in (one.rule for one in due.working)
    }
    assert set(RULES) - used <= {"in.back"}
    assert used >= {"us.service", "us.inaccessible", "us.last_moment", "union", "paused", "too late", "person"}


def test_every_step_of_a_working_that_counts_is_cited() -> None:
    for law, pair in PAIRS:
        for due in calculate(book(law), pair.rule, pair.events, pair.at, settings=pair.settings):
            assert due.citation and due.verified in ("read", "GK", "secondary"), due.rule
            assert due.working, due.rule
            assert all(one.citation for one in due.working if one.rule in RULES), due.rule


def test_an_answer_about_a_past_day_never_changes() -> None:
    """Events that were entered later, or happened later, leave the earlier answer as it was."""
    for law, pair in PAIRS:
        later = pair.at + timedelta(days=400)
        known = [one for one in pair.events if one.known is None]
        more = [type(one)(one.name, later, one.fields, later) for one in known]
        before = calculate(book(law), pair.rule, pair.events, pair.at, settings=pair.settings)
        after = calculate(book(law), pair.rule, (*pair.events, *more), pair.at, settings=pair.settings)
        assert before == after, (pair.rule, pair.name)


def test_every_clock_says_which_row_of_the_law_it_carries_out() -> None:
    for law in LAWS:
        for rule in book(law).rules.values():
            assert rule.rows and rule.title, rule.code
            for version in rule.versions:
                assert version.from_ is not None, f"{rule.code} does not say since when"
                assert version.consequence, rule.code
