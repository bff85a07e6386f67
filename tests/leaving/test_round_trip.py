"""An agency leaves one home and arrives in another: the same log, the same records, and it goes on."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from comity import clock
from comity.kernel.ledger.departure_check import check
from comity.kernel.policy import tokens
from comity.kernel.portability import rebuild
from comity.kernel.portability.arrive import Arrived
from comity.kernel.portability.leave import Left, leave
from comity.kernel.records.attach import fetch
from comity.kernel.records.emergency import openings, review
from comity.kernel.views.find import find
from comity.kernel.views.history import history
from tests.leaving.conftest import LOG, PHOTOGRAPH, ROWS, Elsewhere, Kept, Taken
from tests.leaving.shipped import arrive
from tests.world import World, day, refused


@pytest.fixture(scope="module")
def there(left: Left, elsewhere: Elsewhere) -> World:
    """The other home, to which ATF has come, after the worker gave places."""
    other = elsewhere()
    done = arrive(other.node, tokens.operator(), left.folder)
    assert isinstance(done, Arrived) and not done.unchanged and done.entries == left.checked.entries
    assert {"name": "Member atf/administrator/", "roles": ["administrator"]} in done.administrators
    other.follow()
    _seated(other)
    return other


def _seated(other: World) -> None:
    """The operator's first code is for an administrator who came along; that one lets the others in again."""
    node, operator = other.node, tokens.operator()
    refusal = refused(tokens.invite, node, operator, agency="atf", name="S. Rivera", roles=["special_agent"])
    assert refusal.code == "not_allowed", "an agent's seat is the administrator's to give"
    name = "Member atf/administrator/"
    refusal = refused(tokens.invite, node, operator, agency="atf", name=name, roles=["supervisor"])
    assert (refusal.code, refusal.faults[0].code) == ("invalid", "name_taken")
    assert "administrator" in refusal.faults[0].fix
    code = tokens.invite(node, operator, agency="atf", name=name, roles=["administrator"]).code
    boss = tokens.sign_in(node, tokens.redeem(node, code).token)
    assert (
        refused(tokens.invite, node, operator, agency="atf", name=name, roles=["administrator"]).code == "not_allowed"
    )
    assert refused(tokens.redeem, node, code).code == "code_expired"
    for seat, name, role in (
        ("atf_agent", "S. Rivera", "special_agent"),
        ("atf_supervisor", "D. Whitfield", "supervisor"),
    ):
        invited = tokens.invite(node, boss, agency="atf", name=name, roles=[role])
        issued = tokens.redeem(node, invited.code)
        other.seats[seat] = tokens.sign_in(node, issued.token)
        assert refused(tokens.invite, node, boss, agency="atf", name=name, roles=[role]).code == "invalid"
    other.seats["administrator"] = boss


def test_the_folder_holds_and_is_its_owners_alone(taken: Taken, left: Left, kept: Kept) -> None:
    found = check(left.folder)
    assert found.faults == [] and found.as_json()["holds"]
    assert (found.entries, found.files, found.bytes, found.erased) == (len(taken.log), 1, len(PHOTOGRAPH), 2)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in left.folder.rglob("*") if path.is_file()}
    assert modes == {0o600} and stat.S_IMODE(left.folder.stat().st_mode) == 0o700
    text = "".join(path.read_text("utf-8") for path in left.folder.rglob("*.jsonl"))
    assert "Invented Näme" in text and "Somebody Else" not in text, "what was erased under an order is not there"
    assert "data_key" not in text and "comity_" not in text
    told = (left.folder / "LEFT_BEHIND.txt").read_text("utf-8")
    assert left.behind["dea"] >= 2 and f"  dea: {left.behind['dea']}\n" in told
    assert kept.asked.record in (left.folder / "rows" / "offer.jsonl").read_text("utf-8")


def test_the_log_is_the_same_byte_for_byte_and_in_the_same_order(taken: Taken, left: Left, there: World) -> None:
    assert there.rows("atf", LOG)[: left.checked.entries] == taken.log
    assert len(taken.log) == left.checked.entries > 10


def test_the_records_are_what_they_were_and_the_rebuild_says_so(taken: Taken, kept: Kept, there: World) -> None:
    now = {name: there.rows("atf", those, kept.erased.record) for name, those in ROWS.items()}
    assert now == taken.rows and all(now.values())
    found = rebuild.run(there.node)
    assert found.equal, found.differences
    assert found.agencies["atf"] == len(taken.rows["record"]) + 1
    assert there.read("atf_agent", kept.erased.record).fields == {"role": "witness"}


def test_its_people_find_read_and_fetch_as_before(there: World, kept: Kept) -> None:
    actor = there.seats["atf_agent"]
    assert find(there.node, actor, type="registry.person", text="näme").items
    info, blocks = fetch(there.node, actor, kept.file)
    assert (info.name, b"".join(blocks)) == ("photo.jpg", PHOTOGRAPH)
    stored = list((there.node.home / "files" / "atf").iterdir())
    assert len(stored) == 1 and PHOTOGRAPH[:40] not in stored[0].read_bytes()
    lines = history(there.node, actor, kept.offered.record)
    assert [(line.kind, line.agency) for line in lines] == [("enter", "atf"), ("settle", "atf")]
    view = there.read("atf_agent", kept.offered.record)
    assert (view.state, view.offer and view.offer["state"]) == ("agreed", "agreed")


def test_what_was_known_at_an_instant_is_still_known_at_it(world: World, there: World, kept: Kept) -> None:
    ((placed,),) = world.rows("atf", "select sequenced_at from comity.sequence where entry = %s", kept.case.entry)
    assert there.read("atf_agent", kept.case.record, as_entered=placed).version == 1
    assert there.read("atf_agent", kept.case.record, as_entered=clock.now()).version == 2


def test_who_read_it_comes_along_and_nobody_can_add_to_that(there: World, kept: Kept) -> None:
    rows = there.rows("atf", "select agency, verb from comity.disclosure where owner = 'atf'")
    assert ("dea", "read") in rows
    supervisor = there.seats["atf_supervisor"]
    assert [one.id for one in openings(there.node, supervisor)] == [kept.emergency]
    assert review(there.node, supervisor, kept.emergency, finding="It was one").finding == "It was one"
    with pytest.raises(Exception, match="row-level security"):
        there.rows(
            "atf",
            """insert into comity.disclosure (id, at, agency, member, owner, purpose, verb, records)
            values (gen_random_uuid(), now(), 'dea', gen_random_uuid(), 'atf', 'x', 'read', '[]') returning id""",
        )
    with pytest.raises(Exception, match="row-level security"):
        there.rows(
            "atf", "insert into comity.arrival select agency, 1, root, proof, at from comity.arrival returning 1"
        )


def test_it_goes_on_where_it_was(there: World, kept: Kept, left: Left, tmp_path: Path) -> None:
    assert kept.case.number is not None
    fields = {"title": "The next one", "program": "firearms", "opened": day(1)}
    made = there.enter("atf_agent", "investigation.case", fields)
    ((highest,),) = there.rows(
        "atf",
        "select max(number) from comity.record where core_type = %s and id <> %s",
        "investigation.case",
        made.record,
    )
    assert made.number is not None and made.number > highest >= kept.case.number, "no number is used again"
    ((key,),) = there.rows("atf", "select key from comity.idempotency where entry = %s", kept.case.entry)
    fields = {"title": "Straw purchases", "program": "firearms", "opened": day(30)}
    again = there.enter("atf_agent", "investigation.case", fields, key=key)
    assert again.replayed and again.entry == kept.case.entry
    there.amend("atf_agent", kept.case.record, {"title": "Straw purchases, continued"}, reason="More of them")
    there.act("atf_agent", kept.silent.record, "withdrawn")
    there.follow()
    assert rebuild.run(there.node).equal
    once_more = leave(there.node, there.seats["administrator"], tmp_path / "atf")
    assert once_more.checked.entries > left.checked.entries
    ours = (left.folder / "log.jsonl").read_bytes()
    theirs = (tmp_path / "atf" / "log.jsonl").read_bytes()
    assert theirs.startswith(ours), "the new log begins with the old one, to the byte, so its root over N is the same"


def test_the_same_folder_again_changes_nothing_and_another_log_is_refused(
    there: World, left: Left, world: World, tmp_path: Path
) -> None:
    ((before,),) = there.rows("atf", "select count(*) from comity.entry where agency = 'atf'")
    assert arrive(there.node, tokens.operator(), left.folder).unchanged
    assert there.rows("atf", "select count(*) from comity.entry where agency = 'atf'") == [(before,)]
    assert refused(arrive, world.node, tokens.operator(), left.folder).code == "already_here"
    actor = there.seats["administrator"]
    there.follow()
    longer = leave(there.node, actor, tmp_path / "longer")
    assert refused(arrive, there.node, tokens.operator(), longer.folder).code == "already_here"


def test_a_partner_who_comes_later_finds_its_own_side(world: World, there: World, kept: Kept, tmp_path: Path) -> None:
    """DEA comes to the same home: its answer meets the offer again, and both logs are judged together."""
    actor = world.seats[world.seat("dea", "administrator")]
    world.follow()
    folder = leave(world.node, actor, tmp_path / "dea").folder
    arrive(there.node, tokens.operator(), folder)
    there.follow()
    found = rebuild.run(there.node)
    assert found.equal, found.differences
    lines = history(there.node, there.seats["atf_agent"], kept.offered.record)
    assert ("answer", "dea") in {(line.kind, line.agency) for line in lines}
    layers = there.rows("atf", "select count(*) from comity.layer where name = 'core'")
    assert layers == [(1,)], "the same core is laid once"


def test_only_an_administrator_takes_and_only_an_operator_brings(world: World, left: Left, tmp_path: Path) -> None:
    for seat in ("atf_agent", "atf_supervisor"):
        assert refused(leave, world.node, world.seats[seat], tmp_path / "no").code == "not_allowed"
    boss = world.seats[world.seat("atf", "administrator")]
    assert refused(arrive, world.node, boss, left.folder).code == "not_allowed"
    assert refused(leave, world.node, boss, left.folder).code == "request_invalid"
    assert refused(leave, world.node, tokens.operator(), tmp_path / "no").code == "not_allowed"
    assert list(tmp_path.iterdir()) == []
