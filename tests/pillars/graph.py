"""A graph of records held in memory: what a pillar's functions are given, without a database."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import yaml

from comity.extensions import Done, Fact, OfferFact

ROOT = Path(__file__).parents[2]
TODAY = date(2026, 11, 22)


def at(month: int, day: int, hour: int = 12) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def rule(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text())


class Graph:
    """Implements extensions.Facts over records that a test adds and changes."""

    def __init__(self, agency: str = "atf") -> None:
        self.agency = self.owner = agency
        self.today, self.now = TODAY, datetime(2026, 11, 22, 12, tzinfo=UTC)
        self.given: dict[str, Fact] = {}
        self.records: dict[str, Fact] = {}
        self.hidden: dict[str, Fact] = {}
        self.subject_id = ""

    @property
    def subject(self) -> Fact:
        return self.records[self.subject_id]

    def linked(self, fact: Fact, name: str) -> Sequence[Fact]:
        return [self.records[one] for one in fact.links.get(name, ()) if one in self.records]

    def linking(self, fact: Fact | str, type_name: str, name: str) -> Sequence[Fact]:
        target = fact if isinstance(fact, str) else fact.id
        found = (one for one in self.records.values() if one.type == type_name)
        return [one for one in found if target in one.links.get(name, ())]

    def unseen(self, record: str, type_name: str, name: str, states: Collection[str], tie: str = "") -> bool:
        near = {record}
        for claim in self.hidden.values():
            if claim.type == tie and record in (ends := [one for ids in claim.links.values() for one in ids]):
                near.update(ends)
        return any(
            one.type == type_name and one.state in states and near & set(one.links.get(name, ()))
            for one in self.hidden.values()
        )

    def one(self, record: str) -> Fact | None:
        return self.records.get(record)

    def day(self, instant: datetime) -> date:
        return instant.date()

    def knows(self, type_name: str) -> bool:
        return True

    def hide(self, *ids: str) -> None:
        """What the member's roles do not open: it is there, and neither `linked` nor `linking` gives it."""
        self.hidden |= {one: self.records.pop(one) for one in ids}

    def rules(self, name: str) -> Any:
        layer, file = name.split(".")
        path = ROOT / "jurisdictions" / layer / "rules" / f"{file}.yml"
        return yaml.safe_load(path.read_text()) if path.exists() else None

    def add(
        self,
        id: str,
        type: str,
        fields: Mapping[str, Any],
        *,
        state: str,
        links: Mapping[str, Sequence[str]] | None = None,
        agency: str = "",
        on: datetime | None = None,
        by: str = "agent",
        acts: Mapping[str, tuple[str, datetime]] | None = None,
        offer: OfferFact | None = None,
        marks: Sequence[str] = (),
        title: str = "",
    ) -> Fact:
        owner = agency or self.agency
        done = {name: Done(who, when, owner) for name, (who, when) in (acts or {}).items()}
        self.records[id] = Fact(
            id=id, type=type, agency=owner, number=id.upper(), title=title, state=state, version=1, fields=dict(fields),
            links=dict(links or {}), marks=frozenset(marks), entered_at=on or at(10, 5), entered_by=by, acts=done,
            offer=offer, owner=owner,
        )  # fmt: skip
        return self.records[id]

    def change(self, id: str, *, fields: Mapping[str, Any] | None = None, **changed: Any) -> None:
        old = self.records[id]
        self.records[id] = replace(old, fields={**old.fields, **(fields or {})}, **changed)


def offer(state: str, to: str, on: datetime, answered: datetime | None = None, by: str = "atf") -> OfferFact:
    return OfferFact(state, by, to, on, answered, {})


def profile() -> Fact:
    """The profile that the office's own folder ships."""
    written = rule("agencies/usao/records/referral_profile.yml")
    graph = Graph("usao")
    return graph.add("usao-pr", written["type"], written["fields"], state="in_force", title="Drugs and firearms")


def two_buys() -> Graph:
    """ATF's finished case: two controlled buys, a drug item examined by the laboratory, a pistol, three counts."""
    graph = Graph()
    add = graph.add
    add("case", "investigation.case", {"title": "Harbor Street", "program": "firearms", "summary": "Sales."},
        state="open", links={"subject": ["person"], "incident": ["incident"]})  # fmt: skip
    graph.subject_id = "case"
    add("person", "registry.person", {"name": "Marlon Quist", "birth_date": "1988-03-14"}, state="current")
    add("incident", "investigation.incident", {"incident_number": "HY1"}, state="open", agency="cpd")
    add("adoption", "investigation.adoption", {"owner": "cpd"}, state="adopted", links={"incident": ["incident"]})
    for name, day in (("buy1", 14), ("buy2", 28)):
        add(name, "investigation.report", {"narrative": "The agent bought.", "disclosure": "whole",
            "disclosure_ground": "discoverable"}, state="approved", links={"case": ["case"]}, on=at(10, day),
            acts={"submit": ("agent", at(10, day)), "approve": ("supervisor", at(10, day + 1))})  # fmt: skip
    add("drug", "evidence.item", {"category": "drug", "gross_weight": "31.20"}, state="out",
        links={"case": ["case"], "report": ["buy1"]}, acts={"check_out": ("custodian", at(10, 30))})  # fmt: skip
    add("pistol", "evidence.item", {"category": "firearm", "serial_number": "SAMPLE-0042"}, state="stored",
        links={"case": ["case"], "report": ["buy2"]})  # fmt: skip
    add("transfer", "evidence.custody_transfer", {}, state="explained", links={"item": ["drug"]},
        offer=offer("accepted_with_discrepancy", "fsl", at(10, 30), at(11, 2)))  # fmt: skip
    add("request", "forensics.request", {}, state="received", links={"item": ["drug"]},
        offer=offer("received", "fsl", at(10, 30), at(11, 2)))  # fmt: skip
    add("exam", "forensics.examination", {}, state="verified", agency="fsl", by="analyst",
        links={"item": ["drug"], "request": ["request"]},
        acts={"submit_results": ("analyst", at(11, 10)), "verify": ("second", at(11, 12))})  # fmt: skip
    add("lab", "forensics.report", {"released_to": ["atf", "usao"]}, state="reported", agency="fsl", by="analyst",
        links={"item": ["drug"], "examination": ["exam"], "request": ["request"]},
        acts={"release": ("director", at(11, 14))})  # fmt: skip
    add("record", "registry.document", {"title": "Certified judgment"}, state="current")
    count(graph, "c841", "21 USC 841(a)(1)", "2026-10-14", conduct=["buy1"], object=["drug"], mental_state=["buy1"])
    count(graph, "c922", "18 USC 922(g)(1)", "2026-10-28", conduct=["buy2"], object=["pistol"], mental_state=["buy2"],
          status=["record"], circumstance=["pistol"])  # fmt: skip
    count(graph, "c924", "18 USC 924(c)(1)(A)", "2026-10-28", conduct=["buy2"], object=["pistol"],
          mental_state=["buy2"], circumstance=["buy1"])  # fmt: skip
    return graph


def count(graph: Graph, id: str, statute: str, on: str, **proofs: list[str]) -> None:
    graph.add(id, "investigation.offense", {"statute": statute, "offense_date": on, "count": 1, "facts": "Sale."},
              state="proposed", links={"case": ["case"], "subject": ["person"], **proofs}, title=statute)  # fmt: skip
