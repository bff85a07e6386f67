"""What follows the referral: a sealed indictment, an arrest, a detention hearing, a release that a detainer stops.

Played after stories/referral.py, by eleven institutions. Court and detention center can also be outside: then the
members that deal with them record what they did, on their behalf. All persons are invented.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from comity.config.stories import referral
from comity.config.stories.stage import Script, Seat, Story, day, instant, working
from comity.kernel.records.enter import enter

AGENCIES = (*referral.AGENCIES, "usdc", "usms", "detention", "pretrial", "defender", "state-police")
SEATS: Mapping[str, Seat] = {
    **referral.SEATS,
    "usao_coordinator": ("usao", "R. Delgado", ["victim_coordinator"]),
    "judge": ("usdc", "Mag. J. Okafor", ["magistrate_judge"]),
    "clerk": ("usdc", "W. Petrov", ["deputy_clerk"]),
    "marshal": ("usms", "C. Doyle", ["deputy_marshal"]),
    "jail_intake": ("detention", "F. Moreau", ["intake_officer"]),
    "jail_records": ("detention", "B. Nakamura", ["records_officer"]),
    "jail_shift": ("detention", "Lt. G. Ferris", ["shift_supervisor"]),
    "pretrial": ("pretrial", "N. Abara", ["pretrial_officer"]),
    "defender": ("defender", "E. Castellanos", ["assistant_defender"]),
    "sergeant": ("state-police", "Sgt. K. Lund", ["warrants_sergeant"]),
    "usao_docket": ("usao", "T. Brooks", ["clerk", "docket_clerk", "jail_liaison"]),
    "usms_docket": ("usms", "I. Farrell", ["deputy_marshal", "court_liaison"]),
    "usms_jail": ("usms", "Z. Keller", ["deputy_marshal", "jail_liaison"]),
    "pretrial_docket": ("pretrial", "Y. Haddad", ["pretrial_officer", "court_liaison"]),
    "state_jail": ("state-police", "P. Vance", ["trooper", "jail_liaison"]),
}
ADDRESSEES = (
    ("usms", "marshal", "surrender_custody", "Return of the Marshals: custody surrendered"),
    ("detention", "jail_records", "release", "Return on the order of release"),
    ("pretrial", "pretrial", "supervise", "Supervision has begun"),
    ("usao", "usao_attorney", "inform", "The victim has been told"),
)


def _indicted(s: Story) -> None:
    s.enter("defendant", "usao_attorney", "registry.person", {"role": "defendant"}, links=s.link(taken_from="person"))
    s.enter(
        "matter", "usao_attorney", "prosecution.matter",
        {"title": "Lakeside sales of firearms and methamphetamine", "received_on": day(), "referrer": "atf"},
        links=s.link(referral="referral", defendant="defendant"),
    )  # fmt: skip
    s.act("matter", "usao_attorney", "accept")
    for number, statute in ((1, "21 USC 841(a)(1)"), (2, "18 USC 922(g)(1)")):
        s.enter(
            f"charge{number}", "usao_attorney", "prosecution.charge", {"statute": statute, "count": number},
            links=s.link(defendant="defendant", offense=f"count{number}", decision=f"count{number}_decision"),
        )  # fmt: skip
    s.enter(
        "indictment", "usao_attorney", "prosecution.instrument",
        {"kind": "indictment", "text": "The grand jury charges two counts, as set out."},
        links=s.link(matter="matter", defendant="defendant", charge=["charge1", "charge2"]), marks=["sealed"],
    )  # fmt: skip
    s.act("indictment", "usao_attorney", "sign", fields={"returned_on": day()})
    s.tell("usao_attorney", f"signs the indictment that the grand jury returned, two counts, sealed "
           f"({s.number('indictment')})")  # fmt: skip
    s.enter(
        "filing", "usao_attorney", "court.filing", {"court": "usdc", "kind": "indictment", "title": "Indictment"},
        links=s.link(instrument="indictment", charge=["charge1", "charge2"], defendant="defendant"),
    )  # fmt: skip
    s.answer("filing", "clerk", "filed", fields={"filed_at": instant(), "docket_number": 1})
    s.until("usao_attorney", "filing", "filed")
    s.act("indictment", "usao_attorney", "file", fields={"filed_on": day()}, links=s.link(filing="filing"))
    s.enter("party", "clerk", "registry.person", {"role": "defendant"}, links=s.link(taken_from="defendant"))
    s.enter(
        "court_case", "clerk", "court.case",
        {"kind": "criminal", "caption": "United States v. Pruitt", "opened_on": day(), "prosecution": "usao"},
        links=s.link(defendant="party", instrument=["indictment", "filing"]),
    )  # fmt: skip
    s.act("matter", "usao_attorney", "charge", links=s.link(instrument="indictment", court_case="court_case"))
    s.tell("clerk", f"files it as number 1 on the docket of {s.number('court_case')}: received is filed")


def _warrant(s: Story) -> None:
    s.enter(
        "warrant", "clerk", "court.warrant",
        {"kind": "arrest", "terms": "Arrest and bring before a magistrate judge without unnecessary delay.",
         "addressees": ["usms"]},
        links=s.link(case="court_case", defendant="party", instrument="indictment"),
    )  # fmt: skip
    s.act("warrant", "judge", "sign")
    s.act("warrant", "clerk", "enter_on_docket", fields={"entered_on": day()})
    s.tell("clerk", f"enters warrant {s.number('warrant')} on the judge's signature; the case is sealed")
    _serve(s, "warrant", "usms", "arrest", case="court_case", defendant="party")
    s.answer("warrant>usms", "marshal", "acknowledged", fields={"acknowledged_at": instant()})
    s.until("clerk", "warrant>usms", "acknowledged")
    s.tell("marshal", "acknowledges the warrant; nobody else sees that there is one")


def _arrested(s: Story) -> None:
    s.enter("prisoner", "marshal", "registry.person", {"role": "prisoner"}, links=s.link(taken_from="party"))
    s.enter(
        "intake", "marshal", "custody.intake",
        {"received_at": instant(), "ground": "arrest_warrant", "legal_custodian": "usms",
         "identified_by": "fingerprint", "fingerprint_control": "FP-26-00418", "height": "181", "weight": "84.5"},
        links=s.link(person="prisoner", authority="warrant"),
    )  # fmt: skip
    s.tell("marshal", f"arrests and books by fingerprint ({s.number('intake')}); height and weight are measured anew")
    s.enter(
        "same_as", "marshal", "registry.identity_claim",
        {"basis": "fingerprint", "weight": 100, "reference": "FP-26-00418"},
        links=s.link(person="prisoner", same_as="party", evidence="intake"),
    )  # fmt: skip
    s.tell("marshal", f"claims that its prisoner is the person of the warrant ({s.number('same_as')}): two records, "
           "tied and not merged")  # fmt: skip
    s.enter(
        "usms_hold", "marshal", "custody.hold", {"basis": "warrant", "authority": "usms", "since": instant()},
        links=s.link(intake="intake", ground="warrant"),
    )  # fmt: skip
    back = _returned(s, "marshal", "warrant>usms", "Return on the warrant of arrest")
    s.act("warrant", "clerk", "record_execution", links=s.link(**{"return": back}))
    s.enter(
        "transfer", "marshal", "custody.transfer",
        {"receiver": "detention", "reason": "housing", "planned_for": instant()},
        links=s.link(intake="intake", person="prisoner"),
    )  # fmt: skip
    s.answer("transfer", "jail_intake", "accepted", fields={"received_at": instant(), "condition": "Well"})
    s.until("marshal", "transfer", "accepted")
    s.enter("inmate", "jail_intake", "registry.person", {"role": "prisoner"}, links=s.link(taken_from="prisoner"))
    s.enter(
        "stay", "jail_intake", "custody.intake",
        {"received_at": instant(), "ground": "transfer", "legal_custodian": "usms", "identified_by": "photograph",
         "height": "181", "weight": "83.9", "informed": ["usao"]},
        links=s.link(person="inmate", transfer="transfer"),
    )  # fmt: skip
    s.enter(
        "hold", "jail_records", "custody.hold",
        {"basis": "commitment_order", "authority": "usms", "since": instant()},
        links=s.link(intake="stay", ground="transfer"),
    )  # fmt: skip
    s.tell("jail_intake", f"houses the prisoner ({s.number('stay')}); it weighs 0.6 kg less than the Marshals did")
    if "detention" in s.outside:
        s.told.line("both weights stand side by side; an institution that is outside cannot be asked here")
        return
    s.enter(
        "discrepancy", "jail_records", "registry.discrepancy",
        {"other": "usms", "field": "weight", "statement": "Weighed on the scale of the unit, in prison clothes."},
        links=s.link(ours="stay", theirs="intake"),
    )  # fmt: skip
    s.answer("discrepancy", "marshal", "stands",
             fields={"other_statement": "Weighed on arrival, in street clothes and boots."})  # fmt: skip
    s.until("jail_records", "discrepancy", "answered")
    s.act("discrepancy", "jail_records", "settle",
          fields={"outcome": "explained", "conclusion": "Different clothes; both weights stand."})  # fmt: skip
    s.tell("jail_records", "asks; both answer; both weights stand, explained")


def _appears(s: Story) -> None:
    s.enter(
        "appearance", "clerk", "court.hearing",
        {"kind": "initial_appearance", "scheduled": instant(), "notified": ["usms", "pretrial"]},
        links=s.link(case="court_case"),
    )  # fmt: skip
    s.act("appearance", "clerk", "open", fields={"held_at": instant()})
    _ordered(s, "unseal", "unseal", "Order to unseal", {}, addressees=["usao"])
    for name in ("court_case", "warrant", "appearance", "unseal", "unseal_line"):
        s.act(name, "clerk", "unseal", links=s.link(order="unseal"))
    _serve(s, "unseal", "usao", "take_note")
    s.answer("unseal>usao", "usao_attorney", "acknowledged", fields={"acknowledged_at": instant()})
    s.until("clerk", "unseal>usao", "acknowledged")
    for name in ("indictment", "filing"):
        s.act(name, "usao_attorney", "unseal", links=s.link(order="unseal"))
    _returned(s, "usao_attorney", "unseal>usao", "The indictment is unsealed")
    s.act("unseal", "clerk", "fulfil")
    s.act(
        "appearance", "clerk", "complete",
        fields={"outcome": "Advised of rights; counsel appointed.", "us-federal:disclosure_reminder": True},
    )  # fmt: skip
    s.amend("court_case", "clerk", fields={"counsel": ["defender"]})
    trial = s.clock("usao_attorney", "court_case", "trial")
    s.tell("judge", "advises the defendant, reminds the prosecution of its duty to disclose, unseals the case")
    s.told.line(f"the clock: {working(trial)}")
    caption = s.read("defender", "court_case").fields["caption"]
    s.read("defender", "indictment")
    s.tell("defender", f"is appointed, and from now on sees {caption}, and the indictment")


def _released_by_order(s: Story) -> None:
    s.enter(
        "detention_hearing", "clerk", "court.hearing", {"kind": "detention", "scheduled": instant()},
        links=s.link(case="court_case"),
    )  # fmt: skip
    s.act("detention_hearing", "clerk", "open", fields={"held_at": instant()})
    _ordered(
        s, "release", "release", "Order setting conditions of release",
        {"defendant": "party", "hearing": "detention_hearing"},
        conditions=["Report each Monday.", "No firearm.", "Reside at the approved address."],
        addressees=[agency for agency, *_ in ADDRESSEES], **{"us-federal:release_kind": "conditions"},
    )  # fmt: skip
    s.act("detention_hearing", "clerk", "complete", fields={"outcome": "Released on conditions."})
    for agency, _, duty, _ in ADDRESSEES:
        _serve(s, "release", agency, duty, case="court_case", defendant="party")
    named = ", ".join(agency for agency, *_ in ADDRESSEES)
    s.tell("judge", f"releases on three conditions ({s.number('release')}); the order names who must act: {named}")
    for agency, seat, _, _ in ADDRESSEES:
        s.answer(f"release>{agency}", seat, "acknowledged", fields={"acknowledged_at": instant()})
    for agency, *_ in ADDRESSEES:
        s.until("clerk", f"release>{agency}", "acknowledged")
    said = "the four addressees have acknowledged" if "usdc" in s.outside else "sees all four acknowledge"
    s.tell("clerk", f"{said}; each stays open until it is executed")
    s.enter("victim_person", "usao_coordinator", "registry.person", {"role": "victim", "name": "Nora Sample"})
    s.enter(
        "victim", "usao_coordinator", "community.victim", {"wants_notice": True, "way": "phone"},
        links=s.link(person="victim_person"),
    )  # fmt: skip
    s.enter(
        "notice", "usao_coordinator", "community.notice",
        {"event": "release", "citation": "18 U.S.C. 3771(a)(2) (read)", "message": "The defendant is being released."},
        links=s.link(victim="victim", about="release>usao"),
    )  # fmt: skip
    s.tell("usao_coordinator", f"queues the notice to the victim ({s.number('notice')}), 18 U.S.C. 3771(a)(2)")


def _stopped(s: Story) -> None:
    s.enter("wanted", "sergeant", "registry.person", {"role": "subject", **referral.TARGET})
    s.enter(
        "detainer", "sergeant", "custody.detainer",
        {"facility": "detention", "basis": "warrant", "reference": "W-2026-118", "call": "Warrants desk, all hours"},
        links=s.link(person="wanted", **({} if "detention" in s.outside else {"intake": "stay"})),
    )  # fmt: skip
    s.answer("detainer", "jail_records", "lodged", fields={"lodged_at": instant()})
    s.until("sergeant", "detainer", "lodged")
    s.enter(
        "state_hold", "jail_records", "custody.hold",
        {"basis": "detainer", "authority": "state-police", "since": instant()},
        links=s.link(intake="stay", detainer="detainer"),
    )  # fmt: skip
    s.tell("sergeant", f"lodges a detainer on its own warrant ({s.number('detainer')})")
    s.act("hold", "jail_records", "end", reason="Ordered released", fields={"ended_at": instant()},
          links=s.link(ended_by="release>detention"))  # fmt: skip
    why = s.refused("invalid", "hold_active", lambda: _prepare_release(s))
    if "detention" in s.outside:
        s.tell("marshal", f"cannot enter that the jail tries to release: refused. {why}")
    else:
        s.tell("jail_records", f"tries to release: refused. {why}")


def _prepare_release(s: Story) -> None:
    s.receipts["out"] = enter(
        s.node, s.actor("jail_records"), "custody.release",
        {"ground": "court_order", "informed": ["usms", "usao", "pretrial"]},
        links=s.link(intake="stay", authority="release>detention"),
    )  # fmt: skip


def _let_go(s: Story) -> None:
    s.act("detainer", "sergeant", "lift", reason="The warrant was recalled")
    s.act("state_hold", "jail_records", "end", reason="Detainer lifted", fields={"ended_at": instant()},
          links=s.link(ended_by="detainer"))  # fmt: skip
    s.tell("sergeant", "withdraws the detainer: only its own authority could")
    _prepare_release(s)
    s.act("out", "jail_shift", "complete", fields={"released_at": instant()})
    s.act("stay", "jail_records", "discharge", fields={"ended_at": instant()}, links=s.link(release="out"))
    by = "as its paper says" if "detention" in s.outside else "prepared by another officer"
    s.tell("jail_shift", f"releases ({s.number('out')}), {by}; no hold was active")
    s.act("transfer", "marshal", "end", reason="Released by order")
    s.act("usms_hold", "marshal", "end", reason="Ordered released", fields={"ended_at": instant()},
          links=s.link(ended_by="release>usms"))  # fmt: skip
    s.act("intake", "marshal", "discharge", fields={"ended_at": instant()}, links=s.link(release="out"))
    s.enter("supervised", "pretrial", "registry.person", {"role": "supervised"}, links=s.link(taken_from="party"))
    s.enter(
        "supervision", "pretrial", "custody.supervision",
        {"kind": "pretrial", "began_on": day(), "informed": ["usdc"]},
        links=s.link(person="supervised", order="release"),
    )  # fmt: skip
    s.tell(
        "pretrial", f"begins supervision ({s.number('supervision')}); the conditions stand in the order, nowhere else"
    )
    s.act("notice", "usao_coordinator", "send", fields={"way": "phone", "sent_at": instant()},
          links=s.link(about="out"))  # fmt: skip
    s.act("notice", "usao_coordinator", "record_told", fields={"told_at": instant()})
    s.tell("usao_coordinator", "reaches the victim by telephone: told, not only sent")
    for agency, seat, _, title in ADDRESSEES:
        _returned(s, seat, f"release>{agency}", title)
    s.act("release", "clerk", "fulfil")
    s.tell("clerk", "has the return of each addressee: the order is fulfilled")


def _produced(s: Story) -> None:
    s.enter(
        "paper", "usao_attorney", "registry.document",
        {"title": "Report of the controlled buy, without the technique", "kind": "court_paper", "text": "As redacted."},
    )  # fmt: skip
    s.enter(
        "item", "usao_attorney", "prosecution.disclosure_item", {"label": "Report, US-000001 to US-000004"},
        links=s.link(matter="matter", document="paper"),
    )  # fmt: skip
    s.act("item", "usao_attorney", "schedule", fields={"class": "document_or_object", "due": day()})
    s.enter(
        "production", "usao_attorney", "prosecution.production",
        {"counsel": "defender", "volume": "Volume 1", "produced_on": day(), "medium": "on_record"},
        links=s.link(item="item", document="paper"),
    )  # fmt: skip
    s.answer("production", "defender", "received", fields={"received_on": day()})
    s.until("usao_attorney", "production", "received")
    s.act("item", "usao_attorney", "disclose", links=s.link(production="production"))
    s.tell("defender", f"receives {s.number('production')}: the report, redacted; of the file it sees nothing else")


def _reconciled(s: Story) -> None:
    s.reconcile("usao_attorney" if "usdc" in s.outside else "clerk")


def _ordered(s: Story, name: str, kind: str, title: str, links: Mapping[str, str], **fields: Any) -> None:
    """Drafted in chambers, signed by the judge, entered on the docket by the clerk."""
    s.enter(name, "clerk", "court.order", {"kind": kind, "title": title, "terms": f"{title}.", **fields},
            links=s.link(case="court_case", **links))  # fmt: skip
    s.act(name, "judge", "sign")
    s.enter(f"{name}_line", "clerk", "court.docket_entry", {"entered_on": day(), "text": title},
            links=s.link(case="court_case"))  # fmt: skip
    s.act(name, "clerk", "enter_on_docket", fields={"entered_on": day()}, links=s.link(docket_entry=f"{name}_line"))


def _serve(s: Story, order: str, addressee: str, duty: str, **links: str | Sequence[str]) -> None:
    s.enter(f"{order}>{addressee}", "clerk", "court.order_service", {"addressee": addressee, "duty": duty},
            links=s.link(order=order, **links))  # fmt: skip


def _returned(s: Story, seat: str, service: str, title: str) -> str:
    """The addressee's return, filed by the clerk, who then records the execution. The name of the return."""
    name = f"return:{service}"
    s.enter(
        name, seat, "court.filing",
        {"court": "usdc", "kind": "return", "title": title, "outcome": "executed", "executed_at": instant()},
        links=s.link(service=service),
    )  # fmt: skip
    s.answer(name, "clerk", "filed", fields={"filed_at": instant()})
    s.until(seat, name, "filed")
    s.act(service, "clerk", "record_execution", links=s.link(**{"return": name}))
    return name


SCRIPT = Script(
    jurisdiction="us-federal",
    agencies=AGENCIES,
    seats=SEATS,
    chapters=(
        *referral.CHAPTERS, _indicted, _warrant, _arrested, _appears, _released_by_order, _stopped, _let_go, _produced,
        _reconciled,
    ),
    look=("case", "atf_agent"),
    reporters={
        "usdc": {"usao": "usao_docket", "usms": "usms_docket", "pretrial": "pretrial_docket"},
        "detention": {"usms": "usms_jail", "usao": "usao_docket", "state-police": "state_jail"},
    },
    outsiders={"court": "usdc", "jail": "detention"},
)  # fmt: skip
