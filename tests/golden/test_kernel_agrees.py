"""What a line of a table says is what the kernel does: the same acts through the verbs, by members in each role."""

from __future__ import annotations

import re
from collections.abc import Callable
from fnmatch import fnmatch
from typing import Any
from uuid import uuid4

import pytest

from comity.errors import Problem
from tests.golden.table import rows, written
from tests.world import World, day

NEW: dict[str, dict[str, Any]] = {
    "investigation.case": {
        "title": "Straw purchases",
        "program": "firearms",
        "opened": day(30),
        "summary": "Bought for others.",
    },
    "registry.organization": {"name": "Harbor Street Sporting Goods (invented)", "kind": "business"},
    "evidence.locker": {"name": "Vault", "kind": "vault"},
}
ROLES = ("special_agent", "supervisor", "evidence_custodian", "industry_investigator", "administrator")


def may(agency: str, role: str, type_name: str, section: str = "acts") -> set[str]:
    """What the agency's table lets the role do with records of the type."""
    lines = (one for one in rows(written()[agency], section) if one[0] == type_name and role in one[1].split())
    return {word for one in lines for word in one[2].split()}


def sees(agency: str, role: str, type_name: str) -> str:
    """Which groups of own records the role reads, by the most specific line."""
    lines = [
        (pattern, what) for pattern, who, verbs, what in rows(written()[agency], "own records")
        if role in who.split() and "read" in verbs.split() and fnmatch(type_name, pattern)
    ]  # fmt: skip
    return max(lines, key=lambda one: len(one[0]))[1] if lines else "nothing"


def outcome(call: Callable[..., Any], *given: Any, **more: Any) -> str:
    try:
        call(*given, **more)
    except Problem as problem:
        return problem.code
    return "done"


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("type_name", NEW)
def test_entering(world: World, role: str, type_name: str) -> None:
    seat, fields = world.seat("atf", role), NEW[type_name] | {}
    if "title" in fields:
        fields["title"] = f"Straw purchases {uuid4().hex[:6]}"
    allowed = "enter" in may("atf", role, type_name)
    assert outcome(world.enter, seat, type_name, fields) == ("done" if allowed else "not_allowed")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("act", ["suspend", "resume", "amend"])
def test_acting_on_a_case_and_amending_it(world: World, role: str, act: str) -> None:
    fields = NEW["investigation.case"] | {"title": f"Straw purchases {uuid4().hex[:6]}"}
    case = world.enter("atf_agent", "investigation.case", fields).record
    if act == "resume":
        world.act("atf_supervisor", case, "suspend", reason="Waits for the laboratory")
    seat, version = world.seat("atf", role), world.read("atf_agent", case).version
    if act == "amend":
        found = outcome(world.amend, seat, case, {"title": "Another title"}, version=version)
    else:
        found = outcome(world.act, seat, case, act, reason="Waits for the laboratory")
    seen = sees("atf", role, "investigation.case")
    wanted = (
        "not_found" if seen == "nothing" else "done" if act in may("atf", role, "investigation.case") else "not_allowed"
    )
    assert found == wanted


@pytest.mark.parametrize("role", ROLES)
def test_reading_own_records(world: World, role: str) -> None:
    place = world.enter("atf_agent", "registry.organization", NEW["registry.organization"]).record
    said = sees("atf", role, "registry.organization")
    assert outcome(world.read, world.seat("atf", role), place) == ("not_found" if said == "nothing" else "done")
    if said != "nothing":
        assert said == "every group"
        assert not world.read(world.seat("atf", role), place).masked


READERS = [
    ("atf", "special_agent"), ("atf", "industry_investigator"), ("dea", "special_agent"),
    ("dea", "intelligence_analyst"), ("fsl", "analyst"),
]  # fmt: skip


@pytest.mark.parametrize(("agency", "role"), READERS)
def test_reading_by_agreement(world: World, agency: str, role: str) -> None:
    """An incident of the city police with a narrative: its groups are those of the line, and without a line none is."""
    fields = {"incident_number": f"JH{uuid4().hex[:6]}", "offense_description": "Shots", "narrative": "Heard by three."}
    incident = world.enter("cpd_records", "investigation.incident", fields).record
    lines = (one for one in rows(written()[agency], "agreements") if one[0] == "cpd investigation.incident")
    opened = [re.match(r"read ([^;|]+)", what) for _, who, what in lines if role in who.split()]
    if not opened:
        assert outcome(world.read, world.seat(agency, role), incident) == "not_found"
        return
    assert opened[0]
    masked = {one["group"] for one in world.read(world.seat(agency, role), incident).masked}
    assert masked == {"base", "narrative"} - set(opened[0][1].split())
