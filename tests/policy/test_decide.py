"""Who may do what, and the rule that says so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from comity.errors import Problem
from comity.kernel.policy import decide, mask
from comity.kernel.policy.actor import Actor, held_roles
from comity.kernel.policy.cedar import ACTIONS, SEEING, Rule, literal
from comity.kernel.policy.decide import Asked, Decision, Policies, policies_for
from comity.kernel.policy.generate import IncomingAgreement, rules
from comity.kernel.types.catalogue import ReadRule, Role
from tests.policy.world import (
    CPD_ATF,
    MARKS,
    SEALED,
    TODAY,
    TYPES,
    barred,
    catalogue,
    incoming,
    member,
    policies,
    record,
)

ATF, CPD, USAO = policies("atf"), policies("cpd"), policies("usao")
AGENT, SUPERVISOR, ANALYST = member("atf", "special_agent"), member("atf", "supervisor"), member("atf", "analyst")
PROSECUTOR = member("usao", "prosecutor", purpose="prosecution")
INCIDENT = record("cpd", "investigation.incident")


def ask(of: Policies, actor: Actor, action: str, what: decide.Resource, **more: object) -> Decision:
    return of.decide(actor, action, what, **{"today": TODAY, **more})  # type: ignore[arg-type]


# --- one's own agency -----------------------------------------------------------------------------------------------


def test_a_role_reads_its_agencys_records_and_the_reason_names_it() -> None:
    seen = ask(ATF, AGENT, "read", record())
    assert seen.allowed
    assert seen.reasons == ("role:special_agent:read",)
    assert seen.why == "a special_agent reads records of atf"


def test_the_reason_names_every_role_that_allows() -> None:
    seen = ask(ATF, member("atf", "special_agent", "supervisor"), "find", record())
    assert seen.reasons == ("role:special_agent:read", "role:supervisor:read")


@pytest.mark.parametrize("action", ACTIONS)
def test_another_agencys_record_is_closed_without_agreement(action: str) -> None:
    for owner in ("dea", "usao"):
        denied = ask(ATF, member("atf", "special_agent", "supervisor"), action, record(owner), act="close")
        assert denied == Decision(False, (), denied.why)
        assert denied.why.startswith("no rule lets special_agent and supervisor of atf")


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
