"""No condition of the rule over a release stands unproved: each is turned in turn, and a pair must go wrong."""

from __future__ import annotations

from typing import Any

import pytest

from tests.release.flipped import FILES, Condition, every, run, turned
from tests.release.pairs import Pair, Records, answered, read_pairs

PAIRS = [(pair, Records(pair)) for pair in read_pairs() if pair.release is not None and not pair.marked]
"""What is right today; a pair that is marked proves nothing."""


@pytest.mark.parametrize("file", FILES)
def test_each_condition_is_missed_when_it_is_turned(file: str) -> None:
    unnoticed = [str(one) for one in every([file]) if not noticed(one)]
    assert unnoticed == [], "a pair that this condition decides is missing: add it to tests/release"


def noticed(condition: Condition) -> bool:
    rule = turned(condition)
    return any(_answers_wrongly(rule, pair, records) for pair, records in PAIRS)


def _answers_wrongly(rule: Any, pair: Pair, records: Records) -> bool:
    try:
        right, codes = answered(rule(records))
    except (AttributeError, TypeError, LookupError, ValueError):
        return True
    return right != pair.right or (right != "allowed" and pair.code not in codes)


def test_the_rule_as_it_stands_answers_them_rightly() -> None:
    """What is turned is missed because it is turned, and not because something is wrong besides."""
    rule = run({})
    assert [pair.id for pair, records in PAIRS if _answers_wrongly(rule, pair, records)] == []
