"""Records with a canary in every field that takes one: of every type that an agency may enter, for several agencies.

A canary is a word that stands nowhere else. Whatever an opponent is shown is searched for all of them.
"""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg

from comity.errors import Problem
from comity.kernel.records.attach import attach
from comity.kernel.types.catalogue import Field, Type
from comity.kernel.views.find import find
from tests.world import World, day, instant

CANARY = re.compile(r"zq[0-9a-f]{6}(?![0-9a-z])")
UUID_TEXT = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_count = itertools.count(1)


def canary() -> str:
    return f"zq{next(_count) * 7919 % 0xFFFFFF:06x}"


@dataclass
class Planted:
    """One record: what was put where. `fields` maps names to canaries; `said` are reasons and file names, shown to
    those alone who read every group."""

    id: str
    name: str
    agency: str
    type: str
    number: str | None
    version: int
    entered_by: str
    fields: dict[str, set[str]] = field(default_factory=dict)
    said: set[str] = field(default_factory=set)
    marks: frozenset[str] = frozenset()
    field_marks: Mapping[str, Sequence[str]] = field(default_factory=dict)
    assigned: frozenset[str] = frozenset()
    parties: frozenset[str] = frozenset()
    links: Mapping[str, Sequence[str]] = field(default_factory=dict)
    state: str = ""
    file: str = ""
    shares: list[tuple[str, str | None, frozenset[str]]] = field(default_factory=list)
    """Live grants: to which agency, to which member (None: all), which groups."""


@dataclass
class Garden:
    """All that was planted, by short name (`atf.person`) and by id."""

    world: World
    by_name: dict[str, Planted] = field(default_factory=dict)

    @property
    def all(self) -> list[Planted]:
        return list(self.by_name.values())

    def __getitem__(self, name: str) -> Planted:
        return self.by_name[name]

    def plant(
        self, name: str, seat: str, type: str, fields: Mapping[str, Any] | None = None, *,
        links: Mapping[str, Sequence[str]] | None = None, marks: Sequence[str] = (),
        field_marks: Mapping[str, Sequence[str]] | None = None, leave: Sequence[str] = (),
    ) -> Planted:  # fmt: skip
        """Enter a record with a canary in every field that is not given, attach a file where that is allowed."""
        actor = self.world.seats[seat]
        of = self.world.node.catalogue(actor.agency).type(type)
        values, placed = dict(fields or {}), {}
        for one in of.fields.values():
            if one.name in values or one.input or one.name in leave:
                continue
            value = filled(one)
            if value is not None:
                values[one.name] = value
        for key, value in values.items():
            found = set(CANARY.findall(str(value)))
            if found:
                placed[key] = found
        reason, file_name, content = canary(), canary(), canary()
        pointed = {k: [self.by_name[n].id if n in self.by_name else n for n in v] for k, v in (links or {}).items()}
        cause = canary()
        receipt = self.world.enter(
            seat, type, values, links=pointed, marks=marks, field_marks=field_marks or {}, reason=reason,
            late_cause=cause,
        )  # fmt: skip
        file = ""
        version = receipt.version
        if "amend" in of.acts and of.initial in of.acts["amend"].from_:
            kept = attach(
                self.world.node, actor, receipt.record, name=f"{file_name}.txt", media_type="text/plain",
                stream=io.BytesIO(content.encode()),
            )  # fmt: skip
            version = kept.version
            ((file,),) = self.world.rows(
                actor.agency, "select id::text from comity.file where record = %s", receipt.record
            )
        row = self.world.rows(
            actor.agency,
            "select number, marks, assigned, parties, core_state from comity.record where id = %s",
            receipt.record,
        )[0]
        made = Planted(
            receipt.record, name, actor.agency, of.core_name, row[0], version, actor.member, placed,
            {reason, file_name, content, cause}, frozenset(row[1]), field_marks or {}, frozenset(row[2]),
            frozenset(row[3]), pointed, row[4], file,
        )  # fmt: skip
        self.by_name[name] = made
        return made

    def share(self, name: str, to: str, *groups: str, member: str | None = None) -> None:
        """Note that a live grant exists, as the offer's type says."""
        self.by_name[name].shares.append((to, member, frozenset(groups)))


def filled(one: Field) -> Any:
    """A value for a field: a canary if it takes free text, else something lawful and as rare as can be; None: leave."""
    schema = one.schema
    kind = schema.get("type", "string")
    if one.values is not None:
        if kind == "array":
            return [sorted(one.values)[0]]
        return sorted(one.values)[0]
    if schema.get("enum"):
        return schema["enum"][0]
    if schema.get("pattern"):
        return None
    if kind == "string":
        form = schema.get("format")
        if form == "date":
            return day(3)
        if form == "date-time":
            return instant(3)
        if form == "decimal":
            return f"{1000 + next(_count)}.{next(_count) * 7919 % 997:03d}"
        if form:
            return None
        longest = schema.get("maxLength", 1000)
        return canary() if longest < 40 else f"{canary()} {canary()}"
    if kind == "array" and schema.get("items", {}).get("type") == "string" and not schema["items"].get("format"):
        return [canary()]
    if kind == "boolean":
        return True
    if kind == "integer":
        return schema.get("minimum", 1)
    return None


@contextmanager
def behind_the_back(world: World, change: str, restore: str, **given: Any) -> Iterator[None]:
    """A change that no verb makes, by the superuser, taken back at the end: the record stays what its log says."""
    with psycopg.connect(world.database.superuser_url, autocommit=True) as conn:
        conn.execute(change, given)
        try:
            yield
        finally:
            conn.execute(restore, given)


def everything(world: World, agency: str) -> str:
    """A seat in all roles of an agency: for planting only."""
    return world.seat(agency, *world.node.catalogue(agency).roles)


def types_of(world: World, agency: str) -> Iterator[Type]:
    yield from world.node.catalogue(agency).types.values()


def plant_all(world: World) -> Garden:
    """The garden: plain, marked, assigned, party and offered records of five agencies."""
    g = Garden(world)
    for agency in ("cpd", "atf", "dea"):
        _investigation(g, agency, everything(world, agency))
    for agency in ("fsl", "usao"):
        _registry(g, agency, everything(world, agency))
    _offers(g)
    _laboratory(g)
    _prosecution(g)
    return g


def _registry(g: Garden, a: str, seat: str) -> None:
    enterable = {"usao": ("place", "organization", "person", "document")}.get(a, ("document",))
    for kind in enterable:
        links = {"residence": [f"{a}.place"]} if kind == "person" else {}
        g.plant(f"{a}.{kind}", seat, f"registry.{kind}", links=links)


def _investigation(g: Garden, a: str, seat: str) -> None:
    more = {"dea": {"organization": {"dea:registration_number": "AB1234563"}}}.get(a, {})
    g.plant(f"{a}.place", seat, "registry.place")
    g.plant(
        f"{a}.organization", seat, "registry.organization", more.get("organization"), links={"place": [f"{a}.place"]}
    )
    g.plant(f"{a}.person", seat, "registry.person", links={"residence": [f"{a}.place"]})
    g.plant(f"{a}.other_person", seat, "registry.person")
    g.plant(f"{a}.juvenile", seat, "registry.person", marks=["juvenile"])
    g.plant(f"{a}.document", seat, "registry.document", links={"about": [f"{a}.person"]})
    g.plant(
        f"{a}.claim",
        seat,
        "registry.identity_claim",
        links={"person": [f"{a}.person"], "same_as": [f"{a}.other_person"]},
    )
    g.plant(f"{a}.incident", seat, "investigation.incident",
            links={"place": [f"{a}.place"], "subject": [f"{a}.person"], "witness": [f"{a}.juvenile"]})  # fmt: skip
    g.plant(f"{a}.bare_incident", seat, "investigation.incident", leave=["narrative"])
    g.plant(f"{a}.victim_incident", seat, "investigation.incident", marks=["victim"])
    veiled = {"offense_description": ["victim"], "narrative": ["informant"], "beat": ["sealed"]}
    g.plant(f"{a}.veiled_incident", seat, "investigation.incident", field_marks=veiled)
    g.plant(f"{a}.reported", seat, "investigation.reported_offense", links={"incident": [f"{a}.incident"]})
    case = {"program": {"dea": "drugs"}.get(a, "firearms")}
    if a == "dea":
        case |= {"dea:gdep": "YGC1A"}
    member = g.world.seats[g.world.seat(a, *ASSIGNED[a])].member
    g.plant(f"{a}.case", seat, "investigation.case", case,
            links={"incident": [f"{a}.incident"], "subject": [f"{a}.person"], "place": [f"{a}.place"]})  # fmt: skip
    g.plant(f"{a}.assigned_case", seat, "investigation.case", case, links={"assigned": [member]})
    g.plant(
        f"{a}.jury_case", seat, "investigation.case", case, marks=["grand_jury"], links={"subject": [f"{a}.person"]}
    )
    g.plant(f"{a}.wiretap_case", seat, "investigation.case", case, marks=["wiretap"])
    g.plant(f"{a}.report", seat, "investigation.report", {"informant_number": "123-4567"},
            links={"case": [f"{a}.case"], "subject": [f"{a}.person"], "incident": [f"{a}.incident"]})  # fmt: skip
    g.plant(f"{a}.informant_report", seat, "investigation.report", {"informant_number": "123-4568"},
            marks=["informant"], links={"case": [f"{a}.case"]})  # fmt: skip
    g.plant(f"{a}.offense", seat, "investigation.offense", {"statute": "18 USC 922(g)(1)"},
            links={"case": [f"{a}.case"], "subject": [f"{a}.person"]})  # fmt: skip
    for name in ("item", "second_item", "third_item"):
        g.plant(f"{a}.{name}", seat, "evidence.item", {"category": "firearm"},
                links={"case": [f"{a}.case"], "report": [f"{a}.report"], "from_person": [f"{a}.person"]})  # fmt: skip


ASSIGNED = {"cpd": ["detective"], "atf": ["special_agent"], "dea": ["intelligence_analyst"]}


def _offers(g: Garden) -> None:
    """A lead from ATF to DEA, an adoption asked of the city, a transfer and a request to the laboratory."""
    atf, dea = everything(g.world, "atf"), everything(g.world, "dea")
    g.plant("atf.lead", atf, "investigation.lead", {"partner": "dea", "lead_agency": "atf"},
            links={"case": ["atf.case"], "subject": ["atf.person"]})  # fmt: skip
    g.share("atf.lead", "dea", "base", "terms")
    g.share("atf.case", "dea", "base")
    g.share("atf.person", "dea", "base", "identity")
    g.plant("dea.adoption", dea, "investigation.adoption", {"owner": "cpd", "program": "drugs"},
            links={"incident": ["cpd.incident"]})  # fmt: skip
    g.share("dea.adoption", "cpd", "base")
    g.plant("atf.transfer", atf, "evidence.custody_transfer", {"to_agency": "fsl"}, links={"item": ["atf.item"]})
    g.share("atf.transfer", "fsl", "base")
    g.plant("atf.request", atf, "forensics.request",
            {"laboratory": "fsl", "prosecutor": "usao", "examinations": ["controlled_substance"]},
            links={"item": ["atf.item"], "case": ["atf.case"]})  # fmt: skip
    g.share("atf.request", "fsl", "base")
    g.share("atf.item", "fsl", "base")


def _laboratory(g: Garden) -> None:
    fsl = everything(g.world, "fsl")
    g.plant("fsl.examination", fsl, "forensics.examination", {"requester": "atf"},
            links={"request": ["atf.request"], "item": ["atf.item"]})  # fmt: skip
    g.plant("fsl.report", fsl, "forensics.report",
            links={"request": ["atf.request"], "item": ["atf.item"], "examination": ["fsl.examination"]})  # fmt: skip


def _prosecution(g: Garden) -> None:
    usao, atf = everything(g.world, "usao"), everything(g.world, "atf")
    rule = g.world.node.catalogue("usao").records["referral_profile"]
    g.plant("usao.profile", usao, "prosecution.referral_profile", {**rule["fields"], "title": canary()})
    g.plant("atf.referral", atf, "prosecution.referral",
            {"office": "usao", "program": "firearms", "informed": ["cpd"]},
            links={"case": ["atf.case"], "incident": ["atf.incident"], "subject": ["atf.person"],
                   "offense": ["atf.offense"]})  # fmt: skip
    g.share("atf.referral", "usao", "base", "bundle", "remarks")
    g.share("atf.case", "usao", "base", "narrative")
    g.share("atf.person", "usao", "base", "identity")
    g.share("atf.offense", "usao", "base", "narrative")
    g.plant("usao.decision", usao, "prosecution.charge_decision", {"referrer": "atf", "decision": "accepted"},
            links={"referral": ["atf.referral"], "offense": ["atf.offense"]})  # fmt: skip


def listed(world: World, seat: str, **asked: Any) -> list[Mapping[str, Any]]:
    """Every item of every page."""
    out: list[Mapping[str, Any]] = []
    cursor = None
    while True:
        page = find(world.node, world.seats[seat], limit=200, cursor=cursor, **asked)
        out += page.items
        cursor = page.next
        if cursor is None:
            return out


__all__ = [
    "ASSIGNED",
    "CANARY",
    "UUID_TEXT",
    "Garden",
    "Planted",
    "Problem",
    "canary",
    "everything",
    "listed",
    "plant_all",
]
