"""An order or warrant that is recalled while it is being served: each addressee learns it, and one side wins a race."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from comity.kernel.records.act import act
from comity.kernel.records.answer import answer
from comity.kernel.sharing.inbox import inbox
from comity.kernel.sharing.settle import settle
from comity.kernel.views.history import history
from comity.kernel.work.results import Receipt
from tests.joints.conftest import Met
from tests.pillars.stage import Stage, refused
from tests.records.conftest import at_once, code_of
from tests.speeds.sizes import size
from tests.world import day, instant

NAME = {"role": "defendant", "name": "Dale Everett Pruitt"}


def a_case(stage: Stage) -> tuple[str, str]:
    party = stage.enter("clerk", "registry.person", NAME)
    fields = {"kind": "criminal", "caption": "United States v. Pruitt", "opened_on": day(), "prosecution": "usao"}
    return stage.enter("clerk", "court.case", fields, defendant=party), party


def docketed(stage: Stage, case: str, order: str) -> str:
    stage.act("judge", order, "sign")
    line = stage.enter("clerk", "court.docket_entry", {"entered_on": day(), "text": "Order"}, case=case)
    stage.act("clerk", order, "enter_on_docket", entered_on=day(), links={"docket_entry": line})
    return order


def a_warrant(stage: Stage) -> tuple[str, str]:
    case, party = a_case(stage)
    fields = {"kind": "arrest", "terms": "Arrest.", "addressees": ["usms"]}
    return case, docketed(stage, case, stage.enter("clerk", "court.warrant", fields, case=case, defendant=party))


def an_order(stage: Stage) -> tuple[str, str]:
    case, _ = a_case(stage)
    fields = {
        "kind": "production",
        "title": "Produce",
        "terms": "Produce.",
        "addressees": ["usms", "detention", "pretrial"],
    }
    return case, docketed(stage, case, stage.enter("clerk", "court.order", fields, case=case))


def served(stage: Stage, order: str, addressee: str, duty: str = "arrest") -> str:
    return stage.enter("clerk", "court.order_service", {"addressee": addressee, "duty": duty}, order=order)


def a_recall(stage: Stage, case: str, order: str, *addressees: str) -> str:
    fields = {"kind": "recall", "title": "Recall", "terms": "Recalled.", "addressees": list(addressees or ["usms"])}
    return docketed(stage, case, stage.enter("clerk", "court.order", fields, case=case, recalls=order))


def told(stage: Stage, seat: str, record: str) -> list[str]:
    return [one.state for one in inbox(stage.node, stage.seats[seat]) if one.record == record]


def acts(stage: Stage, seat: str, record: str) -> list[str]:
    return [one.act for one in history(stage.node, stage.seats[seat], record)]


def returned(stage: Stage, service: str, at: str) -> str:
    fields = {"court": "usdc", "kind": "return", "title": "Return", "outcome": "executed", "executed_at": at}
    filing = stage.enter("marshal", "court.filing", fields, service=service)
    stage.answer("clerk", filing, "filed", filed_at=instant())
    return filing


def test_a_recall_reaches_every_addressee_in_the_state_in_which_it_finds_it(stage: Stage) -> None:
    case, order = an_order(stage)
    fresh, held, failed = (served(stage, order, to, "produce") for to in ("pretrial", "detention", "usms"))
    stage.answer("records", held, "acknowledged", acknowledged_at=instant())
    stage.answer("marshal", failed, "acknowledged", acknowledged_at=instant())
    recall = a_recall(stage, case, order, "usms", "detention", "pretrial")
    stage.act("clerk", order, "recall", links={"recalled_by": recall})
    assert stage.state("pretrial", fresh) == "withdrawn"  # it still sees what became of what it was asked
    assert stage.state("records", held) == stage.state("marshal", failed) == "recalled"
    assert told(stage, "pretrial", fresh) == ["withdrawn"] and told(stage, "records", held) == ["recalled"]
    with refused("offer_already_answered"):
        stage.answer("pretrial", fresh, "acknowledged", acknowledged_at=instant())
    with refused("not_found"):
        stage.fields("pretrial", order)  # the order itself is no longer open to who never acknowledged it
    assert stage.state("records", order) == "recalled"  # by agreement: whoever keeps people reads what no longer does
    assert acts(stage, "clerk", held) == ["enter", "acknowledged", "acknowledged", "recall"]  # theirs, ours, the recall
    with refused("invalid", "not_entered"):
        served(stage, order, "usms", "produce")


def test_the_recall_names_each_addressee_of_what_it_recalls(stage: Stage) -> None:
    case, order = an_order(stage)
    fields = {"kind": "recall", "title": "Recall", "terms": "Recalled.", "addressees": ["usms"]}
    short = stage.enter("clerk", "court.order", fields, case=case, recalls=order)
    with refused("invalid", "addressee_not_told"):
        stage.act("judge", short, "sign")
    bare = stage.enter("clerk", "court.order", {**fields, "addressees": None}, case=case, recalls=order)
    with refused("invalid", "addressees_missing"):
        stage.act("judge", bare, "sign")


def recalled_warrant(stage: Stage) -> tuple[str, str, str]:
    """A warrant that was acknowledged and then recalled: warrant, service, a moment between the two."""
    case, warrant = a_warrant(stage)
    service = served(stage, warrant, "usms")
    stage.answer("marshal", service, "acknowledged", acknowledged_at=instant())
    stage.act("clerk", warrant, "recall", links={"recalled_by": a_recall(stage, case, warrant)})
    return warrant, service, instant(1)


def test_an_arrest_after_the_recall_is_recorded_as_what_it_is(stage: Stage) -> None:
    _, service, _ = recalled_warrant(stage)
    back = returned(stage, service, instant(-1))
    with refused("act_out_of_turn"):
        stage.act("clerk", service, "record_execution", links={"return": back})
    with refused("invalid", "executed_after_recall"):
        stage.act("clerk", service, "record_earlier_execution", links={"return": back})
    stage.act("clerk", service, "record_execution_after_recall", reason="Arrested too late", links={"return": back})
    assert stage.state("marshal", service) == "executed_after_recall"


def test_an_arrest_before_the_recall_stays_what_it_was(stage: Stage) -> None:
    _, service, before = recalled_warrant(stage)
    back = returned(stage, service, before)
    with refused("invalid", "not_executed"):
        stage.act("clerk", service, "record_execution_after_recall", reason="Late", links={"return": back})
    stage.act("clerk", service, "record_earlier_execution", links={"return": back})
    assert stage.state("marshal", service) == "executed"


def racing(stage: Stage) -> tuple[str, str, Callable[[], Receipt], Callable[[], Receipt]]:
    case, warrant = a_warrant(stage)
    service = served(stage, warrant, "usms")
    recall = a_recall(stage, case, warrant)
    clerk, marshal = stage.seats["clerk"], stage.seats["marshal"]
    return (
        warrant,
        service,
        lambda: act(stage.node, clerk, warrant, "recall", links={"recalled_by": [recall]}),
        lambda: answer(stage.node, marshal, service, "acknowledged", fields={"acknowledged_at": instant()}),
    )


def test_recall_and_acknowledgment_at_once_have_one_order_in_both_logs(stage: Stage) -> None:
    for _ in range(size(small=5, deep=50)):
        _, service, recall, acknowledge = racing(stage)
        said = [code_of(one) for one in at_once([recall, acknowledge])]
        settle(stage.node, "usdc")
        assert said[0] == "done"
        if said[1] == "done":
            assert stage.state("marshal", service) == "recalled"
            assert acts(stage, "clerk", service) == [
                "enter",
                "acknowledged",
                "acknowledged",
                "recall",
            ]  # theirs, ours, the recall
        else:
            assert said[1] == "offer_already_answered" and stage.state("marshal", service) == "withdrawn"
            assert acts(stage, "clerk", service) == ["enter", "withdrawn", "end_noted"]


@pytest.mark.parametrize("recall_first", [True, False])
def test_recall_and_execution_at_once_have_one_winner(
    stage: Stage, meet: Callable[..., Met], recall_first: bool
) -> None:
    _, service, recall, acknowledge = racing(stage)
    stage._done(acknowledge())
    back = returned(stage, service, instant())
    clerk = stage.seats["clerk"]

    def execute() -> Receipt:
        return act(stage.node, clerk, service, "record_execution", links={"return": [back]})

    met = meet(recall, execute) if recall_first else meet(execute, recall)
    if recall_first:
        assert met == Met("done", "act_out_of_turn", overtaken=False)
        assert stage.state("marshal", service) == "recalled"
    else:
        assert met == Met("done", "done", overtaken=False)
        assert stage.state("marshal", service) == "executed"  # done before the recall; nothing is taken back
