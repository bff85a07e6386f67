"""Each pillar installs and works with only the pillars that it needs: one agency of its own for each, on one node."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

import pytest

from comity.config import paths
from comity.kernel.definitions.load import load, read_core
from comity.kernel.portability import rebuild
from comity.kernel.records.amend import amend
from comity.kernel.types.lifecycle import answers
from comity.kernel.views.read import read
from tests.pillars.stage import Stage, refused, staged
from tests.world import day, instant

PILLARS = sorted(one.parent.name for one in paths.pillars().glob("*/pillar.yml"))
LAW = {"jurisdiction.yml": "jurisdiction: land\ntitle: Land\nzone: UTC\n"}
EVERYONE = ("agent", "officer", "custodian", "carrier_clerk", "analyst", "attorney", "records", "clerk")
CHIEF = ("supervisor", "judge", "verifier")


def core(pillar: str) -> dict[str, str]:
    return dict(read_core(paths.pillars(), only=[pillar]))


def roles(known: Collection[str]) -> str:
    """Two roles that fill between them what the pillar and those that it needs declare."""
    everyone, chief = (", ".join(one for one in names if one in known) for names in (EVERYONE, CHIEF))
    return f"""roles:
  everyone:
    title: All but judge and verifier
    is: [{everyone}]
    read: {{ "*": all }}
    marks: [sealed]
  chief: {{ title: Chief, is: [{chief}], read: {{ "*": all }}, marks: [sealed] }}
"""


def own(pillar: str, agency: str, other: str) -> dict[str, str]:
    """An agency of this pillar alone, which lets its neighbour offer it everything that can be offered."""
    alone = load(core(pillar), LAW)
    offered = sorted(of.name for of in alone.types.values() if answers(of.offer))
    allowed = f"    offers: [{', '.join(offered)}]\n" if offered else ""
    return {
        "agency.yml": f"agency: {agency}\ntitle: {agency}\njurisdiction: land\nzone: UTC\n"
        f"purpose: investigation\npillars: [{pillar}]\n",
        "roles.yml": roles(alone.lifecycle_roles),
        "agreements.yml": f"agreements:\n  - id: with-{other}\n    to: {other}\n    basis: sample\n"
        f"    purposes: [investigation]\n{allowed}",
    }


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("alone")) as on:
        for pillar in PILLARS:
            ours, theirs = f"own-{pillar}", f"next-{pillar}"
            on.install(ours, core(pillar), LAW, own(pillar, ours, theirs))
            on.install(theirs, core(pillar), LAW, own(pillar, theirs, ours))
            on.seat(ours, pillar, "everyone")
            on.seat(ours, f"{pillar} chief", "chief")
            on.seat(theirs, f"{pillar} neighbour", "everyone")
        yield on


def person(on: Stage, seat: str) -> str:
    return on.enter(seat, "registry.person", {"role": "subject", "name": f"Sample {seat}"})


def item(on: Stage, seat: str) -> str:
    return on.enter(
        seat,
        "evidence.item",
        {
            "description": "Pistol",
            "category": "firearm",
            "origin": "seized",
            "seal_number": "S-1",
            "legal_basis": "warrant",
            "taken_at": instant(3),
        },
    )


def registry(on: Stage) -> None:
    one, two = person(on, "registry"), person(on, "registry")
    claim = on.enter(
        "registry", "registry.identity_claim", {"basis": "photograph", "weight": 70}, person=one, same_as=two
    )
    on.act("registry", claim, "dispute", reason="Another scar")
    on.act("registry chief", claim, "revoke", reason="Two persons")
    assert on.state("registry", claim) == "revoked"


def investigation(on: Stage) -> None:
    case = on.enter(
        "investigation",
        "investigation.case",
        {"title": "Sample", "program": "arson", "opened": day(), "summary": "A fire."},
    )
    with refused("not_allowed"):
        on.act("investigation", case, "close", reason="Done", clearance="unfounded")
    on.act("investigation chief", case, "close", reason="Done", clearance="unfounded")


def evidence(on: Stage) -> None:
    locker = on.enter("evidence", "evidence.locker", {"name": "Night locker 3", "kind": "temporary"})
    gun = item(on, "evidence")
    on.act("evidence", gun, "deposit", links={"locker": locker})
    on.act("evidence", gun, "book")
    sent = {"to_agency": "next-evidence", "purpose": "storage", "conveyance": "hand", "sent": instant(2)}
    transfer = on.enter("evidence", "evidence.custody_transfer", sent, item=gun)
    on.answer("evidence neighbour", transfer, "accepted", received=instant(1), seal_intact=True)
    on.enter("evidence", "evidence.chain_statement", {"made_on": day()}, item=gun)
    with refused("invalid", "not_the_holder"):
        on.enter("evidence", "evidence.custody_transfer", sent, item=gun)


def forensics(on: Stage) -> None:
    gun = item(on, "forensics")
    asked = on.enter(
        "forensics",
        "forensics.request",
        {
            "laboratory": "next-forensics",
            "examinations": ["firearm_function"],
            "question": "Does it fire?",
            "priority": "routine",
        },
        item=gun,
    )
    on.answer("forensics neighbour", asked, "received")
    on.enter(
        "forensics neighbour",
        "forensics.examination",
        {"requester": "own-forensics", "kind": "firearm_function", "started": day()},
        request=asked,
        item=gun,
    )


def prosecution(on: Stage) -> None:
    accused = person(on, "prosecution")
    matter = on.enter("prosecution", "prosecution.matter", {"title": "Sample", "received_on": day()}, defendant=accused)
    on.act("prosecution", matter, "accept")
    paper = on.enter(
        "prosecution",
        "prosecution.instrument",
        {"kind": "information", "text": "Charges."},
        matter=matter,
        defendant=accused,
    )
    with refused("invalid", "not_signed"):
        on.act("prosecution", matter, "charge", links={"instrument": paper})
    on.act("prosecution", paper, "sign")
    on.act("prosecution", matter, "charge", links={"instrument": paper})


def court(on: Stage) -> None:
    accused = person(on, "court")
    case = on.enter(
        "court",
        "court.case",
        {"kind": "criminal", "caption": "Land v. Sample", "opened_on": day()},
        defendant=accused,
    )
    order = on.enter("court", "court.order", {"kind": "unseal", "title": "Unsealing", "terms": "Unsealed."}, case=case)
    with refused("not_allowed"):
        on.act("court", order, "sign")
    on.act("court chief", order, "sign")
    line = on.enter("court", "court.docket_entry", {"entered_on": day(), "text": "ORDER"}, case=case)
    with refused("invalid", "no_unsealing_order"):
        on.act("court", case, "unseal", links={"order": order})
    on.act("court", order, "enter_on_docket", entered_on=day(), links={"docket_entry": line})
    amend(on.node, on.seats["court"], case, version=1, marks=["sealed"])
    under_seal = on.enter("court", "court.docket_entry", {"entered_on": day(), "text": "SEALED"}, case=case)
    marks = [read(on.node, on.seats["court"], one).marks for one in (order, line, under_seal)]
    assert marks == [("sealed",)] * 3, "what was derived before it was sealed is sealed too"
    on.act("court", case, "unseal", links={"order": order})
    marks = [read(on.node, on.seats["court"], one).marks for one in (order, line, under_seal)]
    assert marks == [(), (), ("sealed",)], "what was entered under seal has its own act"
    on.act("court", under_seal, "unseal", links={"order": order})
    service = on.enter("court", "court.order_service", {"addressee": "next-court", "duty": "take_note"}, order=order)
    on.answer("court neighbour", service, "acknowledged")


def custody(on: Stage) -> None:
    inmate = person(on, "custody")
    stay = on.enter(
        "custody",
        "custody.intake",
        {
            "received_at": instant(2),
            "ground": "sentence",
            "legal_custodian": "own-custody",
            "identified_by": "fingerprint",
        },
        person=inmate,
    )
    hold = on.enter(
        "custody",
        "custody.hold",
        {"basis": "sentence", "authority_name": "Court of Land", "since": instant(2)},
        intake=stay,
    )
    paper = on.enter("custody", "registry.document", {"title": "Calculation of the term", "kind": "other"})
    with refused("invalid", "hold_active"):
        on.enter("custody", "custody.release", {"ground": "sentence_served"}, intake=stay, authority=paper)
    on.act("custody", hold, "end", reason="Served", ended_at=instant(1), links={"ended_by": paper})
    release = on.enter("custody", "custody.release", {"ground": "sentence_served"}, intake=stay, authority=paper)
    on.act("custody chief", release, "complete", released_at=instant())
    on.act("custody", stay, "discharge", ended_at=instant(), links={"release": release})


def community(on: Stage) -> None:
    victim = on.enter("community", "community.victim", {"wants_notice": True}, person=person(on, "community"))
    paper = on.enter("community", "registry.document", {"title": "Letter of the prison", "kind": "letter"})
    notice = on.enter(
        "community", "community.notice", {"event": "release", "message": "Released today."}, victim=victim, about=paper
    )
    on.act("community", notice, "send", way="phone", sent_at=instant())
    on.act("community", notice, "record_told", told_at=instant())


PLAYS: dict[str, Callable[[Stage], None]] = {
    one.__name__: one for one in (registry, investigation, evidence, forensics, prosecution, court, custody, community)
}


@pytest.mark.parametrize("pillar", PILLARS)
def test_a_pillar_installs_and_works_alone(stage: Stage, pillar: str) -> None:
    PLAYS[pillar](stage)


def test_the_records_of_all_these_are_the_fold_of_their_entries(stage: Stage) -> None:
    assert rebuild.run(stage.node).as_json()["equal"] is True
