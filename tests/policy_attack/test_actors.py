"""Who asks: the suspended, the roleless, the operator, a token that ended. And what a refusal tells."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from comity import clock
from comity.errors import Problem
from comity.kernel.exchange.submit import submit
from comity.kernel.policy import tokens
from comity.kernel.policy.actor import Actor
from comity.kernel.policy.codes import SIGNS, new_code
from comity.kernel.records.act import act
from comity.kernel.records.amend import amend
from comity.kernel.records.answer import answer
from comity.kernel.records.attach import fetch
from comity.kernel.records.emergency import open_in_emergency, openings, review
from comity.kernel.records.enter import enter
from comity.kernel.sharing.inbox import inbox
from comity.kernel.views.find import find, find_by_number
from comity.kernel.views.history import history
from comity.kernel.views.read import read
from comity.kernel.views.receipt import receipt
from tests.policy_attack.matrix import ALL, agreements
from tests.policy_attack.planting import CANARY, UUID_TEXT, Garden, behind_the_back, canary, everything
from tests.policy_attack.test_verbs import Opponent, plain, reader_of, today
from tests.speeds.sizes import size
from tests.world import World, day, refused

Attempt = Callable[[World, Actor], Any]


def attempts(garden: Garden) -> dict[str, Attempt]:
    """Every verb, on records of ATF."""
    person, case, lead = garden["atf.person"], garden["atf.case"], garden["atf.lead"]
    ((entry,),) = garden.world.rows(
        "atf", "select id::text from comity.entry where record = %s and version = 1", person.id
    )
    return {
        "read": lambda w, a: read(w.node, a, person.id),
        "read as entered": lambda w, a: read(w.node, a, person.id, as_entered=clock.now()),
        "read as of": lambda w, a: read(w.node, a, person.id, as_of=clock.now()),
        "history": lambda w, a: history(w.node, a, person.id),
        "find": lambda w, a: find(w.node, a).items,
        "find words": lambda w, a: find(w.node, a, text="a").items,
        "find by number": lambda w, a: find_by_number(w.node, a, str(person.number)),
        "fetch": lambda w, a: fetch(w.node, a, person.file),
        "receipt": lambda w, a: receipt(w.node, a, entry),
        "inbox": lambda w, a: inbox(w.node, a),
        "openings": lambda w, a: openings(w.node, a),
        "emergency": lambda w, a: open_in_emergency(w.node, a, person.id, reason="x"),
        "review": lambda w, a: review(w.node, a, str(uuid4()), finding="x"),
        "enter": lambda w, a: enter(w.node, a, "registry.person", {"role": "subject", "name": "x"}),
        "amend": lambda w, a: amend(w.node, a, person.id, version=1, fields={"name": "x"}),
        "act": lambda w, a: act(w.node, a, case.id, "convert", reason="x"),
        "answer": lambda w, a: answer(w.node, a, lead.id, "agreed"),
        "submit": lambda w, a: submit(w.node, a, case.id, to="usao", dry_run=True),
    }


def refuses_everything(
    world: World, garden: Garden, actor: Actor, codes: set[str], tried: Mapping[str, Attempt] | None = None
) -> None:
    for name, attempt in (tried or attempts(garden)).items():
        try:
            answered = attempt(world, actor)
        except Problem as problem:
            assert problem.code in codes, (name, problem.code)
            assert not CANARY.search(str(problem.as_json())), name
        else:
            assert answered == [], (name, answered)


NOTHING = {"not_found", "not_allowed", "agency_unknown", "type_unknown"}


def test_an_operator_reads_nothing_and_enters_nothing(world: World, garden: Garden) -> None:
    refuses_everything(world, garden, tokens.operator(), NOTHING)
    for agency in ALL:
        refuses_everything(world, garden, Actor.operator(agency, member=str(uuid4()), name="operator"), NOTHING)


@pytest.mark.parametrize("roles", [[], ["administrator"], ["no_such_role"], ["director"]])
def test_a_member_without_a_reading_role_reads_nothing_of_its_own_agency(
    world: World, garden: Garden, roles: list[str]
) -> None:
    """Roles that roles.yml has not are none. What others opened to the agency is for members in a role."""
    seat = world.seat("atf", "administrator", also=f"roles {roles}")
    actor = world.seats[seat]
    given = "{" + ",".join(roles) + "}"
    change = f"update comity.member set roles = '{given}' where id = %(one)s"
    with behind_the_back(world, change, change.replace(given, "{administrator}"), one=actor.member):
        if roles == ["administrator"]:
            opponent = Opponent(garden, actor)
            for one in garden.all:
                assert ("code" in opponent.ask(read, one.id)) == (one.id not in opponent.may.ids)
                assert one.agency != "atf" or one.id not in opponent.may.ids
            return
        refuses_everything(world, garden, actor, {"not_found", "not_allowed"})
        forged = replace(actor, roles=frozenset({"supervisor", "agent"}), held=frozenset({"supervisor"}))
        refuses_everything(world, garden, forged, {"not_found", "not_allowed"})  # rights are read anew each time


def test_a_member_of_one_agency_is_nobody_in_another(world: World, garden: Garden) -> None:
    for other in ("cpd", "dea", "usao"):
        refuses_everything(world, garden, replace(world.seats["atf_supervisor"], agency=other), {"token_invalid"})
    refuses_everything(world, garden, Actor("nowhere", str(uuid4())), {"agency_unknown"})
    refuses_everything(world, garden, Actor("atf", str(uuid4()), roles=frozenset({"supervisor"})), {"token_invalid"})


@contextmanager
def suspended_agency(world: World, agency: str) -> Iterator[None]:
    tokens.suspend_agency(world.node, tokens.operator(), agency, reason="A test")
    try:
        yield
    finally:
        tokens.suspend_agency(world.node, tokens.operator(), agency, reason="A test", lift=True)


def test_a_suspended_agency_may_nothing_from_the_next_transaction_on(world: World, garden: Garden) -> None:
    actor = world.seats["atf_supervisor"]
    assert read(world.node, actor, garden["atf.person"].id)
    tried = attempts(garden)
    with suspended_agency(world, "atf"):
        refuses_everything(world, garden, actor, {"agency_suspended"}, tried)
        assert refused(tokens.sign_in, world.node, world.issued["atf_supervisor"].token).code == "agency_suspended"
        with psycopg.connect(world.database.app_url, autocommit=True) as conn:
            conn.execute("select set_config('comity.agency', 'atf', false)")
            for table in ("record", "entry", "entry_content", "term", "link", "file", "sequence"):
                others = conn.execute(f"select count(*) from comity.{table} where agency <> 'atf'").fetchone()
                assert others == (0,), "its own log stays open to rebuild; of others' nothing is left"
        world.follow()
    assert read(world.node, actor, garden["atf.person"].id)


def test_a_suspended_member_may_nothing_from_the_next_transaction_on(world: World, garden: Garden) -> None:
    administrator = world.seats[world.seat("atf", "administrator")]
    seat = world.seat("atf", "supervisor", also="to be suspended")
    actor = world.seats[seat]
    assert read(world.node, actor, garden["atf.person"].id)
    tokens.suspend_member(world.node, administrator, actor.member, reason="A test")
    refuses_everything(world, garden, actor, {"member_suspended"})
    assert refused(tokens.sign_in, world.node, world.issued[seat].token).code == "member_suspended"
    assert refused(tokens.issue, world.node, actor).code == "member_suspended"
    assert refused(tokens.members, world.node, actor, agency="atf").code == "member_suspended"
    tokens.suspend_member(world.node, administrator, actor.member, reason="A test", lift=True)
    assert read(world.node, actor, garden["atf.person"].id)


def test_only_the_agencys_own_administrator_suspends_or_invites(world: World) -> None:
    target = world.seats["atf_agent"].member
    for seat in (world.seat("dea", "administrator"), "atf_supervisor", "atf_agent"):
        actor = world.seats[seat]
        assert refused(tokens.suspend_member, world.node, actor, target, reason="x").code in (
            "not_allowed",
            "not_found",
        )
        assert (
            refused(tokens.invite, world.node, actor, agency="atf", name="Mallory", roles=["supervisor"]).code
            == "not_allowed"
        )
        assert refused(tokens.suspend_agency, world.node, actor, "cpd", reason="x").code == "not_allowed"
        if actor.agency != "atf":
            assert refused(tokens.members, world.node, actor, agency="atf").code == "not_allowed"
    assert (
        refused(tokens.invite, world.node, tokens.operator(), agency="atf", name="M", roles=["supervisor"]).code
        == "not_allowed"
    )
    assert refused(tokens.members, world.node, tokens.operator(), agency="atf").code == "not_allowed"


def test_a_token_that_ended_or_was_never_given_signs_nobody_in(world: World) -> None:
    issued = tokens.issue(world.node, world.seats["atf_agent"])
    assert tokens.sign_in(world.node, issued.token).member == issued.member
    with clock.at(issued.expires_at + timedelta(seconds=1)):
        assert refused(tokens.sign_in, world.node, issued.token).code == "token_invalid"
    world.rows(
        "atf", "update comity.token set revoked_at = now() where hash = sha256(%s) returning 1", issued.token.encode()
    )
    assert refused(tokens.sign_in, world.node, issued.token).code == "token_invalid"
    for text in ("", "comity_", issued.token[:-1], issued.token + "x", "' or true --", "%", "comity_" + "A" * 43):
        assert refused(tokens.sign_in, world.node, text).code == "token_invalid"
    assert refused(tokens.redeem, world.node, issued.token).code == "code_expired"


def test_a_code_is_redeemed_once(world: World) -> None:
    administrator = world.seats[world.seat("atf", "administrator")]
    invited = tokens.invite(world.node, administrator, agency="atf", name="Once", roles=["special_agent"])
    assert tokens.redeem(world.node, invited.code).agency == "atf"
    assert refused(tokens.redeem, world.node, invited.code).code == "code_expired"
    later = tokens.invite(world.node, administrator, agency="atf", name="Late", roles=["special_agent"])
    with clock.at(later.expires_at + timedelta(seconds=1)):
        assert refused(tokens.redeem, world.node, later.code).code == "code_expired"


def test_a_code_is_read_out_and_typed_by_hand(world: World) -> None:
    """No code looks like an option of a command, and none turns on case, hyphens or signs that look alike."""
    shape = re.compile(r"[0-9A-HJKMNP-TV-Z]{5}(-[0-9A-HJKMNP-TV-Z]{5}){3}")
    many = size(small=2_000, deep=500_000)
    made = {new_code() for _ in range(many)}
    assert len(made) == many and all(shape.fullmatch(code) for code in made)
    assert set("".join(made)) == {*SIGNS, "-"}
    administrator = world.seats[world.seat("atf", "administrator")]
    invited = tokens.invite(world.node, administrator, agency="atf", name="By telephone", roles=["special_agent"])
    typed = invited.code.replace("-", " ").lower().replace("0", "o").replace("1", "l")
    assert refused(tokens.redeem, world.node, typed[:-1]).code == "code_expired"
    assert tokens.redeem(world.node, f" {typed} ").agency == "atf"
    assert refused(tokens.redeem, world.node, invited.code).code == "code_expired"


def test_absent_and_forbidden_are_told_in_the_same_words(world: World, garden: Garden) -> None:
    """Every verb that takes an id: the refusal of a hidden record is that of one that never was."""
    dea, hidden = world.seats["dea_agent"], garden["atf.document"]
    ((entry,),) = world.rows("atf", "select id::text from comity.entry where record = %s and version = 1", hidden.id)
    given = {"kind": "other", "title": "x"}
    verbs: dict[str, tuple[Callable[..., Any], str]] = {
        "read": (lambda one: read(world.node, dea, one), hidden.id),
        "as entered": (lambda one: read(world.node, dea, one, as_entered=clock.now()), hidden.id),
        "history": (lambda one: history(world.node, dea, one), hidden.id),
        "amend": (lambda one: amend(world.node, dea, one, version=1, fields={"name": "x"}), hidden.id),
        "amend blindly": (lambda one: amend(world.node, dea, one, version=None, fields={"nonsense": 1}), hidden.id),
        "act": (lambda one: act(world.node, dea, one, "supersede", reason="x"), hidden.id),
        "answer": (lambda one: answer(world.node, dea, one, "accepted"), hidden.id),
        "submit": (lambda one: submit(world.node, dea, one, to="usao"), hidden.id),
        "fetch": (lambda one: fetch(world.node, dea, one), hidden.file),
        "receipt": (lambda one: receipt(world.node, dea, one), entry),
        "emergency": (lambda one: open_in_emergency(world.node, dea, one, reason="x"), hidden.id),
        "link": (lambda one: world.enter("dea_agent", "registry.document", given, links={"about": [one]}), hidden.id),
        "find number": (lambda one: find_by_number(world.node, dea, one), str(hidden.number)),
    }  # fmt: skip
    for name, (verb, known) in verbs.items():
        absent = "ATF-D2026-999999" if name == "find number" else str(uuid4())
        told = [str(refused(verb, one).as_json()).replace(one, "-") for one in (known, absent, absent[::-1])[:2]]
        assert told[0] == told[1], name
        assert not CANARY.search(told[0])


def test_a_record_is_not_entered_under_the_id_of_another(world: World, garden: Garden) -> None:
    """Nor is anything of it told or changed; DEA enters with the id of ATF's record, ATF with that of its own."""
    before = world.read("atf_agent", garden["atf.person"].id)
    for seat in ("dea_agent", "atf_agent"):
        problem = refused(
            world.enter, seat, "registry.person", {"role": "subject", "name": "x"}, id=garden["atf.person"].id
        )
        assert problem.code in ("invalid", "version_conflict") and not CANARY.search(str(problem.as_json()))
    assert world.read("atf_agent", garden["atf.person"].id).as_json() == before.as_json()


def test_a_key_of_another_agency_replays_nothing(world: World) -> None:
    key = canary()
    first = world.enter("atf_agent", "registry.document", {"kind": "other", "title": "x"}, key=key)
    other = world.enter("dea_agent", "registry.document", {"kind": "other", "title": "x"}, key=key)
    assert not other.replayed and other.record != first.record
    problem = refused(world.enter, "dea_agent", "registry.document", {"kind": "other", "title": "y"}, key=key)
    assert first.record not in str(problem.as_json())
    linked = refused(
        world.enter,
        "cpd_sergeant",
        "registry.document",
        {"kind": "other", "title": "x"},
        links={"about": [f"key:{key}"]},
    )
    assert linked.code == "invalid" and first.record not in str(linked.as_json())


def test_a_guard_reads_no_more_than_its_member(world: World, garden: Garden) -> None:
    """The laboratory's condition on a linked item sees the item as the laboratory does: masked groups are not there."""
    from comity.kernel.records import guards
    from comity.kernel.records.proposal import Proposal
    from comity.kernel.types.catalogue import GuardRule
    from comity.kernel.work.subject import find_subject

    dea = world.seats[world.seat("dea", "special_agent")]
    seen = garden["cpd.incident"]
    with world.node.work(dea) as work:
        subject = find_subject(work, seen.id)
        of = work.catalogue.type("registry.document")
        after = replace(subject.folded, links={"about": (seen.id, garden["cpd.other_person"].id)}, fields={})
        rule = replace(of.acts["enter"], guards=(GuardRule("size(linked.about) > 0"),))
        left: Any = SimpleNamespace(after=after)
        variables = guards.variables_of(work, Proposal("enter", of, rule, subject), left.after)
    assert not set(CANARY.findall(str(variables))) - Opponent(garden, dea).may.canaries
    assert set(CANARY.findall(str(variables)))
    assert garden["cpd.other_person"].id not in set(UUID_TEXT.findall(str(variables["linked"])))


def test_an_emergency_opens_one_record_to_one_member_for_its_time(world: World, garden: Garden) -> None:
    """ATF lists its cases for emergencies of DEA: one member opens one case, the owner sees it, then it is over."""
    assert any("investigation.case" in (one.get("emergency") or ()) for one in agreements("atf", "dea", today()))
    secret, beside = canary(), canary()
    made = [
        world.enter(
            "atf_agent", "investigation.case", {"title": one, "program": "firearms", "opened": day(), "summary": one}
        )
        for one in (secret, beside)
    ]
    mine, colleague = world.seats["dea_agent"], world.seats[world.seat("dea", "special_agent", also="colleague")]
    assert refused(read, world.node, mine, made[0].record).code == "not_found"
    assert refused(open_in_emergency, world.node, mine, made[0].record, reason=" ").code == "invalid"
    assert (
        refused(open_in_emergency, world.node, mine, made[0].record, reason="x", lasting=timedelta(hours=25)).code
        == "invalid"
    )
    opened = open_in_emergency(
        world.node, mine, made[0].record, reason="Danger to an officer", lasting=timedelta(hours=1)
    )
    assert secret in str(plain(read(world.node, mine, made[0].record)))
    assert refused(read, world.node, colleague, made[0].record).code == "not_found"
    assert secret not in str(find(world.node, colleague, limit=200).items)
    assert refused(read, world.node, mine, made[1].record).code == "not_found"
    for record in (
        garden["atf.report"].id,
        garden["atf.jury_case"].id,
        garden["atf.juvenile"].id,
        garden["cpd.case"].id,
    ):
        assert refused(open_in_emergency, world.node, colleague, record, reason="x").code == "not_found"
    assert [
        one
        for one in inbox(world.node, world.seats["atf_supervisor"])
        if one.kind == "emergency" and one.record == made[0].record
    ]
    assert refused(review, world.node, mine, opened.id, finding="x").code in ("not_allowed", "not_found")
    assert refused(review, world.node, world.seats["dea_supervisor"], opened.id, finding="x").code == "not_found"
    later = canary()
    world.amend("atf_agent", made[0].record, {"title": later})
    assert later in str(plain(read(world.node, mine, made[0].record)))
    with clock.at(opened.until):
        assert refused(read, world.node, mine, made[0].record).code == "not_found"
    assert reader_of(mine).agency == "dea" and everything(world, "dea")
