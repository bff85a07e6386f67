"""One release, from the order to the returns, with the one step left out that a test names. Each is its own case."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from comity.config import loader, paths
from comity.kernel.definitions.load import read_folder
from comity.kernel.records import guards
from tests.pillars.federal import SEATS
from tests.pillars.stage import Stage, staged
from tests.world import day, instant

AGENCIES = ("usao", "usdc", "usms", "detention", "pretrial", "state-police")
MORE = (
    ("detention", "warden", "shift_supervisor"),
    ("state-police", "trooper", "trooper"),
    ("pretrial", "chief", "supervising_officer"),
)


@contextmanager
def doors_open() -> Iterator[None]:
    """As earlier definitions let it: no condition is judged when an act is done."""
    with pytest.MonkeyPatch.context() as off:
        off.setattr(guards, "faults", lambda *given: [])
        yield


def courthouse(home: Path) -> Iterator[Stage]:
    law = read_folder(paths.jurisdictions() / "us-federal")
    with staged(home) as on:
        for name in AGENCIES:
            on.install(name, loader.core_files(), law, read_folder(paths.agencies() / name))
        for agency, name, role in (*SEATS, *MORE):
            if agency in AGENCIES:
                on.seat(agency, name, role)
        yield on


@dataclass
class Release:
    """The ids by short name in `made`. A step that `without` names is not done, nor what cannot be done without it."""

    on: Stage
    without: str = ""
    made: dict[str, str] = field(default_factory=dict)

    def does(self, *steps: str) -> bool:
        return self.without not in steps

    def played(self) -> Release:
        self.ordered()
        for to, seat, duty in (
            ("detention", "records", "release"),
            ("pretrial", "pretrial", "supervise"),
            ("usao", "attorney", "inform"),
        ):
            self.served(to, seat, duty)
        self.held()
        self.detainer()
        if self.does("release", "recall", "recall, and yet executed", "ending the hold of a lifted detainer"):
            self.released()
        self.supervised()
        self.told()
        if self.without.startswith("recall"):
            self.recalled()
        return self

    def order(self, name: str, kind: str, addressees: list[str], **fields: object) -> str:
        made = self.on.enter(
            "clerk",
            "court.order",
            {"kind": kind, "title": name, "terms": "So ordered.", "addressees": addressees, **fields},
            case=self.made["case"],
            **({"recalls": self.made["order"]} if kind == "recall" else {}),
        )
        self.on.act("judge", made, "sign")
        line = self.on.enter("clerk", "court.docket_entry", {"entered_on": day(), "text": name}, case=self.made["case"])
        self.on.act("clerk", made, "enter_on_docket", entered_on=day(), links={"docket_entry": line})
        return made

    def ordered(self) -> None:
        party = self.on.enter("clerk", "registry.person", {"role": "defendant", "name": "Sam Sample"})
        self.made["party"] = party
        self.made["case"] = self.on.enter(
            "clerk",
            "court.case",
            {"kind": "criminal", "caption": "United States v. Sample", "opened_on": day(), "prosecution": "usao"},
            defendant=party,
        )
        self.made["order"] = self.order(
            "Order of release",
            "release",
            ["detention", "pretrial", "usao"],
            conditions=["Report."],
            **{"us-federal:release_kind": "conditions"},
        )

    def served(self, to: str, seat: str, duty: str) -> None:
        if not self.does(f"service on {to}"):
            return
        self.made[to] = self.on.enter(
            "clerk",
            "court.order_service",
            {"addressee": to, "duty": duty},
            order=self.made["order"],
            case=self.made["case"],
        )
        if self.does(f"acknowledgment of {to}"):
            self.on.answer(seat, self.made[to], "acknowledged", acknowledged_at=instant())

    def returned(self, to: str, seat: str) -> None:
        if not self.does(f"service on {to}", f"acknowledgment of {to}", f"return of {to}", "recall"):
            return
        filing = self.on.enter(
            seat,
            "court.filing",
            {"court": "usdc", "kind": "return", "title": "Return", "outcome": "executed", "executed_at": instant()},
            service=self.made[to],
        )
        self.on.answer("clerk", filing, "filed", filed_at=instant())
        self.on.act("clerk", self.made[to], "record_execution", links={"return": filing})

    def held(self) -> None:
        person = self.on.enter("intake", "registry.person", {"role": "prisoner", "name": "Sam S."})
        self.made["stay"] = self.on.enter(
            "intake",
            "custody.intake",
            {"received_at": instant(), "ground": "surrender", "legal_custodian": "usms", "identified_by": "document"},
            person=person,
        )
        self.made["hold"] = self.on.enter(
            "records",
            "custody.hold",
            {"basis": "commitment_order", "authority": "usdc", "since": instant()},
            intake=self.made["stay"],
            ground=self.made["stay"],
        )

    def detainer(self) -> None:
        wanted = self.on.enter("sergeant", "registry.person", {"role": "subject", "name": "Sam S. Sample"})
        self.made["detainer"] = self.on.enter(
            "sergeant",
            "custody.detainer",
            {"facility": "detention", "basis": "warrant", "reference": "W-7"},
            person=wanted,
            intake=self.made["stay"],
        )
        self.on.answer("records", self.made["detainer"], "lodged", lodged_at=instant())
        if not self.does("hold on the detainer"):
            return
        hold = self.on.enter(
            "records",
            "custody.hold",
            {"basis": "detainer", "authority": "state-police", "since": instant()},
            intake=self.made["stay"],
            detainer=self.made["detainer"],
        )
        self.on.act("sergeant", self.made["detainer"], "lift", reason="Recalled")
        if self.does("ending the hold of a lifted detainer"):
            self.on.act(
                "records",
                hold,
                "end",
                reason="Lifted",
                ended_at=instant(),
                links={"ended_by": self.made["detainer"]},
            )

    def released(self) -> None:
        if not self.does("hold on the detainer"):
            return
        service = self.made.get("detention", self.made["stay"])
        self.on.act(
            "records",
            self.made["hold"],
            "end",
            reason="Ordered released",
            ended_at=instant(),
            links={"ended_by": service},
        )
        with doors_open() if self.without == "order behind the release" else nullcontext():
            out = self.on.enter(
                "records",
                "custody.release",
                {"ground": "court_order", "informed": ["usao"]},
                intake=self.made["stay"],
                authority=self.made["stay"] if self.without == "order behind the release" else service,
            )
            self.on.act("shift", out, "complete", released_at=instant())
        self.made["release"] = out
        if self.does("end of the stay"):
            self.on.act("records", self.made["stay"], "discharge", ended_at=instant(), links={"release": out})
        self.returned("detention", "records")

    def supervised(self) -> None:
        if self.does("supervision", "service on pretrial", "recall", "recall, and yet executed"):
            person = self.on.enter("pretrial", "registry.person", {"role": "supervised", "name": "Sam Sample"})
            self.on.enter(
                "pretrial",
                "custody.supervision",
                {"kind": "pretrial", "began_on": day()},
                person=person,
                order=self.made["order"],
            )
        if self.does("recall, and yet executed"):
            self.returned("pretrial", "pretrial")

    def told(self) -> None:
        if self.does("notice"):
            person = self.on.enter("coordinator", "registry.person", {"role": "victim", "name": "Nora Sample"})
            victim = self.on.enter(
                "coordinator", "community.victim", {"wants_notice": True, "way": "phone"}, person=person
            )
            notice = self.on.enter(
                "coordinator",
                "community.notice",
                {"event": "release", "message": "Released."},
                victim=victim,
                about=self.made["usao"],
            )
            if self.does("telling the victim"):
                self.on.act("coordinator", notice, "send", way="phone", sent_at=instant())
                self.on.act("coordinator", notice, "record_told", told_at=instant())
        self.returned("usao", "attorney")

    def recalled(self) -> None:
        seats = {"detention": "records", "pretrial": "pretrial", "usao": "attorney"}
        recall = self.order("Recall", "recall", list(seats))
        for to, seat in seats.items():
            told = {"addressee": to, "duty": "take_note"}
            service = self.on.enter("clerk", "court.order_service", told, order=recall)
            self.on.answer(seat, service, "acknowledged", acknowledged_at=instant())
        self.on.act("clerk", self.made["order"], "recall", links={"recalled_by": recall})
        if self.without == "recall, and yet executed":
            self.returned("pretrial", "pretrial")
