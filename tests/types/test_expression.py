# ruff: noqa: E501
"""Guards: what they may say, what it costs, and how they fail."""

from __future__ import annotations

from typing import Any

import pytest

from comity.kernel.types.definition import DefinitionsRefused
from comity.kernel.types.expression import MAX_OPERATORS, GuardError, bounds, compile_guard, evaluate
from tests.patience import no_hang


def value(text: str, **variables: Any) -> bool:
    return evaluate(compile_guard(text, "f.yml:1"), variables)


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("size(open_obligations) == 0", {"open_obligations": []}),
        ("history.submit.by != actor.member", {"history": {"submit": {"by": "a"}}, "actor": {"member": "b"}}),
        ("linked.item.all(i, i.state == 'sealed')", {"linked": {"item": [{"state": "sealed"}]}}),
        ("'supervisor' in actor.roles && today >= '2026-11-22'", {"actor": {"roles": ["supervisor"]}, "today": "2026-11-22"}),
        ("double(record.weight) - double(input.received_weight) < 0.5", {"record": {"weight": "12.5"}, "input": {"received_weight": "12.3"}}),
        ("(linked.item.filter(i, i.type == 'evidence.item')).exists(j, j.agency == 'atf')", {"linked": {"item": [{"type": "evidence.item", "agency": "atf"}]}}),
        ("links.a.exists(x, x == 'k') || links.b.exists(x, x == 'k')", {"links": {"a": [], "b": ["k"]}}),
        ("record.nibin_lead == record['atf:nibin_lead']", {"record": {"atf:nibin_lead": "N"}}),
        ("!has(record.gone) && state == 'open' && reason != ''", {"record": {}, "state": "open", "reason": "x"}),
        ("record.title == 'it is (so) && {x.map('", {"record": {"title": "it is (so) && {x.map("}}),
    ],
)  # fmt: skip
def test_a_guard_speaks_of_the_record_and_its_history(text: str, variables: dict[str, Any]) -> None:
    assert value(text, **variables) is True


def test_false_is_false() -> None:
    assert value("record.a == 1", record={"a": 2}) is False


def test_a_core_field_wins_over_a_layers_of_the_same_plain_name() -> None:
    assert value("record.lead == 'core'", record={"lead": "core", "atf:lead": "layer"})


@pytest.mark.parametrize(
    ("text", "path", "variables"),
    [
        ("record.weight == 'x'", "record.weight", {"record": {}}),
        ("record.a.b == 'x'", "record.a.b", {"record": {"a": {}}}),
        ("record['atf:lead'] == 'x'", "record.atf:lead", {"record": {}}),
        ("record.a == 1 && history.submit.by == 'x'", "history.submit", {"record": {"a": 1}, "history": {}}),
        ("linked.item.all(i, i.seal != '')", "i.seal", {"linked": {"item": [{}]}}),
        ("linked.item.all(i, i.seal != '')", "linked.item", {"linked": {}}),
        ("1 / 0 == 1", "1 / 0 == 1", {}),
        ("record.a", "record.a", {"record": {"a": "text"}}),
        ("record.a > 1", "record.a > 1", {"record": {"a": "text"}}),
        ("9223372036854775807 + 1 > 0", "9223372036854775807 + 1 > 0", {}),
        ("record.l[3] == 1", "record.l[3] == 1", {"record": {"l": []}}),
        ("state == 'open'", "state == 'open'", {}),
        ("int(record.a) == 1", "int(record.a) == 1", {"record": {"a": "one"}}),
    ],
)
def test_a_guard_that_fails_refuses_and_names_the_missing_path(text: str, path: str, variables: dict[str, Any]) -> None:
    with pytest.raises(GuardError) as caught:
        value(text, **variables)
    assert (caught.value.code, caught.value.path) == ("guard_error", path)
    assert caught.value.faults[0].path == path and caught.value.fix


def code(text: str) -> str:
    with pytest.raises(DefinitionsRefused) as caught:
        compile_guard(text, "f.yml:7")
    [fault] = caught.value.faults
    assert fault.path == "f.yml:7" and fault.fix
    return fault.code


def test_operators_are_counted_exactly() -> None:
    most = " && ".join(["state"] * (MAX_OPERATORS + 1))
    assert bounds(most, "f:1") is None
    assert code(most + " && state") == "guard_too_long"
    assert bounds("'" + "&& " * 100 + "' == state", "f:1") is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("links.a.exists(x, links.b.exists(y, x == y))", "guard_nested_loop"),
        ("links.a.filter(x, true).all(y, links.b.exists_one(z, z == y))", "guard_nested_loop"),
        ("size(links.a.filter(x, size(links.b.filter(y, y == x)) > 0)) > 0", "guard_nested_loop"),
        ("links.a.all (x, links.b .all (y, x == y))", "guard_nested_loop"),
        ("record.a.matches('^(a+)+$')", "guard_function"),
        ("matches(record.a, 'x')", "guard_function"),
        ("links.a.map(x, links.a) == []", "guard_function"),
        ("eval('1') == 1", "guard_function"),
        ("recrod.a == 1", "guard_unknown_name"),
        ("links.a.exists(x, true) && x == 1", "guard_unknown_name"),
        ("tenant == 'atf'", "guard_unknown_name"),
        ("record.a ==", "guard_syntax"),
        ("record.a == 'unclosed", "guard_syntax"),
        ("record.a == '''x'''", "guard_syntax"),
        ("record.`a` == 1", "guard_syntax"),
        ("((((((((((((((((((((((true))))))))))))))))))))))", "guard_too_long"),
        ("record.a == '" + "x" * 500 + "'", "guard_too_long"),
    ],
)
def test_what_a_guard_may_not_say(text: str, expected: str) -> None:
    assert code(text) == expected


def test_the_dearest_guard_that_is_allowed_is_cheap() -> None:
    ids = [f"{n:036d}" for n in range(1000)]
    text = " && ".join(["links.a.all(x, x in links.b)"] * 5)
    with no_hang():
        assert value(text, links={"a": ids[:100], "b": ids})
