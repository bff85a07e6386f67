"""One district of India: from the first information to release on bail, and two more prisoners whom a clock frees.

Police station, laboratory, prosecution, court and prison each do their own part under the BNSS. All persons are
invented.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from comity import clock
from comity.config.stories.stage import Script, Seat, Story, day, instant, working
from comity.kernel.records.enter import enter
from comity.kernel.views.read import read

AGENCIES = ("in-police", "in-court", "in-fsl", "in-prosecution", "in-prison")
SEATS: Mapping[str, Seat] = {
    "sho": ("in-police", "SHO V. Rathore", ["station_house_officer"]),
    "officer": ("in-police", "SI A. Kumari", ["investigating_officer"]),
    "malkhana": ("in-police", "HC D. Lal", ["malkhana_officer"]),
    "technician": ("in-fsl", "P. Iyer", ["evidence_technician"]),
    "analyst": ("in-fsl", "Dr S. Banerjee", ["analyst"]),
    "second_analyst": ("in-fsl", "Dr M. Fernandes", ["verifying_analyst"]),
    "prosecutor": ("in-prosecution", "K. Mathur", ["public_prosecutor"]),
    "registry": ("in-court", "R. Saxena", ["registry_clerk"]),
    "magistrate": ("in-court", "CJM N. Deshpande", ["magistrate"]),
    "superintendent": ("in-prison", "Supt. G. Thakur", ["superintendent"]),
    "jailer": ("in-prison", "O. Prakash", ["jailer"]),
}


def _information(s: Story) -> None:
    s.enter(
        "diary", "officer", "india.general_diary",
        {"recorded_at": instant(12), "subject": "Phone taken at the bus stand", "kind": "cognizable",
         "text": "Information received by e-mail; the informant is asked to sign.", "electronic": True},
    )  # fmt: skip
    why = s.refused("invalid", "information_not_signed", lambda: _register(s))
    s.tell(
        "officer",
        f"notes an e-mailed information in the general diary ({s.number('diary')}). Registered at once? {why}",
    )
    s.act("diary", "officer", "sign", fields={"signed_on": day(11)})
    s.enter("informant", "officer", "registry.person", {"role": "complainant", "name": "Meera Namuna"})
    s.enter("accused", "officer", "registry.person", {"role": "subject", "name": "अर्जुन नमूना"})
    then = {"occurred_at": clock.now() - timedelta(days=11), "late_cause": "Entered from the station's paper register"}
    s.receipts["fir"] = _register(s, links=s.link(informant="informant", accused="accused"), **then)
    s.act("fir", "officer", "give_copy", fields={"copy_given_on": day(11)})
    s.tell("officer", f"has it signed within three days and registers {s.number('fir')}; the informant has a copy")


def _register(s: Story, links: Mapping[str, Any] | None = None, **when: Any) -> Any:
    return enter(
        s.node, s.actor("officer"), "india.fir",
        {"sections": "BNS 303(2)", "received_at": instant(12), "e_fir": True,
         "information": "A phone was taken from her hand at the bus stand."},
        links={**s.link(general_diary="diary"), **(links or {})}, **when,
    )  # fmt: skip


def _property(s: Story) -> None:
    s.enter(
        "phone", "officer", "evidence.item",
        {"description": "Mobile phone", "category": "digital_device", "origin": "recovered", "legal_basis": "warrant",
         "taken_at": instant(10), "seal_number": "S-1", "india:malkhana_number": "412/26"},
    )  # fmt: skip
    for name, person in (("panch1", "Ravi Gavah"), ("panch2", "Sita Gavah")):
        s.enter(name, "officer", "registry.person", {"role": "witness", "name": person})
    s.enter(
        "memo", "officer", "india.seizure_memo", {"made_at": instant(10), "kind": "search", "recorded": True},
        links=s.link(fir="fir", item="phone", witness=["panch1", "panch2"]),
    )  # fmt: skip
    s.act("memo", "officer", "send", fields={"sent_on": day(9)})
    s.act("phone", "malkhana", "book")
    s.act("phone", "malkhana", "store", fields={"storage_location": "Almirah 2"})
    s.tell(
        "malkhana", f"enters the phone in the malkhana as {s.number('phone')}; seized before two witnesses, on video"
    )
    _examined(s)


def _examined(s: Story) -> None:
    """The phone goes to the laboratory, which reports."""
    s.act("phone", "malkhana", "check_out", reason="Examination", fields={"out_to": "laboratory"})
    s.enter(
        "sent", "malkhana", "evidence.custody_transfer",
        {"to_agency": "in-fsl", "purpose": "examination", "conveyance": "hand", "sent": instant(8)},
        links=s.link(item="phone"),
    )  # fmt: skip
    s.enter(
        "request", "officer", "forensics.request",
        {"laboratory": "in-fsl", "examinations": ["digital"], "question": "Whose is it?", "priority": "routine"},
        links=s.link(item="phone"),
    )  # fmt: skip
    s.answer("sent", "technician", "accepted", fields={"received": instant(7), "seal_intact": True})
    s.answer("request", "technician", "received", fields={"laboratory_number": "F-88"})
    s.until("malkhana", "sent", "accepted")
    s.until("officer", "request", "received")
    s.enter(
        "sheet", "analyst", "forensics.bench_sheet",
        {"done_at": instant(6), "step": "Imaged", "reading": "Image complete"},
        links=s.link(item="phone", request="request"),
    )  # fmt: skip
    s.act("sheet", "analyst", "sign")
    s.enter(
        "examination", "analyst", "forensics.examination",
        {"requester": "in-police", "kind": "digital", "started": day(6), "method": "Image and hash", "outcome": "match",
         "result": "The informant's account is on it."},
        links=s.link(request="request", item="phone", bench_sheet="sheet"),
    )  # fmt: skip
    s.act("examination", "analyst", "submit_results")
    s.enter(
        "check", "second_analyst", "forensics.verification",
        {"kind": "technical", "done_on": day(5), "result": "agrees"}, links=s.link(request="request", item="phone"),
    )  # fmt: skip
    s.act("check", "second_analyst", "complete")
    s.act("examination", "second_analyst", "verify", links=s.link(verification="check"))
    s.enter(
        "report", "analyst", "forensics.report",
        {"conclusion": "The phone is the informant's.", "outcome": "match"},
        links=s.link(request="request", item="phone", examination="examination"),
    )  # fmt: skip
    s.act("report", "second_analyst", "approve")
    s.act("report", "analyst", "release", fields={"released_to": ["in-police", "in-court"]})
    s.enter("chain", "malkhana", "evidence.chain_statement", {"made_on": day(), "released_to": ["in-court"]},
            links=s.link(item="phone"))  # fmt: skip
    s.tell("analyst", f"reports straight to station and court ({s.number('report')}); the chain of custody has no gap")


def _arrested(s: Story) -> None:
    s.enter(
        "arrest", "officer", "india.arrest",
        {"arrested_at": instant(8), "grounds": "Found with the phone.", "relative_told_at": instant(8)},
        links=s.link(fir="fir", person="accused"),
    )  # fmt: skip
    s.act("arrest", "officer", "produce", fields={"produced_at": instant(8), "journey_minutes": 40})
    s.tell("officer", f"arrests ({s.number('arrest')}) and produces the accused before the Magistrate within 24 hours")
    s.enter(
        "remand_asked", "officer", "court.filing",
        {"court": "in-court", "kind": "application", "title": "Application for remand"},
        links=s.link(about="arrest", defendant="accused"),
    )  # fmt: skip
    s.answer("remand_asked", "registry", "filed", fields={"filed_at": instant(8)})
    s.enter("party", "registry", "registry.person", {"role": "defendant"}, links=s.link(taken_from="accused"))
    s.enter(
        "case", "registry", "court.case", {"kind": "criminal", "caption": "State v. Namuna", "opened_on": day(8)},
        links=s.link(defendant="party"),
    )  # fmt: skip
    s.enter(
        "long_remand", "registry", "court.order",
        {"kind": "remand", "title": "Remand", "terms": "Remanded.", "addressees": ["in-prison"],
         "india:remand_kind": "judicial", "india:remand_from": day(8), "india:remand_until": day(-22)},
        links=s.link(case="case"),
    )  # fmt: skip
    why = s.refused("invalid", "remand_too_long", lambda: s.act("long_remand", "magistrate", "sign"))
    s.act("long_remand", "registry", "discard", reason="Drafted anew")
    s.tell("magistrate", f"cannot sign a remand of thirty days. {why}")
    _remanded(s, "", ((8, 0),), since=8)
    s.tell("jailer", f"receives the prisoner on the remand ({s.number('stay')}); the remand is the one hold")


def _reported(s: Story) -> None:
    links = s.link(fir="fir", accused="accused", informant="informant", item="phone")
    s.enter(
        "first_report", "sho", "india.police_report",
        {"court": "in-court", "outcome": "charge_sheet", "accused_status": "in_custody", "completed_on": day(),
         "facts": "The accused took the phone and was found with it.",
         "device_custody": "As the statement of custody shows, without a gap."},
        links=links,
    )  # fmt: skip
    s.answer("first_report", "registry", "objected", fields={"objections": "The list of documents is missing."})
    s.until("sho", "first_report", "objected")
    s.enter("police_report", "sho", "india.police_report", {}, links={**links, **s.link(replaces="first_report")})
    cnr = str(read(s.node, s.seats["registry"], s.receipts["case"].record).number)
    s.answer("police_report", "registry", "registered", fields={"cnr": cnr})
    s.until("sho", "police_report", "registered")
    s.tell("sho", f"files the report under BNSS 193 straight to the court ({s.number('police_report')}): one objection "
           f"of the registry, met without typing anything again; registered as {cnr}")  # fmt: skip
    s.enter(
        "cognizance", "registry", "india.cognizance",
        {"order": "cognizance", "reasons": "An offence is disclosed.", "sessions_alone": False},
        links=s.link(police_report="police_report"),
    )  # fmt: skip
    s.act("cognizance", "magistrate", "sign")
    s.act("cognizance", "registry", "record_order", fields={"station": "in-police"})
    s.act("fir", "officer", "mark_reported")
    s.enter(
        "charge", "registry", "india.charge", {"sections": "BNS 303(2)", "text": "That you took a phone."},
        links=s.link(case="case", accused="party", police_report="police_report"),
    )  # fmt: skip
    s.act("charge", "magistrate", "frame", fields={"framed_on": day()})
    s.act("charge", "magistrate", "read_over", fields={"plea": "claims_trial"})
    s.tell("magistrate", "takes cognizance, frames the charge and reads it over: the accused claims to be tried")


def _bailed(s: Story) -> None:
    s.enter(
        "bail_asked", "superintendent", "court.filing",
        {"court": "in-court", "kind": "application", "title": "Application for bail"},
    )  # fmt: skip
    s.answer("bail_asked", "registry", "filed", fields={"filed_at": instant()})
    s.enter(
        "no_objection", "prosecutor", "court.filing",
        {"court": "in-court", "kind": "response", "title": "No objection to bail"}, links=s.link(case="case"),
    )  # fmt: skip
    s.answer("no_objection", "registry", "filed", fields={"filed_at": instant()})
    s.tell("prosecutor", f"files that bail is not opposed ({s.number('no_objection')})")
    _ordered(s, "bail_order", "", "bail", "Bail is granted")
    _obeyed(s, "bail_order", "Noted; the prisoner has been told")
    s.tell("magistrate", "grants bail; the prison holds until the bond is furnished and accepted")
    _bond(s, "bail", "", "bail_order")
    why = _freed(s, "", "Release on bail", "bail")
    s.tell("jailer", f"first refused: {why} Then the order of release is executed and returned: the prisoner is free")


def _default_bail(s: Story) -> None:
    _other(s, "_b", "Bilal Udaharan", remands=((61, 47), (47, 33), (33, 19), (19, 5), (5, -9)))
    told = s.clock("registry", "remand_b", "default_bail")
    accrued = (date.fromisoformat(str(told.due)) + timedelta(days=1)).isoformat()
    s.enter(
        "right", "registry", "india.default_bail",
        {"period": "sixty", "first_remand_on": day(61), "accrued_on": accrued, "prison": "in-prison",
         "prisoner_told_on": day(1)},
        links=s.link(person="party_b", case="case_b", remand="remand_b"),
    )  # fmt: skip
    s.tell(
        "registry", f"no report by {told.due}: default bail has {told.stage} ({s.number('right')}). It frees nobody yet"
    )
    s.told.line(f"the clock: {working(told)}")
    s.enter("claim", "superintendent", "court.filing",
            {"court": "in-court", "kind": "application", "title": "Default bail"})  # fmt: skip
    s.answer("claim", "registry", "filed", fields={"filed_at": instant()})
    s.act("right", "registry", "claim", fields={"claimed_at": instant()}, links=s.link(application="claim"))
    stage = s.clock("registry", "remand_b", "default_bail").stage
    s.tell(
        "superintendent", f"forwards the prisoner's claim ({stage}); a report filed from now on extinguishes nothing"
    )
    _ordered(s, "default_order", "_b", "bail", "Default bail")
    _obeyed(s, "default_order", "Noted; the prisoner has been told", "_b")
    _bond(s, "default_bond", "_b", "default_order")
    s.act("right", "registry", "furnish", links=s.link(bail="default_bond"))
    _freed(s, "_b", "Release on default bail", "bail")
    s.act("right", "registry", "record_release", links=s.link(release="release_b>in-prison"))
    s.tell("jailer", "accrued, claimed, furnished, released: each a step of its own, each with its day")


def _undertrial(s: Story) -> None:
    _other(s, "_c", "Chitra Pratidarsh", remands=((13, -1),), since=372, first_offender=True, several_cases=False)
    told = s.clock("jailer", "stay_c", "undertrial_release")
    said = {
        "court": "in-court", "fraction": "third", "maximum_days": 1095, "detained_days": 372, "own_delay_days": 0,
        "reached_on": str(told.due), "several_cases": False, "capital": False,
    }  # fmt: skip
    links = s.link(intake="stay_c", person="prisoner_c")
    early = {**said, "own_delay_days": 30}
    why = s.refused(
        "invalid", "not_reached",
        lambda: enter(s.node, s.seats["superintendent"], "india.undertrial_application", early, links=links),
    )  # fmt: skip
    s.enter("moved", "superintendent", "india.undertrial_application", said, links=links)
    s.answer("moved", "registry", "registered", fields={"application_number": "479/12/2026"})
    s.until("superintendent", "moved", "registered")
    s.tell("superintendent", f"moves the court for a first offender ({s.number('moved')}): a third was served by "
           f"{told.due}. With thirty days of own delay: {why}")  # fmt: skip
    s.told.line(f"the clock: {working(told)}")
    _freed(s, "_c", "Release on bond under BNSS 479", "period_ended")
    s.tell("jailer", "releases her on bond, a third of the longest term served")


def _ordered(s: Story, name: str, of: str, kind: str, title: str, **fields: Any) -> None:
    """Drafted by the registry, signed by the magistrate, entered on the order sheet. `of` says whose case it is."""
    s.enter(
        name, "registry", "court.order",
        {"kind": kind, "title": title, "terms": f"{title}.", "addressees": ["in-prison"], **fields},
        links=s.link(case=f"case{of}", defendant=f"party{of}"),
    )  # fmt: skip
    s.act(name, "magistrate", "sign")
    s.enter(f"{name}_line", "registry", "court.docket_entry", {"entered_on": day(), "text": title},
            links=s.link(case=f"case{of}"))  # fmt: skip
    s.act(name, "registry", "enter_on_docket", fields={"entered_on": day()}, links=s.link(docket_entry=f"{name}_line"))


def _served(s: Story, order: str, of: str, duty: str) -> str:
    name = f"{order}>in-prison"
    s.enter(name, "registry", "court.order_service", {"addressee": "in-prison", "duty": duty},
            links=s.link(order=order, defendant=f"party{of}"))  # fmt: skip
    s.answer(name, "superintendent", "acknowledged", fields={"acknowledged_at": instant()})
    s.until("registry", name, "acknowledged")
    return name


def _returned(s: Story, service: str, title: str) -> None:
    name = f"return:{service}"
    s.enter(
        name, "superintendent", "court.filing",
        {"court": "in-court", "kind": "return", "title": title, "outcome": "executed", "executed_at": instant()},
        links=s.link(service=service),
    )  # fmt: skip
    s.answer(name, "registry", "filed", fields={"filed_at": instant()})
    s.until("superintendent", name, "filed")
    s.act(service, "registry", "record_execution", links=s.link(**{"return": name}))


def _obeyed(s: Story, order: str, title: str, of: str = "") -> None:
    """An order of which the prison only takes note."""
    _returned(s, _served(s, order, of, "take_note"), title)
    s.act(order, "registry", "fulfil")


def _remanded(s: Story, of: str, remands: Sequence[tuple[int, int]], since: int = 0, **facts: Any) -> None:
    """Remands to judicial custody, the prisoner received on the first, the remand entered as the hold, each returned.

    `remands` are their days ago, from and until; `since` when the prison received the person, days ago.
    """
    for at, (begins, ends) in enumerate(remands):
        name = f"remand{of}" if not at else f"remand{of}{at + 1}"
        _ordered(
            s, name, of, "remand", "Remand to judicial custody",
            **{"india:remand_kind": "judicial", "india:remand_from": day(begins), "india:remand_until": day(ends),
               "india:max_years": 3, "india:death_or_life": False},
        )  # fmt: skip
        service = _served(s, name, of, "take_note" if at else "receive")
        if not at:
            _received(s, of, service, since, **facts)
        _returned(s, service, "Prisoner kept" if at else "Prisoner received")
        s.act(name, "registry", "fulfil")


def _received(s: Story, of: str, service: str, since: int, **facts: Any) -> None:
    late = {"late_cause": "Taken over from the paper register when the prison joined"} if since else {}
    s.enter(f"prisoner{of}", "jailer", "registry.person", {"role": "prisoner"}, links=s.link(taken_from=f"party{of}"))
    s.enter(
        f"stay{of}", "jailer", "custody.intake",
        {"received_at": instant(since), "ground": "remand", "legal_custodian": "in-prison", "identified_by": "document",
         **({"india:max_years": 3, "india:death_or_life": False} if facts else {}),
         **{f"india:{name}": value for name, value in facts.items()}},
        links=s.link(person=f"prisoner{of}", authority=service), **late,
    )  # fmt: skip
    s.enter(
        f"hold{of}", "jailer", "custody.hold", {"basis": "remand", "authority": "in-court", "since": instant(since)},
        links=s.link(intake=f"stay{of}", ground=service), **late,
    )  # fmt: skip


def _other(s: Story, of: str, name: str, remands: Sequence[tuple[int, int]], since: int = 0, **facts: Any) -> None:
    """Another prisoner of the same court."""
    s.enter(f"party{of}", "registry", "registry.person", {"role": "defendant", "name": name})
    s.enter(
        f"case{of}", "registry", "court.case",
        {"kind": "criminal", "caption": f"State v. {name}", "opened_on": day(remands[0][0])},
        links=s.link(defendant=f"party{of}"),
    )  # fmt: skip
    _remanded(s, of, remands, since, **facts)


def _bond(s: Story, name: str, of: str, order: str) -> None:
    s.enter(
        name, "registry", "custody.bail",
        {"kind": "surety", "set_on": day(), "amount": "25000", "currency": "INR", "sureties": 1},
        links=s.link(person=f"party{of}", order=order, case=f"case{of}"),
    )  # fmt: skip
    s.act(name, "registry", "furnish", fields={"furnished_at": instant()})
    s.act(name, "magistrate", "accept", fields={"accepted_at": instant()})


def _freed(s: Story, of: str, title: str, ground: str) -> str:
    """The order of release is served, obeyed and returned. What the prison was told while the hold stood."""
    _ordered(s, f"release{of}", of, "release", title)
    service = _served(s, f"release{of}", of, "release")
    links = s.link(intake=f"stay{of}", authority=service)
    release: Mapping[str, Any] = {"ground": ground, "informed": ["in-court"]}
    why = s.refused(
        "invalid", "hold_active", lambda: enter(s.node, s.seats["jailer"], "custody.release", release, links=links)
    )
    s.act(f"hold{of}", "jailer", "end", reason="Released by order", fields={"ended_at": instant()},
          links=s.link(ended_by=service))  # fmt: skip
    s.enter(f"out{of}", "jailer", "custody.release", release, links=links)
    s.act(f"out{of}", "superintendent", "complete", fields={"released_at": instant()})
    s.act(f"stay{of}", "jailer", "discharge", fields={"ended_at": instant()}, links=s.link(release=f"out{of}"))
    _returned(s, service, "Compliance")
    s.act(f"release{of}", "registry", "fulfil")
    return why


def _reconciled(s: Story) -> None:
    s.reconcile("registry")


CHAPTERS: Sequence[Any] = (
    _information, _property, _arrested, _reported, _bailed, _default_bail, _undertrial, _reconciled,
)  # fmt: skip
SCRIPT = Script("india", AGENCIES, SEATS, CHAPTERS, look=("case", "registry"))
