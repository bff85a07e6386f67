"""Five institutions of a district, of which court and jail are outside until a test lets them join."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from comity.config import loader, paths
from comity.kernel.definitions.load import read_folder
from comity.kernel.policy import tokens
from comity.kernel.policy.actor import Actor, Behalf
from comity.kernel.records.act import act
from comity.kernel.records.amend import amend
from comity.kernel.records.answer import answer
from comity.kernel.records.attach import attach
from comity.kernel.records.enter import enter
from comity.kernel.records.install import install
from comity.kernel.views.read import read
from comity.kernel.work.results import Receipt
from tests.pillars.stage import Stage
from tests.world import day

LAW = paths.jurisdictions() / "us-federal"
AGENCIES = {"usao": "member", "usms": "member", "state-police": "member", "usdc": "outside", "detention": "mirrored"}
SEATS = {
    "attorney": ("usao", ["attorney"]),
    "docket": ("usao", ["docket_clerk", "attorney"]),
    "reader": ("usao", ["docket_clerk"]),
    "marshal": ("usms", ["deputy_marshal"]),
    "liaison": ("usms", ["deputy_marshal", "court_liaison", "jail_liaison"]),
    "trooper": ("state-police", ["warrants_sergeant"]),
}


def own_file(agency: str, name: str) -> str:
    """A file of an agency's folder, to be changed."""
    return read_folder(paths.agencies() / agency)[name]


class District(Stage):
    """A stage on which a seat may act on behalf of an institution: `for_` names it, `document` what shows the act."""

    def open(self) -> District:
        self.made: dict[str, str] = {}
        self.tokens: dict[str, str] = {}
        for agency, membership in AGENCIES.items():
            self.put(agency, membership)
        for name, (agency, roles) in SEATS.items():
            self.seat(agency, name, *roles)
        return self

    def seat(self, agency: str, name: str, *roles: str) -> None:
        issued = tokens.admit(self.node, agency, name, list(roles))
        self.seats[name] = tokens.sign_in(self.node, issued.token)
        self.tokens[name] = issued.token

    def put(self, agency: str, membership: str, more: Mapping[str, str] | None = None) -> None:
        """Install an agency as outside, mirrored or member, with `more` files of its own."""
        own = {**read_folder(paths.agencies() / agency), **(more or {})}
        own["agency.yml"] = own["agency.yml"].replace("membership: member", f"membership: {membership}")
        law = read_folder(LAW)
        install(self.node, tokens.operator(), agency=agency, core=loader.core_files(), jurisdiction=law, own=own)
        if agency not in self.agencies:
            self.agencies.append(agency)

    def document(self, seat: str, title: str, *, file: bool = True) -> str:
        """What came on paper, entered by a seat with its scan."""
        held = self.enter(seat, "registry.document", {"title": title, "kind": "other"})
        if file:
            scan = io.BytesIO(b"%PDF " + title.encode())
            attach(self.node, self.seats[seat], held, name="scan.pdf", media_type="application/pdf", stream=scan)
        return held

    def granted(self, agency: str, record: str, to: str) -> list[tuple[list[str], int | None]]:
        """(groups, version) of the live grants by which an institution sees a record because of what was reported."""
        with self.node.transaction(agency) as (conn, _):
            return conn.execute(
                "select groups, version from comity.share where record = %s and to_agency = %s and live", (record, to)
            ).fetchall()

    def speaking(self, seat: str, agency: str, document: str) -> Actor:
        return replace(self.seats[seat], behalf=Behalf(agency, document))

    def entered(
        self, seat: str, agency: str, document: str, type: str, fields: Mapping[str, Any],
        links: Mapping[str, Sequence[str]] | None = None, **rest: Any,
    ) -> Receipt:  # fmt: skip
        return enter(self.node, self.speaking(seat, agency, document), type, fields, links=links or {}, **rest)

    def acted(self, seat: str, agency: str, document: str, record: str, name: str, **rest: Any) -> Receipt:
        return act(self.node, self.speaking(seat, agency, document), record, name, **rest)

    def answered(self, seat: str, agency: str, document: str, record: str, name: str, **rest: Any) -> Receipt:
        return answer(self.node, self.speaking(seat, agency, document), record, name, **rest)

    def amended(self, seat: str, agency: str, document: str, record: str, **rest: Any) -> Receipt:
        speaking = self.speaking(seat, agency, document)
        return amend(self.node, speaking, record, version=read(self.node, speaking, record).version, **rest)

    def case(self, seat: str, document: str, agency: str = "usdc") -> tuple[Receipt, str]:
        """A case of the court as a seat reports it, and the defendant's record."""
        person = self.enter(seat, "registry.person", {"role": "defendant", "name": "Dale Everett Pruitt"})
        fields = {"kind": "criminal", "caption": "United States v. Pruitt", "opened_on": day()}
        return self.entered(seat, agency, document, "court.case", fields, {"defendant": [person]}), person

    def join(self, agency: str, **seats: Sequence[str]) -> None:
        """The operator installs it as a member, and its first members come in, each in the roles named."""
        self.put(agency, "member")
        for name, roles in seats.items():
            self.seat(agency, name, *roles)
