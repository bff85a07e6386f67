"""What a link takes, at work: who sets it to something else is refused, and `find` lists what fits and may be read."""

from __future__ import annotations

from typing import Any

import pytest

from comity.kernel.records.amend import amend
from comity.kernel.records.enter import enter, enter_many
from comity.kernel.views.find import find
from comity.kernel.work.results import Draft, Receipt
from tests.joints.test_recall import NAME, a_case, a_recall, docketed
from tests.pillars.stage import Stage, refused
from tests.world import day

FITS = "court.order.recalled_by"
ORDER = {"kind": "scheduling", "title": "Schedule", "terms": "On Monday."}
RECALL = {"kind": "recall", "title": "Recall", "terms": "Recalled.", "addressees": ["usms"]}


def an_order(stage: Stage, case: str, fields: dict[str, Any] = ORDER, **links: str) -> str:
    return stage.enter("judge", "court.order", fields, case=case, **links)


def fitting(stage: Stage, seat: str, fits: str = FITS, **more: Any) -> set[str]:
    return {one["id"] for one in find(stage.node, stage.seats[seat], fits=fits, limit=200, **more).items}


def test_whatever_sets_a_link_sets_it_to_what_the_link_takes(stage: Stage) -> None:
    case, _ = a_case(stage)
    other, clerk = an_order(stage, case), stage.seats["clerk"]
    unfit: dict[str, Any] = {"links": {"recalled_by": [other]}}
    with refused("invalid", "no_recall_order") as found:
        enter(stage.node, clerk, "court.order", ORDER, links={"case": [case], "recalled_by": [other]})
    [fault] = found[0].faults
    assert (fault.path, fault.message) == (
        "links.recalled_by", "Only an order of recall, signed and entered on the docket, recalls an order.",
    )  # fmt: skip
    mine = an_order(stage, case)
    with refused("invalid", "no_recall_order"):
        amend(stage.node, clerk, mine, version=1, **unfit)
    docketed(stage, case, mine)
    with refused("invalid", "no_recall_order"):
        stage.act("clerk", mine, "recall", links=unfit["links"])
    drafted = an_order(stage, case, RECALL, recalls=mine)
    with refused("invalid", "no_recall_order"):
        stage.act("clerk", mine, "recall", links={"recalled_by": drafted})
    docketed(stage, case, drafted)
    stage.act("clerk", mine, "recall", links={"recalled_by": drafted})
    assert stage.state("clerk", mine) == "recalled"


def test_find_lists_what_fits(stage: Stage) -> None:
    case, _ = a_case(stage)
    order = docketed(stage, case, an_order(stage, case))
    drafted, recall = an_order(stage, case, RECALL, recalls=order), a_recall(stage, case, order)
    found = fitting(stage, "clerk")
    assert recall in found and not {order, drafted, case} & found
    assert {order, recall} <= fitting(stage, "clerk", "court.order_service.order")
    assert {order, recall, drafted} <= fitting(stage, "clerk", "court.order.recalls"), "it asks only for the type"
    assert fitting(stage, "clerk", type="court.warrant") == set()
    assert recall not in fitting(stage, "clerk", where={"number": "none"})
    assert recall not in fitting(stage, "agent"), "another agency finds what it may find"


def test_what_is_masked_does_not_fit_and_is_not_listed(stage: Stage) -> None:
    case, _ = a_case(stage)
    order = docketed(stage, case, an_order(stage, case))
    entered = enter(
        stage.node, stage.seats["judge"], "court.order", RECALL,
        links={"case": [case], "recalls": [order]}, field_marks={"kind": ["victim"]},
    )  # fmt: skip
    hidden = docketed(stage, case, entered.record)
    assert hidden in fitting(stage, "judge", "court.order_service.order"), "it is there to be found"
    assert hidden not in fitting(stage, "clerk") and hidden not in fitting(stage, "judge"), (
        "nobody finds by what is marked"
    )
    with refused("invalid", "no_recall_order"):
        stage.act("clerk", order, "recall", links={"recalled_by": hidden})


@pytest.mark.parametrize("fits", ["court.order.nothing", "court.hearing.judge", "recalled_by"])
def test_find_says_which_links_there_are(stage: Stage, fits: str) -> None:
    with refused("invalid", "unknown_link") as found:
        find(stage.node, stage.seats["clerk"], fits=fits)
    assert found[0].faults[0].path == "fits"


def test_what_is_linked_stays_when_an_amendment_names_it_again(stage: Stage) -> None:
    item = stage.enter("attorney", "prosecution.matter", {"title": "Sample", "received_on": day()})
    who = stage.enter("attorney", "registry.person", NAME)
    fields = {"kind": "information", "text": "Charges."}
    paper = stage.enter("attorney", "prosecution.instrument", fields, matter=item, defendant=who)
    stage.act("attorney", paper, "sign")
    attorney = stage.seats["attorney"]
    amend(stage.node, attorney, item, version=1, links={"instrument": [paper]})
    stage.act("attorney", paper, "discard", reason="The grand jury did not return it")
    with refused("invalid", "not_signed"):
        enter(stage.node, attorney, "prosecution.matter", {"title": "Other", "received_on": day()},
              links={"instrument": [paper]})  # fmt: skip
    amend(stage.node, attorney, item, version=2, fields={"title": "Sample, renamed"}, links={"instrument": [paper]})


def test_what_one_batch_enters_is_judged_as_it_is_entered(stage: Stage) -> None:
    attorney, links = stage.seats["attorney"], {"item": ["key:shape-item"]}
    matter = stage.enter("attorney", "prosecution.matter", {"title": "Sample", "received_on": day()})
    item = Draft("prosecution.disclosure_item", {"label": "Report"}, {"matter": [matter]}, key="shape-item")
    made = Draft(
        "prosecution.production",
        {"counsel": "defender", "volume": "1", "produced_on": day(), "medium": "on_record"}, links,
    )  # fmt: skip
    first, second = enter_many(stage.node, attorney, [item, made])
    assert isinstance(first, Receipt), first
    assert [one.code for one in getattr(second, "faults", ())] == ["not_scheduled"], "it is not scheduled yet"
