"""Four institutions with roles, agreements and marks, made by hand: ATF, Chicago police, a US attorney, DEA.

ATF reads incidents of the police under an agreement of 2026, the attorney reads what ATF offers, and DEA has an
agreement with the attorney alone. All of it is invented.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from comity.kernel.policy.actor import Actor
from comity.kernel.policy.decide import Decision, Policies, Resource
from comity.kernel.policy.generate import IncomingAgreement
from comity.kernel.types.catalogue import (
    Act,
    AgencyDefinition,
    Agreement,
    Answer,
    Catalogue,
    Grants,
    Group,
    LifecycleRole,
    Mark,
    OfferRule,
    ReadRule,
    Role,
    State,
    Type,
)

TODAY = 20261122
ALL = ReadRule()
ASSIGNED = ReadRule("assigned")
SEALED = "18 U.S.C. 926(a)"


def act(name: str, *by: str) -> Act:
    return Act(name, frozenset({"open"}), None, frozenset(by))


def kind(name: str, groups: tuple[str, ...] = (), acts: tuple[Act, ...] = (), **more: Any) -> Type:
    basic = (act("enter", "agent", "officer"), act("amend", "agent", "officer"))
    values: dict[str, Any] = {
        "title": name, "term": "", "number": None, "title_field": None, "fields": {}, "links": {}, "initial": "open",
        "states": {one: State(one, one, initial=one == "open") for one in ("open", "approved", "closed")},
        "offer": None, "deconflict": (), "handling": frozenset(), "core_name": name, "forbid": {},
    }  # fmt: skip
    values |= more
    return Type(
        name=name,
        groups={"base": Group("base", "Base"), **{one: Group(one, one.title()) for one in groups}},
        acts={one.name: one for one in (*basic, *acts)},
        **values,
    )


OFFERED = OfferRule(
    answers={
        "accepted": Answer("accepted", "open", frozenset({"attorney", "custodian"})),
        "declined": Answer("declined", "closed", frozenset({"attorney"}), ends=True),
    },
    withdrawn=Answer("withdrawn", "closed", frozenset({"supervisor"})),
    expired=Answer("expired", "closed"),
    grants=Grants(),
)

TYPES = {
    one.name: one
    for one in (
        kind("investigation.case", ("narrative", "identity"), (act("close", "supervisor"), act("reopen", "judge"))),
        kind("investigation.incident", ("narrative",)),
        kind("investigation.report", ("narrative",), (act("approve", "supervisor"),)),
        kind("investigation.obligation", (), (act("meet", "system"),)),
        kind("evidence.item"),
        kind("evidence.custody_transfer", (), (), offer=OFFERED),
        kind("prosecution.referral", ("narrative",), (), offer=OFFERED),
        kind("registry.person", ("identity",)),
        kind("us-federal.wiretap_case", ("narrative",), (act("close", "judge"),), core_name="investigation.case"),
    )
}

MARKS = {
    one.name: one
    for one in (
        Mark("informant", "Confidential informant", roles=frozenset({"supervisor"})),
        Mark(
            "grand_jury", "Grand jury matter", basis="Fed. R. Crim. P. 6(e)", roles=frozenset({"attorney"}),
            agencies=frozenset({"usao"}), purposes=frozenset({"prosecution"}),
        ),
        Mark("juvenile", "Juvenile", basis="18 U.S.C. 5038", roles=frozenset({"agent", "attorney"})),
    )
}  # fmt: skip

LIFECYCLE_ROLES = {
    name: LifecycleRole(name, name, frozenset({"keep_subscriptions"}) if name == "supervisor" else frozenset())
    for name in ("agent", "officer", "supervisor", "custodian", "analyst", "attorney", "judge")
}
PURPOSES = ("investigation", "deconfliction", "prosecution")

ROLES: dict[str, tuple[Role, ...]] = {
    "atf": (
        Role("special_agent", "Special agent", frozenset({"agent"}), {"*": ALL}, frozenset({"informant"})),
        Role("supervisor", "Supervisor", frozenset({"supervisor", "agent"}), {"*": ALL}),
        Role(
            "analyst", "Analyst", frozenset({"analyst"}),
            {"investigation.*": ASSIGNED, "evidence.item": ALL, "registry.person": ReadRule("all", ("base",))},
        ),
        Role("chief", "Chief", frozenset({"supervisor"}), {"investigation.report": ALL}),
        Role("custodian", "Custodian", frozenset({"custodian"}), {"*": ASSIGNED, "evidence.*": ALL}),
    ),
    "cpd": (Role("officer", "Officer", frozenset({"officer"}), {"*": ALL}),),
    "usao": (Role("prosecutor", "Prosecutor", frozenset({"attorney"}), {"*": ALL}),),
    "dea": (Role("agent", "Agent", frozenset({"agent"}), {"*": ALL}),),
}  # fmt: skip

CPD_ATF = Agreement(
    id="cpd-atf-2026", to="atf", title="Incidents for ATF", purposes=frozenset({"investigation", "deconfliction"}),
    from_=date(2026, 1, 1), until=date(2026, 12, 31),
    read={
        "investigation.incident": ("base", "narrative"), "investigation.report": ("base",),
        "registry.person": ("base",), "investigation.case": ("base", "narrative"),
    },
    find=frozenset({"investigation.incident"}), marks=frozenset({"juvenile"}),
    states={"investigation.report": ("approved",)}, emergency=frozenset({"registry.person"}),
)  # fmt: skip
ATF_CPD = Agreement(
    id="atf-cpd-2020", to="cpd", title="Traces, ended", purposes=frozenset({"investigation"}), from_=date(2020, 1, 1),
    until=date(2025, 12, 31), read={"investigation.case": ("base",)}, find=frozenset({"investigation.case"}),
)  # fmt: skip
ATF_USAO = Agreement(
    id="atf-usao", to="usao", purposes=frozenset({"prosecution"}), from_=date(2024, 1, 1),
    read={"investigation.report": ("base", "narrative")}, find=frozenset({"investigation.report"}),
    marks=frozenset({"grand_jury", "tax_return"}),
)  # fmt: skip
CPD_USAO = Agreement(
    id="cpd-usao", to="usao", purposes=frozenset({"prosecution"}), read={"investigation.incident": ("base",)}
)
DEA_USAO = replace(CPD_USAO, id="dea-usao")
AGREEMENTS = {"cpd": (CPD_ATF, CPD_USAO), "atf": (ATF_CPD, ATF_USAO), "usao": (), "dea": (DEA_USAO,)}


def catalogue(agency: str, **changed: Any) -> Catalogue:
    """The agency's definitions; `changed` replaces parts of them."""
    values: dict[str, Any] = {
        "agency": agency, "jurisdiction": "us-federal", "digest": f"digest of {agency}", "types": TYPES,
        "roles": {role.name: role for role in ROLES[agency]}, "agreements": AGREEMENTS[agency],
        "marks": MARKS | ({"tax_return": Mark("tax_return", "Tax return")} if agency == "atf" else {}),
        "codes": {}, "rules": {}, "definition": AgencyDefinition(agency, purpose="investigation"),
        "lifecycle_roles": LIFECYCLE_ROLES, "purposes": dict.fromkeys(PURPOSES, "A purpose"),
    }  # fmt: skip
    return Catalogue(**{**values, **changed})


def incoming(agency: str) -> tuple[IncomingAgreement, ...]:
    return tuple(
        IncomingAgreement(owner, one) for owner, made in AGREEMENTS.items() for one in made if one.to == agency
    )


def policies(agency: str, *, agreed: tuple[IncomingAgreement, ...] | None = None, **changed: Any) -> Policies:
    return Policies(catalogue(agency, **changed), incoming(agency) if agreed is None else agreed)


def barred(act_name: str = "close") -> Mapping[str, Type]:
    """The types with one act barred by statute."""
    case = replace(TYPES["investigation.case"], forbid={act_name: SEALED})
    return {**TYPES, case.name: case}


def member(agency: str, *held: str, purpose: str = "investigation", id: str = "m1") -> Actor:
    return Actor.of(catalogue(agency), member=id, name="A member", held=held, purpose=purpose)


def record(owner: str = "atf", type: str = "investigation.case", **more: Any) -> Resource:
    return Resource(owner, type, **{"state": "open", "entered_by": "someone", **more})


ATF, CPD, USAO = policies("atf"), policies("cpd"), policies("usao")
AGENT, SUPERVISOR, ANALYST = member("atf", "special_agent"), member("atf", "supervisor"), member("atf", "analyst")
PROSECUTOR = member("usao", "prosecutor", purpose="prosecution")
INCIDENT = record("cpd", "investigation.incident")


def ask(of: Policies, actor: Actor, action: str, what: Resource, **more: object) -> Decision:
    """One decision of today, unless another day is given."""
    return of.decide(actor, action, what, **{"today": TODAY, **more})  # type: ignore[arg-type]
