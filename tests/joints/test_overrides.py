"""What a supervisor overrides: with a reason, said by the entry, read on the page, and owed until it is put right."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from comity import clock
from comity.errors import Problem
from comity.kernel.duties.reconcile import reconcile, reconcile_all
from comity.kernel.records.act import act
from comity.kernel.records.amend import amend
from comity.kernel.records.answer import answer
from comity.kernel.records.enter import enter, enter_many
from comity.kernel.views.history import history
from comity.kernel.views.read import read
from comity.kernel.work.results import Draft, Receipt
from tests.joints.test_recall import NAME, recalled_warrant
from tests.pillars.stage import Stage, refused
from tests.world import instant

CODE = "authority_recalled"
DUTY = "kept_on_a_recalled_authority"
WHY = "Arrested before the recall was known"
TYPES = ("custody.intake", "custody.hold")


def asked(stage: Stage, type: str) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """Fields and links of a stay, or of a hold on one, that rests on a warrant that was recalled."""
    _, service, _ = recalled_warrant(stage)
    person = stage.enter("marshal", "registry.person", {**NAME, "role": "prisoner"})
    stay = {
        "received_at": instant(), "ground": "arrest_warrant", "legal_custodian": "usms", "identified_by": "photograph"
    }  # fmt: skip
    if type == "custody.intake":
        return stay, {"person": [person], "authority": [service]}
    held = stage.enter("marshal", "custody.intake", stay, person=person)
    return {"basis": "warrant", "authority": "usms", "since": instant()}, {"intake": [held], "ground": [service]}


def overriding(stage: Stage, seat: str, type: str, **said: Any) -> Receipt:
    fields, links = asked(stage, type)
    return enter(
        stage.node, stage.seats[seat], type, fields, links=links, **{"override": [CODE], "reason": WHY, **said}
    )


def owed(stage: Stage, record: str, **later: float) -> dict[str, str]:
    """What reconciling lists of the record as owed to the court and not done: by its state who owes it."""
    at = clock.now() + timedelta(**later)
    kept, node = reconcile(stage.node, stage.seats["marshal"], at=at), reconcile_all(stage.node, at=at)
    mine, all_ = (
        {
            one.state: one.owed_by
            for one in (*found.open, *found.differences)
            if (one.record, one.code) == (record, DUTY)
        }
        for found in (kept, node)
    )
    assert mine == all_
    return mine


@pytest.mark.parametrize("type", TYPES)
def test_a_supervisor_overrides_with_a_reason_and_nobody_does_without(stage: Stage, type: str) -> None:
    fields, links = asked(stage, type)
    given: dict[str, Any] = {"links": links}
    with refused("invalid", CODE) as found:
        enter(stage.node, stage.seats["chief"], type, fields, **given, reason=WHY)
    [fault] = found[0].faults
    assert fault.fix.endswith(f"It is overridden by Supervisor, with a reason and override {CODE}.")
    with refused("invalid", "override_not_allowed"):
        enter(stage.node, stage.seats["marshal"], type, fields, **given, reason=WHY, override=[CODE])
    with refused("invalid", "needs") as found:
        enter(stage.node, stage.seats["chief"], type, fields, **given, override=[CODE])
    assert {(one.code, one.path) for one in found[0].faults} == {("needs", "reason")}
    entered = enter(stage.node, stage.seats["chief"], type, fields, **given, reason=WHY, override=[CODE]).record
    [line] = history(stage.node, stage.seats["marshal"], entered)
    assert (line.overrides, line.reason, line.as_json()["overrides"]) == ((CODE,), WHY, [CODE])
    [told] = read(stage.node, stage.seats["marshal"], entered).as_json()["overrides"]
    assert (told["codes"], told["act"], told["reason"], told["entry"]) == ([CODE], "enter", WHY, line.entry)


def test_only_what_does_not_hold_is_overridden(stage: Stage) -> None:
    fields, _ = asked(stage, "custody.intake")
    person = stage.enter("marshal", "registry.person", {**NAME, "role": "prisoner"})
    given: dict[str, Any] = {"links": {"person": [person]}, "reason": WHY}
    for override, code in (
        ([CODE], "override_not_needed"),
        (["not_the_custodian"], "override_unknown"),
        ([CODE, "invented"], "override_unknown"),
    ):
        with refused("invalid", code) as found:
            enter(stage.node, stage.seats["chief"], "custody.intake", fields, override=override, **given)
        assert {one.path for one in found[0].faults} == {"override"}
    with refused("invalid", "override_unknown") as found:
        codes = [f"invented_{number}" for number in range(5_000)]
        enter(stage.node, stage.seats["chief"], "custody.intake", fields, override=codes, **given)
    assert len(found[0].faults) == 1, "what a caller names is not answered line by line without an end"
    enter(stage.node, stage.seats["chief"], "custody.intake", fields, override=[], **given)


def test_no_other_act_and_no_answer_overrides_what_it_may_not(stage: Stage) -> None:
    stay = overriding(stage, "chief", "custody.intake").record
    chief = stage.seats["chief"]
    with refused("invalid", "override_unknown"):
        act(stage.node, chief, stay, "record_escape", reason=WHY, override=[CODE])
    with refused("invalid", "override_unknown"):
        amend(stage.node, chief, stay, version=1, fields={"security_class": None}, reason=WHY, override=[CODE])
    _, service, _ = recalled_warrant(stage)
    with pytest.raises(Problem):
        answer(stage.node, chief, service, "acknowledged", override=[CODE])


def test_a_batch_and_a_repetition_override_as_one_entering_does(stage: Stage) -> None:
    fields, links = asked(stage, "custody.hold")
    draft = Draft("custody.hold", fields, links, reason=WHY, override=[CODE], key=f"over {links['ground'][0]}")
    chief = stage.seats["chief"]
    [first], [again] = (enter_many(stage.node, chief, [draft]) for _ in range(2))
    assert isinstance(first, Receipt) and isinstance(again, Receipt)
    assert (again.record, again.replayed) == (first.record, True)
    [other] = enter_many(stage.node, chief, [Draft("custody.hold", fields, links, reason=WHY, key=draft.key)])
    assert isinstance(other, Problem) and other.code == "idempotency_key_reused"


@pytest.mark.parametrize("type", TYPES)
def test_whoever_is_kept_on_a_recalled_authority_is_owed_a_court(stage: Stage, type: str) -> None:
    entered = overriding(stage, "chief", type).record
    stay = (
        entered
        if type == "custody.intake"
        else str(read(stage.node, stage.seats["marshal"], entered).links["intake"][0])
    )
    assert owed(stage, entered) == {"open": "usms"}
    assert owed(stage, entered, hours=25) == {"difference": "usms"}
    moved = {"purpose": "hospital", "planned_for": instant()}
    stage.act("marshal", stage.enter("marshal", "custody.movement", moved, intake=stay), "depart", left_at=instant())
    assert set(owed(stage, entered)) == {"open"}, "a hospital is no court"
    out = stage.enter("marshal", "custody.movement", {**moved, "purpose": "court"}, intake=stay)
    assert set(owed(stage, entered)) == {"open"}, "what is planned is not done"
    stage.act("marshal", out, "depart", left_at=instant())
    assert owed(stage, entered) == owed(stage, entered, hours=25) == {}


def test_who_is_let_go_is_owed_nothing_more(stage: Stage) -> None:
    held = overriding(stage, "chief", "custody.hold").record
    plain = stage.enter("marshal", "custody.hold", {"basis": "writ", "authority": "usms", "since": instant()},
                        intake=str(read(stage.node, stage.seats["marshal"], held).links["intake"][0]))  # fmt: skip
    assert set(owed(stage, held)) == {"open"} and owed(stage, plain) == {}, "nothing was overridden there"
    stage.act("chief", held, "retract", reason="Entered twice")
    assert owed(stage, held, hours=25) == {}
