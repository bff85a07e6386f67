"""What an order erases is gone from wherever it came: no column of any table says it, and the rebuild agrees."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql

from comity import clock
from comity.errors import Problem
from comity.kernel.policy import tokens
from comity.kernel.portability import rebuild
from comity.kernel.records.attach import attach, fetch
from comity.kernel.records.emergency import open_in_emergency, review
from comity.kernel.records.enter import enter
from comity.kernel.records.erase import erase
from comity.kernel.records.write import write
from comity.kernel.sharing.subscribe import subscribe, unsubscribe
from comity.kernel.views.find import find
from comity.kernel.views.history import history
from comity.kernel.views.history_page import history_page
from comity.kernel.work.change import Step, changed
from comity.kernel.work.results import Draft, Receipt
from comity.kernel.work.subject import own
from tests.records.test_marks import _lift, _marks, _report, until_waiting
from tests.speeds.sizes import size
from tests.world import World, refused

ORDER = "Order of the court to expunge, 26-mc-114"


def erased(world: World, seat: str, entry: str, *paths: str) -> None:
    with world.node.work(world.seats[seat]) as work:
        erase(work, UUID(entry), authority=ORDER, paths=paths or None)


def places(world: World, canary: str) -> list[str]:
    """Every column of text, JSON or bytes, of every table, in which the word stands: read past row-level security."""
    with psycopg.connect(world.database.superuser_url, autocommit=True) as conn:
        found = conn.execute(
            """select table_name, array_agg(column_name::text), array_agg(data_type = 'bytea')
                 from information_schema.columns join pg_tables on tablename = table_name and schemaname = table_schema
                where table_schema = 'comity' and data_type in ('text', 'jsonb', 'json', 'bytea', 'ARRAY')
                group by table_name order by table_name"""
        ).fetchall()
        out = []
        for table, columns, raw in found:
            for column, is_bytes in zip(columns, raw, strict=True):
                name = sql.Identifier(column)
                text = sql.SQL("encode({}, 'escape')" if is_bytes else "{}::text").format(name)
                query = sql.SQL("select count(*) from comity.{} where position({} in {}) > 0")
                (count,) = conn.execute(query.format(sql.Identifier(table), sql.Literal(canary), text)).fetchone() or (
                    0,
                )
                out += [f"{table}.{column}"] * bool(count)
        assert len(found) > 20
        return out


@pytest.fixture
def canary() -> str:
    return f"q{uuid4().hex}"


@pytest.fixture(autouse=True)
def rebuilt(world: World) -> Iterator[None]:
    """After each test in the deep run; in the small one after all of them, as everywhere in this folder."""
    yield
    if size(small=0, deep=1):
        found = rebuild.run(world.node)
        assert found.equal, found.differences[:5]


@pytest.fixture
def person(world: World, canary: str) -> Receipt:
    """A witness under two marks, whose name stands in the log, the row and the search terms."""
    fields = {"role": "witness", "name": canary, "birth_date": "1990-01-02"}
    made = world.enter("atf_agent", "registry.person", fields, marks=["informant"], key=uuid4().hex,
                       field_marks={"birth_date": ["victim"]})  # fmt: skip
    assert {"record.fields", "term.token", "entry_content.content"} <= set(places(world, canary))
    return made


def test_one_erased_field_is_nowhere_and_the_rest_stays(world: World, person: Receipt, canary: str) -> None:
    watching = subscribe(world.node, world.seats["atf_agent"], {"types": ["registry.person"]})
    world.follow()
    erased(world, "atf_agent", person.entry, "set/name")
    assert places(world, canary) == []
    view = world.read("atf_agent", person.record)
    assert view.fields == {"role": "witness", "birth_date": "1990-01-02"} and view.marks == ("informant",)
    assert view.number == person.number and view.title == ""
    assert not find(world.node, world.seats["atf_agent"], type="registry.person", text=canary).items
    lines = history(world.node, world.seats["atf_agent"], person.record)
    assert [line.kind for line in lines] == ["enter", "erase"]
    world.amend("atf_agent", person.record, {"role": "subject"})
    world.follow()
    assert places(world, canary) == []
    unsubscribe(world.node, world.seats["atf_agent"], str(watching.id))


def test_of_a_whole_entry_the_record_and_its_handling_remain(world: World, person: Receipt, canary: str) -> None:
    """Erasing opens nothing: the marks are said again by the order, and an unerased later entry still counts."""
    world.amend("atf_agent", person.record, {"sex": "unknown"})
    erased(world, "atf_agent", person.entry)
    assert places(world, canary) == []
    view = world.read("atf_agent", person.record)
    assert (view.fields, view.number, view.marks) == ({"sex": "unknown"}, None, ("informant",))
    assert world.rows("atf", "select field_marks from comity.record where id = %s", person.record) == [
        ({"birth_date": ["victim"]},)
    ]
    key = world.rows("atf", "select key from comity.idempotency where entry = %s", person.entry)[0][0]
    again = Draft("registry.person", {"role": "witness", "name": "Other"}, key=key)
    code = refused(enter, world.node, world.seats["atf_agent"], again.type, again.fields, key=key).code
    assert code == "idempotency_key_reused"


def test_the_history_tells_who_ordered_what_to_be_erased(world: World, person: Receipt) -> None:
    fields = {"birth_date": "1990-01-03", "sex": "unknown"}
    said = world.amend("atf_agent", person.record, fields, authority="Warrant 7", reason="asked")
    seat = world.seats["atf_agent"]

    def told() -> list[tuple[str, str, bool, bool]]:
        lines = history(world.node, seat, person.record)
        return [(one.authority, one.refers, one.erased, one.erased_part) for one in lines]

    assert told() == [("", "", False, False), ("Warrant 7", "", False, False)]
    erased(world, "atf_agent", said.entry, "set/birth_date")
    page = ["\n".join(one.said) for one in history_page(world.node, seat, person.record).moments]
    assert "Sex: Unknown\npartly erased under an order\nReason: asked\nAuthority: Warrant 7" in page[1]
    assert page[2].startswith(f"erases from entry {said.entry[:8]}") and f"Authority: {ORDER}" in page[2]
    line = history(world.node, seat, person.record)[1].as_json()
    assert (line["erased"], line["erased_part"], line["changes"]) == (False, True, {"set/sex": "unknown"})
    assert told()[1:] == [("Warrant 7", "", False, True), (ORDER, said.entry, False, False)]
    erased(world, "atf_agent", said.entry)
    assert told()[1:] == [("", "", True, False), (ORDER, said.entry, False, False), (ORDER, said.entry, False, False)]


def test_a_later_value_stays_and_what_was_said_before_needs_its_own_order(
    world: World, person: Receipt, canary: str
) -> None:
    changed_to = world.amend("atf_agent", person.record, {"name": f"{canary} again"})
    erased(world, "atf_agent", person.entry, "set/name")
    assert world.read("atf_agent", person.record).fields["name"] == f"{canary} again"
    erased(world, "atf_agent", changed_to.entry, "set/name")
    assert "name" not in world.read("atf_agent", person.record).fields and places(world, canary) == []


@pytest.mark.parametrize("last", [None, "1991-03-04"])
@pytest.mark.parametrize("whole", [True, False])
def test_what_was_taken_out_or_put_right_does_not_come_back(
    world: World, person: Receipt, last: str | None, whole: bool
) -> None:
    """The last word was erased: nothing is there, now and as it was known then; a later word counts."""
    said = world.amend("atf_agent", person.record, {"birth_date": last}, reason="it was another's")
    world.follow()
    between = clock.now()
    path = "set/birth_date" if last else "unset/birth_date"
    erased(world, "atf_agent", said.entry, *([] if whole else [path]))
    world.follow()
    for then in ({}, {"as_entered": between}, {"as_entered": clock.now()}):
        assert "birth_date" not in world.read("atf_agent", person.record, **then).fields
    assert world.read("atf_agent", person.record, as_entered=between).version == 2
    world.amend("atf_agent", person.record, {"birth_date": "1992-05-06"})
    assert world.read("atf_agent", person.record).fields["birth_date"] == "1992-05-06"
    erased(world, "atf_agent", person.entry, "set/birth_date")
    assert world.read("atf_agent", person.record).fields["birth_date"] == "1992-05-06", "what is older says nothing"


def test_a_link_that_was_taken_off_stays_off_and_one_that_is_erased_is_not_named(
    world: World, case: Receipt, person: Receipt
) -> None:
    report = _report(world, case, subject=person)
    off = world.amend("atf_agent", report.record, unlink={"subject": [person.record]})
    on = world.amend("atf_agent", report.record, links={"present": [person.record]})
    erased(world, "atf_agent", off.entry)
    assert world.read("atf_agent", report.record).links == {"case": [case.record]} | {"present": [person.record]}
    erased(world, "atf_agent", on.entry)
    assert world.read("atf_agent", report.record).links == {"case": [case.record]}
    orders = [line for line in history(world.node, world.seats["atf_agent"], report.record) if line.kind == "erase"]
    assert [line.changes for line in orders] == [{f"unlink/subject/{person.record}": True}, {}]


def test_an_erasure_moves_no_mark_and_nothing_follows(world: World, case: Receipt, person: Receipt) -> None:
    """Neither one that was lifted since, nor one that the erased entry lifted, nor a field's; on nothing derived."""
    report = _report(world, case, subject=person)
    put = world.amend("atf_agent", person.record, marks=["victim"], field_marks={"name": ["informant"]})
    world.amend("atf_agent", person.record, field_marks={"name": []})
    _lift(world, "atf_agent", person, "victim")
    lifted = _lift(world, "atf_agent", person, "informant")
    field_marks = "select field_marks from comity.record where id = %s"
    borne = _marks(world, "atf", person, report), world.rows("atf", field_marks, person.record)
    assert borne[0] == [[], ["informant"]]
    for entry in (put.entry, lifted, person.entry):
        erased(world, "atf_agent", entry)
        world.follow()
        assert (_marks(world, "atf", person, report), world.rows("atf", field_marks, person.record)) == borne
    world.amend("atf_agent", person.record, marks=["victim"])
    assert _marks(world, "atf", person, report) == [["victim"], ["informant", "victim"]]
    _lift(world, "atf_agent", person, "victim")
    assert _marks(world, "atf", person, report) == borne[0], "what came by following goes as it came"


def test_a_file_is_unreadable_with_the_entry_that_named_it(world: World, case: Receipt, canary: str) -> None:
    attached = attach(
        world.node, world.seats["atf_agent"], case.record, name=f"{canary}.pdf", media_type="application/pdf",
        stream=BytesIO(b"%PDF"),
    )  # fmt: skip
    (file,) = world.read("atf_agent", case.record).files
    entries = world.rows("atf", "select id::text from comity.entry where record = %s and act = 'attach'", case.record)
    assert attached and places(world, canary)
    titled = world.amend("atf_agent", case.record, {"title": canary})
    assert "record.title" in places(world, canary)
    erased(world, "atf_agent", titled.entry, "set/title")
    erased(world, "atf_agent", entries[0][0], f"file/{file}")
    assert places(world, canary) == []
    assert refused(fetch, world.node, world.seats["atf_agent"], file).code == "not_found"
    ((key, stored),) = world.rows("atf", "select data_key, stored from comity.file where id = %s", file)
    assert key == b""
    with pytest.raises(FileNotFoundError):
        world.node.files.open("atf", stored)


def test_an_answer_is_erased_by_who_gave_it(world: World, case: Receipt, canary: str) -> None:
    fields = {"partner": "dea", "lead_agency": "atf"}
    offer = world.enter("atf_agent", "investigation.lead", fields, links={"case": [case.record]})
    said = world.answer("dea_supervisor", offer.record, "declined", reason=canary)
    world.follow()
    assert "offer.answer" in places(world, canary)
    erased(world, "dea_supervisor", said.entry, "reason")
    assert places(world, canary) == []
    assert world.read("atf_agent", offer.record).state == "declined"


def test_the_words_of_an_emergency_and_of_its_review_go(world: World, case: Receipt, canary: str) -> None:
    opened = open_in_emergency(world.node, world.seats["dea_agent"], case.record, reason=canary)
    assert {"emergency.reason", "share.ground"} <= set(places(world, canary))
    review(world.node, world.seats["atf_supervisor"], opened.id, finding=f"{canary} too")
    for agency, seat, item in (("dea", "dea_agent", "reason"), ("atf", "atf_agent", "set/finding")):
        ((entry,),) = world.rows(
            agency, "select id::text from comity.entry where record = %s and agency = comity.me()", opened.id
        )
        erased(world, seat, entry, item)
    assert places(world, canary) == []
    assert world.read("dea_agent", case.record).id == case.record, "it is still open to whom it was opened"


def test_a_member_is_called_by_the_id_and_keeps_its_roles(world: World, canary: str) -> None:
    admitted = tokens.admit(world.node, "atf", canary, ["special_agent"])
    ((entry,),) = world.rows("atf", "select id::text from comity.entry where record = %s", admitted.member)
    erased(world, "atf_agent", entry)
    assert places(world, canary) == []
    seat = tokens.sign_in(world.node, admitted.token)
    assert (seat.name, seat.roles) == (admitted.member, frozenset({"special_agent", "agent"}))


def test_what_cannot_be_erased_is_refused_and_nothing_happens(world: World, person: Receipt, canary: str) -> None:
    ((layer,),) = world.rows(
        "atf", "select id::text from comity.entry where type = 'kernel.layer' and agency = 'atf' limit 1"
    )
    for seat, entry, path, code in (
        ("atf_agent", person.entry, "set/nothing", "invalid"),
        ("dea_agent", person.entry, "set/name", "not_found"),
        ("atf_agent", str(uuid4()), "set/name", "not_found"),
        ("atf_agent", layer, "set/files", "invalid"),
    ):
        assert refused(erased, world, seat, entry, path).code == code
    assert world.read("atf_agent", person.record).version == 1 and places(world, canary)


@pytest.mark.parametrize("first", ["the amendment", "the erasure"])
def test_an_act_at_the_same_moment_brings_nothing_back(world: World, person: Receipt, canary: str, first: str) -> None:
    """An amendment that read the name writes the whole row: of the two, who comes second is refused."""
    with ThreadPoolExecutor(1) as pool:
        with world.node.work(world.seats["atf_agent"]) as work:
            if first == "the amendment":
                subject = own(work, person.record)
                of = work.type_of("atf", subject.type_name, subject.core_type)
                done = Step("amend", "amend", subject.folded.state)
                write(work, [changed(work, of, subject.folded, subject.id, done, {"set/sex": "unknown"})])
                second = pool.submit(erased, world, "atf_agent", person.entry, "set/name")
            else:
                erase(work, UUID(person.entry), authority=ORDER, paths=["set/name"])
                second = pool.submit(world.amend, "atf_agent", person.record, {"sex": "unknown"})  # type: ignore[arg-type]
            until_waiting(world, second)
        problem = second.exception(30)
        assert isinstance(problem, Problem) and problem.code == "version_conflict"
    if first == "the amendment":
        erased(world, "atf_agent", person.entry, "set/name")
    assert places(world, canary) == []
