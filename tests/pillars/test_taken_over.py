"""What one institution told is taken over by the next, not typed again; and only targets are deconflicted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from comity.config import loader, paths
from comity.kernel.definitions.load import read_folder
from comity.kernel.sharing.inbox import inbox
from comity.kernel.views.read import read
from tests.pillars.stage import Stage, refused, staged
from tests.world import instant

TARGET = {"name": "Dale Everett Pruitt", "birth_date": "1987-03-14"}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    federal = read_folder(paths.jurisdictions() / "us-federal")
    with staged(tmp_path_factory.mktemp("taken")) as on:
        for name in ("atf", "dea", "usms", "detention", "defender"):
            on.install(name, loader.core_files(), federal, read_folder(paths.agencies() / name))
        for agency, name, role in (
            ("atf", "agent", "special_agent"),
            ("dea", "other agent", "special_agent"),
            ("usms", "marshal", "deputy_marshal"),
            ("detention", "intake", "intake_officer"),
            ("defender", "counsel", "assistant_defender"),
        ):
            on.seat(agency, name, role)
        yield on


def pointers(stage: Stage, seat: str) -> int:
    return sum(one.kind == "pointer" for one in inbox(stage.node, stage.seats[seat]))


def test_a_person_is_taken_over_with_what_may_be_read_and_no_more(stage: Stage) -> None:
    theirs = stage.enter("marshal", "registry.person", {"role": "prisoner", **TARGET, "phone": "+1 312 555 0101"})
    stay = stage.enter(
        "marshal",
        "custody.intake",
        {
            "received_at": instant(),
            "ground": "surrender",
            "legal_custodian": "usms",
            "identified_by": "self",
        },
        person=theirs,
    )
    with refused("invalid", "required"):
        stage.enter("intake", "registry.person", {"role": "prisoner"}, taken_from=theirs)  # not theirs to see yet
    stage.enter(
        "marshal",
        "custody.transfer",
        {"receiver": "detention", "reason": "housing", "planned_for": "2026-11-01T12:00:00Z"},
        intake=stay,
        person=theirs,
    )
    ours = stage.enter("intake", "registry.person", {"role": "prisoner", "name": "Dale E. Pruitt"}, taken_from=theirs)
    fields = stage.fields("intake", ours)
    assert (fields["name"], fields["birth_date"]) == ("Dale E. Pruitt", TARGET["birth_date"])  # what is given stands
    assert "phone" not in fields  # not among those that the link fills
    assert read(stage.node, stage.seats["intake"], ours).agency == "detention"


def test_only_targets_are_deconflicted(stage: Stage) -> None:
    stage.enter("agent", "registry.person", {"role": "subject", **TARGET})
    stage.enter("counsel", "registry.person", {"role": "client", **TARGET})
    assert [pointers(stage, seat) for seat in ("agent", "counsel", "marshal", "intake")] == [0, 0, 0, 0]
    stage.enter("other agent", "registry.person", {"role": "person_of_interest", **TARGET})
    assert [pointers(stage, seat) for seat in ("agent", "other agent", "counsel")] == [1, 1, 0]
