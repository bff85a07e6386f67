"""Whom the end of one thing does not let go, because another still keeps them; and what ends a hold."""

from __future__ import annotations

import pytest

from comity.kernel.records.act import act
from comity.kernel.records.enter import enter
from tests.orders.flow import Release
from tests.orders.test_let_go import a_stay, on_the_docket, released, service
from tests.orders.test_reconcile import differences, keys
from tests.pillars.stage import Stage, refused
from tests.world import day, instant


def refused_release(
    stage: Stage, stay: str, authority: str, ground: str = "court_order", code: str = "release_not_ordered"
) -> None:
    with refused("invalid", code):
        released(stage, stay, authority, ground)


def committed(stage: Stage, *kinds: str) -> tuple[Release, str, list[str]]:
    """A stay that rests on the services of these orders of one case."""
    played = Release(stage)
    played.ordered()
    case, served = played.made["case"], []
    for kind in kinds or ("commitment",):
        order = played.order(kind, kind, ["detention"])
        duty = "produce" if kind == "production" else "receive"
        served.append(service(stage, order, "detention", "records", duty, case=case))
        played.made[kind] = order
    return played, a_stay(stage, "commitment", authority=served)[0], served


def detainer(stage: Stage, answer: str = "lodged", **links: str) -> str:
    person = stage.enter("sergeant", "registry.person", {"role": "subject", "name": "Sam"})
    fields = {"facility": "detention", "basis": "warrant"}
    made = stage.enter("sergeant", "custody.detainer", fields, person=person, **links)
    if answer:
        stage.answer("records", made, answer, **({"lodged_at": instant()} if answer == "lodged" else {}))
    return made


def recall_of(stage: Stage, played: Release, order: str) -> str:
    recall = stage.enter(
        "clerk", "court.order",
        {"kind": "recall", "title": "Recall", "terms": "So ordered.", "addressees": ["detention"]},
        case=played.made["case"], recalls=order,
    )  # fmt: skip
    stage.act("judge", recall, "sign")
    line = stage.enter("clerk", "court.docket_entry", {"entered_on": day(), "text": "Recall"}, case=played.made["case"])
    stage.act("clerk", recall, "enter_on_docket", entered_on=day(), links={"docket_entry": line})
    stage.act("clerk", order, "recall", links={"recalled_by": recall})
    return service(stage, recall, "detention", "records", "take_note", case=played.made["case"])


def test_the_end_of_a_detainer_lets_go_only_whom_it_alone_kept(stage: Stage) -> None:
    _, stay, _ = committed(stage)
    withdrawn, lifted = detainer(stage, "", intake=stay), detainer(stage)
    stage.act("sergeant", withdrawn, "withdrawn", "A mistake")
    stage.act("sergeant", lifted, "lift", reason="Another person's")
    for one in (withdrawn, lifted):
        refused_release(stage, stay, one, "period_ended")
        refused_release(stage, a_stay(stage)[0], one, "period_ended")
    refused_release(stage, stay, lifted, "transfer")
    asked = detainer(stage)
    alone, _ = a_stay(stage, "other", authority=asked)
    refused_release(stage, alone, asked, "period_ended")
    stage.act("sergeant", asked, "lift", reason="The charge is dropped")
    released(stage, alone, asked, "period_ended")
    refused_release(stage, alone, lifted, "period_ended")


def test_a_recall_lets_go_whom_the_recalled_order_kept_and_no_other_keeps(stage: Stage) -> None:
    played, stay, _ = committed(stage)
    writ = played.order("Production", "production", ["detention"])
    produced = service(stage, writ, "detention", "records", "produce", case=played.made["case"])
    other = played.order("Remand", "remand", ["detention"])
    kept = service(stage, other, "detention", "records", "detain", case=played.made["case"])
    told = [recall_of(stage, played, one) for one in (writ, other)]
    codes = ("order_recalled", "release_not_ordered", "still_kept", "still_kept", "release_not_ordered", "still_kept")
    for one, code in zip((produced, writ, kept, other, *told), codes, strict=True):
        refused_release(stage, stay, one, code=code)
    refused_release(stage, a_stay(stage)[0], produced, code="order_recalled")
    released(stage, a_stay(stage)[0], kept)  # rests on nothing that stands

    played, stay, [first, second] = committed(stage, "commitment", "remand")
    recall = recall_of(stage, played, played.made["commitment"])
    for one in (first, played.made["commitment"], recall):
        refused_release(stage, stay, one, code="still_kept")
    again = recall_of(stage, played, played.made["remand"])
    for one in (second, played.made["remand"], again):
        released(stage, stay, one)


def test_a_recall_lets_go_whom_an_executed_commitment_kept(stage: Stage) -> None:
    """Its service stays executed; what says that it ended is the recall."""
    played, stay, [kept] = committed(stage)
    returned = {"court": "usdc", "kind": "return", "title": "Return", "outcome": "executed", "executed_at": instant()}
    filing = stage.enter("records", "court.filing", returned, service=kept)
    stage.answer("clerk", filing, "filed", filed_at=instant())
    stage.act("clerk", kept, "record_execution", links={"return": filing})
    refused_release(stage, stay, kept)
    recall = recall_of(stage, played, played.made["commitment"])
    refused_release(stage, stay, kept)
    released(stage, stay, recall)
    released(stage, stay, played.made["commitment"])


def test_an_order_of_release_is_carried_out_once(stage: Stage) -> None:
    """A later arrest of the same person wants an order of its own, also where the old one is named by its service."""
    before = keys(differences(stage))
    played = Release(stage)
    played.played()
    old, order, out = (played.made[name] for name in ("detention", "order", "release"))
    again, _ = a_stay(stage)
    refused_release(stage, again, old, code="order_used")
    new = service(stage, order, "detention", "records", "release", case=played.made["case"])
    released(stage, again, new)
    assert not {one for one in differences(stage, before) if one.record == out}


@pytest.mark.parametrize("ground", ["period_ended", "bail", "own_recognizance", "charges_ended"])
def test_an_arrest_lets_go_by_the_law_alone_until_a_court_commits(stage: Stage, ground: str) -> None:
    paper = stage.enter("records", "registry.document", {"title": "Note", "kind": "other"})
    arrest = "arrest_without_warrant"
    released(stage, a_stay(stage, arrest)[0], paper, ground)
    _, _, [kept] = committed(stage)
    stay, _ = a_stay(stage, arrest, authority=kept)
    for authority in (kept, paper, stay):
        refused_release(stage, stay, authority, ground)
    unlinked, _ = a_stay(stage, arrest)
    refused_release(stage, unlinked, kept, ground)
    released(stage, unlinked, paper, ground)
    held = {"basis": "commitment_order", "authority": "usdc", "since": instant()}
    hold = stage.enter("records", "custody.hold", held, intake=unlinked, ground=kept)
    stage.act("records", hold, "end", "Typed", links={"ended_by": paper}, ended_at=instant())
    refused_release(stage, unlinked, paper, ground)


@pytest.mark.parametrize("ended", ["withdrawn", "not_held"])
def test_a_hold_on_a_detainer_that_never_kept_is_ended(stage: Stage, ended: str) -> None:
    stay, _ = a_stay(stage)
    asked = detainer(stage, "", intake=stay)
    held = {"basis": "detainer", "authority": "state-police", "since": instant()}
    hold = stage.enter("records", "custody.hold", held, intake=stay, detainer=asked)
    ends = {"ended_by": asked}
    with refused("invalid", "detainer_stands"):
        stage.act("records", hold, "end", "No", links=ends, ended_at=instant())
    if ended == "withdrawn":
        stage.act("sergeant", asked, "withdrawn", "A mistake")
    else:
        stage.answer("records", asked, "not_held", reason="Another person")
    stage.act("records", hold, "end", "Its detainer is gone", links=ends, ended_at=instant())
    assert "hold_ended_by_authority" not in {one.code for one in differences(stage) if one.record == hold}


def test_an_order_that_was_once_not_executed_still_lets_go(stage: Stage) -> None:
    played = Release(stage)
    played.ordered()
    stay, _ = a_stay(stage)
    frees = service(stage, played.made["order"], "detention", "records", "release")
    out = released(stage, stay, frees)
    returned = {"court": "usdc", "kind": "return", "title": "A detainer holds", "outcome": "not_executed"}
    filing = stage.enter("records", "court.filing", returned, service=frees)
    stage.answer("clerk", filing, "filed", filed_at=instant())
    stage.act("clerk", frees, "record_failure", links={"return": filing})
    assert "released" in {one.code for one in differences(stage) if one.record == frees}
    stage.act("shift", out, "complete", released_at=instant())
    assert "released" not in {one.code for one in differences(stage) if one.record == frees}


def test_a_period_ends_on_its_day_where_the_facility_is(stage: Stage) -> None:
    """The night before in Chicago is that day in UTC already."""
    last = day(1)
    paper = stage.enter("records", "registry.document", {"title": "Term", "kind": "court_paper"})
    held = {"basis": "other", "authority": "usdc", "since": instant(4), "expires_on": last}
    for ended, passes in ((f"{last}T04:30:00Z", False), (f"{last}T10:00:00+05:30", False), (f"{last}T06:30:00Z", True)):
        stay, _ = a_stay(stage)
        links = {"intake": [stay]}
        hold = enter(
            stage.node, stage.seats["records"], "custody.hold", held, links=links, late_cause="Found in the register"
        ).record
        stage.act("records", hold, "end", "Expired", links={"ended_by": paper}, ended_at=ended)
        found = {one.code for one in differences(stage) if one.record == hold}
        assert ("hold_ended_by_authority" in found) is not passes
        if passes:
            released(stage, stay, hold, "period_ended")
        else:
            refused_release(stage, stay, hold, "period_ended", code="end_not_reached")


def test_a_period_lets_go_whom_the_same_order_keeps(stage: Stage) -> None:
    _, stay, [kept] = committed(stage)
    for ground, passes in ((kept, True), (stay, False)):
        held = {"basis": "remand", "authority": "usdc", "since": instant(), "expires_on": day(1)}
        hold = stage.enter("records", "custody.hold", held, intake=stay, ground=ground)
        stage.act("records", hold, "end", "Expired", links={"ended_by": kept}, ended_at=instant())
        if passes:
            released(stage, stay, hold, "period_ended")
        else:
            refused_release(stage, stay, hold, "period_ended", code="still_kept")


def test_a_hold_stands_for_the_detainer_of_its_own_prisoner(stage: Stage) -> None:
    stay, _ = a_stay(stage)
    other, another = a_stay(stage)
    asked, unnamed = detainer(stage, intake=stay), detainer(stage)
    held = {"basis": "detainer", "authority": "state-police", "since": instant()}
    with refused("invalid", "detainer_of_another"):
        stage.enter("records", "custody.hold", held, intake=other, detainer=asked)
    again, _ = a_stay(stage)
    stage.enter("records", "custody.hold", held, intake=stay, detainer=asked)
    stage.enter("records", "custody.hold", held, intake=again, detainer=unnamed)
    person = stage.enter("sergeant", "registry.person", {"role": "subject", "name": "Sam"})
    tied = stage.enter("sergeant", "custody.detainer", {"facility": "detention", "basis": "warrant"}, person=person)
    stage.answer("records", tied, "lodged", lodged_at=instant())
    claim = {"basis": "document", "weight": 60}
    stage.enter("records", "registry.identity_claim", claim, person=another, same_as=person)
    with refused("invalid", "detainer_of_another"):
        stage.enter("records", "custody.hold", held, intake=stay, detainer=tied)
    stage.enter("records", "custody.hold", held, intake=other, detainer=tied)


def test_clemency_for_another_lets_nobody_go(stage: Stage) -> None:
    stay, person = a_stay(stage)
    _, another = a_stay(stage)
    sought = stage.enter("sergeant", "registry.person", {"role": "subject", "name": "Sam Sample"})
    stage.enter("sergeant", "custody.detainer", {"facility": "detention", "basis": "warrant"}, person=sought)
    pardon = {"title": "Pardon", "kind": "court_paper"}
    theirs = stage.enter("records", "registry.document", pardon, about=another)
    refused_release(stage, stay, theirs, "compassionate", code="order_of_another")
    for about in (person, stay, sought, [another, person]):
        paper = stage.enter("records", "registry.document", pardon, about=about)
        refused_release(stage, stay, paper, "compassionate", code="person_decides")


def test_a_sentence_without_imprisonment_lets_go(stage: Stage) -> None:
    played = Release(stage)
    played.ordered()
    case, party = played.made["case"], played.made["party"]
    stay, _ = a_stay(stage)
    found = {"rests_on": "verdict", "kind": "conviction", "pronounced_on": day()}
    money = {"amount": "500.00", "currency": "USD"}
    kinds = {
        "fine": money,
        "restitution": money,
        "forfeiture": money,
        "community_service": {},
        "supervised_release": {},
    }
    for judged, more in ((False, {}), (True, {"suspended": True}), (True, {})):
        judgment = on_the_docket(stage, "court.judgment", case, found, case=case, defendant=party)
        if judged:
            term = {"kind": "imprisonment", "months": 3, **more}
            on_the_docket(stage, "court.sentence", case, term, judgment=judgment)
        for kind, fields in kinds.items() if not judged else (("fine", money),):
            sentence = on_the_docket(stage, "court.sentence", case, {"kind": kind, **fields}, judgment=judgment)
            if judged and not more:
                refused_release(stage, stay, sentence, code="another_term_runs")
            else:
                released(stage, stay, sentence)
            refused_release(stage, stay, sentence, "sentence_served")


def test_a_person_decides_on_the_paper_of_a_clemency(stage: Stage) -> None:
    """Prepared with a reason, completed by a supervisor who says so; and the court is to be told."""
    stay, _ = a_stay(stage)
    paper = stage.enter("records", "registry.document", {"title": "Pardon", "kind": "court_paper"})
    links, said = {"intake": [stay], "authority": [paper]}, {"override": ["person_decides"], "reason": "Seen"}
    ground = {"ground": "compassionate"}
    made = str(enter(stage.node, stage.seats["records"], "custody.release", ground, links=links, **said).record)
    with refused("invalid", "person_decides"):
        stage.act("shift", made, "complete", released_at=instant())
    with refused("invalid", "override_not_allowed"):
        act(stage.node, stage.seats["intake"], made, "complete", fields={"released_at": instant()}, **said)
    act(stage.node, stage.seats["shift"], made, "complete", fields={"released_at": instant()}, **said)
    codes = {one.code for one in differences(stage) if one.record == made}
    assert "release_was_decided" in codes and "release_was_ordered" not in codes
    told = {"court": "usdc", "kind": "notice", "title": "A release by pardon"}
    filing = stage.enter("records", "court.filing", told, about=made)
    stage.answer("clerk", filing, "filed", filed_at=instant())
    assert "release_was_decided" not in {one.code for one in differences(stage) if one.record == made}


def test_what_keeps_is_no_persons_to_decide(stage: Stage) -> None:
    """Only what the rule leaves to a person is lifted: a hold is not, and where nothing is left, nothing is."""
    stay, _ = a_stay(stage)
    paper = stage.enter("records", "registry.document", {"title": "Pardon", "kind": "court_paper"})
    held = {"basis": "parole", "authority_name": "Board", "since": instant()}
    stage.enter("records", "custody.hold", held, intake=stay)
    said = {"override": ["person_decides"], "reason": "Seen"}
    for ground, code in (("compassionate", "hold_active"), ("court_order", "override_not_needed")):
        with refused("invalid", code):
            links = {"intake": [stay], "authority": [paper]}
            enter(stage.node, stage.seats["records"], "custody.release", {"ground": ground}, links=links, **said)
