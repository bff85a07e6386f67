"""Who may do what, and the rule that says so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from comity.errors import Problem
from comity.kernel.policy import decide, mask
from comity.kernel.policy.actor import Actor, held_roles
from comity.kernel.policy.cedar import ACTIONS, Rule, literal
from comity.kernel.policy.decide import Asked, Decision, Policies, policies_for
from comity.kernel.policy.generate import IncomingAgreement, rules
from comity.kernel.types.catalogue import ReadRule, Role
from tests.policy.world import (
    AGENT,
    ANALYST,
    ATF,
    CPD_ATF,
    INCIDENT,
    MARKS,
    PROSECUTOR,
    SEALED,
    SUPERVISOR,
    TODAY,
    TYPES,
    USAO,
    ask,
    barred,
    catalogue,
    incoming,
    member,
    policies,
    record,
)

# --- one's own agency -----------------------------------------------------------------------------------------------


def test_a_role_reads_its_agencys_records_and_the_reason_names_it() -> None:
    seen = ask(ATF, AGENT, "read", record())
    assert seen.allowed
    assert seen.reasons == ("role:special_agent:read",)
    assert seen.why == "a Special agent reads records of atf"


def test_the_reason_names_every_role_that_allows() -> None:
    seen = ask(ATF, member("atf", "special_agent", "supervisor"), "find", record())
    assert seen.reasons == ("role:special_agent:read", "role:supervisor:read")


@pytest.mark.parametrize("action", ACTIONS)
def test_another_agencys_record_is_closed_without_agreement(action: str) -> None:
    for owner in ("dea", "usao"):
        denied = ask(ATF, member("atf", "special_agent", "supervisor"), action, record(owner), act="close")
        assert denied == Decision(False, (), denied.why)
        assert denied.why.startswith("no rule lets Special agent and Supervisor of atf")


def test_assigned_means_assigned_or_entered() -> None:
    assert not ask(ATF, ANALYST, "read", record()).allowed
    assert ask(ATF, ANALYST, "read", record(assigned=frozenset({"m1"}))).allowed
    assert ask(ATF, ANALYST, "read", record(entered_by="m1")).allowed
    assert not ask(ATF, ANALYST, "read", record("dea", entered_by="m1", assigned=frozenset({"m1"}))).allowed


def test_the_most_specific_pattern_of_a_role_holds() -> None:
    custodian = member("atf", "custodian")
    assert ask(ATF, custodian, "read", record(type="evidence.item")).allowed
    assert not ask(ATF, custodian, "read", record(type="investigation.case")).allowed


def test_a_role_reads_the_groups_it_lists_and_no_other_type() -> None:
    person = record(type="registry.person")
    assert ask(ATF, ANALYST, "read", person).allowed
    assert not ask(ATF, ANALYST, "read", person, group="identity").allowed
    assert not ask(ATF, ANALYST, "read", record(type="prosecution.referral")).allowed


def test_a_derived_type_reads_as_its_core_type_and_acts_as_itself() -> None:
    own = record(type="us-federal.wiretap_case", core_type="investigation.case", assigned=frozenset({"m1"}))
    assert ask(ATF, ANALYST, "read", own).reasons == ("role:analyst:read",)
    assert ask(ATF, SUPERVISOR, "act", record(), act="close").allowed
    assert not ask(ATF, SUPERVISOR, "act", own, act="close").allowed
    theirs = record("cpd", "cpd.gang_case", core_type="investigation.case")
    assert ask(ATF, AGENT, "read", theirs).reasons == ("agreement:cpd-atf-2026:read",)
    assert not ask(ATF, AGENT, "read", record("cpd", "cpd.gang_case")).allowed


def test_a_member_without_role_reads_nothing_that_others_share_either() -> None:
    nobody = member("atf")
    for what in (record(), INCIDENT, record("usao", grants=frozenset({"base"}))):
        assert not ask(ATF, nobody, "read", what).allowed
    assert ask(ATF, nobody, "read", INCIDENT).reasons == ("roles",)


def test_a_member_of_another_agency_has_no_rights_here() -> None:
    stranger = replace(AGENT, agency="dea")
    assert ask(ATF, stranger, "read", record("dea")).reasons == ("agency",)


@pytest.mark.parametrize("action", ACTIONS)
def test_an_operator_may_nothing(action: str) -> None:
    operator = Actor.operator("atf", member="m1", name="Host")
    for what in (record(entered_by="m1"), INCIDENT, record("usao", grants=frozenset({"base"}))):
        seen = ask(ATF, operator, action, what, act="close")
        assert (seen.allowed, seen.reasons) == (False, ("operator",))


# --- acts -----------------------------------------------------------------------------------------------------------


def test_an_act_needs_a_role_that_fills_it() -> None:
    assert ask(ATF, SUPERVISOR, "act", record(), act="close").reasons == ("lifecycle:investigation.case:close",)
    assert not ask(ATF, AGENT, "act", record(), act="close").allowed
    assert not ask(ATF, SUPERVISOR, "act", record(), act="reopen").allowed
    assert not ask(ATF, SUPERVISOR, "act", record(type="evidence.item"), act="close").allowed
    assert not ask(ATF, SUPERVISOR, "act", record("cpd"), act="close").allowed
    assert not ask(ATF, SUPERVISOR, "act", record(), act="no_such_act").allowed


def test_enter_amend_and_attach_go_by_their_acts() -> None:
    assert ask(ATF, AGENT, "enter", record()).reasons == ("lifecycle:investigation.case:enter",)
    for action in ("amend", "attach"):
        assert ask(ATF, AGENT, action, record()).reasons == ("lifecycle:investigation.case:amend",)
    for action in ("enter", "amend", "attach"):
        assert not ask(ATF, ANALYST, action, record()).allowed
        assert not ask(ATF, AGENT, action, record("cpd")).allowed
    assert not ask(ATF, AGENT, "act", record(), act="amend").allowed


def test_a_lifecycle_role_is_not_the_role_of_the_same_name() -> None:
    chief = member("atf", "chief")  # fills supervisor, and is no supervisor
    assert "supervisor" in chief.roles
    assert not ask(ATF, chief, "read", record()).allowed
    assert ask(ATF, chief, "act", record(), act="close").allowed


def test_without_held_roles_a_name_that_another_role_explains_does_not_count() -> None:
    atf = catalogue("atf")
    assert held_roles(replace(member("atf", "chief"), held=None), atf) == {"chief"}
    assert held_roles(replace(SUPERVISOR, held=None), atf) == {"supervisor"}
    assert held_roles(replace(AGENT, held=frozenset({"gone"})), atf) == frozenset()
    assert held_roles(replace(AGENT, roles=frozenset({"agent"})), atf) == frozenset()  # taken away since


def test_the_system_reads_and_does_its_own_acts_at_home() -> None:
    system = Actor.system("atf")
    obligation = record(type="investigation.obligation")
    assert ask(ATF, system, "read", obligation).reasons == ("system:read",)
    assert ask(ATF, system, "act", obligation, act="meet").allowed
    assert ask(ATF, system, "act", record(type="prosecution.referral"), act="expired").allowed
    assert not ask(ATF, system, "act", record(), act="close").allowed
    assert not ask(ATF, system, "read", record("dea")).allowed
    assert not ask(ATF, replace(AGENT, roles=frozenset({"system"})), "act", obligation, act="meet").allowed


def test_no_role_fills_system_whatever_it_says() -> None:
    sly = Role("sly", "Sly", frozenset({"agent", "system"}), {"*": ReadRule()})
    of = policies("atf", roles={"sly": sly})
    actor = Actor.of(of.catalogue, member="m1", name="", held=["sly"])
    assert actor.roles == {"sly", "agent"}
    assert not ask(of, actor, "act", record(type="investigation.obligation"), act="meet").allowed
    assert held_roles(replace(AGENT, kind="system"), catalogue("atf")) == frozenset()


def test_a_statute_bars_an_act_whoever_asks_and_is_cited() -> None:
    strict = policies("atf", types=barred())
    denied = ask(strict, SUPERVISOR, "act", record(), act="close")
    assert denied.reasons == ("forbid:investigation.case:close",)
    assert SEALED in denied.why
    assert ask(policies("atf", types=barred("enter")), AGENT, "enter", record()).reasons == (
        "forbid:investigation.case:enter",
    )
    for action in ("amend", "attach"):
        assert not ask(policies("atf", types=barred("amend")), AGENT, action, record()).allowed
    assert ask(strict, AGENT, "amend", record()).allowed


def test_a_statute_bars_a_search_by_field() -> None:
    field = "find.registry.person.by_lawful_firearm"
    strict = policies("atf", forbid={field: SEALED})
    person = record(type="registry.person")
    assert ask(strict, AGENT, "find", person).allowed
    assert ask(strict, AGENT, "find", person, act=field).reasons == (f"forbid:{field}",)
    assert strict.scope(AGENT, Asked("find", act=field), today=TODAY).sql == "false"


def test_an_offer_is_answered_by_the_receivers_role_only() -> None:
    offered = record("atf", "prosecution.referral", grants=frozenset({"base"}))
    assert ask(USAO, PROSECUTOR, "answer", offered, act="accepted").reasons == ("answer:prosecution.referral:accepted",)
    assert not ask(USAO, PROSECUTOR, "answer", replace(offered, grants=frozenset()), act="accepted").allowed
    assert not ask(USAO, PROSECUTOR, "answer", record("usao", "prosecution.referral"), act="accepted").allowed
    assert not ask(USAO, PROSECUTOR, "answer", offered, act="withdrawn").allowed
    assert not ask(USAO, PROSECUTOR, "answer", replace(offered, type="investigation.case"), act="accepted").allowed
    custodian = member("atf", "custodian")
    theirs = replace(offered, owner="usao")
    assert ask(ATF, custodian, "answer", theirs, act="accepted").allowed
    assert not ask(ATF, custodian, "answer", theirs, act="declined").allowed
    assert not ask(ATF, AGENT, "answer", theirs, act="accepted").allowed


def test_the_offerer_withdraws() -> None:
    offered = record("atf", "prosecution.referral")
    assert ask(ATF, SUPERVISOR, "act", offered, act="withdrawn").reasons == (
        "lifecycle:prosecution.referral:withdrawn",
    )
    assert not ask(ATF, AGENT, "act", offered, act="withdrawn").allowed
    assert not ask(ATF, member("atf", "supervisor", "special_agent"), "act", offered, act="expired").allowed


# --- errors, masks, caches ------------------------------------------------------------------------------------------


def test_a_forbid_that_errs_denies(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Rule("broken", "never", ("read",), "forbid", when=("resource.absent == 1",))
    generated = rules
    monkeypatch.setattr(decide, "rules", lambda *given: (*generated(*given), broken))
    denied = ask(policies("atf"), AGENT, "read", record())
    assert not denied.allowed
    assert denied.reasons == ("error",)
    with pytest.raises(Problem) as refused:
        denied.require()
    assert refused.value.code == "policy_error"
    assert mask.groups(policies("atf"), AGENT, record(), today=TODAY) == frozenset()


def test_a_denial_is_raised_with_its_reasons() -> None:
    with pytest.raises(Problem) as refused:
        ask(ATF, AGENT, "read", record(marks=frozenset({"grand_jury"}))).require()
    assert refused.value.code == "not_allowed"
    assert refused.value.extra["reasons"] == ["mark:grand_jury"]
    ask(ATF, AGENT, "read", record()).require()


def test_an_action_that_is_not_known_is_refused() -> None:
    with pytest.raises(ValueError, match="delete"):
        ask(ATF, AGENT, "delete", record())


def test_leaving_out_rules_that_cannot_apply_changes_no_decision() -> None:
    for of, actor in ((ATF, AGENT), (ATF, SUPERVISOR), (USAO, PROSECUTOR)):
        for action in ACTIONS:
            for owner in ("atf", "cpd", "dea"):
                for name in (*TYPES, "cpd.unknown"):
                    what = record(owner, name, grants=frozenset({"base"}), marks=frozenset({"juvenile"}))
                    sliced = ask(of, actor, action, what, act="close")
                    whole = Policies.__new__(Policies)
                    whole.__dict__.update(of.__dict__)
                    whole._slices = _Whole(of)
                    assert ask(whole, actor, action, what, act="close") == sliced


class _Whole(dict):  # type: ignore[type-arg]
    """A cache that always answers with all policies."""

    def __init__(self, of: Policies) -> None:
        import cedarpy

        named = {f"policy{number}": rule for number, rule in enumerate(of.rules)}
        self.all = decide._Prepared(cedarpy.PolicySet.from_str(of.cedar_text()), named)

    def get(self, key: object, default: object = None) -> object:
        return self.all


def test_groups_and_masks() -> None:
    case = TYPES["investigation.case"]
    assert mask.groups(ATF, AGENT, record(), today=TODAY) == {"base", "narrative", "identity"}
    assert mask.groups(ATF, AGENT, record("cpd"), today=TODAY) == {"base", "narrative"}
    assert mask.groups(ATF, AGENT, record("dea"), today=TODAY) == frozenset()
    assert mask.groups(ATF, AGENT, record("dea", grants=frozenset({"narrative"})), today=TODAY) == {"narrative"}
    from comity.kernel.types.catalogue import Field

    fields = {"title": Field("title", {}), "summary": Field("summary", {}, group="narrative")}
    visible, masked = mask.apply(
        replace(case, fields=fields), {"title": "A", "summary": "B", "cpd:beat": "12"}, frozenset({"base"})
    )
    assert visible == {"title": "A"}
    assert [(one["field"], one["group"]) for one in masked] == [("summary", "narrative"), ("cpd:beat", "")]


def test_policies_are_prepared_once_for_a_catalogue_and_its_agreements() -> None:
    first = policies_for(catalogue("atf"), incoming("atf"))
    assert policies_for(catalogue("atf"), incoming("atf")) is first
    assert policies_for(catalogue("atf"), ()) is not first
    assert policies_for(catalogue("atf", digest="another"), incoming("atf")) is not first


def test_names_cannot_leave_their_literal() -> None:
    hostile = 'x" || true || "\\\n\0'
    assert literal(hostile) == '"x\\" || true || \\"\\\\\\u{a}\\u{0}"'
    role = Role("special_agent", "", frozenset({"agent"}), {"*": ReadRule()})
    agreed = replace(CPD_ATF, id=hostile, title=hostile, purposes=frozenset({hostile}))
    of = policies("atf", roles={role.name: role}, agreed=(IncomingAgreement("cpd", agreed),), marks=MARKS)
    assert not ask(of, AGENT, "read", INCIDENT).allowed
    assert ask(of, replace(AGENT, purpose=hostile), "read", INCIDENT).reasons == (f"agreement:{hostile}:read",)
