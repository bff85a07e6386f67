"""The rule over a release gives the answer that practitioners say is right, for each pair of records and answer."""

from __future__ import annotations

import pytest

from comity.pillars.custody.release_authority import release_authority
from tests.release.pairs import Pair, read_pairs, wrong

PAIRS = read_pairs()


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.id)
def test_the_answer_is_right(pair: Pair) -> None:
    assert wrong(pair, release_authority) == "", f"{pair.title}: {pair.why}"
