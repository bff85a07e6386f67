"""Two acts on one record at one moment: who comes second sees the first. With the lock off each of these goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest

from comity.kernel.duties.reconcile import reconcile
from comity.kernel.records.act import act
from comity.kernel.records.answer import answer
from comity.kernel.records.enter import enter, enter_many
from comity.kernel.work.results import Draft, Receipt
from tests.joints.conftest import Met
from tests.pillars.stage import Stage, refused
from tests.records.conftest import at_once, code_of
from tests.speeds.sizes import size
from tests.world import instant

Meet = Callable[..., Met]
NAME = {"role": "prisoner", "name": "Dale Everett Pruitt"}


def a_stay(stage: Stage, seat: str = "records", agency: str = "detention") -> tuple[str, str]:
    person = stage.enter(seat, "registry.person", NAME)
    fields = {
        "received_at": instant(),
        "ground": "arrest_without_warrant",
        "legal_custodian": agency,
        "identified_by": "photograph",
    }
    return stage.enter(seat, "custody.intake", fields, person=person), person


def a_release(stage: Stage, stay: str) -> str:
    paper = stage.enter("records", "registry.document", {"title": "Order of release", "kind": "court_paper"})
    return stage.enter("records", "custody.release", {"ground": "own_recognizance"}, intake=stay, authority=paper)


def an_item(stage: Stage) -> str:
    fields = {
        "description": f"Pistol {uuid4().hex[:6]}", "category": "firearm", "origin": "purchased",
        "legal_basis": "purchase", "taken_at": instant(1), "gross_weight": "900",
    }  # fmt: skip
    return stage.enter("agent", "evidence.item", fields)


def entering(stage: Stage, seat: str, type: str, fields: dict[str, object], **links: str) -> Callable[[], Receipt]:
    given = {name: [one] for name, one in links.items()}
    return lambda: enter(stage.node, stage.seats[seat], type, fields, links=given)


def doing(stage: Stage, seat: str, record: str, name: str, links: dict[str, str] | None = None, **fields: object):  # type: ignore[no-untyped-def]
    given = {name: [one] for name, one in (links or {}).items()}
    return lambda: act(stage.node, stage.seats[seat], record, name, fields=fields, links=given)


def transferring(stage: Stage, stay: str, person: str, to: str) -> Callable[[], Receipt]:
    fields: dict[str, object] = {"receiver": to, "reason": "housing", "planned_for": instant()}
    return entering(stage, "marshal", "custody.transfer", fields, intake=stay, person=person)


def holding(stage: Stage, stay: str) -> Callable[[], Receipt]:
    fields: dict[str, object] = {"basis": "writ", "authority": "usms", "since": instant()}
    return entering(stage, "intake", "custody.hold", fields, intake=stay)


def detaining(stage: Stage, stay: str) -> Callable[[], Receipt]:
    wanted = stage.enter("sergeant", "registry.person", {**NAME, "role": "subject"})
    fields: dict[str, object] = {"facility": "detention", "basis": "warrant", "reference": uuid4().hex[:8]}
    return entering(stage, "sergeant", "custody.detainer", fields, intake=stay, person=wanted)


def sending(stage: Stage, item: str) -> Callable[[], Receipt]:
    fields: dict[str, object] = {"to_agency": "fsl", "purpose": "examination", "conveyance": "hand", "sent": instant()}
    return entering(stage, "custodian", "evidence.custody_transfer", fields, item=item)


def part(stage: Stage, whole: str) -> Callable[[], Receipt]:
    fields: dict[str, object] = {
        "description": "Slide", "category": "firearm", "origin": "sub_item", "legal_basis": "purchase",
        "taken_at": instant(), "gross_weight": "600",
    }  # fmt: skip
    return entering(stage, "agent", "evidence.item", fields, parent=whole)


def two_transfers(stage: Stage) -> tuple[Callable[[], Receipt], Callable[[], Receipt]]:
    stay, person = a_stay(stage, "marshal", "usms")
    return transferring(stage, stay, person, "detention"), transferring(stage, stay, person, "state-police")


def two_stays_of_one_transfer(stage: Stage) -> tuple[Callable[[], Receipt], Callable[[], Receipt]]:
    stay, person = a_stay(stage, "marshal", "usms")
    transfer = stage._done(transferring(stage, stay, person, "detention")())
    stage.answer("intake", transfer, "accepted", received_at=instant())
    inmate = stage.enter("intake", "registry.person", NAME)
    fields: dict[str, object] = {
        "received_at": instant(), "ground": "transfer", "legal_custodian": "usms", "identified_by": "photograph"
    }  # fmt: skip
    here = {"person": inmate, "transfer": transfer}
    return entering(stage, "intake", "custody.intake", fields, **here), entering(
        stage, "records", "custody.intake", fields, **here
    )


def release_and_detainer(stage: Stage) -> tuple[Callable[[], Receipt], Callable[[], Receipt]]:
    stay, _ = a_stay(stage)
    return doing(stage, "shift", a_release(stage, stay), "complete", released_at=instant()), detaining(stage, stay)


def discharge_and_detainer(stage: Stage) -> tuple[Callable[[], Receipt], Callable[[], Receipt]]:
    stay, _ = a_stay(stage)
    release = a_release(stage, stay)
    stage.act("shift", release, "complete", released_at=instant())
    leaves = doing(stage, "records", stay, "discharge", links={"release": release}, ended_at=instant())
    return leaves, detaining(stage, stay)


def release_and_hold(stage: Stage) -> tuple[Callable[[], Receipt], Callable[[], Receipt]]:
    stay, _ = a_stay(stage)
    return doing(stage, "shift", a_release(stage, stay), "complete", released_at=instant()), holding(stage, stay)


def two_sendings(stage: Stage) -> tuple[Callable[[], Receipt], Callable[[], Receipt]]:
    item = an_item(stage)
    return sending(stage, item), sending(stage, item)


def two_parts(stage: Stage) -> tuple[Callable[[], Receipt], Callable[[], Receipt]]:
    whole = an_item(stage)
    return part(stage, whole), part(stage, whole)


EXCLUDING = {
    "two transfers of one prisoner": (two_transfers, "not_the_custodian"),
    "two stays of one transfer": (two_stays_of_one_transfer, "not_the_custodian"),
    "two transfers of one item": (two_sendings, "transfer_waiting"),
    "two parts that are more than the whole": (two_parts, "parts_exceed_whole"),
}
CROSSING = {
    "release and detainer": (release_and_detainer, "hold_active"),
    "discharge and detainer": (discharge_and_detainer, "hold_active"),
    "release and hold": (release_and_hold, "hold_active"),
}
ALL = {**EXCLUDING, **CROSSING}


@pytest.mark.parametrize("name", EXCLUDING)
def test_of_two_that_exclude_each_other_the_second_is_refused(stage: Stage, meet: Meet, name: str) -> None:
    two, code = EXCLUDING[name]
    met = meet(*two(stage))
    assert (met.first, met.second) == ("done", code)


@pytest.mark.parametrize("name", CROSSING)
def test_nothing_runs_past_a_release_that_is_being_judged(stage: Stage, meet: Meet, name: str) -> None:
    release, hold = CROSSING[name][0](stage)
    met = meet(release, hold)
    assert met == Met("done", "done", overtaken=False)  # the hold came after the release, and its log says so


@pytest.mark.parametrize("name", CROSSING)
def test_a_release_that_comes_second_is_refused_and_the_holder_named(stage: Stage, meet: Meet, name: str) -> None:
    release, hold = CROSSING[name][0](stage)
    met = meet(hold, release)
    assert (met.first, met.second) == ("done", "hold_active")


@pytest.mark.parametrize("name", ALL)
@pytest.mark.usefixtures("no_turns")
def test_with_the_lock_off_both_pass(joint_stage: Stage, meet: Meet, name: str) -> None:
    met = meet(*ALL[name][0](joint_stage))
    assert met == Met("done", "done", overtaken=True)


@pytest.mark.parametrize("name", ALL)
def test_in_many_races_two_never_both_pass(stage: Stage, name: str) -> None:
    two, code = ALL[name]
    for _ in range(size(small=4, deep=40)):
        first, second = two(stage)
        answers = at_once([first, second])
        said = sorted(one.faults[0].code if not isinstance(one, Receipt) else "done" for one in answers)
        if name in EXCLUDING:
            assert said == sorted(["done", code])
        else:
            assert said == sorted(["done", code]) or answers[0].at < answers[1].at  # in this order, as the log tells it


def test_one_prisoner_is_accepted_by_one_facility(stage: Stage) -> None:
    """The sender takes an offer back to offer the prisoner elsewhere, while the first facility accepts."""
    for _ in range(size(small=4, deep=40)):
        stay, person = a_stay(stage, "marshal", "usms")
        transfer = transferring(stage, stay, person, "detention")().record

        def elsewhere(stay: str = stay, person: str = person, transfer: str = transfer) -> Receipt:
            act(stage.node, stage.seats["marshal"], transfer, "withdrawn")
            other = transferring(stage, stay, person, "state-police")()
            return answer(
                stage.node, stage.seats["trooper"], other.record, "accepted", fields={"received_at": instant()}
            )

        def here(transfer: str = transfer) -> Receipt:
            return answer(stage.node, stage.seats["intake"], transfer, "accepted", fields={"received_at": instant()})

        said = [code_of(one) for one in at_once([elsewhere, here])]
        assert sorted(said) == ["done", "offer_already_answered"]


def test_a_person_on_the_way_to_another_is_not_released(stage: Stage) -> None:
    stay, person = a_stay(stage, "marshal", "usms")
    transfer = stage._done(transferring(stage, stay, person, "detention")())
    paper = stage.enter("marshal", "registry.document", {"title": "Order", "kind": "court_paper"})
    with refused("invalid", "not_the_custodian"):
        stage.enter("marshal", "custody.release", {"ground": "own_recognizance"}, intake=stay, authority=paper)
    stage.act("marshal", transfer, "withdrawn")
    stage.enter("marshal", "custody.release", {"ground": "own_recognizance"}, intake=stay, authority=paper)


def owed(stage: Stage, seat: str, case: str) -> list[str]:
    found = reconcile(stage.node, stage.seats[seat], case=case)
    return [one.code for one in (*found.open, *found.differences)]


def test_what_comes_after_the_person_left_is_typed_as_late(stage: Stage) -> None:
    leaves, detainer = discharge_and_detainer(stage)
    stay = leaves().record
    late = stage._done(detainer())
    with refused("invalid", "person_left"):
        stage.answer("records", late, "lodged", lodged_at=instant())
    stage.answer("records", late, "not_held", reason="Released before it came")
    with refused("invalid", "person_left"):
        holding(stage, stay)()
    fields = {"basis": "writ", "authority": "usms", "since": instant(1)}
    said = {"reason": "Overlooked", "late_cause": "Found on the next day", "override": ["person_left"]}
    with refused("invalid", "override_not_allowed"):
        enter(stage.node, stage.seats["records"], "custody.hold", fields, links={"intake": [stay]}, **said)
    enter(stage.node, stage.seats["shift"], "custody.hold", fields, links={"intake": [stay]}, **said)
    assert owed(stage, "records", stay) == ["overlooked_hold"]
    stage.act("shift", stay, "record_error", reason="A writ was overlooked")
    assert owed(stage, "records", stay) == []


def test_a_stay_begins_with_an_accepted_transfer_to_this_facility(stage: Stage) -> None:
    stay, person = a_stay(stage, "marshal", "usms")
    transfer = stage._done(transferring(stage, stay, person, "detention")())
    inmate = stage.enter("intake", "registry.person", NAME)
    fields = {"received_at": instant(), "ground": "transfer", "legal_custodian": "usms", "identified_by": "photograph"}
    with refused("invalid", "not_the_custodian"):
        stage.enter("intake", "custody.intake", fields, person=inmate, transfer=transfer)
    stage.answer("intake", transfer, "accepted", received_at=instant())
    stage.enter("intake", "custody.intake", fields, person=inmate, transfer=transfer)


def transfers(pairs: list[tuple[str, str]]) -> list[Draft]:
    return [
        Draft("custody.transfer", {"receiver": to, "reason": "housing", "planned_for": instant()},
              {"intake": [stay], "person": [person]})
        for (stay, person), to in zip(pairs, ["detention", "state-police"] * len(pairs), strict=False)
    ]  # fmt: skip


def test_in_one_batch_the_second_sees_the_first(stage: Stage) -> None:
    stay, person = a_stay(stage, "marshal", "usms")
    said = enter_many(stage.node, stage.seats["marshal"], transfers([(stay, person), (stay, person)]))
    assert [code_of(one) for one in said] == ["done", "invalid"]
    other, third = a_stay(stage, "marshal", "usms")
    grouped = [Draft(one.type, one.fields, one.links, group="g") for one in transfers([(other, third)] * 2)]
    assert {code_of(one) for one in enter_many(stage.node, stage.seats["marshal"], grouped)} == {
        "invalid",
        "group_refused",
    }


def test_parts_of_one_batch_are_weighed_together_with_their_whole(stage: Stage) -> None:
    whole, one, two = (
        Draft(
            "evidence.item",
            {
                "description": name, "category": "firearm", "origin": origin, "legal_basis": "purchase",
                "taken_at": instant(), "gross_weight": weight,
            },
            {"parent": ["key:" + key]} if origin == "sub_item" else {},
            key=f"{key}-{name}" if origin == "sub_item" else key,
        )
        for key in [uuid4().hex]
        for name, origin, weight in (("Whole", "purchased", "900"), ("A", "sub_item", "600"), ("B", "sub_item", "600"))
    )  # fmt: skip
    said = enter_many(stage.node, stage.seats["agent"], [one, two, whole])
    assert [code_of(answer) for answer in said] == ["done", "invalid", "done"]
    assert not isinstance(said[1], Receipt) and said[1].faults[0].code == "parts_exceed_whole"


def test_batches_in_opposite_order_do_not_wait_in_a_circle(stage: Stage) -> None:
    pairs = [a_stay(stage, "marshal", "usms") for _ in range(size(small=12, deep=60))]
    seat = stage.seats["marshal"]
    both = at_once(
        [
            lambda: enter_many(stage.node, seat, transfers(pairs)),
            lambda: enter_many(stage.node, seat, transfers(pairs[::-1])),
        ]
    )
    done = [sum(code_of(one) == "done" for one in answers) for answers in both]
    assert sorted(done) == [0, len(pairs)]
