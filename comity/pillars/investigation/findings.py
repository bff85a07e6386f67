"""What a referral finds true or lacking of the case and of each thing in it: named findings with date and debtor.

The receiving office chooses among these names in its profile (prosecution.referral_profile). A finding that has no
object yet (verified, when there is no report) holds: the lack is named once, where it begins.
Days are UTC days of the instants in the record; `facts.today` is the acting agency's own day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from comity.extensions import Fact, Facts
from comity.sentences import NOTHING, Text, joined, say

REPORT = "investigation.report"
OFFENSE = "investigation.offense"
ADOPTION = "investigation.adoption"
ITEM = "evidence.item"
TRANSFER = "evidence.custody_transfer"
REQUEST = "forensics.request"
EXAMINATION = "forensics.examination"
LABORATORY_REPORT = "forensics.report"

ADOPTED = ("accepted", "adopted", "concluded")
LIVE_REQUEST = ("offered", "received", "received_with_discrepancy", "completed")
UNEXPLAINED = ("accepted_with_discrepancy", "discrepant")
TAKEN_OVER = ("accepted", "accepted_with_discrepancy")
OUT_WITHIN_THE_AGENCY = ("viewing", "copying", "temporary_locker", "court")
PROOF_LINKS = ("conduct", "object", "mental_state", "status", "circumstance")


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether something holds; if not, since when it is owed and what exactly."""

    holds: bool
    since: date
    detail: Text = NOTHING


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing a profile's checks may look at. `owes` resolves a profile's word for a debtor to an agency."""

    collection: str
    fact: Fact
    findings: Mapping[str, Finding]
    owes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ItemTrail:
    """What happened to one item: its hand-overs in order of receipt, and what the laboratory did."""

    item: Fact
    transfers: tuple[Fact, ...]
    requests: tuple[Fact, ...]
    reports: tuple[Fact, ...]

    @property
    def taken_over(self) -> list[Fact]:
        done = [one for one in self.transfers if one.offer is not None and one.offer.state in TAKEN_OVER]
        return sorted(done, key=lambda one: (one.offer and one.offer.answered_at) or one.entered_at)

    @property
    def waiting(self) -> list[Fact]:
        return [one for one in self.transfers if one.offer is not None and one.offer.state == "offered"]

    @property
    def holder(self) -> str:
        done = self.taken_over
        return done[-1].offer.to_agency if done and done[-1].offer else self.item.agency

    @property
    def asked(self) -> Fact | None:
        """The request that counts: the last one that the laboratory has not rejected and nobody withdrew."""
        live = [one for one in self.requests if standing(one) in LIVE_REQUEST]
        return live[-1] if live else None


@dataclass(frozen=True, slots=True)
class Gathered:
    """Everything a referral of one case is made of, as the acting agency may see it."""

    case: Fact
    subjects: tuple[Fact, ...]
    reports: tuple[Fact, ...]
    offenses: tuple[Fact, ...]
    proofs: Mapping[str, Mapping[str, Sequence[Fact]]]
    trails: tuple[ItemTrail, ...]
    incidents: tuple[Fact, ...]
    documents: tuple[Fact, ...]


def standing(fact: Fact) -> str:
    """Where a two-sided record stands: its offer's answer, which is there before the offerer's own state follows."""
    return fact.offer.state if fact.offer is not None and fact.state == "offered" else fact.state


def day(value: Any) -> date | None:
    """A date from a field or a rule: a date, or text that begins with one; None for anything else."""
    if isinstance(value, date):
        return date(value.year, value.month, value.day)
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return None


def once(found: Iterable[Fact]) -> tuple[Fact, ...]:
    """The same records without repeats, first seen first."""
    return tuple({one.id: one for one in found}.values())


def gather(facts: Facts) -> Gathered:
    """Walk from the case to everything it may rest on. Withdrawn reports and dropped counts are left out."""
    case = facts.subject
    reports = tuple(one for one in facts.linking(case, REPORT, "case") if one.state != "withdrawn")
    offenses = tuple(one for one in facts.linking(case, OFFENSE, "case") if one.state != "dropped")
    proofs = {one.id: {link: tuple(facts.linked(one, link)) for link in PROOF_LINKS} for one in offenses}
    pointed_at = [proof for links in proofs.values() for group in links.values() for proof in group]
    items = once([*facts.linking(case, ITEM, "case"), *(one for one in pointed_at if one.type == ITEM)])
    named = [person for offense in offenses for person in facts.linked(offense, "subject")]
    papers = [paper for report in reports for paper in facts.linked(report, "document")]
    return Gathered(
        case=case,
        subjects=once([*facts.linked(case, "subject"), *named]),
        reports=reports,
        offenses=offenses,
        proofs=proofs,
        trails=tuple(_trail(facts, item) for item in items),
        incidents=once(facts.linked(case, "incident")),
        documents=once([*papers, *(one for one in pointed_at if one.type == "registry.document")]),
    )


def _trail(facts: Facts, item: Fact) -> ItemTrail:
    return ItemTrail(
        item=item,
        transfers=tuple(facts.linking(item, TRANSFER, "item")),
        requests=tuple(facts.linking(item, REQUEST, "item")),
        reports=tuple(facts.linking(item, LABORATORY_REPORT, "item")),
    )


def things(facts: Facts, found: Gathered, statutes: Sequence[Mapping[str, Any]], office: str) -> list[Thing]:
    """Every thing that a profile's checks may look at, with its findings. `office` is the receiving agency."""
    here = {"case_agency": facts.agency}
    out = [_thing("case", found.case, of_case(found), here)]
    for incident in found.incidents:
        asked = [one for one in facts.linking(incident, ADOPTION, "incident") if one.agency == facts.agency]
        waits = any(standing(one) == "offered" for one in asked)
        owes = {**here, "incident_owner": incident.agency if waits else facts.agency}
        out.append(_thing("incident", incident, of_incident(facts, incident, asked), owes))
    for person in found.subjects:
        out.append(_thing("subject", person, of_subject(found, person), here))
    for offense in found.offenses:
        out.append(_thing("offense", offense, of_offense(facts, found, offense, statutes), here))
    for report in found.reports:
        out.append(_thing("report", report, of_report(report), here))
    for trail in found.trails:
        out.append(_thing("item", trail.item, of_item(facts, trail, office), {**here, **_debtors(facts, trail)}))
    return out


def _thing(collection: str, fact: Fact, findings: Mapping[str, Finding], owes: Mapping[str, str]) -> Thing:
    return Thing(collection, fact, findings, {"owner": fact.agency, **owes})


def of_case(found: Gathered) -> dict[str, Finding]:
    """summary_written, subject_named, offense_proposed, report_approved."""
    since = found.case.entered_at.date()
    return {
        "summary_written": Finding(bool(found.case.fields.get("summary")), since),
        "subject_named": Finding(bool(found.subjects), since),
        "offense_proposed": Finding(bool(found.offenses), since),
        "report_approved": Finding(any(one.state == "approved" for one in found.reports), since),
    }


def of_incident(facts: Facts, incident: Fact, asked: Sequence[Fact]) -> dict[str, Finding]:
    """adopted: an own incident needs no adoption; another's needs its owner's agreement."""
    agreed = incident.agency == facts.agency or any(standing(one) in ADOPTED for one in asked)
    since = asked[-1].entered_at.date() if asked else facts.subject.entered_at.date()
    return {"adopted": Finding(agreed, since)}


def of_subject(found: Gathered, person: Fact) -> dict[str, Finding]:
    """identified (name and birth date), charged (some count names the person)."""
    since = person.entered_at.date()
    return {
        "identified": Finding(bool(person.fields.get("name") and person.fields.get("birth_date")), since),
        "charged": Finding(any(person.id in one.links.get("subject", ()) for one in found.offenses), since),
    }


def of_report(report: Fact) -> dict[str, Finding]:
    """approved, approved_by_another, disclosure_decided, disclosure_grounded. The last three wait for the approval."""
    approved = report.state == "approved"
    done = report.acts.get("approve")
    entered = report.entered_at.date()
    since = done.at.date() if done else entered
    authors = {report.entered_by} | {report.acts[act].by for act in ("submit",) if act in report.acts}
    decision = report.fields.get("disclosure")
    return {
        "approved": Finding(approved, entered),
        "approved_by_another": Finding(not approved or (done is not None and done.by not in authors), since),
        "disclosure_decided": Finding(not approved or bool(decision), since),
        "disclosure_grounded": Finding(not decision or bool(report.fields.get("disclosure_ground")), since),
    }


def statute_on(statutes: Sequence[Mapping[str, Any]], name: str, on: date) -> Mapping[str, Any] | None:
    """The dated value of a statute that was in force on a day."""
    for one in statutes:
        if one.get("statute") != name:
            continue
        begins, ends = day(one.get("from")), day(one.get("until"))
        if (begins is None or begins <= on) and (ends is None or on <= ends):
            return one
    return None


def _years_after(start: date, years: int) -> date:
    """The same day some years later; 29 February becomes 28 February."""
    try:
        return start.replace(year=start.year + years)
    except ValueError:
        return start.replace(year=start.year + years, day=28)


def of_offense(
    facts: Facts, found: Gathered, offense: Fact, statutes: Sequence[Mapping[str, Any]]
) -> dict[str, Finding]:
    """The law, the time and the proof of one count; a finding on the law holds where the one before it fails."""
    entered = offense.entered_at.date()
    name = str(offense.fields.get("statute", ""))
    on = day(offense.fields.get("offense_date")) or facts.today
    last = day(offense.fields.get("offense_until")) or on
    known = any(one.get("statute") == name for one in statutes)
    law = statute_on(statutes, name, on)
    limit = (law or {}).get("limitation")
    ends = _years_after(last, int(limit["years"])) if limit else None
    unproved, hidden = [], []
    for element in (law or {}).get("elements", ()):
        proofs = found.proofs[offense.id].get(element["proved_by"], ())
        if not proofs:
            unproved.append(str(element["title"]))
        elif all(_withheld(one) for one in proofs):
            hidden.append(str(element["title"]))
    unready = once(one for group in found.proofs[offense.id].values() for one in group if not _ready(one))
    return {
        "statute_known": Finding(known, entered),
        "statute_in_force": Finding(law is not None or not known, entered),
        "in_time": Finding(ends is None or facts.today <= ends, ends or entered),
        "date_past": Finding(on <= facts.today, entered),
        "elements_proved": Finding(not unproved, entered, joined(unproved, "semicolon")),
        "proofs_ready": Finding(not unready, entered, joined((one.number for one in unready), "comma")),
        "proofs_shown": Finding(not hidden, entered, joined(hidden, "semicolon")),
        "facts_stated": Finding(bool(offense.fields.get("facts")), entered),
    }


def _ready(proof: Fact) -> bool:
    needed = {REPORT: ("approved",), LABORATORY_REPORT: ("reported",)}.get(proof.type)
    return needed is None or proof.state in needed


def _withheld(proof: Fact) -> bool:
    return proof.type == REPORT and proof.fields.get("disclosure") == "withheld"


def _debtors(facts: Facts, trail: ItemTrail) -> dict[str, str]:
    waiting = trail.waiting[-1].offer if trail.waiting else None
    request = trail.asked.offer if trail.asked else None
    open_discrepancy = [one for one in trail.transfers if standing(one) in UNEXPLAINED]
    return {
        "holder": waiting.to_agency if waiting else trail.holder,
        "laboratory": request.to_agency if request else facts.agency,
        "sender": open_discrepancy[-1].agency if open_discrepancy else trail.item.agency,
    }


def custody_gap(trail: ItemTrail) -> tuple[Text, date] | None:
    """Where the chain of an item breaks, and since when: each hand-over begins with the agency where the last ended."""
    held_by = trail.item.agency
    since = trail.item.entered_at.date()
    for one in trail.taken_over:
        if one.offer is None:
            continue
        if one.offer.from_agency != held_by:
            said = say(
                "custody_gap.was_handed_over_by", number=one.number, agency=one.offer.from_agency, holder=held_by
            )
            return said, since
        held_by, since = one.offer.to_agency, (one.offer.answered_at or one.entered_at).date()
    gone = trail.item.state == "out" and trail.item.fields.get("out_to") not in OUT_WITHIN_THE_AGENCY
    if gone and not trail.taken_over and not trail.waiting:
        left = trail.item.acts.get("check_out")
        return say("custody_gap.it_is_checked_out_and"), left.at.date() if left else since
    return None


def of_item(facts: Facts, trail: ItemTrail, office: str) -> dict[str, Finding]:
    """The taking, the custody and the examination of one item."""
    item, request = trail.item, trail.asked
    entered = item.entered_at.date()
    told = facts.linked(item, "report")
    gap = custody_gap(trail)
    waits = trail.waiting
    unexplained = [one for one in trail.transfers if standing(one) in UNEXPLAINED]
    released = [one for one in trail.reports if one.state == "reported"]
    asked_on = _asked_on(request) or entered
    said = _said_on(released) or asked_on
    waits_since = min((one.offer.offered_at.date() for one in waits if one.offer), default=entered)
    unexplained_since = min((_answered_on(one) for one in unexplained), default=entered)
    return {
        "taking_reported": Finding(any(one.state == "approved" for one in told), entered),
        "booked": Finding(item.state != "taken", entered),
        "custody_unbroken": Finding(gap is None, gap[1] if gap else entered, gap[0] if gap else NOTHING),
        "custody_answered": Finding(not waits, waits_since, joined((one.number for one in waits), "comma")),
        "discrepancy_explained": Finding(not unexplained, unexplained_since),
        "laboratory_asked": Finding(request is not None or bool(released), entered),
        "laboratory_received": Finding(request is None or standing(request) != "offered", asked_on),
        "laboratory_reported": Finding(bool(released) or request is None, asked_on),
        "laboratory_verified": Finding(all(_verified(facts, one) for one in released), said),
        "laboratory_released": Finding(all(office in one.fields.get("released_to", ()) for one in released), said),
        "weight_recorded": Finding(bool(item.fields.get("gross_weight")), entered),
        "serial_recorded": Finding(bool(item.fields.get("serial_number")), entered),
    }


def _asked_on(request: Fact | None) -> date | None:
    """From when the laboratory owes: the day it received the request, or the day it was asked."""
    if request is None:
        return None
    if request.offer is None:
        return request.entered_at.date()
    return (request.offer.answered_at or request.offer.offered_at).date()


def _said_on(reports: Sequence[Fact]) -> date | None:
    return max((one.acts["release"].at.date() for one in reports if "release" in one.acts), default=None)


def _answered_on(transfer: Fact) -> date:
    answered = transfer.offer.answered_at if transfer.offer else None
    return (answered or transfer.entered_at).date()


def _verified(facts: Facts, report: Fact) -> bool:
    """Every examination behind the report was verified by a member who did not submit its results."""
    behind = facts.linked(report, "examination")
    return bool(behind) and all(_second_analyst(one) for one in behind)


def _second_analyst(examination: Fact) -> bool:
    verified = examination.acts.get("verify")
    submitted = examination.acts.get("submit_results")
    first = {examination.entered_by} | ({submitted.by} if submitted else set())
    return examination.state == "verified" and verified is not None and verified.by not in first


FINDINGS: Mapping[str, tuple[str, ...]] = {
    "case": ("summary_written", "subject_named", "offense_proposed", "report_approved"),
    "incident": ("adopted",),
    "subject": ("identified", "charged"),
    "offense": (
        "statute_known", "statute_in_force", "in_time", "date_past",
        "elements_proved", "proofs_ready", "proofs_shown", "facts_stated",
    ),
    "report": ("approved", "approved_by_another", "disclosure_decided", "disclosure_grounded"),
    "item": (
        "taking_reported", "booked", "custody_unbroken", "custody_answered", "discrepancy_explained",
        "laboratory_asked", "laboratory_received", "laboratory_reported", "laboratory_verified",
        "laboratory_released", "weight_recorded", "serial_recorded",
    ),
}  # fmt: skip
"""The names a profile may require, by what they are said of: the same list as in the type of the profile."""
