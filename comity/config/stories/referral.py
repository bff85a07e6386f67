"""The first job as it is done: a city incident becomes a federal case and is referred for prosecution.

Every step is an act of a named seat through the same verbs that the API and the command line call. All persons are
invented; the incidents are a small extract of public data (comity/samples/README.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from comity import clock
from comity.config import paths
from comity.config.stories.stage import WAIT, Script, Seat, Story, day, instant
from comity.errors import Problem
from comity.kernel.exchange.submit import submit
from comity.kernel.importing.importing import run as import_file
from comity.kernel.sharing.inbox import inbox
from comity.kernel.views.find import find
from comity.kernel.views.history import history
from comity.kernel.views.read import read
from comity.kernel.work.results import Receipt, Submission
from comity.names import counted
from comity.sentences import joined, say

AGENCIES = ("cpd", "dea", "atf", "fsl", "usao")
SEATS: Mapping[str, Seat] = {
    "cpd_records": ("cpd", "M. Alvarez", ["records_clerk"]),
    "cpd_sergeant": ("cpd", "Sgt. P. Nowak", ["sergeant"]),
    "atf_agent": ("atf", "S. Rivera", ["special_agent"]),
    "atf_supervisor": ("atf", "D. Whitfield", ["supervisor"]),
    "atf_custodian": ("atf", "L. Brandt", ["evidence_custodian"]),
    "dea_agent": ("dea", "T. Cole", ["special_agent"]),
    "dea_supervisor": ("dea", "J. Marsh", ["group_supervisor"]),
    "fsl_technician": ("fsl", "R. Osei", ["evidence_technician"]),
    "fsl_analyst": ("fsl", "H. Lindqvist", ["analyst"]),
    "fsl_verifier": ("fsl", "K. Tanaka", ["verifying_analyst"]),
    "usao_attorney": ("usao", "A. Feldman", ["attorney"]),
}
TARGET = {"name": "Dale Everett Pruitt", "birth_date": "1987-03-14"}


def _import(s: Story) -> None:
    report = import_file(
        s.node, s.seats["cpd_records"], paths.samples() / "chicago_incidents.csv",
        paths.agencies() / "cpd" / "mappings" / "chicago.yml",
    )  # fmt: skip
    s.tell(
        "cpd_records",
        f"imports {report.rows} incident rows from the city's records system: {report.rows_entered} taken, "
        f"{report.rows_rejected} kept as rejects with row and reason",
    )


def _profile(s: Story) -> None:
    rule = s.node.catalogue("usao").records["referral_profile"]
    s.enter("profile", "usao_attorney", rule["type"], rule["fields"])
    s.tell(
        "usao_attorney",
        f"publishes what the office needs before it takes a referral: {len(rule['fields']['checks'])} checks "
        f"({s.number('profile')})",
    )


def _adopt(s: Story) -> None:
    found = find(
        s.node, s.seats["atf_agent"], type="investigation.incident", text="weapons handgun", owner="cpd", limit=1
    )
    incident = found.items[0]
    s.receipts["incident"] = Receipt(
        "", incident["id"], "cpd", "investigation.incident", incident["number"], incident["version"],
        incident["state"], "", clock.now(),
    )  # fmt: skip
    label = incident["fields"].get("incident_number", incident["number"])
    s.tell("atf_agent", f"finds city incident {label} ({incident['fields'].get('offense_description', '')})")
    s.enter(
        "adoption", "atf_agent", "investigation.adoption",
        {"owner": "cpd", "program": "firearms", "purpose": "Repeated sales of firearms and drugs from one residence"},
        links=s.link(incident="incident"),
    )  # fmt: skip
    s.tell("atf_agent", f"asks the city police to let ATF adopt incident {label} ({s.number('adoption')})")
    s.answer("adoption", "cpd_sergeant", "accepted", fields={"conditions": "The district commander is told of arrests"})
    s.until("atf_agent", "adoption", "adopted")
    owner = s.read("atf_agent", "incident").agency
    s.tell("cpd_sergeant", f"accepts; the incident stays the city's own record (owner: {owner})")


def _deconflict(s: Story) -> None:
    s.enter("dea_person", "dea_agent", "registry.person", {"role": "subject", **TARGET})
    made = s.enter("person", "atf_agent", "registry.person", {"role": "subject", **TARGET})
    mine = s.read("atf_agent", "person").pointers
    theirs = [one for one in inbox(s.node, s.seats["dea_agent"]) if one.kind == "pointer"]
    call = mine[0]["call"] if mine else {}
    s.tell(
        "atf_agent",
        f"enters its target: DEA has an interest in the same person. Call {call.get('name')}, {call.get('phone')}. "
        "Nothing else is shown",
        pointers=list(made.pointers),
    )
    s.tell("dea_agent", f"learns the same at the same moment: {theirs[0].message if theirs else 'nothing'}")
    _unseen(s, "dea_agent", "person")
    _unseen(s, "atf_agent", "dea_person")


def _unseen(s: Story, seat: str, name: str) -> None:
    try:
        s.read(seat, name)
    except Problem as problem:
        if problem.code == "not_found":
            return
    raise Problem("internal", say("internal.can_read_which_only_pointer", seat=seat, name=name))


def _open(s: Story) -> None:
    s.enter(
        "case", "atf_agent", "investigation.case",
        {"title": "Lakeside firearms and methamphetamine sales", "program": "firearms", "opened": day(0),
         "summary": "Sales of firearms and methamphetamine from a residence, seen first in a city incident."},
        links={**s.link(incident="incident", subject="person"), "assigned": [s.seats["atf_agent"].member]},
    )  # fmt: skip
    s.tell("atf_agent", f"opens case {s.number('case')}, as a preliminary investigation")
    s.enter(
        "lead", "atf_agent", "investigation.lead",
        {"partner": "dea", "lead_agency": "atf", "terms": "ATF leads; DEA is told of each drug purchase"},
        links=s.link(case="case", subject="person"),
    )  # fmt: skip
    s.answer("lead", "dea_supervisor", "agreed", fields={"counter_terms": "DEA keeps its own case on the supplier"})
    s.until("atf_agent", "lead", "agreed")
    s.tell("dea_supervisor", f"agrees that ATF leads ({s.number('lead')}); each keeps its own record of the person")
    s.act("case", "atf_supervisor", "convert", reason="Two sources and a city incident support a full investigation")
    s.tell("atf_supervisor", f"converts {s.number('case')} to a full investigation")


def _buys(s: Story) -> None:
    buys = (
        ("report1", "Controlled buy of suspected methamphetamine", 12,
         "The subject handed over a clear bag of crystals against 400 dollars of official funds and named it ice."),
        ("report2", "Controlled buy of a pistol", 9,
         "The subject sold a pistol, said he could not buy one in a shop for his record, and kept a second on him."),
    )  # fmt: skip
    for name, line, days, told in buys:
        s.enter(
            name, "atf_agent", "investigation.report",
            {"subject_line": line, "activity": "controlled_buy", "occurred": instant(days), "narrative": told,
             **({"techniques": "Transmitter in the vehicle"} if name == "report1" else {})},
            links=s.link(case="case", subject="person"),
        )  # fmt: skip
        s.act(name, "atf_agent", "submit")
        s.act(name, "atf_supervisor", "approve")
        s.tell("atf_agent", f"writes {s.number(name)} once ({line.lower()}); the supervisor approves it")
    items = (
        ("item1", "report2", {"description": "Pistol, 9 mm, black", "category": "firearm", "make": "Taurus",
                              "model": "G2C", "serial_number": "ABK 204417", "atf:firearm_type": "pistol"}, 9),
        ("item2", "report1", {"description": "Clear bag of off-white crystals", "category": "drug",
                              "gross_weight": "28.61"}, 12),
    )  # fmt: skip
    for name, report, fields, days in items:
        s.enter(
            name, "atf_agent", "evidence.item",
            {**fields, "origin": "purchased", "legal_basis": "purchase", "taken_at": instant(days),
             "seal_number": f"A-77{4100 + days}"},
            links={**s.link(case="case", report=report, from_person="person"),
                   "collector": [s.seats["atf_agent"].member]},
        )  # fmt: skip
        s.act(name, "atf_custodian", "book")
        s.act(name, "atf_custodian", "store", fields={"storage_location": "Vault B, shelf 14"})
        s.tell("atf_custodian", f"books {s.number(name)} ({fields['description'].lower()}) and stores it")
    s.enter(
        "conviction", "atf_agent", "registry.document",
        {"kind": "certified_record", "title": "Certified record of a felony conviction"}, links={},
    )  # fmt: skip


def _laboratory(s: Story) -> None:
    s.act("item2", "atf_custodian", "check_out", fields={"out_to": "laboratory"}, reason="Examination")
    s.enter(
        "transfer", "atf_custodian", "evidence.custody_transfer",
        {"to_agency": "fsl", "purpose": "examination", "conveyance": "courier", "carrier": "Overland Secure",
         "tracking_number": "OS-5530-1182", "sent": instant(7)},
        links=s.link(item="item2"),
    )  # fmt: skip
    s.enter(
        "request", "atf_agent", "forensics.request",
        {"laboratory": "fsl", "examinations": ["controlled_substance"], "priority": "routine",
         "question": "Is it a controlled substance, which one, and how much of it?", "prosecutor": "usao"},
        links=s.link(item="item2", case="case"),
    )  # fmt: skip
    s.tell("atf_custodian", f"sends {s.number('item2')} to the laboratory by carrier ({s.number('transfer')})")
    item = s.read("fsl_technician", "item2")
    s.told.line(
        f"by that the laboratory sees {item.number} ({item.fields['description'].lower()}) and nothing else of the case"
    )
    s.answer(
        "transfer", "fsl_technician", "accepted_with_discrepancy",
        fields={"received": instant(5), "seal_intact": True, "received_weight": "28.19",
                "discrepancy": "0.42 g below the weight that was sent"},
    )  # fmt: skip
    s.answer("request", "fsl_technician", "received", fields={"laboratory_number": "L-26-1187"})
    s.until("atf_agent", "transfer", "discrepant")
    s.until("atf_agent", "request", "received")
    s.tell("fsl_technician", "receives it 0.42 g light: recorded with seal and weight, not refused")
    s.act(
        "transfer", "atf_custodian", "explain_discrepancy",
        fields={"explanation": "The outer evidence bag was weighed in at booking and left off for shipping"},
    )  # fmt: skip
    s.tell("atf_custodian", "answers the discrepancy; both statements stay side by side")


def _counts(s: Story) -> None:
    counts = (
        ("count1", "21 USC 841(a)(1)", 12, {"conduct": "report1", "object": "item2", "mental_state": "report1"}),
        ("count2", "18 USC 922(g)(1)", 9, {"conduct": "report2", "object": "item1", "mental_state": "report2",
                                           "status": "conviction", "circumstance": "item1"}),
        ("count3", "18 USC 924(c)(1)(A)", 9, {"conduct": "report2", "object": "item1", "mental_state": "report2",
                                              "circumstance": "report1"}),
    )  # fmt: skip
    for number, (name, statute, days, proofs) in enumerate(counts, 1):
        s.enter(
            name, "atf_agent", "investigation.offense",
            {"statute": statute, "offense_date": day(days), "count": number,
             "facts": f"Count {number}, as the reports pointed at tell it."},
            links=s.link(case="case", subject="person", **proofs),
        )  # fmt: skip
    s.act("report2", "atf_agent", "decide_disclosure",
          fields={"disclosure": "whole", "disclosure_ground": "discoverable"})  # fmt: skip
    s.amend("case", "atf_agent", fields={"atf:case_agent_certified": True}, reason="The file is complete")
    s.tell("atf_agent", "proposes three counts and points, element by element, at what may prove them")


def _refused(s: Story) -> None:
    dry = submit(s.node, s.seats["atf_agent"], s.receipts["case"].record, to="usao", dry_run=True)
    s.tell(
        "atf_agent", f"submit {s.number('case')} --to usao --dry-run: not ready, {len(_blocking(dry))} things missing"
    )
    real = submit(s.node, s.seats["atf_agent"], s.receipts["case"].record, to="usao")
    if real.receipt is not None:
        raise Problem("internal", say("internal.submission_should_have_been_refused"))
    s.tell(
        "atf_agent",
        f"submit {s.number('case')} --to usao: refused, with the list; each missing thing is now an obligation "
        f"({len(real.obligations)} open)",
        missing=[one.as_json() for one in _blocking(real)],
    )
    for one in _blocking(real):
        s.told.line(f"missing: {one.message} Owed by {one.owed_by} since {one.since.isoformat()}. {one.fix}")


def _blocking(of: Submission) -> list[Any]:
    return [one for one in of.missing if one.severity == "error"]


def _examined(s: Story) -> None:
    s.enter(
        "examination", "fsl_analyst", "forensics.examination",
        {"requester": "atf", "kind": "controlled_substance", "started": day(4)},
        links=s.link(request="request", item="item2"),
    )  # fmt: skip
    s.amend(
        "examination", "fsl_analyst",
        fields={"method": "Gas chromatography, mass spectrometry", "outcome": "identified",
                "result": "Methamphetamine hydrochloride", "net_weight": "26.02", "consumed": "0.11"},
    )  # fmt: skip
    s.act("examination", "fsl_analyst", "submit_results")
    s.tell("fsl_analyst", f"examines it ({s.number('examination')}): methamphetamine, 26.02 g net")
    s.act("examination", "fsl_verifier", "verify")
    s.enter(
        "lab_report", "fsl_analyst", "forensics.report",
        {"conclusion": "The crystals contain methamphetamine, a schedule II substance.", "outcome": "identified"},
        links=s.link(request="request", item="item2", examination="examination"),
    )  # fmt: skip
    s.act("lab_report", "fsl_verifier", "approve")
    s.act("lab_report", "fsl_analyst", "release", fields={"released_to": ["atf", "usao"]})
    s.tell("fsl_verifier", f"verifies it as a second analyst; the laboratory reports ({s.number('lab_report')})")


def _closes(s: Story) -> None:
    deadline = clock.monotonic() + WAIT
    while any(one.kind == "obligation" for one in inbox(s.node, s.seats["fsl_analyst"])):
        if clock.monotonic() > deadline:
            raise Problem("unavailable", say("unavailable.laboratory_obligation_did_not_close"))
        clock.pause(0.05)
    s.told.line("the laboratory's obligation closes by itself: nobody ticks it off")
    s.act("report1", "atf_agent", "decide_disclosure",
          fields={"disclosure": "redacted", "disclosure_ground": "technique"})  # fmt: skip
    s.tell("atf_agent", f"decides the disclosure of {s.number('report1')}: without the protected technique")


def _referred(s: Story) -> None:
    done = submit(s.node, s.seats["atf_agent"], s.receipts["case"].record, to="usao", key="story:submit")
    if done.receipt is None:
        raise Problem("internal", joined((one.message for one in _blocking(done)), "semicolon"))
    s.receipts["referral"] = done.receipt
    kinds = {kind: sum(one.decision == kind for one in done.manifest) for kind in ("included", "masked", "withheld")}
    s.tell(
        "atf_agent",
        f"submit {s.number('case')} --to usao: referred as {s.number('referral')}, "
        + ", ".join(f"{counted(count, 'record')} {kind}" for kind, count in kinds.items() if count),
    )
    bundle = s.read("usao_attorney", "referral")
    for one in bundle.linked:
        read(s.node, s.seats["usao_attorney"], one.id)
    s.tell("usao_attorney", f"reads {bundle.number}: {len(bundle.linked)} linked records, each at the version referred")
    s.answer("referral", "usao_attorney", "accepted", fields={"matter_number": "2026R00417"})
    s.until("atf_agent", "referral", "under_review")
    s.tell("usao_attorney", "takes it under review as matter 2026R00417")
    decisions: Sequence[tuple[str, Mapping[str, Any]]] = (
        ("count1", {"decision": "accepted"}),
        ("count2", {"decision": "accepted"}),
        ("count3", {"decision": "declined", "ground": "insufficient_evidence",
                    "explanation": "Nothing shows that the second pistol furthered the sale of the drug."}),
    )  # fmt: skip
    for name, fields in decisions:
        s.enter(
            f"{name}_decision", "usao_attorney", "prosecution.charge_decision",
            {"referrer": "atf", "decided_on": day(0), **fields}, links=s.link(referral="referral", offense=name),
        )  # fmt: skip
    s.tell("usao_attorney", "accepts counts 1 and 2, declines count 3 with its ground")


def _reads_why(s: Story) -> None:
    why = s.read("atf_agent", "count3_decision").fields
    s.tell("atf_agent", f"reads why: {why['explanation']}")
    seen = s.read("cpd_records", "referral")
    hidden = "narrative, persons and counts are not shown" if seen.masked else "nothing hidden"
    lines = history(s.node, s.seats["cpd_records"], s.receipts["referral"].record)
    s.tell(
        "cpd_records",
        f"sees that its incident was referred ({seen.number}, {seen.state}); {hidden}; {len(lines)} lines of history",
    )


CHAPTERS: Sequence[Callable[[Story], None]] = (
    _import, _profile, _adopt, _deconflict, _open, _buys, _laboratory, _counts, _refused, _examined, _closes, _referred,
    _reads_why,
)  # fmt: skip
SCRIPT = Script("us-federal", AGENCIES, SEATS, CHAPTERS, look=("case", "atf_agent"))
