"""Who may do what across agencies, by agreements and shares, and what handling marks bar at home and across."""

from __future__ import annotations

from dataclasses import replace

import pytest

from comity.kernel.policy.actor import Actor
from comity.kernel.policy.cedar import SEEING
from comity.kernel.policy.decide import Asked
from comity.kernel.policy.generate import IncomingAgreement
from tests.policy.world import (
    AGENT,
    ANALYST,
    ATF,
    CPD,
    CPD_ATF,
    INCIDENT,
    PROSECUTOR,
    SUPERVISOR,
    TODAY,
    USAO,
    ask,
    member,
    policies,
    record,
)

# --- between agencies -----------------------------------------------------------------------------------------------


def test_an_agreement_opens_what_it_lists() -> None:
    assert ask(ATF, AGENT, "read", INCIDENT).reasons == ("agreement:cpd-atf-2026:read",)
    assert ask(ATF, AGENT, "read", INCIDENT, group="narrative").allowed
    person = record("cpd", "registry.person")
    assert ask(ATF, AGENT, "read", person).allowed
    assert not ask(ATF, AGENT, "read", person, group="identity").allowed
    assert not ask(ATF, AGENT, "read", record("cpd", "evidence.item")).allowed
    assert not ask(ATF, AGENT, "read", replace(INCIDENT, owner="dea")).allowed


def test_finding_is_narrower_than_reading() -> None:
    assert ask(ATF, AGENT, "find", INCIDENT).reasons == ("agreement:cpd-atf-2026:find",)
    assert not ask(ATF, AGENT, "find", record("cpd", "registry.person")).allowed


def test_an_agreement_never_lets_act() -> None:
    for action in ("enter", "amend", "act", "attach"):
        assert not ask(ATF, AGENT, action, INCIDENT, act="close").allowed


@pytest.mark.parametrize(("today", "allowed"), [
    (20251231, False), (20260101, True), (20261231, True), (20270101, False),
])  # fmt: skip
def test_an_agreement_gives_nothing_outside_its_dates(today: int, allowed: bool) -> None:
    for action in SEEING:
        assert ask(ATF, AGENT, action, INCIDENT, today=today).allowed is allowed
    assert ask(ATF, AGENT, "emergency", record("cpd", "registry.person"), today=today).allowed is allowed
    party = record("cpd", "evidence.item", parties=frozenset({"atf"}))
    assert ask(policies("atf", agreements=()), AGENT, "read", party, today=today).allowed is allowed
    predicate = ATF.scope(AGENT, Asked("read", "narrative"), today=today)
    assert ("cpd" in predicate.params.values()) is allowed


def test_a_purpose_that_was_not_agreed_gives_nothing() -> None:
    for purpose, allowed in (("deconfliction", True), ("intelligence", False), ("", False)):
        actor = replace(AGENT, purpose=purpose)
        assert ask(ATF, actor, "read", INCIDENT).allowed is allowed
        assert ("cpd" in ATF.scope(actor, Asked("read", "narrative"), today=TODAY).params.values()) is allowed


def test_an_agreement_without_purpose_gives_nothing() -> None:
    vague = replace(CPD_ATF, purposes=frozenset())
    assert not ask(policies("atf", agreed=(IncomingAgreement("cpd", vague),)), AGENT, "read", INCIDENT).allowed


def test_an_agreement_with_another_agency_gives_us_nothing() -> None:
    for owner, to in (("cpd", "usao"), ("atf", "atf")):
        other = policies("atf", agreed=(IncomingAgreement(owner, replace(CPD_ATF, to=to)),))
        assert not any(rule.id.startswith("agreement:") for rule in other.rules)


def test_states_limit_an_agreement() -> None:
    report = record("cpd", "investigation.report")
    assert not ask(ATF, AGENT, "read", report).allowed
    assert ask(ATF, AGENT, "read", replace(report, state="approved")).allowed


def test_a_share_opens_its_groups_for_reading_and_finding() -> None:
    shared = record("dea", grants=frozenset({"base"}))
    for action in SEEING:
        assert ask(ATF, AGENT, action, shared).reasons == ("share",)
        assert not ask(ATF, AGENT, action, shared, group="narrative").allowed
    assert not ask(ATF, AGENT, "amend", shared).allowed


def test_a_party_reads_the_base_group_where_an_agreement_exists_either_way() -> None:
    party = record("cpd", "evidence.item", parties=frozenset({"atf"}))
    for action in SEEING:
        assert ask(ATF, AGENT, action, party).reasons == ("party",)
    assert not ask(ATF, AGENT, "read", party, group="narrative").allowed
    assert not ask(ATF, AGENT, "read", replace(party, parties=frozenset({"usao"}))).allowed
    assert not ask(ATF, AGENT, "read", replace(party, owner="dea")).allowed
    assert ask(ATF, AGENT, "read", replace(party, owner="usao")).allowed  # by our agreement in their favour
    assert ask(CPD, member("cpd", "officer"), "read", replace(party, owner="atf", parties=frozenset({"cpd"}))).reasons


def test_emergency_access_is_for_members_who_read_such_records_and_across_agencies_as_agreed() -> None:
    assert ask(ATF, ANALYST, "emergency", record()).reasons == ("role:analyst:emergency",)
    assert not ask(ATF, ANALYST, "emergency", record(type="prosecution.referral")).allowed
    person = record("cpd", "registry.person")
    assert ask(ATF, ANALYST, "emergency", person).reasons == ("agreement:cpd-atf-2026:emergency",)
    assert not ask(ATF, member("atf", "chief"), "emergency", person).allowed
    assert not ask(ATF, AGENT, "emergency", INCIDENT).allowed
    assert not ask(ATF, AGENT, "emergency", replace(person, owner="usao")).allowed


# --- marks ----------------------------------------------------------------------------------------------------------


def test_a_mark_bars_whoever_is_not_cleared_and_says_its_basis() -> None:
    marked = record(marks=frozenset({"grand_jury"}))
    for action in ("read", "find", "amend", "attach", "emergency"):
        denied = ask(ATF, AGENT, action, marked)
        assert denied.reasons == ("mark:grand_jury",)
        assert "Fed. R. Crim. P. 6(e)" in denied.why
    assert ask(ATF, SUPERVISOR, "act", marked, act="close").reasons == ("mark:grand_jury",)
    assert ask(ATF, AGENT, "enter", marked).allowed


def test_at_home_the_cleared_the_receivers_the_assigned_and_the_enterer_pass() -> None:
    informant = record(marks=frozenset({"informant"}))
    assert ask(ATF, AGENT, "read", informant).allowed  # role.marks
    assert ask(ATF, SUPERVISOR, "read", informant).allowed  # a receiving role
    assert ask(ATF, member("atf", "chief", "special_agent"), "read", informant).allowed
    assert not ask(ATF, ANALYST, "find", replace(informant, type="evidence.item")).allowed
    assert ask(ATF, ANALYST, "read", replace(informant, assigned=frozenset({"m1"}))).allowed
    assert ask(ATF, ANALYST, "read", replace(informant, entered_by="m1")).allowed
    assert ask(ATF, Actor.system("atf"), "read", informant).allowed
    both = replace(informant, marks=frozenset({"informant", "grand_jury"}))
    assert ask(ATF, AGENT, "read", both).reasons == ("mark:grand_jury",)


def test_a_receiver_of_a_mark_is_one_for_its_purposes() -> None:
    marked = record("usao", marks=frozenset({"grand_jury"}))
    assert ask(USAO, PROSECUTOR, "read", marked).allowed
    assert not ask(USAO, replace(PROSECUTOR, purpose="statistics"), "read", marked).allowed


def test_across_agencies_the_mark_must_be_agreed_or_its_receivers_name_us() -> None:
    juvenile = replace(INCIDENT, marks=frozenset({"juvenile"}))
    assert ask(ATF, AGENT, "read", juvenile).allowed
    assert not ask(ATF, AGENT, "read", replace(juvenile, marks=frozenset({"juvenile", "informant"}))).allowed
    shared = record("cpd", grants=frozenset({"base"}), marks=frozenset({"informant"}))
    for actor in (AGENT, SUPERVISOR):  # cleared at home, not there
        assert ask(ATF, actor, "read", shared).reasons == ("mark:informant",)
    entered = replace(shared, entered_by="m1", assigned=frozenset({"m1"}))
    assert not ask(ATF, AGENT, "read", entered).allowed
    assert ask(ATF, AGENT, "read", replace(shared, marks=frozenset({"juvenile"}))).allowed
    assert not ask(ATF, AGENT, "read", replace(shared, owner="dea", marks=frozenset({"juvenile"}))).allowed
    named = record("dea", grants=frozenset({"base"}), marks=frozenset({"grand_jury"}))
    assert ask(USAO, PROSECUTOR, "read", named).allowed
    assert not ask(ATF, AGENT, "read", named).allowed


def test_an_agreement_opens_no_mark_that_it_does_not_list_whoever_receives_it() -> None:
    assert ask(USAO, PROSECUTOR, "read", INCIDENT).reasons == ("agreement:cpd-usao:read",)
    assert not ask(USAO, PROSECUTOR, "read", replace(INCIDENT, marks=frozenset({"grand_jury"}))).allowed


def test_a_mark_that_only_the_owner_knows_is_read_where_agreed_and_else_bars() -> None:
    report = record("atf", "investigation.report", marks=frozenset({"tax_return"}))
    assert ask(USAO, PROSECUTOR, "read", report).allowed
    unknown = record("dea", grants=frozenset({"base"}), marks=frozenset({"witness_security"}))
    assert ask(USAO, PROSECUTOR, "read", unknown).reasons == ("mark",)
    assert ask(policies("usao", marks={}, agreed=()), PROSECUTOR, "read", unknown).reasons == ("mark",)
