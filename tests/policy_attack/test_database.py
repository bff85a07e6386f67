"""The second lock alone: the app role at the database, with whatever agency it says it acts for."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import psycopg
import pytest

from comity.config.database import Database
from tests.policy_attack.planting import CANARY, Garden
from tests.speeds.sizes import size
from tests.world import World

REACHED = {
    "record": "agency", "entry": "agency", "entry_content": "agency", "sequence": "agency", "link": "agency",
    "term": "agency", "file": "agency", "reported": "by_agency",
}  # fmt: skip
"""Tables that are read within reach; by the column that names the owner."""
OWN = ("member", "counter", "number_block", "idempotency", "follower", "outbox")
EITHER = {
    "agreement": ("agency", "to_agency"), "offer": ("from_agency", "to_agency"), "share": ("agency", "to_agency"),
    "emergency": ("agency", "owner"), "disclosure": ("agency", "owner"), "token": ("agency", "agency"),
    "invitation": ("agency", "agency"), "pointer": ("agency", "agency"),
}  # fmt: skip
CLOSED = ("pending", "collision_key", "tie")
BY_RECORD = {"record": "id", "entry": "record", "entry_content": "record", "link": "record", "term": "record",
             "file": "record", "share": "record", "idempotency": "record", "pointer": "record"}  # fmt: skip


@pytest.fixture
def app(database: Database) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database.app_url, autocommit=True) as conn:
        yield conn


def act_for(conn: psycopg.Connection[Any], agency: str | None) -> None:
    conn.execute("select set_config('comity.agency', %s, false)", (agency or "",))


def reach(conn: psycopg.Connection[Any]) -> set[str]:
    return set(conn.execute("select comity.reach()").fetchone()[0] or ())  # type: ignore[index]


INDIA = {"in-police", "in-court", "in-fsl", "in-prison", "in-prosecution"}
EXPECTED = {
    "cpd": {"cpd", "atf", "dea", "fsl", "usao"}, "atf": {"cpd", "atf", "dea", "fsl", "usao", "usms"},
    "in-police": INDIA, "in-court": INDIA, "island": {"island"},
}  # fmt: skip


def test_reach_is_what_agreements_in_force_say(app: psycopg.Connection[Any], islands: Any) -> None:
    for agency, expected in EXPECTED.items():
        act_for(app, agency)
        assert reach(app) == expected


TIES = {
    "agreement": """insert into comity.agreement values
                ('east', 'x', 'west', '{}', '2020-01-01', current_date + %(days)s::int)""",
    "share": """insert into comity.share (id, record, agency, to_agency, groups, basis, until)
                values (%(id)s, %(id)s, 'east', 'west', '{base}', 'x', now() + %(days)s * '1d'::interval)""",
    "offer": """insert into comity.offer (agency, id, from_agency, to_agency, type, state, offered_at, offer_entry,
                    expires_at)
                values (comity.me(), %(id)s, 'east', 'west', 'x', 'offered', now(), %(id)s,
                    now() + %(days)s * '1d'::interval)""",
}
BEGINS_LATER = """insert into comity.agreement values
                ('east', 'x', 'west', '{}', current_date + 9, current_date + 99)"""


@pytest.mark.parametrize("tie", TIES)
def test_what_ties_two_agencies_ends_by_the_transactions_clock(app: psycopg.Connection[Any], tie: str) -> None:
    with app.transaction(force_rollback=True):
        act_for(app, "west" if tie == "offer" else "east")  # of an offer each side has a row of its own
        app.execute(TIES[tie], {"days": 3, "id": uuid.uuid4()})
        for moved, within in (("0 days", True), ("1 day", True), ("5 days", False), ("-9 years", True)):
            app.execute("select comity.begin('west', null, now() + %s::interval)", (moved,))
            assert reach(app) == ({"west", "east"} if within else {"west"}), moved


@pytest.mark.parametrize("instant", ["1999-01-01", "-infinity", "infinity", "2999-01-01", ""])
def test_a_clock_that_is_set_revives_nothing_and_begins_nothing_early(
    app: psycopg.Connection[Any], instant: str
) -> None:
    """The app role can say any instant: what has ended stays ended, what is to begin has not begun."""
    for planted in (*TIES.values(), BEGINS_LATER):
        with app.transaction(force_rollback=True):
            act_for(app, "west" if planted == TIES["offer"] else "east")
            app.execute(planted, {"days": -3, "id": uuid.uuid4()})
            act_for(app, "west")
            app.execute("select set_config('comity.instant', %s, true)", (instant,))
            assert reach(app) == {"west"}


def test_ten_thousand_probes_bring_no_row_beyond_reach(
    app: psycopg.Connection[Any], islands: dict[str, set[str]]
) -> None:
    """Each table, each record by its id, as each agency, as nobody and as an agency that is not there."""
    probes, leaks, seen = 0, [], 0
    for me in [*islands, "node", "nobody", "-", "%", "atf,cpd", "ATF", None]:
        act_for(app, me)
        within = reach(app) if me else set()
        for table, column in REACHED.items():
            probes += 1
            owners = {row[0] for row in app.execute(f"select distinct {column} from comity.{table}")}
            leaks += [(me, table, owner) for owner in owners - within]
        for table in OWN:
            probes += 1
            owners = {row[0] for row in app.execute(f"select distinct agency from comity.{table}")}
            leaks += [(me, table, owner) for owner in owners - {me}]
        for table, (one, other) in EITHER.items():
            probes += 1
            rows = app.execute(f"select distinct {one}, {other} from comity.{table}").fetchall()
            leaks += [(me, table, row) for row in rows if me not in row]
        with app.pipeline():
            cursors = []
            for owner, ids in islands.items():
                for table, column in BY_RECORD.items():
                    for record in sorted(ids)[: size(small=80, deep=1_000)]:
                        probes += 1
                        cursors.append(
                            (
                                owner,
                                table,
                                app.execute(f"select 1 from comity.{table} where {column} = %s limit 1", (record,)),
                            )
                        )
            for owner, table, cursor in cursors:
                found = bool(cursor.fetchall())
                seen += found
                if table == "idempotency":  # an answerer's own key names the record that it answered
                    continue
                both = table == "share" and me in ("atf", "dea", "fsl", "usao", "cpd")
                if found and not both and (owner not in within or (table in OWN and owner != me)):
                    leaks.append((me, table, owner))
    assert not leaks
    assert probes >= 10_000
    assert seen > 500, "the probes must also find what is within reach, or they prove nothing"


def test_words_of_others_are_not_searched_beyond_reach(
    app: psycopg.Connection[Any], world: World, garden: Garden, islands: Any
) -> None:
    """Every canary against terms and bodies, from an island: nothing; from within: the rows are there."""
    words = sorted({word for one in garden.all for words in one.fields.values() for word in words})
    for me, expected in (("island", False), ("in-police", False), (None, False), ("nobody", False), ("atf", True)):
        act_for(app, me)
        found = app.execute(
            """select count(*) from unnest(%s::text[]) w where exists (select 1 from comity.term where token = w)
                 or exists (select 1 from comity.record where fields::text like '%%' || w || '%%')""",
            (words,),
        ).fetchone()
        assert (found[0] > 0) is expected, me  # type: ignore[index]
        bodies = app.execute("select content from comity.entry_content").fetchall()
        assert bool(CANARY.search(" ".join(bytes(row[0]).decode() for row in bodies)) and me == "atf") is expected


@pytest.mark.parametrize("table", CLOSED)
def test_the_app_role_reads_no_digest_and_no_queue(app: psycopg.Connection[Any], world: World, table: str) -> None:
    act_for(app, "atf")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute(f"select * from comity.{table}")


INSERTS = {
    "entry": """insert into comity.entry (id, agency, record, type, type_version, kind, act, actor, occurred_at,
                    entered_at, version, state_from, state_to, commitments, leaf)
                values (%(id)s, %(agency)s, %(id)s, 'registry.person', 1, 'enter', 'enter', %(id)s, now(), now(), 1, '',
                    'current', '', decode(repeat('00', 32), 'hex'))""",
    "entry_content": """insert into comity.entry_content (entry, agency, record, content, salts)
                values (%(id)s, %(agency)s, %(id)s, '', '')""",
    "record": """insert into comity.record (id, agency, type, core_type, state, core_state, version, type_version,
                    fields, links, marks, assigned, parties, entered_by, entered_at, changed_at)
                values (%(id)s, %(agency)s, 'registry.person', 'registry.person', 'current', 'current', 1, 1, '{}',
                    '{}', '{}', '{}', '{}', '', now(), now())""",
    "link": """insert into comity.link (record, name, target, agency, type)
                values (%(id)s, 'x', %(id)s, %(agency)s, 'x')""",
    "term": """insert into comity.term (record, agency, type, field, grp, token, whole)
                values (%(id)s, %(agency)s, 'x', 'x', 'base', 'x', true)""",
    "share": """insert into comity.share (id, record, agency, to_agency, groups, basis)
                values (%(id)s, %(id)s, %(agency)s, comity.me(), '{base}', 'offer')""",
    "offer": """insert into comity.offer (agency, id, from_agency, to_agency, type, state, offered_at, offer_entry)
                values (%(agency)s, %(id)s, %(agency)s, comity.me(), 'x', 'offered', now(), %(id)s)""",
    "reported": """insert into comity.reported (entry, agency, by_agency, record, type, act, document, entered_at)
                values (%(id)s, 'usdc', %(agency)s, %(id)s, 'x', 'x', %(id)s, now())""",
    "member": "insert into comity.member values (%(id)s, %(agency)s, 'intruder', '{supervisor}', 'active', 1)",
    "token": """insert into comity.token (hash, agency, member, created_at, expires_at)
                values ('x', %(agency)s, %(id)s, now(), now())""",
    "invitation": """insert into comity.invitation (hash, agency, name, roles, expires_at)
                values ('x', %(agency)s, 'x', '{}', now())""",
    "idempotency": "insert into comity.idempotency values (%(agency)s, 'x', 'x', %(id)s, %(id)s)",
    "counter": "insert into comity.counter values (%(agency)s, 'x', 1)",
    "number_block": "insert into comity.number_block values (%(agency)s, 'x', 1, 2, now())",
    "agreement": """insert into comity.agreement (agency, id, to_agency, spec, valid_from, valid_until)
                values (%(agency)s, 'x', comity.me(), '{}', '2000-01-01', '2100-01-01')""",
    "disclosure": """insert into comity.disclosure (id, at, agency, member, owner, purpose, verb, records)
                values (%(id)s, now(), %(agency)s, %(id)s, 'fsl', '', '', '[]')""",
    "emergency": """insert into comity.emergency (id, agency, owner, record, member, reason, opened_at, until)
                values (%(id)s, %(agency)s, 'fsl', %(id)s, %(id)s, '', now(), now())""",
    "file": """insert into comity.file (id, agency, record, name, media_type, size, digest, stored, data_key, added_at)
                values (%(id)s, %(agency)s, %(id)s, '', '', 0, '', '', '', now())""",
    "pointer": "insert into comity.pointer values (%(id)s, %(agency)s, %(id)s, 'x', now())",
    "collision_key": "insert into comity.collision_key values ('x', %(agency)s, %(id)s)",
    "tie": "insert into comity.tie values (%(id)s, %(agency)s, %(id)s, %(id)s, false, true)",
    "sequence": """insert into comity.sequence values (999999, %(agency)s, 999999, %(id)s,
                decode(repeat('00', 32), 'hex'), now())""",
    "layer": """insert into comity.layer (name, version, agency, digest, files, entry, installed_at)
                values ('agency/cpd', 999, %(agency)s, '', '{}', %(id)s, now())""",
    "follower": "insert into comity.follower values ('x', %(agency)s, 0)",
    "outbox": """insert into comity.outbox (follower, entry, target, agency, changed_at)
                values ('x', %(id)s, 'x', %(agency)s, now())""",
}


@pytest.mark.parametrize("table", INSERTS)
def test_nobody_writes_in_the_name_of_another(app: psycopg.Connection[Any], world: World, table: str) -> None:
    for me in ("atf", "dea", None):
        act_for(app, me)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute(INSERTS[table], {"id": uuid.uuid4(), "agency": "cpd"})


WRITABLE = (
    "record",
    "link",
    "term",
    "file",
    "member",
    "counter",
    "idempotency",
    "agreement",
    "follower",
    "outbox",
    "number_block",
)


@pytest.mark.parametrize("table", WRITABLE)
def test_nobody_changes_the_rows_of_another(app: psycopg.Connection[Any], garden: Garden, table: str) -> None:
    """An update or delete of another's rows touches none, or is no right of the app role at all."""
    act_for(app, "atf")
    for statement in (
        f"update comity.{table} set agency = 'atf' where agency = 'cpd'",
        f"delete from comity.{table} where agency = 'cpd'",
    ):
        with suppress(psycopg.errors.InsufficientPrivilege):
            assert app.execute(statement).rowcount == 0
    act_for(app, "cpd")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):  # nor are one's own rows given to another
        if not app.execute(f"update comity.{table} set agency = 'atf' where agency = 'cpd'").rowcount:
            raise psycopg.errors.InsufficientPrivilege


@pytest.mark.parametrize("table", ["entry", "entry_content", "sequence", "layer"])
@pytest.mark.parametrize("role", ["app", "owner", "superuser"])
def test_the_log_is_insert_only_for_everyone(database: Database, garden: Garden, table: str, role: str) -> None:
    url = {"app": database.app_url, "owner": database.owner_url, "superuser": database.superuser_url}[role]
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("select set_config('comity.agency', 'atf', false)")
        assert conn.execute(f"select count(*) from comity.{table} where agency = 'atf'").fetchone()[0] > 0  # type: ignore[index]
        for statement in (
            f"update comity.{table} set agency = 'cpd' where agency = 'atf'",
            f"delete from comity.{table} where agency = 'atf'",
            f"truncate comity.{table} cascade",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(statement)


def test_content_goes_only_under_an_order_in_the_same_log(
    app: psycopg.Connection[Any], garden: Garden, world: World
) -> None:
    act_for(app, "atf")
    entry = app.execute("select id from comity.entry where agency = 'atf' and kind = 'enter' limit 1").fetchone()[0]  # type: ignore[index]
    before = app.execute("select count(*) from comity.entry_content").fetchone()
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute("select comity.erase(%s, %s, null, null)", (entry, entry))
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute("select comity.erase(%s, %s, null, null)", (entry, uuid.uuid4()))
    app.execute("select set_config('comity.erasing', %s, false)", (str(entry),))
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute("delete from comity.entry_content where entry = %s", (entry,))
    app.execute("select set_config('comity.erasing', '', false)")
    with app.transaction(force_rollback=True):  # an order of DEA's erases nothing of ATF's
        app.execute("select set_config('comity.agency', 'dea', true)")
        order = uuid.uuid4()
        ordered = INSERTS["entry"].replace("'enter', 'enter'", "'erase', 'erase'")
        ordered = ordered.replace("state_to, commit", "state_to, refers, commit").replace(
            "'current', '',", "'current', %(of)s, '',"
        )
        app.execute(ordered, {"id": order, "agency": "dea", "of": entry})
        app.execute("select comity.erase(%s, %s, null, null)", (entry, order))
        app.execute("select set_config('comity.agency', 'atf', true)")
        app.execute(
            INSERTS["entry"].replace("'enter', 'enter'", "'erase', 'erase'"), {"id": uuid.uuid4(), "agency": "atf"}
        )
        with (
            pytest.raises(psycopg.errors.InsufficientPrivilege),
            app.transaction(),
        ):  # an order that names another entry
            app.execute("select comity.erase(%s, %s, null, null)", (entry, order))
        assert app.execute("select count(*) from comity.entry_content").fetchone() == before


def test_a_receiver_widens_no_share_and_revives_none(app: psycopg.Connection[Any], garden: Garden) -> None:
    act_for(app, "dea")
    share = app.execute(
        "select id, record from comity.share where to_agency = 'dea' and agency = 'atf' limit 1"
    ).fetchone()
    assert share
    for change in (
        "groups = '{base,narrative}'",
        "version = null",
        "until = null",
        f"record = '{uuid.uuid4()}'",
        "to_agency = 'dea'",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute(f"update comity.share set {change} where id = %s", (share[0],))
    with app.transaction(force_rollback=True):
        for live in ("false", "true"):
            ended = app.execute(f"update comity.share set live = {live} where id = %s", (share[0],))
            assert ended.rowcount == 0, "what opens a record is its owner's to end"
    with pytest.raises(psycopg.errors.InsufficientPrivilege):  # nor is another's record opened by one's own grant
        app.execute(
            """insert into comity.share (id, record, agency, to_agency, groups, basis, until)
               values (gen_random_uuid(), %s, 'atf', 'dea', '{base}', 'emergency', now() + interval '1 hour')""",
            (share[1],),
        )


def test_an_agency_is_renamed_or_suspended_by_itself_and_the_node_alone(
    app: psycopg.Connection[Any], world: World
) -> None:
    act_for(app, "dea")
    for change in ("state = 'suspended'", "title = 'x'", "layers = '{}'"):
        assert app.execute(f"update comity.agency set {change} where id = 'atf'").rowcount == 0


def test_row_level_security_is_forced_on_every_table(database: Database) -> None:
    """Also on one that is added later: only the epoch, a single number, belongs to nobody."""
    with psycopg.connect(database.owner_url, autocommit=True) as conn:
        bare = conn.execute(
            """select relname from pg_class where relnamespace = 'comity'::regnamespace
                  and relkind in ('r', 'p', 'm', 'v') and not (relrowsecurity and relforcerowsecurity)"""
        ).fetchall()
    assert bare == [("epoch",)]


def test_no_role_of_comity_passes_by_the_lock(database: Database) -> None:
    for url in (database.app_url, database.owner_url, database.sequencer_url):
        with psycopg.connect(url, autocommit=True) as conn:
            row = conn.execute("select rolsuper, rolbypassrls from pg_roles where rolname = current_user").fetchone()
        assert row == (False, False)


def test_the_sequencer_reads_no_content(database: Database, garden: Garden) -> None:
    with psycopg.connect(database.sequencer_url, autocommit=True) as conn:
        for table in ("record", "entry", "entry_content", "term", "link", "file", "member", "token"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(f"select * from comity.{table}")


def test_nobody_ties_or_deconflicts_anothers_record(app: psycopg.Connection[Any], islands: dict[str, set[str]]) -> None:
    theirs = next(iter(islands["dea"]))
    act_for(app, "island")
    for call in (
        "select * from comity.tie_claims(array[%(id)s::uuid], array[%(id)s::uuid], array[%(id)s::uuid],"
        " '{f}', '{t}', '{t}', now())",
        "select * from comity.deconflict('{}', '{}', '{}', array[%(id)s::uuid], now())",
        "select * from comity.chained(%(id)s::uuid, %(id)s::uuid)",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute(call, {"id": theirs})
