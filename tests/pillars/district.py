"""What the institutions of one Indian district do again and again: order, serve, return, admit, bail, free."""

from __future__ import annotations

from comity.kernel.views.read import read
from tests.pillars.stage import Stage, refused
from tests.world import day, instant

made: dict[str, str] = {}
"""The records of the story by a short name; the story clears it."""


def number(stage: Stage, seat: str, record: str) -> str:
    return str(read(stage.node, stage.seats[seat], record).number)


def entered(stage: Stage, case: str, kind: str, title: str, to: list[str], **fields: object) -> str:
    """Drafted by the registry, signed by the magistrate, entered on the order sheet by the registry."""
    order = stage.enter(
        "registry",
        "court.order",
        {"kind": kind, "title": title, "terms": f"{title}.", "addressees": to, **fields},
        case=case,
        defendant=defendants(stage, case),
    )
    with refused("not_allowed"):
        stage.act("registry", order, "sign")
    stage.act("magistrate", order, "sign")
    line = stage.enter("registry", "court.docket_entry", {"entered_on": day(), "text": title}, case=case)
    stage.act("registry", order, "enter_on_docket", entered_on=day(), links={"docket_entry": line})
    return order


def defendants(stage: Stage, record: str) -> list[str]:
    return [str(one) for one in read(stage.node, stage.seats["registry"], record).links.get("defendant", ())]


def serve(stage: Stage, order: str, to: str, seat: str, duty: str) -> str:
    fields = {"addressee": to, "duty": duty}
    service = stage.enter("registry", "court.order_service", fields, order=order, defendant=defendants(stage, order))
    stage.answer(seat, service, "acknowledged", acknowledged_at=instant())
    return service


def executed(stage: Stage, service: str, seat: str) -> None:
    back = stage.enter(
        seat,
        "court.filing",
        {"court": "in-court", "kind": "return", "title": "Compliance", "outcome": "executed", "executed_at": instant()},
        service=service,
    )
    stage.answer("registry", back, "filed", filed_at=instant())
    stage.act("registry", service, "record_execution", links={"return": back})


def admitted(stage: Stage, name: str, service: str) -> tuple[str, str]:
    """A prisoner of the district prison with the remand as the one hold."""
    person = stage.enter("jailer", "registry.person", {"role": "prisoner", "name": name})
    stay = stage.enter(
        "jailer",
        "custody.intake",
        {"received_at": instant(), "ground": "remand", "legal_custodian": "in-prison", "identified_by": "document"},
        person=person,
        authority=service,
    )
    hold = stage.enter(
        "jailer",
        "custody.hold",
        {"basis": "remand", "authority": "in-court", "since": instant()},
        intake=stay,
        ground=service,
    )
    return stay, hold


def freed(stage: Stage, order: str, stay: str, hold: str, ground: str) -> str:
    """The order of release is served, obeyed and returned."""
    service = serve(stage, order, "in-prison", "superintendent", "release")
    release = {"ground": ground, "informed": ["in-court"]}
    with refused("invalid", "hold_active"):
        stage.enter("jailer", "custody.release", release, intake=stay, authority=service)
    stage.act("jailer", hold, "end", reason="Released by order", ended_at=instant(), links={"ended_by": service})
    out = stage.enter("jailer", "custody.release", release, intake=stay, authority=service)
    stage.act("superintendent", out, "complete", released_at=instant())
    stage.act("jailer", stay, "discharge", ended_at=instant(), links={"release": out})
    executed(stage, service, "superintendent")
    assert stage.state("registry", service) == "executed"
    return service


def bailed(stage: Stage, person: str, order: str, case: str) -> str:
    """Bail set by the order, furnished, and accepted by the magistrate."""
    bail = stage.enter(
        "registry",
        "custody.bail",
        {"kind": "surety", "set_on": day(), "amount": "25000", "currency": "INR", "sureties": 1},
        person=person,
        order=order,
        case=case,
    )
    with refused("act_out_of_turn"):
        stage.act("magistrate", bail, "accept", accepted_at=instant())
    stage.act("registry", bail, "furnish", furnished_at=instant())
    with refused("not_allowed"):
        stage.act("registry", bail, "accept", accepted_at=instant())
    stage.act("magistrate", bail, "accept", accepted_at=instant())
    return bail


def other_case(stage: Stage, name: str) -> tuple[str, str, str, str]:
    """(party, case, stay, hold) of another prisoner of the same court."""
    party = stage.enter("registry", "registry.person", {"role": "defendant", "name": name})
    case = stage.enter(
        "registry",
        "court.case",
        {"kind": "criminal", "caption": f"State v. {name}", "opened_on": day()},
        defendant=party,
    )
    remand = entered(
        stage,
        case,
        "remand",
        "Remand to judicial custody",
        ["in-prison"],
        **{"india:remand_kind": "judicial", "india:remand_from": day(14), "india:remand_until": day(0)},
    )
    service = serve(stage, remand, "in-prison", "superintendent", "receive")
    return party, case, *admitted(stage, name, service)
