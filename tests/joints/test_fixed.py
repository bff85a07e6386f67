"""What others judged a record by is set on entering: no amendment moves a hold, drops its detainer or turns a claim."""

from __future__ import annotations

import pytest

from comity.kernel.records.amend import amend
from comity.kernel.views.history import history
from comity.kernel.views.read import read
from tests.joints.test_turns import NAME, a_release, a_stay
from tests.pillars.stage import Stage, refused
from tests.world import instant


def changed(stage: Stage, seat: str, record: str, **asked: object) -> None:
    now = read(stage.node, stage.seats[seat], record).version
    amend(stage.node, stage.seats[seat], record, version=now, **asked)  # type: ignore[arg-type]


def a_detainer(stage: Stage, stay: str, **links: str) -> tuple[str, str]:
    wanted = stage.enter("sergeant", "registry.person", {**NAME, "role": "subject"})
    fields = {"facility": "detention", "basis": "warrant"}
    asked = stage.enter("sergeant", "custody.detainer", fields, person=wanted, **links)
    stage.answer("records", asked, "lodged", lodged_at=instant())
    fields = {"basis": "detainer", "authority": "state-police", "since": instant()}
    return wanted, stage.enter("records", "custody.hold", fields, intake=stay, detainer=asked)


@pytest.mark.parametrize("correction", [False, True])
def test_a_hold_is_not_moved_to_another_stay_nor_off_its_detainer(stage: Stage, correction: bool) -> None:
    stay, _ = a_stay(stage)
    other, _ = a_stay(stage)
    _, hold = a_detainer(stage, stay, intake=stay)
    first = history(stage.node, stage.seats["records"], hold)[0]
    how = {"reason": "Typed wrong", "corrects": first.entry} if correction else {}
    detainer = dict(read(stage.node, stage.seats["records"], hold).links)["detainer"]
    for asked in (
        {"links": {"intake": [other]}, "unlink": {"intake": [stay]}},
        {"links": {"intake": [other]}},
        {"unlink": {"detainer": list(detainer)}, "fields": {"basis": "writ"}},
    ):
        with refused("invalid", "fixed") as found:
            changed(stage, "records", hold, **asked, **how)
        assert found[0].faults[0].path in ("links.intake", "links.detainer")
    changed(stage, "records", hold, fields={"reference": "W-8"})


def test_a_link_that_is_fixed_is_not_added_later(stage: Stage) -> None:
    stay, _ = a_stay(stage)
    release = a_release(stage, stay)
    paper = stage.enter("records", "registry.document", {"title": "Another order", "kind": "court_paper"})
    with refused("invalid", "fixed"):
        changed(stage, "records", release, links={"authority": [paper]})


def test_a_claim_that_holds_somebody_is_not_turned_round(stage: Stage) -> None:
    stay, person = a_stay(stage)
    wanted, _ = a_detainer(stage, stay)
    fields = {"basis": "fingerprint", "weight": 100}
    claim = stage.enter("records", "registry.identity_claim", fields, person=person, same_as=wanted)
    with refused("invalid", "fixed"):
        changed(stage, "records", claim, fields={"relation": "different", "weight": 50, "basis": "document"})
    with refused("invalid", "fixed"):
        stranger = stage.enter("records", "registry.person", NAME)
        changed(stage, "records", claim, links={"same_as": [stranger]}, unlink={"same_as": [wanted]})


def test_a_stay_ends_by_its_own_release(stage: Stage) -> None:
    stay, _ = a_stay(stage)
    other, _ = a_stay(stage)
    release = a_release(stage, stay)
    stage.act("shift", release, "complete", released_at=instant())
    with refused("invalid", "release_of_another"):
        stage.act("records", other, "discharge", ended_at=instant(), links={"release": release})
    stage.act("records", stay, "discharge", ended_at=instant(), links={"release": release})
