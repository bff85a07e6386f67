"""What layers declare: roles, purposes, whom a pillar knows. What one adds is nothing to who does not use it."""

from __future__ import annotations

import pytest

from comity.kernel.definitions.load import load
from comity.kernel.types.backfill import Backfill
from comity.kernel.types.catalogue import Catalogue
from comity.kernel.types.definition import DefinitionsRefused
from tests.types.world import layers, world

BOARD = """pillar: board
title: Board
needs: [registry]
knows: [evidence]
roles:
  member_of_board: { title: Member of the board, may: [review_emergencies] }
  clerk_of_board: Clerk of the board
purposes: { parole: To decide on parole }
marks:
  deliberation: { title: Deliberation, basis: Rules of the board, receivers: { roles: [member_of_board] }, purposes: [parole], review: P1Y }
"""  # noqa: E501
HEARING = """type: board.hearing
title: Hearing
fields:
  held_on: { type: string, format: date, required: true }
links:
  shown: { to: evidence.transfer }
states: { set_down: { initial: true }, decided: { final: true } }
acts:
  enter: { by: [agent, clerk_of_board] }
  decide: { from: [set_down], to: decided, by: [member_of_board] }
"""
ADDED = {"core/board/pillar.yml": BOARD, "core/board/types/hearing.yml": HEARING}


def test_a_pillar_with_its_own_roles_marks_and_purposes_is_nothing_to_an_agency_that_does_not_use_it() -> None:
    """An agent may enter a hearing and nobody decides it; without pillars in agency.yml as well."""
    every = layers()["agency"]["agency.yml"].replace("pillars: [registry, evidence, investigation]\n", "")
    for changes in (ADDED, {**ADDED, "agency/agency.yml": every}):
        made = world(changes)
        assert made.lifecycle_roles["member_of_board"].may == {"review_emergencies"}
        assert made.lifecycle_roles["member_of_board"].home == "board"
        assert made.purposes["parole"] == "To decide on parole"
        assert made.marks["deliberation"].home == "board"


@pytest.mark.parametrize(
    "agency",
    [
        {"agency/agency.yml": "words: { board.hearing: Session }\n"},
        {"agency/types/hearing.yml": "extends: board.hearing\n"},
        {"agency/roles.yml": '  looker: { is: [agent], read: { "board.hearing": all } }\n'},
        {"agency/agreements.yml": "  - { id: b, to: dea, purposes: [parole], read: { board.hearing: [base] } }\n"},
    ],
)
def test_an_agency_that_names_a_type_wants_somebody_for_each_of_its_acts(agency: dict[str, str]) -> None:
    ((path, more),) = agency.items()
    files = layers()["agency"]
    using = files["agency.yml"].replace("investigation]", "investigation, board]")
    changes = {"agency/agency.yml": using, **ADDED}
    assert world(changes), "who works with the pillar and names no type of it is asked nothing"
    before = changes.get(path, files.get(path.partition("/")[2], ""))
    text = more if "words" not in more else before.replace("words: { ", "words: { board.hearing: Session, ")
    with pytest.raises(DefinitionsRefused) as caught:
        world({**changes, path: text if "words" in more or "extends" in more else before + more})
    assert {one.code for one in caught.value.faults} == {"act_nobody_may"}


def test_a_pattern_names_no_type_on_purpose() -> None:
    using = layers()["agency"]["agency.yml"].replace("investigation]", "investigation, board]")
    roles = layers()["agency"]["roles.yml"] + '  looker: { is: [agent], read: { "board.*": all } }\n'
    assert world({"agency/agency.yml": using, "agency/roles.yml": roles, **ADDED})


def test_who_speaks_for_another_may_be_called_as_a_role_of_a_pillar_that_is_not_used() -> None:
    roles = layers()["agency"]["roles.yml"] + "  clerk_of_board: { is: [clerk], for: usdc }\n"
    assert world({"agency/roles.yml": roles, **ADDED}).roles["clerk_of_board"].for_ == "usdc"
    using = layers()["agency"]["agency.yml"].replace("investigation]", "investigation, board]")
    with pytest.raises(DefinitionsRefused) as caught:
        world({"agency/roles.yml": roles, "agency/agency.yml": using, **ADDED})
    assert {one.code for one in caught.value.faults} == {"role_for"}


def test_an_agency_fills_the_roles_of_its_own_types_and_nobody_else_declares_them() -> None:
    """They are its own affair; a core type by such a role would be refused."""
    own = HEARING.replace("board.hearing", "atf.hearing").replace("member_of_board", "umpire")
    own = own.replace(", clerk_of_board", "")
    roles = layers()["agency"]["roles.yml"] + "  umpire: { is: [umpire] }\n"
    assert world({"agency/types/hearing.yml": own, "agency/roles.yml": roles}).type("atf.hearing")
    with pytest.raises(DefinitionsRefused) as caught:
        world({"agency/types/hearing.yml": own})
    assert {one.code for one in caught.value.faults} == {"role_unknown"}


def test_a_pillar_may_know_one_that_is_not_there_and_two_may_know_each_other() -> None:
    files = layers()["core"]
    mutual = {
        "core/evidence/pillar.yml": files["evidence/pillar.yml"] + "knows: [board, court]\n",
        "core/evidence/types/slip.yml": HEARING.replace("board.hearing", "evidence.slip")
        .replace("evidence.transfer", "board.hearing")
        .replace(", clerk_of_board", ""),
    }
    assert world({**ADDED, **mutual}).type("evidence.slip").links["shown"].to == ("board.hearing",)
    with pytest.raises(DefinitionsRefused) as caught:
        world({**ADDED, **mutual, "core/evidence/pillar.yml": files["evidence/pillar.yml"]})
    fault = next(one for one in caught.value.faults if one.code == "pillar_not_known")
    assert fault.path == "evidence/types/slip.yml:6"
    assert fault.fix == "add board to knows: in evidence/pillar.yml"


FILLED = Backfill.read(
    "backfill.yml",
    """agency: { agency.yml: { purpose: investigation } }
core:
  registry/pillar.yml:
    roles: { agent: Agent, supervisor: { title: Chief, may: [leave] } }
    purposes: { investigation: Investigation }
""",
)


def old() -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """The small world as an older version wrote it: nothing is declared, and the agency has no purpose."""
    files = layers()
    files["core"]["registry/pillar.yml"] = "pillar: registry\ntitle: Registry\n"
    files["agency"]["agency.yml"] = files["agency"]["agency.yml"].replace("purpose: investigation\n", "")
    return files["core"], files["jurisdiction"], files["agency"]


def test_definitions_in_force_are_filled_in_and_new_ones_are_refused() -> None:
    with pytest.raises(DefinitionsRefused) as caught:
        load(*old())
    assert {"purpose_missing", "role_unknown"} <= {one.code for one in caught.value.faults}
    made: Catalogue = load(*old(), FILLED)
    assert made.definition.purpose == "investigation"
    assert made.lifecycle_roles["supervisor"].may == {"leave"}
    assert "custodian" not in made.lifecycle_roles, "a role that is only named is not refused in what is in force"
    assert made.digest == load(*old(), FILLED).digest


@pytest.mark.parametrize(
    ("path", "text", "code"),
    [
        ("types/transfer.yml", "extends: evidence.transfer\noffer: { expires: P1M }\n", "wrong_kind"),
        (
            "types/case.yml",
            "extends: investigation.case\nacts:\n  attach: { from: [open], by: [agent] }\n",
            "name_reserved",
        ),
        (
            "types/case.yml",
            "extends: investigation.case\nacts:\n  suspend:\n    guard:\n"
            f"      - {{ if: \"state == 'open'\", when: \"record.title != '{'x' * 110}'\" }}\n",
            "condition_too_long",
        ),
        (
            "rules/statutes.yml",
            "rule: atf.statutes\nevents:\n  opened:\n    type: investigation.case\n    act: enter\n"
            f"    when: \"record.title != '{'x' * 110}'\"\n",
            "condition_too_long",
        ),
    ],
)
def test_what_older_versions_let_pass_is_refused_in_new_definitions_alone(path: str, text: str, code: str) -> None:
    core, law, own = old()
    own |= {path: text}
    assert load(core, law, own, FILLED)
    for backfill, found in ((FILLED.of_agency(), []), (Backfill(), [f"{path}:{text.count(chr(10))}"])):
        with pytest.raises(DefinitionsRefused) as caught:
            load(core, law, own, backfill)
        assert [one.path for one in caught.value.faults if one.code == code] == found, "its own layer is in force"


def test_what_a_file_says_is_never_filled_over() -> None:
    core, law, own = old()
    own["agency.yml"] += "purpose: prosecution\n"
    core["registry/pillar.yml"] += "roles: { agent: Our agent }\npurposes: { prosecution: To charge }\n"
    made = load(core, law, own, FILLED)
    assert made.definition.purpose == "prosecution"
    assert set(made.lifecycle_roles) == {"agent"}, "a core that declares its roles is left as it is"
    with pytest.raises(DefinitionsRefused) as caught:
        load(*old()[:2], {**own, "agency.yml": old()[2]["agency.yml"]}, FILLED.of_agency())
    assert {one.code for one in caught.value.faults} == {
        "role_unknown",
        "lifecycle_role_unknown",
        "purpose_unknown",
    }, "a new core is judged"
