"""A refused act leaves a trace for its own agency: who, what, by which rule; nothing of the content."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from comity import clock
from comity.config import worker
from comity.errors import Problem
from comity.kernel.exchange.reported import confirm, dispute
from comity.kernel.exchange.submit import submit
from comity.kernel.policy.actor import Actor, Behalf
from comity.kernel.records.amend import amend
from comity.kernel.records.attach import attach
from comity.kernel.records.emergency import open_in_emergency, review
from comity.kernel.records.enter import LIMIT, enter, enter_many, rehearse_many
from comity.kernel.views.find import find
from comity.kernel.work import idempotency
from comity.kernel.work import refusals as traces
from comity.kernel.work.node import system
from comity.kernel.work.results import Draft, Receipt
from comity.sentences import Given
from tests.records.refusal_table import as_superuser, brief, held, told
from tests.records.test_erasing import places
from tests.world import World, day, instant, refused

CASE, PERSON, REPORT = "investigation.case", "registry.person", "investigation.report"


@pytest.fixture
def canary() -> str:
    return f"q{uuid4().hex}"


@pytest.fixture
def agent(world: World) -> str:
    """A special agent of ATF to whom nothing was refused yet."""
    return world.seat("atf", "special_agent", also=uuid4().hex)


Refused = Callable[[World, str, str, str], Any]
VERBS: dict[str, tuple[Refused, tuple[Any, ...], list[dict[str, str]]]] = {
    "enter": (
        lambda w, s, record, said: w.enter(s, CASE, {"title": said, "program": said, "opened": day(1)}, reason=said),
        (CASE, "", None, "invalid"), [{"code": "code_unknown", "path": "fields.program"}],
    ),
    "amend": (
        lambda w, s, record, said: w.amend(s, record, {"title": said, "program": said}, reason=said),
        (CASE, "", True, "invalid"), [{"code": "code_unknown", "path": "fields.program"}],
    ),
    "act": (
        lambda w, s, record, said: w.act(s, record, "convert", fields={"title": said}, reason=said),
        (CASE, "convert", True, "not_allowed"), [],
    ),
    "answer": (
        lambda w, s, record, said: w.answer(s, record, said, reason=said),
        (CASE, "", True, "answer_unknown"), [],
    ),
    "attach": (
        lambda w, s, record, said: attach(
            w.node, w.seats[s], record, name=" ", media_type=said, stream=io.BytesIO(said.encode())
        ),
        (CASE, "", True, "invalid"), [{"code": "required", "path": "name"}],
    ),
    "submit": (
        lambda w, s, record, said: submit(w.node, w.seats[s], record, to=said, act="convert"),
        (CASE, "convert", True, "act_unknown"), [],
    ),
    "open_in_emergency": (
        lambda w, s, record, said: open_in_emergency(
            w.node, w.seats[s], record, reason=said, lasting=timedelta(days=9)
        ),
        (CASE, "", True, "invalid"), [{"code": "too_long", "path": "lasting"}],
    ),
    "review_emergency": (
        lambda w, s, record, said: review(w.node, w.seats[s], str(uuid4()), finding=said),
        ("", "", None, "not_allowed"), [],
    ),
    "confirm": (
        lambda w, s, record, said: confirm(w.node, w.seats[s], str(uuid4()), reason=said),
        ("", "", None, "not_found"), [],
    ),
    "dispute": (
        lambda w, s, record, said: dispute(w.node, w.seats[s], said, reason=said), ("", "", None, "not_found"), [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("verb", VERBS)
def test_a_refused_act_leaves_one_trace_with_its_rule_and_nothing_of_its_content(
    world: World, agent: str, case: Receipt, canary: str, verb: str
) -> None:
    ask, (of, act, named, code), faults = VERBS[verb]
    before = clock.now()
    assert refused(ask, world, agent, case.record, canary).code == code
    (one,) = told(world, agent)
    assert brief(one) == (verb, of, act, case.record if named else None, code, 1)
    assert one["faults"] == faults
    assert (one["name"], one["member"]) == (world.seats[agent].name, world.seats[agent].member)
    assert clock.show_instant(before) <= one["first_at"] == one["last_at"] <= clock.show_instant(clock.now())
    assert places(world, canary) == [], "no table says what was refused"


def test_what_the_caller_calls_things_is_content_too(world: World, agent: str, case: Receipt, canary: str) -> None:
    """Names that no definition has: a type, an act, a field, a link, a mark, an agency, a key that is not text."""
    speaking = replace(world.seats[agent], behalf=Behalf(canary, case.record))
    names: dict[str, Any] = {"fields": {canary: 1}, "links": {canary: []}, "field_marks": {canary: [canary]}}
    for ask in (
        lambda: world.enter(agent, canary, {}),
        lambda: world.enter(agent, CASE, names["fields"], links={canary: [str(uuid4())]}, marks=[canary]),
        lambda: world.enter(agent, CASE, {canary: {canary: "\0"}}),
        lambda: world.amend(agent, case.record, **names),
        lambda: world.act(agent, case.record, canary, **{"fields": {canary: 1}}),
        lambda: world.act(agent, canary, "convert"),
        lambda: enter(world.node, speaking, PERSON, {"role": "subject", "name": canary}),
        lambda: submit(world.node, world.seats[agent], case.record, to=canary, act=canary),
    ):
        refused(ask)
    assert canary not in held(world, agent)
    shown = {(one["verb"], one["code"]): one for one in told(world, agent)}
    paths = {(fault["code"], fault["path"]) for fault in shown["amend", "invalid"]["faults"]}
    assert {("unknown_field", "fields"), ("unknown_link", "links"), ("unknown_field", "field_marks")} <= paths
    assert shown["enter", "agency_unknown"]["on_behalf"] == ""
    assert shown["enter", "type_unknown"]["type"] == "" and shown["act", "act_unknown"]["record"] == case.record


def test_the_rule_of_a_condition_is_named_with_its_place_in_the_definitions(
    world: World, agent: str, case: Receipt, canary: str
) -> None:
    fields = {"description": canary, "category": "firearm", "origin": "seized", "legal_basis": "warrant"}
    item = world.enter(agent, "evidence.item", {**fields, "taken_at": instant(1)}, links={"case": [case.record]})
    sent = {
        "to_agency": "fsl",
        "purpose": "examination",
        "conveyance": "courier",
        "carrier": canary,
        "sent": instant(1),
    }
    problem = refused(world.enter, agent, "evidence.custody_transfer", sent, links={"item": [item.record]})
    (one,) = told(world, agent)
    (fault,) = one["faults"]
    assert (fault["code"], fault["path"]) == ("carrier_missing", problem.faults[0].path) and ".yml:" in fault["path"]
    assert canary not in held(world, agent)
    assert told(world, agent, code="carrier_missing") == [one] and told(world, agent, code="unknown_field") == []


def test_a_label_in_which_a_guard_names_a_record_is_no_path(world: World, agent: str, canary: str) -> None:
    """A guard of a pillar points at a record by its title, where others give a path."""
    problem = Problem("invalid", Given(canary), faults=[_fault("chain_broken", canary), _fault("needs", "reason")])
    traces.trace(world.node, world.seats[agent], [(traces.Attempt("act"), problem)])
    (one,) = told(world, agent)
    assert one["faults"] == [{"code": "chain_broken", "path": ""}, {"code": "needs", "path": "reason"}]
    assert canary not in held(world, agent)


def _fault(code: str, path: str) -> Any:
    from comity.errors import Fault

    return Fault(code, path, Given("said"))


def test_another_agency_sees_none_and_can_write_none(world: World, agent: str, case: Receipt) -> None:
    refused(world.act, agent, case.record, "convert", reason="r")
    supervisor = world.seat("dea", "group_supervisor", "administrator")
    assert world.seats[agent].member not in {one["member"] for one in told(world, supervisor)}
    assert told(world, supervisor, member=world.seats[agent].member) == []
    assert world.rows("dea", "select 1 from comity.refusal where agency <> 'dea'") == []
    columns = "(id, agency, member, verb, code, faults, rules, times, first_at, last_at, key)"
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        world.rows(
            "dea",
            f"""insert into comity.refusal {columns}
                select gen_random_uuid(), 'atf', %s, 'act', 'x', '[]', '{{}}', 1, now(), now(), 'x' returning id""",
            world.seats[agent].member,
        )  # fmt: skip
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        world.rows("atf", "update comity.refusal set code = 'x', record = null returning id")


def test_a_member_sees_its_own_and_who_has_the_power_the_agencys(world: World, agent: str, case: Receipt) -> None:
    other = world.seat("atf", "special_agent", also=uuid4().hex)
    for seat in (agent, other):
        refused(world.act, seat, case.record, "convert", reason="r")
    name = world.seats[other].name
    assert {one["member"] for one in told(world, agent)} == {world.seats[agent].member}
    for asked in (name, name.upper(), world.seats[other].member):
        problem = refused(told, world, agent, member=asked)
        assert problem.code == "not_allowed" and "ask a member who is" in problem.fix
    assert told(world, agent, member=world.seats[agent].name) == told(world, agent)
    chief = world.seat("atf", "administrator")
    everybody = {one["member"] for one in told(world, chief)}
    assert {world.seats[agent].member, world.seats[other].member} <= everybody
    assert {one["member"] for one in told(world, "atf_supervisor", member=name)} == {world.seats[other].member}


def test_a_record_is_shown_to_who_may_read_it(world: World, agent: str) -> None:
    source = world.enter(agent, PERSON, {"role": "witness", "name": "Source 9"}, marks=["informant"])
    refused(world.amend, agent, source.record, {"name": "Source 10"}, version=7)
    clerk = world.seat("atf", "administrator")
    assert refused(world.read, clerk, source.record).code == "not_found"
    (seen,), (hidden,) = told(world, agent), told(world, clerk, member=world.seats[agent].member)
    assert (seen["record"], hidden["record"]) == (source.record, None)
    nothing = {"record": None, "type": "", "act": "", "code": "not_found", "faults": [], "rules": []}
    assert hidden == {**seen, **nothing} and seen["code"] == "version_conflict"
    assert told(world, clerk, member=world.seats[agent].member, code="version_conflict") == []


def test_what_is_hidden_and_what_is_absent_leave_the_same(world: World, agent: str, canary: str) -> None:
    own = world.enter("atf_agent", PERSON, {"role": "witness", "name": canary}, marks=["informant"])
    others = world.enter(
        "dea_agent", CASE, {"title": canary, "program": "drugs", "opened": day(9), "dea:file_class": "general"}
    )
    clerk = world.seat("atf", "industry_investigator", also=uuid4().hex)
    key = f"k-{uuid4().hex}"
    world.enter("atf_agent", "registry.place", {"address": "1 Safe House"}, key=key)
    with clock.at(clock.now()):
        for record in (own.record, others.record, str(uuid4()), "no id at all"):
            assert refused(world.act, clerk, record, "convert").code == "not_found"
        for record in (own.record, others.record, str(uuid4())):
            given = {"version": 1, "key": key, "fields": {"name": canary}}
            problem = refused(amend, world.node, world.seats[clerk], record, **given)
            assert problem.code == "idempotency_key_reused"
    assert sorted(brief(one) for one in told(world, clerk)) == sorted(
        [("act", "", "", None, "not_found", 4), ("amend", "", "", None, "idempotency_key_reused", 3)]
    )
    for record in (own.record, others.record):
        assert record not in held(world, clerk)


def test_the_same_refusal_again_is_counted(world: World, agent: str, case: Receipt) -> None:
    noon = clock.now().replace(minute=10)
    with clock.at(noon):
        refused(world.act, agent, case.record, "convert", reason="r", key="k-1")
    with clock.at(noon + timedelta(minutes=5)):
        refused(world.act, agent, case.record, "convert", reason="r", key="k-1")
        refused(world.act, agent, case.record, "convert", reason="another", key="k-2")
    (one,) = told(world, agent)
    assert one["times"] == 3
    assert (one["first_at"], one["last_at"]) == (
        clock.show_instant(noon), clock.show_instant(noon + timedelta(minutes=5))
    )  # fmt: skip
    with clock.at(noon + timedelta(hours=1)):
        refused(world.act, agent, case.record, "convert", reason="r", key="k-1")
    assert [one["times"] for one in told(world, agent)] == [1, 3], "another hour is another row"
    assert len(told(world, agent, since=noon + timedelta(minutes=30))) == 1
    assert len(told(world, agent, since=(noon - timedelta(days=1)).date())) == 2


def test_what_was_done_leaves_none_nor_does_its_repetition(
    world: World, agent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    write = traces._write
    monkeypatch.setattr(traces, "_write", lambda *given: asked.append(given) or write(*given))
    fields = {"title": "Once", "program": "firearms", "opened": day(2)}
    first = world.enter(agent, CASE, fields, key=f"k-{agent}")
    assert world.enter(agent, CASE, fields, key=f"k-{agent}").replayed
    world.amend(agent, first.record, {"title": "Twice"})
    assert asked == [] and told(world, agent) == []
    refused(world.enter, agent, CASE, {**fields, "title": "Thrice"}, key=f"k-{agent}")
    assert [brief(one) for one in told(world, agent)] == [("enter", CASE, "", None, "idempotency_key_reused", 1)]


def test_what_is_only_tried_or_read_or_follows_by_itself_leaves_none(
    world: World, agent: str, case: Receipt, monkeypatch: pytest.MonkeyPatch
) -> None:
    node, actor = world.node, world.seats[agent]
    assert all(isinstance(one, Problem) for one in rehearse_many(node, actor, [Draft(CASE, {}), Draft("no.such", {})]))
    assert refused(submit, node, actor, case.record, to="nobody", act="convert", dry_run=True).code == "act_unknown"
    assert refused(world.read, agent, str(uuid4())).code == "not_found"
    assert refused(find, node, actor, where={"nothing": 1}).code == "invalid"
    assert refused(enter, node, system("atf"), CASE, {}).code == "invalid"
    monkeypatch.setattr(idempotency, "attempts", lambda: iter(()))
    assert refused(world.act, agent, case.record, "convert", reason="r").code == "unavailable", "others were first"
    monkeypatch.undo()
    assert told(world, agent) == [] and told(world, "atf_supervisor", member=str(system("atf").member)) == []


def test_a_refused_batch_is_counted_by_its_rules(world: World, agent: str, canary: str) -> None:
    good = {"title": "Good", "program": "firearms", "opened": day(2)}
    drafts = [Draft(CASE, {**good, "title": f"{canary} {at}", "program": canary}) for at in range(40)]
    drafts += [Draft(CASE, {"title": canary, "program": "firearms"}) for _ in range(30)]
    drafts += [Draft(CASE, good, group=1), Draft("no.such", {"title": canary}, group=1), Draft(CASE, good)]
    answers = enter_many(world.node, world.seats[agent], drafts)
    assert [isinstance(one, Receipt) for one in answers].count(True) == 1
    assert sorted(brief(one) for one in told(world, agent)) == sorted(
        [("enter", CASE, "", None, "invalid", 40), ("enter", CASE, "", None, "invalid", 30),
         ("enter", "", "", None, "type_unknown", 1)]
    )  # fmt: skip
    assert places(world, canary) == []


def test_a_batch_that_could_not_be_tried_leaves_one(world: World, agent: str) -> None:
    drafts = [Draft("registry.place", {})] * (LIMIT + 1)
    assert refused(enter_many, world.node, world.seats[agent], drafts).code == "body_too_large"
    assert [brief(one) for one in told(world, agent)] == [("enter", "registry.place", "", None, "body_too_large", 1)]


def test_a_member_cannot_fill_the_table(world: World, agent: str, canary: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each on a record of its own, so that each is another refusal: beyond the day's rows verb and code are counted."""
    monkeypatch.setattr(traces, "DAILY", 6)
    places_ = [world.enter(agent, "registry.place", {"address": f"{at} Lake Road"}).record for at in range(12)]
    start = clock.now().replace(hour=1, minute=0, second=0, microsecond=0)
    for hour in range(3):
        for at, record in enumerate(places_):
            with clock.at(start + timedelta(hours=hour, minutes=at)):
                refused(world.amend, agent, record, {"address": canary}, version=9)
                refused(world.act, agent, record, canary)
    rows = told(world, agent)
    assert sum(one["times"] for one in rows) == 72, "nothing is left uncounted"
    assert len(rows) == 6 + 2
    coarse = [one for one in rows if not one["record"]]
    assert {one["code"] for one in coarse} == {"version_conflict", "act_unknown"}
    with clock.at(start + timedelta(days=1)):
        refused(world.amend, agent, places_[-1], {"address": canary}, version=9)
    assert len(told(world, agent)) == 9, "another day has room again"


def test_of_one_refusal_so_many_faults_are_kept(world: World, agent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traces, "MOST", 2)
    problem = refused(world.enter, agent, REPORT, {f"f{at}": at for at in range(5_000)})
    assert len(problem.faults) > 5_000, "they name no field that the type has: one code and path"
    (one,) = told(world, agent)
    assert one["faults"][0] == {"code": "unknown_field", "path": "fields"} and len(one["faults"]) == 2


def test_traces_are_deleted_when_they_are_old(world: World, agent: str, case: Receipt) -> None:
    now = clock.now()
    for days in (91, 89):
        with clock.at(now - timedelta(days=days)):
            refused(world.act, agent, case.record, "convert", reason="r")
    assert len(told(world, agent)) == 2
    with clock.at(now):
        while worker.prune_all(world.node):
            pass
    (left,) = told(world, agent)
    assert left["last_at"] == clock.show_instant(now - timedelta(days=89))


def test_the_callers_answer_is_the_same_when_no_trace_can_be_written(
    world: World, agent: str, case: Receipt, capfd: pytest.CaptureFixture[str], canary: str
) -> None:
    def ask() -> dict[str, Any]:
        return refused(world.act, agent, case.record, "convert", reason=canary).as_json()

    def batch() -> list[Any]:
        answers = enter_many(world.node, world.seats[agent], [Draft(CASE, {}), Draft("no.such", {})])
        return [one.as_json() for one in answers]

    before = ask(), batch()
    revoked, granted = (
        f"{verb} insert on comity.refusal {to} comity_app" for verb, to in (("revoke", "from"), ("grant", "to"))
    )
    with as_superuser(world, revoked, granted):
        capfd.readouterr()
        assert (ask(), batch()) == before
        said = capfd.readouterr().err
    assert said.splitlines() == ["refusals: atf: InsufficientPrivilege"] * 2 and canary not in said
    assert sum(one["times"] for one in told(world, agent)) == 3, "those of before"
    ask()
    assert sum(one["times"] for one in told(world, agent)) == 4


def test_who_is_not_let_in_leaves_none_and_nothing_is_said_of_it(
    world: World, agent: str, capfd: pytest.CaptureFixture[str]
) -> None:
    for actor in (replace(world.seats[agent], agency="dea"), Actor("nowhere", str(uuid4()))):
        assert refused(enter, world.node, actor, CASE, {}).code in ("token_invalid", "agency_unknown")
    assert capfd.readouterr().err == "" and held(world, agent) == ""


def test_pages_follow_one_another_and_a_wrong_cursor_is_refused(world: World, agent: str, case: Receipt) -> None:
    for at in range(5):
        with clock.at(clock.now() - timedelta(hours=at)):
            refused(world.act, agent, case.record, "convert", reason="r")
    whole = told(world, agent)
    assert told(world, agent, limit=2) == whole and len({one["id"] for one in whole}) == 5
    assert [one["first_at"] for one in whole] == sorted((one["first_at"] for one in whole), reverse=True)
    assert refused(told, world, agent, cursor="nonsense").code == "cursor_invalid"
