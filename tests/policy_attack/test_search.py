"""Search as an oracle: what may not be read is not found either, not by a word, a filter, an order or a count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from comity.config import loader, paths
from comity.errors import Problem
from comity.kernel.definitions.load import read_folder
from comity.kernel.policy import tokens
from comity.kernel.records.install import install
from comity.kernel.views.find import find, find_by_number
from tests.policy_attack.matrix import ALL, roles_of
from tests.policy_attack.planting import CANARY, Garden, canary
from tests.policy_attack.test_verbs import Opponent, listing
from tests.world import World, refused

SEATS = [("cpd", "detective"), ("atf", "special_agent"), ("dea", "intelligence_analyst"), ("usao", "attorney")]


def asked(node: Any, actor: Any, **what: Any) -> Any:
    return find(node, actor, limit=200, **what)


@pytest.mark.parametrize(("agency", "role"), SEATS)
def test_a_word_brings_only_rows_on_which_its_field_is_readable(
    world: World, garden: Garden, agency: str, role: str
) -> None:
    """Every canary of every findable field, as a word and as a filter: it comes up only where it is shown."""
    opponent = Opponent(garden, world.seats[world.seat(agency, role)])
    catalogue = world.node.catalogue(agency)
    for one in garden.all:
        owner = world.node.catalogue(one.agency).type(one.type)
        mine = catalogue.type(one.type)
        for name, words in one.fields.items():
            word = sorted(words)[0]
            expected = (
                one.id in opponent.may.found and name in owner.find_fields and name not in one.field_marks
                and name in opponent.may.fields.get(one.id, {})
            )  # fmt: skip
            found = opponent.ask(asked, text=word)["items"]
            assert [item["id"] for item in found] == ([one.id] if expected else []), (one.name, name)
            if name in mine.find_fields:
                whole = " ".join(sorted(words))
                for value in {word, whole}:
                    found = opponent.ask(asked, type=one.type, where={name: value})["items"]
                    assert {item["id"] for item in found} <= ({one.id} if expected else set()), (one.name, name)
        if one.number:
            found = opponent.ask(asked, where={"number": one.number})["items"]
            assert {item["id"] for item in found} == ({one.id} & opponent.may.found)


def test_marked_and_masked_fields_and_files_are_no_words(world: World, garden: Garden) -> None:
    """A reason, a file's name and content, a masked group and a marked field are words for nobody else."""
    dea = world.seats[world.seat("dea", "special_agent")]
    cpd = garden["cpd.veiled_incident"]
    for word in [*cpd.said, *cpd.fields["offense_description"], *cpd.fields["narrative"], *cpd.fields["beat"]]:
        assert not find(world.node, dea, text=word).items
    for word in garden["cpd.incident"].fields["narrative"]:
        assert not find(world.node, dea, text=word).items


def test_a_cursor_counts_nothing_hidden(world: World, garden: Garden) -> None:
    """Page after page, of every size, shows the same rows; what is no cursor of ours is refused."""
    actor = world.seats[world.seat("dea", "special_agent")]
    whole = [item["id"] for item in listing(world.node, actor)]
    for size in (1, 7, 50):
        paged, cursor = [], None
        while True:
            page = find(world.node, actor, limit=size, cursor=cursor)
            paged += [item["id"] for item in page.items]
            assert page.next is None or len(page.items) == size
            cursor = page.next
            if cursor is None or len(paged) > 60:
                break
        assert paged == whole[: len(paged)]
    for cursor in ("", "x", "%", "MjAyNg", "eyJ9", "' or true --"):
        if cursor:
            assert refused(find, world.node, actor, cursor=cursor).code == "cursor_invalid"


UNFINDABLE = ("narrative", "name'", "fields", "marks", "entered_by", "informant_number", "storage_location")


@pytest.mark.parametrize("where", [{name: "x"} for name in UNFINDABLE], ids=UNFINDABLE)
def test_a_filter_names_only_findable_fields(world: World, garden: Garden, where: Mapping[str, str]) -> None:
    for type_name in (None, "investigation.incident", "investigation.report"):
        problem = refused(find, world.node, world.seats["dea_agent"], type=type_name, where=where)
        assert problem.code == "invalid" and not CANARY.search(str(problem.as_json()))


def test_a_sub_state_of_another_agency_is_no_filter(world: World, garden: Garden) -> None:
    """DEA reads ATF's case, as core state open: that it is `preliminary` within ATF it does not find out."""
    dea, atf = world.seats[world.seat("dea", "special_agent")], world.seats[world.seat("atf", "special_agent")]
    case = garden["atf.case"]
    assert world.read(world.seat("dea", "special_agent"), case.id).state == "open"
    assert case.id in {
        item["id"] for item in find(world.node, dea, where={"number": case.number, "state": "open"}).items
    }
    assert not find(world.node, dea, where={"number": case.number, "state": "preliminary"}).items
    assert find(world.node, atf, where={"number": case.number, "state": "preliminary"}).items


def test_the_statute_bars_a_search_however_it_is_asked(world: World) -> None:
    """ATF's own law: no search of persons by lawful possession. The same bar on a real field."""
    atf = world.seats["atf_agent"]
    problem = refused(find, world.node, atf, type="registry.person", where={"by_lawful_firearm": "x"})
    assert problem.code == "not_allowed" and "926(a)" in problem.detail
    own = {
        **read_folder(paths.agencies() / "atf"),
        "agency.yml": BARRED["agency.yml"],
        "agreements.yml": BARRED["agreements.yml"],
    }
    own["types/person.yml"] = BARRED["types/person.yml"]
    install(
        world.node, tokens.operator(), agency="barred", core=loader.core_files(),
        jurisdiction=read_folder(paths.jurisdictions() / "us-federal"), own=own,
    )  # fmt: skip
    seat = world.seat("barred", "special_agent")
    word = canary()
    made = world.enter(seat, "registry.person", {"role": "subject", "name": word})
    actor = world.seats[seat]
    assert world.read(seat, made.record).fields["name"] == word
    for asked in ({"type": "registry.person", "where": {"name": word}}, {"where": {"name": word}}, {"text": word},
                  {"type": "registry.person", "text": word}):  # fmt: skip
        try:
            found = find(world.node, actor, **asked).items
        except Problem as problem:
            assert problem.code == "not_allowed"
        else:
            assert not found, asked
    document = world.enter(seat, "registry.organization", {"kind": "business", "name": word})
    assert [item["id"] for item in find(world.node, actor, text=word).items] == [document.record]


BARRED = {
    "agency.yml": "agency: barred\ntitle: A bureau that may not search by name\njurisdiction: us-federal\nzone: UTC\n"
    "membership: member\nkind: investigative\npurpose: investigation\n"
    "pillars: [registry, investigation, evidence, forensics, prosecution]\n",
    "agreements.yml": "agreements: []\n",
    "types/person.yml": 'extends: registry.person\nforbid:\n  find.registry.person.name: "A statute (sample)"\n',
}


def test_a_number_is_found_only_by_who_reads_the_record(world: World, garden: Garden) -> None:
    for agency in ALL:
        actor = world.seats[world.seat(agency, next(iter(roles_of(agency))))]
        may = Opponent(garden, actor).may
        for one in garden.all:
            if one.number:
                try:
                    assert find_by_number(world.node, actor, one.number) in may.ids
                except Problem as problem:
                    assert problem.code == "not_found" and one.id not in may.ids


HALF = {
    "agency.yml": "agency: half\ntitle: An agency with a front window\njurisdiction: us-federal\nzone: UTC\n"
    "membership: member\nkind: police\npurpose: investigation\npillars: [registry]\n",
    "roles.yml": 'roles:\n  officer: { title: Officer, is: [officer], read: { "*": all } }\n'
    '  window: { title: Front window, is: [records], read: { "*": { when: all, groups: [base] } } }\n',
    "agreements.yml": "agreements: []\n",
}


def test_a_word_in_a_closed_group_finds_nothing_on_a_row_that_is_open(world: World) -> None:
    """The window sees that a person's record is there; by its name, in the group identity, it does not find it."""
    law = read_folder(paths.jurisdictions() / "us-federal")
    install(world.node, tokens.operator(), agency="half", core=loader.core_files(), jurisdiction=law, own=HALF)
    officer, window = world.seats[world.seat("half", "officer")], world.seats[world.seat("half", "window")]
    word = canary()
    made = world.enter(world.seat("half", "officer"), "registry.person", {"role": "subject", "name": word})
    asked_for: list[dict[str, Any]] = [
        {"text": word}, {"where": {"name": word}}, {"type": "registry.person", "where": {"name": word}},
        {"type": "registry.person", "text": word},
    ]  # fmt: skip
    for what in asked_for:
        assert [item["id"] for item in find(world.node, officer, **what).items] == [made.record]
        assert not find(world.node, window, **what).items, what
    assert [item["id"] for item in find(world.node, window).items] == [made.record]
    assert word not in str(find(world.node, window).items)
