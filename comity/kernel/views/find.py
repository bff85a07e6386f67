"""Finding records: by type, owner, state, words and field values, newest first, under the policy in the same statement.

A word or a filter matches only in a field that is readable on the row it returns, so a hidden value cannot be guessed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import psycopg
from psycopg.rows import dict_row

from comity.clock import show_instant
from comity.errors import Fault, Problem
from comity.kernel.policy.actor import Actor
from comity.kernel.types.catalogue import Link
from comity.kernel.types.comparison import normalise, words
from comity.kernel.types.language import called
from comity.kernel.views.cursor import make_cursor, read_cursor
from comity.kernel.work import disclosure
from comity.kernel.work.change import TERM_LENGTH
from comity.kernel.work.node import Node, Work
from comity.kernel.work.results import Page
from comity.kernel.work.subject import COLUMNS, Subject, numbered, subject_of, visible
from comity.kernel.work.visibility import readable_fields
from comity.sentences import Worded, say

MOST = 200
COLUMN_FILTERS = frozenset({"number", "state", "in_error"})
IN_ERROR = "in_error"
STATE = "(r.core_state = %(state)s or r.agency = comity.me() and r.state = %(state)s)"
"""Another agency's sub-states are its own affair: they are neither shown nor told by a filter."""


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for: `where` filters by findable fields, number, state; all words of `text` must match. `fits`
    is a link, `type.link`: what it may be set to."""

    type: str | None = None
    text: str | None = None
    where: Mapping[str, Any] | None = None
    limit: int = 20
    cursor: str | None = None
    owner: str | None = None
    fits: str | None = None


def find(node: Node, actor: Actor, **asked: Any) -> Page:
    """A page of what the actor may find; `asked` are the members of Search.

    What was entered in error is left out, unless `where` names its state or number, or says `in_error` is true.

    Raises Problem `invalid` for a filter on a field that cannot be filtered, `cursor_invalid`, `not_allowed` where a
    statute bars the search.
    """
    with node.work(actor) as work:
        return search(work, Search(**asked)).page


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found in a transaction: the records as they were read, and the page that is made of them."""

    subjects: Sequence[Subject]
    masked: Sequence[frozenset[str]]
    page: Page


def search(work: Work, wanted: Search) -> Found:
    """What `find` answers, within a transaction that is open already, and disclosed as by it. `masked` are the fields
    of each record that it holds and the reader does not see."""
    source, conditions, params = _conditions(work, wanted)
    limit = max(1, min(wanted.limit, MOST))
    rows = _rows(
        work,
        f"""select {COLUMNS} from {source} where {" and ".join(conditions)}
             order by r.entered_at desc, r.id desc limit %(limit)s""",
        {**params, "limit": limit + 1, "member": work.actor.member},
    )
    found = [subject_of(row) for row in rows[:limit]]
    items: list[dict[str, Any]] = []
    hidden: list[frozenset[str]] = []
    for one in found:
        of = work.type_of(one.agency, one.type_name, one.core_type)
        fields, masked = readable_fields(work, of, one)
        hidden.append(frozenset(held["field"] for held in masked))
        items.append(
            {
                "id": str(one.id),
                "type": one.type_name,
                "agency": one.agency,
                "on_behalf": one.folded.behalf,
                "number": one.folded.number,
                "title": one.title,
                "state": one.folded.state if one.agency == work.agency else one.core_state,
                "version": one.folded.version,
                "entered_at": show_instant(one.entered_at),
                "fields": fields,
                "masked": len(masked),
            }
        )
    disclosure.told(work, "find", [(one, sorted(item["fields"])) for one, item in zip(found, items, strict=True)])
    last = found[-1] if len(rows) > limit else None
    return Found(found, hidden, Page(items, make_cursor(last.entered_at, str(last.id)) if last else None))


def _rows(work: Work, sql: str, params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of a long statement: the driver remembers how it read a short one only, this does so for any."""
    text, names = _positional(sql)
    cursor = psycopg.RawCursor(work.conn, row_factory=dict_row)
    return cursor.execute(text, [params[name] for name in names]).fetchall()


@lru_cache(maxsize=512)
def _positional(sql: str) -> tuple[str, tuple[str, ...]]:
    """The statement with numbered parameters, and the names that they had, in order."""
    names: dict[str, int] = {}
    text = re.sub(r"%\((\w+)\)s", lambda found: f"${names.setdefault(found[1], len(names) + 1)}", sql)
    return text, tuple(names)


def find_by_number(node: Node, actor: Actor, number: str) -> str:
    """The id of the record with this number, the own agency's first; Problem `not_found`."""
    with node.work(actor) as work:
        found = numbered(work, number.strip())
        if found is None:
            raise Problem("not_found", say("not_found.no_record_numbered_or_it", number=number))
        return found


def _conditions(work: Work, wanted: Search) -> tuple[str, list[str], dict[str, Any]]:
    """What is read from, the conditions and their parameters.

    Where words or values are searched, the groups in which each row may be searched are worked out once a row.
    """
    tokens, where, type = set(words(normalise(wanted.text or ""))), wanted.where or {}, wanted.type
    params: dict[str, Any]
    link = _link(work, wanted.fits) if wanted.fits else None
    if tokens or set(where) - COLUMN_FILTERS or (link is not None and link.shape is not None and link.shape.fields):
        open_ = work.policies.group_columns(
            work.actor, today=work.today, action="find", groups=_groups(work, type), prefix="open_"
        )
        source = f"comity.record r cross join lateral (select {open_.sql} as groups offset 0) open"
        conditions, params = ["'base' = any(open.groups)"], dict(open_.params)
    else:
        policy, params = visible(work, action="find")
        source, conditions = "comity.record r", [policy]
    if type:
        of = work.catalogue.type(type)
        conditions.append("r.core_type = %(core_type)s")
        params["core_type"] = of.core_name
        if of.name != of.core_name:
            conditions.append("r.type = %(type)s")
            params["type"] = type
    if wanted.owner:
        conditions.append("r.agency = %(owner)s")
        params["owner"] = wanted.owner
    for at, word in enumerate(sorted(tokens)):
        conditions.append(_term(work, params, f"w{at}", word, None, whole=False))
    for at, (given, value) in enumerate(where.items()):
        name = _whole_name(work, type, given)
        if name == IN_ERROR:
            continue
        if name in ("number", "state"):
            conditions.append("r.number = %(number)s" if name == "number" else STATE)
            params[name] = str(value)
            continue
        _refuse_unfindable(work, type, name)
        conditions.append(_term(work, params, f"f{at}", normalise(str(value))[:TERM_LENGTH], name, whole=True))
    conditions += _fitting(work, link, params) if link is not None else []
    conditions += _of_error(work, type, where, params)
    if wanted.cursor:
        at_time, at_id = read_cursor(wanted.cursor)
        conditions.append("(r.entered_at, r.id) < (%(at_time)s, %(at_id)s)")
        params |= {"at_time": at_time, "at_id": at_id}
    return source, conditions, params


def _link(work: Work, name: str) -> Link:
    """The link that `fits` names. Raises type_unknown, and invalid for no link or one that points at no records."""
    of, _, link = name.rpartition(".")
    known = work.catalogue.type(of).links if of else {}
    if link not in known or known[link].to == ("member",):
        there = ", ".join(f"{of}.{one}" for one, each in known.items() if each.to != ("member",))
        key = "unknown_link.is_no_link_to_records" if there else "unknown_link.type_has_no_such_links"
        fault = Fault("unknown_link", "fits", say(key, name=name, there=there))
        raise Problem("invalid", say("invalid.fits_names_link_of_type"), faults=[fault])
    return known[link]


def _fitting(work: Work, link: Link, params: dict[str, Any]) -> list[str]:
    """The conditions that a record may be set as the link's target. A value counts only in a group that is open."""
    out = []
    if "any" not in link.to:
        out.append("(r.core_type = any(%(fits_to)s) or r.type = any(%(fits_to)s))")
        params["fits_to"] = list(link.to)
    shape = link.shape
    if shape is not None and shape.states:
        out.append("r.core_state = any(%(fits_state)s)")
        params["fits_state"] = sorted(shape.states)
    for at, (name, allowed) in enumerate(shape.fields.items() if shape is not None else ()):
        either = []
        for place, to in enumerate(link.to):
            key = f"fits_{at}_{place}"
            params |= {
                f"{key}_to": to, f"{key}_name": name, f"{key}_group": work.catalogue.type(to).fields[name].group,
                f"{key}_values": _spelled(work, to, name, allowed),
            }  # fmt: skip
            either.append(
                f"%({key}_to)s in (r.type, r.core_type) and %({key}_group)s = any(open.groups)"
                f" and r.fields ->> %({key}_name)s = any(%({key}_values)s) and not r.field_marks ? %({key}_name)s"
            )
        out.append(f"({' or '.join(either)})")
    return out


def _spelled(work: Work, to: str, name: str, allowed: Sequence[Any]) -> list[str]:
    """The values of a shape as rows hold them: a code also as each kind of it that is known here."""
    found = set(allowed)
    for of in work.catalogue.types.values():
        one = of.fields.get(name)
        if one is not None and to in (of.name, of.core_name):
            found |= {code for code in one.values or () if one.core_code(code) in allowed}
    return sorted(value if isinstance(value, str) else json.dumps(value) for value in found)


def _of_error(work: Work, type: str | None, where: Mapping[str, Any], params: dict[str, Any]) -> list[str]:
    """The condition that leaves out what was entered in error, or asks for nothing else; none where it is not asked."""
    asked = str(where.get(IN_ERROR, "false")).lower()
    if asked not in ("true", "false"):
        fault = Fault("wrong_kind", IN_ERROR, say("wrong_kind.true_or_false"))
        raise Problem("invalid", say("invalid.is_true_or_false", in_error=IN_ERROR), faults=[fault])
    if IN_ERROR not in where and {"number", "state"} & where.keys():
        return []
    core = work.catalogue.type(type).core_name if type else None
    states = [(of, state) for of, state in work.catalogue.in_error() if core in (None, of)]
    if not states:
        return ["false"] if asked == "true" else []
    params["in_error"] = [f"{of} {state}" for of, state in states]
    wrong = "r.core_type || ' ' || r.core_state = any(%(in_error)s)"
    return [wrong if asked == "true" else f"not ({wrong})"]


def _groups(work: Work, type: str | None) -> tuple[str, ...]:
    """The groups that records of a type, or of those derived from it, may have; of all types without one."""
    if not type:
        return work.policies.groups_of()
    core = work.catalogue.type(type).core_name
    known = [one.name for one in work.catalogue.types.values() if one.core_name == core]
    return tuple(sorted({group for name in {core, *known} for group in work.policies.groups_of(name)}))


def _whole_name(work: Work, type: str | None, given: str) -> str:
    """A layer's field may be called by its plain name where the type has no field of that name."""
    fields = work.catalogue.type(type).fields if type else {}
    if given in fields or given in COLUMN_FILTERS:
        return given
    return next((name for name in fields if name.partition(":")[2] == given), given)


def _refuse_unfindable(work: Work, type: str | None, name: str) -> None:
    of = work.catalogue.type(type) if type else None
    barred = next(
        (why for one, field, why in _barred(work) if field == name and (of is None or one in (of.name, of.core_name))),
        None,
    )
    if barred is not None:
        field = of.fields.get(name) if of else None
        said = say(
            "not_allowed.searching_by_is_barred_here", type=called(of) if of else say("not_allowed.records"),
            name=called(field) if field else name, barred=Worded(barred),
        )  # fmt: skip
        raise Problem("not_allowed", said)
    known = of.find_fields if of else sorted({f for t in work.catalogue.types.values() for f in t.find_fields})
    if name not in known:
        raise Problem(
            "invalid", say("invalid.is_not_field_that_can", name=name),
            faults=[Fault("not_findable", name, say("not_findable.no_findable_field_of_this", known=', '.join(known)))],
        )  # fmt: skip


def _barred(work: Work) -> Iterator[tuple[str, str, str]]:
    """(type, field, statute) of the searches that the agency's own law bars."""
    for name, why in work.catalogue.forbid.items():
        one, _, field = name.removeprefix("find.").rpartition(".")
        yield one, field, why


def _term(work: Work, params: dict[str, Any], name: str, token: str, field: str | None, *, whole: bool) -> str:
    """A condition that a field in an open group of the row holds the token. The first half lets the index drive."""
    params[name] = token
    here = f"t.token = %({name})s and t.whole = {whole}"
    if field:
        here += f" and t.field = %(field_{name})s"
        params[f"field_{name}"] = field
    lawful = ""
    for at, (one, barred, _) in enumerate(_barred(work)):
        lawful += f" and not (t.field = %(barred_{at})s and %(barred_type_{at})s in (r.type, r.core_type))"
        params |= {f"barred_{at}": barred, f"barred_type_{at}": one}
    return (
        f"r.id in (select t.record from comity.term t where {here}) and exists (select 1 from comity.term t"
        f" where t.record = r.id and {here}{lawful} and t.grp = any(open.groups))"
    )
