"""What goes to the database as a column of many rows comes out as it went in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.kernel.ledger.columns import array, columns
from comity.kernel.work.node import Node

text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
awkward = st.sampled_from(["", "NULL", "null", "{", "}", ",", '"', "\\", '\\"', "{}", " a ", "\n", "'", "%s", "{1,2}"])
instants = st.datetimes(timezones=st.just(UTC)).filter(lambda one: 1 < one.year < 9999)
rows = st.lists(
    st.tuples(
        st.none() | awkward | text, st.none() | st.binary(max_size=9), st.none() | st.integers(-(2**31), 2**31 - 1),
        st.none() | st.booleans(), st.none() | st.uuids(),
        st.none() | instants,
        st.lists(awkward | text, max_size=3),
    ),
    min_size=1, max_size=4,
)  # fmt: skip


@pytest.mark.filterwarnings("ignore::hypothesis.errors.NonInteractiveExampleWarning")
@given(rows)
@settings(max_examples=60, deadline=None)
def test_every_value_returns_as_it_was(bare: Node, rows: list[tuple[Any, ...]]) -> None:
    given_rows = [(*row[:-1], array(row[-1])) for row in rows]
    with bare.transaction("nobody") as (conn, _):
        found = conn.execute(
            """select a, b, c, d, e, f, g::text[] from unnest(%s::text[], %s::bytea[], %s::int[], %s::boolean[],
                 %s::uuid[], %s::timestamptz[], %s::text[]) with ordinality as t (a, b, c, d, e, f, g, n) order by n""",
            columns(given_rows),
        ).fetchall()
    assert [tuple(row) for row in found] == [tuple(row) for row in rows]


def test_what_has_no_place_is_refused() -> None:
    for value in (1.5, datetime.now(UTC).replace(tzinfo=None), {"a": 1}, UUID):
        with pytest.raises(TypeError):
            array([value])
