"""Claims of identity: certain ones chain, none joins certain strangers unnoticed, and none shows what is hidden."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import partial
from random import Random

import pytest

from comity.config import loader, paths
from comity.errors import Problem
from comity.kernel.definitions.load import read_folder
from comity.kernel.portability import rebuild
from comity.kernel.records.enter import enter
from comity.kernel.sharing.inbox import inbox
from comity.kernel.views.read import read
from comity.kernel.work.results import Receipt
from comity.pillars.registry.identity import Tie, against
from tests.pillars.stage import Stage, refused, staged
from tests.records.conftest import at_once, code_of

PAIRS = list(itertools.combinations("ABCD", 2))
ALL = [Tie("", one, other, apart, True) for one, other in PAIRS for apart in (False, True)]


def consistent(ties: list[Tie]) -> bool:
    """Whether certain claims can all be true: nobody is certainly another and certainly the same."""
    group = {name: name for name in "ABCDEF"}
    for tie in ties:
        if not tie.apart:
            old, new = group[tie.one], group[tie.other]
            group = {name: new if held == old else held for name, held in group.items()}
    return not any(tie.apart and group[tie.one] == group[tie.other] for tie in ties)


def named(ties: tuple[Tie, ...]) -> list[Tie]:
    return [Tie(str(at), one.one, one.other, one.apart, one.certain) for at, one in enumerate(ties)]


def test_every_small_graph_of_claims_is_judged_as_by_hand() -> None:
    judged = 0
    for size in range(5):
        for ties in itertools.combinations(ALL, size):
            held = named(ties)
            if not consistent(held):
                continue
            for new in ALL:
                one = Tie("new", new.one, new.other, new.apart, True)
                clash = against(one, held)
                assert (clash is None) == consistent([*held, one]), (held, one)
                if clash is not None:  # and what it names suffices
                    assert not consistent([*[tie for tie in held if tie.claim in clash], one])
                judged += 1
    assert judged > 4_000


def test_what_is_not_certain_chains_nobody() -> None:
    weak = [Tie("1", "A", "B", False, False), Tie("2", "A", "C", True, True)]
    assert against(Tie("new", "C", "B", False, True), weak) is None
    assert against(Tie("new", "C", "B", False, False), [Tie("1", "A", "B", False, True), weak[1]]) == ["1", "2"]


FEDERAL = (
    "jurisdiction: us-federal\nzone: UTC\nmembership: member\nkind: police\npurpose: investigation\n"
    "pillars: [registry, investigation]\n"
)
ROLES = 'roles:\n  agent: { title: Agent, is: [agent, officer, records, supervisor], read: { "*": all } }\n'


def agency(name: str, **read: str) -> dict[str, str]:
    lines = [
        f'  - {{ id: {name}-{to}, to: {to}, title: Persons, basis: "(sample)", purposes: [investigation],'
        f" from: 2020-01-01, until: 2030-12-31, read: {{ {types} }}, offers: [registry.discrepancy] }}\n"
        for to, types in read.items()
    ]
    contact = f'contact: {{ deconfliction: {{ name: Desk of {name}, phone: "+1 312 555 0111" }} }}\n'
    return {
        "agency.yml": f"agency: {name}\ntitle: {name.title()}\n{FEDERAL}{contact}",
        "roles.yml": ROLES,
        "agreements.yml": "agreements:\n" + "".join(lines),
    }


PERSONS = "registry.person: [base, identity]"
CLAIMS = PERSONS + ", registry.identity_claim: [base]"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """North opens its persons and claims to the others; South its persons, and its claims to nobody."""
    federal = read_folder(paths.jurisdictions() / "us-federal")
    with staged(tmp_path_factory.mktemp("identity")) as on:
        for name, own in (
            ("north", agency("north", south=CLAIMS, east=CLAIMS)),
            ("south", agency("south", north=PERSONS, east=PERSONS)),
            ("east", agency("east", north=PERSONS, south=PERSONS)),
        ):
            on.install(name, loader.core_files(), federal, own)
            on.seat(name, name, "agent")
        yield on
        found = rebuild.run(on.node)
        assert found.equal, found.differences[:5]


def person(stage: Stage, seat: str) -> str:
    return stage.enter(seat, "registry.person", {"role": "witness", "name": "Invented Name"})


def claiming(stage: Stage, seat: str, one: str, other: str, relation: str = "same", weight: int = 100) -> Receipt:
    fields = {"relation": relation, "basis": "fingerprint", "weight": weight}
    links = {"person": [one], "same_as": [other]}
    return enter(stage.node, stage.seats[seat], "registry.identity_claim", fields, links=links)


def pointers(stage: Stage, seat: str, record: str) -> list[str]:
    items = inbox(stage.node, stage.seats[seat])
    return [one.from_agency for one in items if (one.kind, one.record) == ("pointer", record)]


def test_a_claim_that_chains_strangers_is_refused_and_says_whom_to_call(stage: Stage) -> None:
    a, b, c = (person(stage, "north") for _ in range(3))
    claiming(stage, "north", a, b)
    apart = claiming(stage, "north", a, c, "different")
    for weight in (100, 60):
        with refused("invalid", "chains_strangers") as caught:
            claiming(stage, "north", c, b, weight=weight)
    assert "north" in caught[0].faults[0].fix and str(apart.number) in caught[0].faults[0].message
    stage.act("north", apart.record, "revoke", reason="The prints were mixed up")
    claiming(stage, "north", c, b)  # its revocation frees the chain
    with refused("invalid", "chains_strangers"):
        claiming(stage, "north", a, c, "different")  # and now the other way round


def test_what_is_disputed_chains_nobody_and_is_judged_again_when_upheld(stage: Stage) -> None:
    a, b, c = (person(stage, "north") for _ in range(3))
    tie = claiming(stage, "north", a, b)
    claiming(stage, "north", a, c, "different")
    stage.act("north", tie.record, "dispute", reason="Another finger")
    weak = claiming(stage, "north", c, b, weight=50)
    stage.amend("north", weak.record, weight=100)
    with refused("invalid", "chains_strangers"):
        stage.act("north", tie.record, "uphold", reason="Compared again")
    stage.act("north", weak.record, "revoke", reason="Wrong")
    stage.act("north", tie.record, "uphold", reason="Compared again")
    other = claiming(stage, "north", c, person(stage, "north"))
    with refused("invalid", "certain_without_biometrics"):
        stage.amend("north", other.record, basis="witness")


def test_claims_that_may_be_read_are_judged_across_agencies(stage: Stage) -> None:
    a, b = person(stage, "north"), person(stage, "north")
    c = person(stage, "south")
    claiming(stage, "north", a, b)
    claiming(stage, "north", a, c, "different")
    with refused("invalid", "chains_strangers") as caught:
        claiming(stage, "south", c, b)
    assert caught[0].faults[0].fix.startswith("Call north")


def test_a_contradiction_with_hidden_claims_is_pointed_out_to_both_and_shown_to_neither(stage: Stage) -> None:
    a, b, c = person(stage, "north"), person(stage, "south"), person(stage, "east")
    joined = claiming(stage, "south", a, b)  # nobody else may read South's claims
    apart = claiming(stage, "south", a, c, "different")
    made = claiming(stage, "east", c, b)
    assert made.pointers == ("south",)
    assert pointers(stage, "east", made.record) == ["south"]
    assert pointers(stage, "south", joined.record) == pointers(stage, "south", apart.record) == ["east"]
    shown = read(stage.node, stage.seats["east"], made.record).pointers[0]
    assert (shown["about"], shown["call"]["name"]) == ("identity", "Desk of south")
    for hidden in (joined.record, apart.record):
        with refused("not_found"):
            stage.fields("east", hidden)
    assert pointers(stage, "north", a) == []


def test_revoking_either_claim_frees_the_chain_across_agencies(stage: Stage) -> None:
    a, b, c = person(stage, "north"), person(stage, "south"), person(stage, "east")
    tie = claiming(stage, "south", a, b)
    claiming(stage, "south", a, c, "different")
    stage.act("south", tie.record, "revoke", reason="Wrong person")
    assert claiming(stage, "east", c, b).pointers == ()


def test_a_person_shows_what_it_is_said_to_be_the_same_as(stage: Stage) -> None:
    a, b, c = person(stage, "north"), person(stage, "south"), person(stage, "south")
    tie = claiming(stage, "north", a, b, weight=90)
    gone = claiming(stage, "north", a, b, weight=40)
    stage.act("north", gone.record, "revoke", reason="Weaker than the other")
    claiming(stage, "south", c, b, "different")
    shown = {one["claim"]: one for one in read(stage.node, stage.seats["south"], b).claims}
    first, second = shown[tie.record], shown[gone.record]
    assert (first["fields"]["basis"], first["fields"]["weight"], first["author"], first["live"]) == (
        "fingerprint", 90, "north", True
    )  # fmt: skip
    assert (first["other"], second["state"], second["live"]) == (a, "revoked", False)
    assert sum(one["apart"] for one in shown.values()) == 1 and len(shown) == 3
    mine = {one["claim"]: one for one in read(stage.node, stage.seats["north"], a).claims}
    assert mine[tie.record]["author"] == "north" and set(mine) == {tie.record, gone.record}
    assert len(read(stage.node, stage.seats["east"], b).claims) == 2  # South's own claim is not East's to see


def test_two_claims_at_once_never_chain_strangers_unnoticed(stage: Stage) -> None:
    for _ in range(4):
        a, b, c, d = (person(stage, "north") for _ in range(4))
        claiming(stage, "north", a, b)
        claiming(stage, "north", c, d)
        part = partial(claiming, stage, "north", a, d, "different")  # shares no record with the other: neither waits
        answers = at_once([partial(claiming, stage, "north", b, c), part])
        assert sorted(code_of(one) for one in answers) == ["done", "invalid"]
        assert {one.faults[0].code for one in answers if not isinstance(one, Receipt)} == {"chains_strangers"}


def test_two_agencies_at_once_are_both_told(stage: Stage) -> None:
    for _ in range(3):
        a, b, c = person(stage, "north"), person(stage, "south"), person(stage, "east")
        claiming(stage, "south", a, b)
        part = partial(claiming, stage, "south", a, c, "different")
        made = at_once([part, partial(claiming, stage, "east", c, b)])
        assert [code_of(one) for one in made] == ["done", "done"]
        assert pointers(stage, "east", made[1].record) == ["south"]
        assert pointers(stage, "south", made[0].record) == ["east"]


def test_random_claims_never_leave_the_database_in_contradiction(stage: Stage) -> None:
    random = Random(12)
    names = "ABCDE"
    people = {name: person(stage, "north") for name in names}
    held: list[Tie] = []
    said = 0
    for at in range(60):
        one, other = random.sample(names, 2)
        new = Tie(str(at), one, other, random.random() < 0.4, True)
        try:
            made = claiming(stage, "north", people[one], people[other], "different" if new.apart else "same")
        except Problem as problem:
            assert "chains_strangers" in {one.code for one in problem.faults}, problem
            assert not consistent([*held, new])
            said += 1
            continue
        assert consistent([*held, new]) and made.pointers == ()
        held.append(new)
    assert said > 10


def test_a_discrepancy_waits_in_both_inboxes_until_both_have_answered(stage: Stage) -> None:
    ours, theirs = person(stage, "north"), person(stage, "south")
    asked = stage.enter(
        "north", "registry.discrepancy", {"other": "south", "field": "height", "statement": "Measured twice."},
        ours=ours, theirs=theirs,
    )  # fmt: skip

    def waits(seat: str) -> list[str]:
        return [one.kind for one in inbox(stage.node, stage.seats[seat]) if one.record == asked]

    assert stage.state("north", asked) == "offered" and waits("south") == ["offer"]
    with refused("act_out_of_turn"):
        stage.act("north", asked, "settle", outcome="explained", conclusion="Shoes.")
    assert waits("north") == ["waiting"]
    stage.answer("south", asked, "stands", other_statement="Measured on arrival.")
    assert stage.state("north", asked) == "answered"
    assert waits("north") == ["answer"] and waits("south") == []
    stage.act("north", asked, "settle", outcome="explained", conclusion="Shoes.")
