"""Powers of the kernel go by what roles are declared to carry, and by nothing that a role is merely called."""

from __future__ import annotations

from dataclasses import replace

import pytest

from comity.errors import Problem
from comity.kernel.policy.actor import Actor
from comity.kernel.policy.powers import ask, demand, empowered, may
from comity.kernel.types.catalogue import LifecycleRole, Role
from tests.policy.world import LIFECYCLE_ROLES, ROLES, catalogue, member

KEEP = "keep_subscriptions"


def test_a_member_has_the_powers_of_the_lifecycle_roles_that_its_roles_fill() -> None:
    atf = catalogue("atf")
    assert empowered(atf, KEEP) == {"supervisor", "chief"}
    assert may(member("atf", "chief"), atf, KEEP)
    assert not may(member("atf", "special_agent"), atf, KEEP)
    assert not may(Actor.system("atf"), atf, KEEP)


def test_what_carries_a_power_is_data_of_the_pillars() -> None:
    known = {**LIFECYCLE_ROLES, "agent": LifecycleRole("agent", "Agent", frozenset({"leave"}))}
    atf = catalogue("atf", lifecycle_roles=known)
    assert may(member("atf", "special_agent"), atf, "leave")
    assert not may(member("atf", "chief"), atf, "leave")
    assert not may(member("atf", "special_agent"), catalogue("atf"), "leave"), "nobody, where nobody declares it"


def test_who_speaks_for_another_agency_has_no_power_here() -> None:
    roles = {"chief": replace(ROLES["atf"][3], for_="usao")}
    atf = catalogue("atf", roles=roles)
    assert empowered(atf, KEEP) == frozenset()
    assert not may(Actor.of(atf, member="m", name="", held=["chief"]), atf, KEEP)


def test_the_refusal_says_whom_to_ask() -> None:
    atf = catalogue("atf")
    with pytest.raises(Problem) as caught:
        demand(member("atf", "special_agent"), atf, KEEP)
    assert caught.value.code == "not_allowed"
    assert caught.value.fix == "ask a member who is Chief or Supervisor"
    assert "roles.yml" in ask(catalogue("atf", roles={"none": Role("none", "None")}), KEEP)
