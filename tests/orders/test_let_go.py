"""What may let a person go, and what may hide that nobody was: found by setting orders against acts."""

from __future__ import annotations

import pytest

from comity import clock
from comity.kernel.records import guards
from comity.kernel.records.reconcile import reconcile
from tests.orders.flow import Release
from tests.orders.test_reconcile import MONTH, differences, keys
from tests.pillars.stage import Stage, refused
from tests.world import instant


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
        out = stage.enter("records", "custody.release", {"ground": "court_order"}, intake=stay, authority=authority)
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
    assert codes == (["detainer_kept"] if ends == "discharged" else [])
