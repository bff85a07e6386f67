"""What may let a person go, and what may hide that nobody was: found by setting orders against acts."""

from __future__ import annotations

import pytest

from comity import clock
from comity.kernel.duties.reconcile import reconcile
from comity.kernel.records import guards
from tests.orders.flow import Release, doors_open
from tests.orders.test_reconcile import MONTH, differences, keys
from tests.pillars.stage import Stage, refused
from tests.world import day, instant


def test_an_order_that_is_fulfilled_excuses_nobody(stage: Stage) -> None:
    played = Release(stage, "release")
    played.ordered()
    played.served("detention", "records", "release")
    stage.act("clerk", played.made["order"], "fulfil")
    with refused("invalid", "order_stands"):
        stage.act("clerk", played.made["detention"], "excuse", reason="It is fulfilled")
    codes = {one.code for one in differences(stage) if one.record in played.made.values()}
    assert {"released", "executed", "not_fulfilled_while_open"} <= codes


@pytest.mark.parametrize("fulfilled", [False, True])
def test_an_order_of_release_is_served_on_somebody_who_must_release(stage: Stage, fulfilled: bool) -> None:
    played = Release(stage)
    played.ordered()
    for to, seat in (("detention", "records"), ("pretrial", "pretrial"), ("usao", "attorney")):
        played.served(to, seat, "take_note")
    if fulfilled:
        stage.act("clerk", played.made["order"], "fulfil")
    found = [one for one in differences(stage) if one.record == played.made["order"]]
    assert [(one.code, one.owed_by) for one in found] == [("release_served", "usdc")]


def test_who_was_excused_from_a_standing_order_is_a_difference(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """As earlier definitions let it: the condition of the act off."""
    played = Release(stage)
    played.ordered()
    played.served("detention", "records", "release")
    with monkeypatch.context() as off:
        off.setattr(guards, "faults", lambda *given, **named: [])
        stage.act("clerk", played.made["detention"], "excuse", reason="No need")
    found = [one for one in differences(stage) if one.record == played.made["detention"]]
    assert [(one.code, one.owed_by) for one in found] == [("excused_after_recall", "usdc")]


def test_an_order_to_keep_lets_nobody_go_nor_ends_a_hold(stage: Stage) -> None:
    played = Release(stage)
    played.ordered()
    played.held()
    made = played.made
    keep = played.order("Commitment", "commitment", ["detention"])
    note = {"addressee": "detention", "duty": "take_note"}
    told = stage.enter("clerk", "court.order_service", note, order=keep, case=made["case"])
    stage.answer("records", told, "acknowledged", acknowledged_at=instant())
    before = keys(differences(stage))
    for ended_by, authority in ((made["stay"], keep), (told, told)):
        stay = made["stay"]
        if ended_by != made["stay"]:
            played.held()
            stay = made["stay"]
        stage.act("records", made["hold"], "end", "Typed", links={"ended_by": ended_by}, ended_at=instant())
        given = {"intake": stay, "authority": authority}
        with refused("invalid", "release_not_ordered") as found:
            stage.enter("records", "custody.release", {"ground": "court_order"}, **given)
        [fault] = found[0].faults
        assert fault.path == "links.authority" and "18 U.S.C. 3142" in fault.message and fault.fix
        with doors_open():
            out = stage.enter("records", "custody.release", {"ground": "court_order"}, **given)
            stage.act("shift", out, "complete", released_at=instant())
        stage.act("records", stay, "discharge", ended_at=instant(), links={"release": out})
        found = {(one.code, one.record) for one in differences(stage, before)}
        assert {("release_was_ordered", out), ("hold_ended_by_authority", made["hold"])} <= found


@pytest.mark.parametrize("authority", ["stay of another", "release", "note"])
def test_nobody_is_kept_under_what_does_not_order_it(stage: Stage, authority: str) -> None:
    played = Release(stage)
    played.ordered()
    played.served("detention", "records", "take_note" if authority == "note" else "release")
    played.held()
    under = played.made["stay"] if authority == "stay of another" else played.made["detention"]
    person = stage.enter("intake", "registry.person", {"role": "prisoner", "name": "Sam S."})
    fields = {"ground": "commitment", "legal_custodian": "usms", "identified_by": "document", "received_at": instant()}
    stay = stage.enter("intake", "custody.intake", fields, person=person, authority=under)
    assert ("custody_has_authority", stay) in {(one.code, one.record) for one in differences(stage)}


@pytest.mark.parametrize("ends", ["discharged", "held"])
def test_who_sent_a_detainer_sees_that_the_person_was_let_go(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, ends: str
) -> None:
    """With the conditions off, as earlier definitions let it."""
    played = Release(stage, "hold on the detainer")
    played.ordered()
    played.served("detention", "records", "release")
    played.held()
    played.detainer()
    made = played.made
    if ends == "discharged":
        with monkeypatch.context() as off:
            off.setattr(guards, "faults", lambda *given, **named: [])
            service = made["detention"]
            out = stage.enter(
                "records", "custody.release", {"ground": "court_order"}, intake=made["stay"], authority=service
            )
            stage.act("shift", out, "complete", released_at=instant())
            stage.act("records", made["stay"], "discharge", ended_at=instant(), links={"release": out})
    found = reconcile(stage.node, stage.seats["sergeant"], at=clock.now() + MONTH).differences
    codes = [one.code for one in found if one.record == made["detainer"]]
    assert codes == ["detainer_held", *(["detainer_kept"] if ends == "discharged" else [])]


def a_stay(stage: Stage, ground: str = "surrender", **links: str) -> tuple[str, str]:
    person = stage.enter("intake", "registry.person", {"role": "prisoner", "name": "Sam S."})
    fields = {"legal_custodian": "usms", "identified_by": "document", "received_at": instant(), "ground": ground}
    return stage.enter("intake", "custody.intake", fields, person=person, **links), person


def released(stage: Stage, stay: str, authority: str, ground: str = "court_order") -> str:
    """Prepares a release: its authority is judged here and when it is completed."""
    return stage.enter("records", "custody.release", {"ground": ground}, intake=stay, authority=authority)


def service(stage: Stage, order: str, to: str, seat: str, duty: str, **links: str) -> str:
    made = stage.enter("clerk", "court.order_service", {"addressee": to, "duty": duty}, order=order, **links)
    if seat:
        stage.answer(seat, made, "acknowledged", acknowledged_at=instant())
    return made


def on_the_docket(stage: Stage, type: str, docket: str, fields: dict[str, object], **links: str) -> str:
    made = stage.enter("clerk", type, fields, **links)
    stage.act("judge", made, "sign")
    line = stage.enter("clerk", "court.docket_entry", {"entered_on": day(), "text": type}, case=docket)
    stage.act("clerk", made, "enter_on_docket", entered_on=day(), links={"docket_entry": line})
    return made


def test_a_release_rests_on_what_lets_go_and_stands(stage: Stage) -> None:
    """Every way of letting go that the types know, under its own ground; and under another ground, none."""
    played = Release(stage)
    played.ordered()
    case, order, party = (played.made[name] for name in ("case", "order", "party"))
    stay, _ = a_stay(stage)
    found = {"rests_on": "verdict", "kind": "acquittal", "pronounced_on": day()}
    judged = on_the_docket(stage, "court.judgment", case, found, case=case, defendant=party)
    convicted = on_the_docket(
        stage, "court.judgment", case, {**found, "kind": "conviction"}, case=case, defendant=party
    )
    term = {"kind": "imprisonment", "months": 3}
    sentence = on_the_docket(stage, "court.sentence", case, term, judgment=convicted)
    life = on_the_docket(stage, "court.sentence", case, {"kind": "imprisonment", "life": True}, judgment=convicted)
    warrant = on_the_docket(
        stage, "court.warrant", case, {"kind": "arrest", "terms": "Arrest.", "addressees": ["detention"]}, case=case,
        defendant=party,
    )  # fmt: skip
    bail = stage.enter("clerk", "custody.bail", {"kind": "own_bond", "set_on": day()}, person=party, order=order)
    paper = stage.enter("records", "registry.document", {"title": "Order of release", "kind": "court_paper"})
    asked = stage.enter(
        "sergeant", "custody.detainer", {"facility": "detention", "basis": "warrant"}, intake=stay,
        person=stage.enter("sergeant", "registry.person", {"role": "subject", "name": "Sam"}),
    )  # fmt: skip
    stage.answer("records", asked, "lodged", lodged_at=instant())
    held = {"basis": "detainer", "authority": "state-police", "since": instant(), "expires_on": day(3)}
    hold = stage.enter("records", "custody.hold", held, intake=stay, detainer=asked)
    mine = service(stage, order, "detention", "", "release")
    commanded = service(stage, warrant, "detention", "records", "arrest")
    for name, authority, ground, code in (
        ("a service that is not acknowledged", mine, "court_order", "order_not_acknowledged"),
        ("bail that is not furnished", bail, "bail", "condition_not_met"),
        ("a warrant in force", commanded, "court_order", "release_not_ordered"),
    ):
        with refused("invalid", code):
            released(stage, stay, authority, ground)
            pytest.fail(name)
    stage.answer("records", mine, "acknowledged", acknowledged_at=instant())
    stage.act("clerk", bail, "furnish", furnished_at=instant())
    stage.act("judge", bail, "accept", accepted_at=instant())
    played.made["order"] = warrant
    recall = played.order("Recall of the warrant", "recall", ["detention"])
    played.made["order"] = order
    told = service(stage, recall, "detention", "records", "take_note")
    stage.act("clerk", warrant, "recall", links={"recalled_by": recall})
    stage.act("sergeant", asked, "lift", reason="Recalled")
    stage.act("records", hold, "end", "Lifted", links={"ended_by": asked}, ended_at=instant())
    for name, authority, ground in (
        ("a conviction", convicted, "charges_ended"),
        ("an acquittal under another ground", judged, "transfer"),
        ("a sentence for life", life, "sentence_served"),
        ("a sentence under another ground", sentence, "court_order"),
        ("a paper", paper, "court_order"),
        ("an arrest by warrant", paper, "period_ended"),
        ("the stay itself", stay, "court_order"),
        ("a detainer that is not what the stay rests on", asked, "period_ended"),
    ):
        with refused("invalid", "release_not_ordered"):
            released(stage, stay, authority, ground)
            pytest.fail(name)
    for authority, ground in (
        (mine, "court_order"),
        (order, "court_order"),
        (judged, "charges_ended"),
        (sentence, "sentence_served"),
        (bail, "bail"),
        (commanded, "court_order"),
        (warrant, "court_order"),
        (recall, "court_order"),
        (told, "court_order"),
        (hold, "period_ended"),
    ):
        released(stage, stay, authority, ground)
    with refused("invalid", "person_decides") as found:
        released(stage, stay, paper, "compassionate")
    assert "override person_decides" in found[0].faults[0].fix
    released(stage, a_stay(stage, "arrest_without_warrant")[0], paper, "bail")
    out = released(stage, stay, mine)
    stage.act(
        "clerk",
        order,
        "recall",
        links={"recalled_by": played.order("Recall", "recall", ["detention", "pretrial", "usao"])},
    )
    with refused("invalid", "order_recalled"):
        stage.act("shift", out, "complete", released_at=instant())


def test_an_order_lets_nobody_else_go(stage: Stage) -> None:
    """By the case under which the person is kept, and by what the facility itself has said of who the person is."""
    played = Release(stage)
    played.ordered()
    case, party = played.made["case"], played.made["party"]
    commit = service(stage, played.order("Commitment", "commitment", ["detention"]), "detention", "records", "receive")
    frees = service(stage, played.made["order"], "detention", "records", "release")
    kept, _ = a_stay(stage, "commitment", authority=commit)
    released(stage, kept, frees)
    played.ordered()
    assert played.made["case"] != case
    other = service(stage, played.made["order"], "detention", "records", "release")
    with refused("invalid", "order_of_another"):
        released(stage, kept, other)

    alone, person = a_stay(stage)
    another = stage.enter("intake", "registry.person", {"role": "prisoner", "name": "Sam Sample"})
    named = on_the_docket(
        stage, "court.order", case,
        {"kind": "release", "title": "Release", "terms": "So ordered.", "addressees": ["detention"],
         "us-federal:release_kind": "recognizance"}, case=case, defendant=party,
    )  # fmt: skip
    frees = service(stage, named, "detention", "records", "release", defendant=party)
    released(stage, alone, frees)  # who the defendant is here, nobody has said
    claim = {"basis": "document", "weight": 60}
    said = stage.enter("records", "registry.identity_claim", claim, person=another, same_as=party)
    with refused("invalid", "order_of_another"):
        released(stage, alone, frees)
    again = stage.enter("records", "registry.identity_claim", claim, person=another, same_as=person)
    released(stage, alone, frees)  # a record of an earlier stay
    for one in (said, again):
        stage.act("records", one, "revoke", reason="Mistaken")
    stage.enter("records", "registry.identity_claim", claim, person=party, same_as=person)
    released(stage, alone, frees)
