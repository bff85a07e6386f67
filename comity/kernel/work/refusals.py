"""Refused acts leave a trace for the agency of the member who asked: who, what, by which rule; nothing of the content.

It is written after the refused transaction was rolled back, in one of its own. No answer waits on it to be what it is,
and an act that is done costs nothing for it. What the caller wrote stays out: a type, an act, a field, a link or a rule
is named only where the definitions have it, a record only where the member may read it.
"""

from __future__ import annotations

import hashlib
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from functools import wraps
from itertools import chain, islice
from typing import Any, TypeVar, cast
from uuid import UUID

from psycopg.types.json import Jsonb

from comity import names
from comity.errors import Problem
from comity.kernel.ledger.canonical import canonical
from comity.kernel.policy.actor import Actor
from comity.kernel.types.catalogue import Type
from comity.kernel.types.roles import steps
from comity.kernel.work.node import Conn, Node, Work
from comity.kernel.work.results import Draft, is_id
from comity.kernel.work.subject import Subject, subjects

Verb = TypeVar("Verb", bound=Callable[..., Any])
"""A verb of the kernel: it takes node and actor first."""

DAILY = 200
"""Rows that one member's refusals may take in a day (UTC). What comes after is counted by verb and code alone."""
MOST = 20
"""Faults, and rules, that are kept of one refusal."""
NOT_OF_AN_ACT = frozenset({"agency_outside", "agency_suspended", "group_refused", "member_suspended", "token_invalid"})
"""Codes that leave no trace: who was not let in asked for no act; what falls with another record is told with it."""
_ABOUT = {"fields": "fields", "field_marks": "fields", "links": "links", "unlink": "links"}
_SAID = frozenset(one.name for one in fields(Draft)) | {"authority", "corrects", "file", "finding", "lasting", "name"}
"""What is given with an act beside fields and links, as the paths of faults name it."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What is asked for: the verb; the type of what would be new, or the record, as the caller names it; which act."""

    verb: str
    type: str = ""
    record: str = ""
    act: str = ""


@dataclass(frozen=True, slots=True)
class _Line:
    """One kind of refusal, as it is kept. `faults` are pairs of code and path."""

    verb: str
    code: str
    type: str = ""
    act: str = ""
    record: str | None = None
    faults: tuple[tuple[str, str], ...] = ()
    rules: tuple[str, ...] = ()

    def key(self, member: str, on_behalf: str, since: datetime) -> bytes:
        """What is the same within the hour or the day that begins at `since`."""
        return hashlib.sha256(canonical([member, on_behalf, since.isoformat(), asdict(self)])).digest()


def traced(attempt: Callable[..., Attempt | None]) -> Callable[[Verb], Verb]:
    """A verb whose refusals leave a trace. `attempt` takes what the verb is given after node and actor, and says what
    was asked for; None where it was only tried. The verb opens its transactions itself."""

    def around(verb: Verb) -> Verb:
        @wraps(verb)
        def done(node: Node, actor: Actor, *given: Any, **more: Any) -> Any:
            try:
                return verb(node, actor, *given, **more)
            except Problem as problem:
                asked = attempt(*given, **more)
                trace(node, actor, [(asked, problem)] if asked else [])
                raise

        return cast(Verb, done)

    return around


def trace(node: Node, actor: Actor, refused: Sequence[tuple[Attempt, Problem]]) -> None:
    """Leave a trace of what a member was refused: one transaction for all of it, none where there is nothing to tell.

    What failed here (a status of 500 and more) was not refused, nor is anything that is not a member's. Raises nothing:
    that a trace cannot be written is said on standard error, without what it would have told.
    """
    told = [(one, problem) for one, problem in refused if problem.status < 500 and problem.code not in NOT_OF_AN_ACT]
    if actor.kind != "member" or not told:
        return
    try:
        _write(node, actor, told)
    except Exception as error:  # noqa: BLE001  whatever it is, the caller is owed the refusal and not this
        if isinstance(error, Problem) and error.status < 500:
            return  # the member is not let in any more, and its agency does not answer for what it asks
        print(f"refusals: {actor.agency}: {getattr(error, 'code', type(error).__name__)}", file=sys.stderr, flush=True)


def drop(conn: Conn, before: datetime, most: int) -> int:
    """Delete the oldest traces of the transaction's agency that were last added to before then; how many."""
    return conn.execute(
        """delete from comity.refusal where id in (
              select id from comity.refusal
               where agency = comity.me() and first_at < %(before)s and last_at < %(before)s
               order by first_at limit %(most)s for update skip locked)""",
        {"before": before, "most": most},
    ).rowcount


def _write(node: Node, actor: Actor, refused: Sequence[tuple[Attempt, Problem]]) -> None:
    with _work(node, actor) as work:
        seen = subjects(work, sorted({one.record for one, _ in refused if is_id(one.record)}))
        counts = Counter(_line(work, seen, attempt, problem) for attempt, problem in refused)
        _store(work, _on_behalf(work, actor), counts)


@contextmanager
def _work(node: Node, actor: Actor) -> Iterator[Work]:
    """A transaction of the member's; for its own agency where it may not speak for the other."""
    with ExitStack() as stack:
        try:
            work = stack.enter_context(node.work(actor))
        except Problem:
            if actor.behalf is None:
                raise
            work = stack.enter_context(node.work(replace(actor, behalf=None)))
        yield work


def _on_behalf(work: Work, actor: Actor) -> str:
    """The agency acted for, where there is one of that name."""
    if actor.behalf is None:
        return ""
    row = work.conn.execute("select id from comity.agency where id = %s", (actor.behalf.agency,)).fetchone()
    return str(row[0]) if row else ""


def _line(work: Work, seen: Mapping[str, Subject], attempt: Attempt, problem: Problem) -> _Line:
    """What is kept of a refusal. Of a record that the member may not read, what is kept of one that is not there."""
    subject = seen.get(str(UUID(attempt.record))) if is_id(attempt.record) else None
    types = work.catalogue.types
    of = types.get(attempt.type) if subject is None else types.get(subject.type_name) or types.get(subject.core_type)
    known = {step.name for step in steps(of)} if of else set()
    found = dict.fromkeys((fault.code, _path(of, fault.path)) for fault in problem.faults)
    rules = dict.fromkeys(chain(problem.extra.get("reasons", ()), problem.extra.get("rules", ())))
    return _Line(
        attempt.verb, problem.code, of.name if of else "", attempt.act if attempt.act in known else "",
        str(subject.id) if subject else None, tuple(islice(found, MOST)), tuple(islice(rules, MOST)),
    )  # fmt: skip


def _path(of: Type | None, path: str) -> str:
    """The path of a fault as far as the definitions or the verb spell it: a name that is not theirs is the caller's."""
    head, _, rest = path.partition(".")
    if head in _ABOUT:
        name = rest.partition(".")[0]
        return f"{head}.{name}" if of and name in getattr(of, _ABOUT[head]) else head
    sources = {guard.source for step in steps(of) for guard in step.guards} if of else set()
    return path if path in _SAID or path in sources else ""


def _store(work: Work, on_behalf: str, counts: Mapping[_Line, int]) -> None:
    """Count each line in the row of its hour, or begin that row; beyond DAILY in coarser rows, of the day."""
    member, hour = work.actor.member, work.now.replace(minute=0, second=0, microsecond=0)
    day = hour.replace(hour=0)
    keys = {line: line.key(member, on_behalf, hour) for line in counts}
    row = work.conn.execute(
        """select count(*), coalesce(array_agg(key) filter (where key = any(%s)), '{}') from comity.refusal
            where agency = comity.me() and member = %s and first_at >= %s""",
        (list(keys.values()), UUID(member), day),
    ).fetchone()
    held, there = row or (0, ())
    room, there = DAILY - held, set(there)
    kept: Counter[tuple[bytes, _Line]] = Counter()
    for line, times in counts.items():
        if keys[line] in there or room > 0:
            room -= keys[line] not in there
            kept[keys[line], line] += times
        else:
            coarse = _Line(line.verb, line.code)
            kept[coarse.key(member, on_behalf, day), coarse] += times
    rows = [
        (
            names.new_id(), work.agency, UUID(member), on_behalf, one.verb, one.type, one.act, one.record, one.code,
            Jsonb([{"code": code, "path": path} for code, path in one.faults]), list(one.rules), times, work.now,
            work.now, key,
        )
        for (key, one), times in sorted(kept.items())
    ]  # fmt: skip
    with work.conn.cursor() as cur:
        cur.executemany(
            """insert into comity.refusal as r (id, agency, member, on_behalf, verb, type, act, record, code, faults,
                      rules, times, first_at, last_at, key)
               values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
               on conflict (agency, key) do update
                   set times = r.times + excluded.times, last_at = greatest(r.last_at, excluded.last_at)""",
            rows,
        )
