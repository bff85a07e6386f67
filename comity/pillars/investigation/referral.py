"""The referral of a finished case: built whole from what is already entered, or the exact list of what is missing.

What an office needs is that office's own record (prosecution.referral_profile): checks that choose among the named
findings of `findings.py`. Which marked records go along is the jurisdiction's rule that the profile names. Pure: no
clock, no database, nothing written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from comity.extensions import Fact, Facts, ManifestItem, Missing, Outcome, Parcel
from comity.pillars.investigation.findings import Gathered, Thing, day, gather, once, things
from comity.sentences import Filled, Given, Text, say

STRICTNESS = ("included", "masked", "withheld")
GROUPS: Mapping[str, tuple[str, ...]] = {
    "investigation.case": ("base", "narrative"),
    "investigation.offense": ("base", "narrative"),
    "investigation.report": ("base", "narrative", "sensitive"),
    "registry.person": ("base", "identity"),
    "registry.document": ("base", "content"),
}


def build(facts: Facts) -> Parcel:
    """The parcel for the office whose `profile` is given: what is missing, what is sent, its fields and links."""
    profile, found = facts.given["profile"], gather(facts)
    missing = referral_findings(facts).missing
    manifest = _manifest(facts, found, profile)
    sent = {one.record for one in manifest if one.decision != "withheld"}
    return Parcel(missing=missing, manifest=manifest, fields=_fields(facts, found, profile), links=_links(found, sent))


def referral_findings(facts: Facts) -> Outcome:
    """What the office whose `profile` is given still wants of a case (`facts.subject`); without one, nothing.

    Values: of each collection that the profile's checks look at, how many things there are.
    """
    profile = facts.given.get("profile")
    if profile is None:
        return Outcome()
    found = gather(facts)
    statutes = _values(facts.rules(str(profile.fields.get("statutes_rule", ""))))
    seen = things(facts, found, statutes, profile.agency)
    missing = [*_not_taken(facts, found.case, profile), *_judge(facts, found.case, profile, seen)]
    return Outcome(missing, values=Counter(one.collection for one in seen))


def _values(rule: Any) -> Sequence[Mapping[str, Any]]:
    """The dated values of a rule file, whether handed over whole or as its list; none when there is no such rule."""
    if isinstance(rule, Mapping):
        rule = rule.get("values", ())
    return [one for one in rule or () if isinstance(one, Mapping)]


def _not_taken(facts: Facts, case: Fact, profile: Fact) -> list[Missing]:
    """Whether the profile is for such cases at all, today."""
    begins, ends = day(profile.fields.get("in_force_from")), day(profile.fields.get("in_force_until"))
    dated = (begins is None or begins <= facts.today) and (ends is None or facts.today <= ends)
    program = case.fields.get("program")
    if dated and program in profile.fields.get("programs", ()):
        return []
    key = "profile_does_not_apply.takes_no_such_program" if dated else "profile_does_not_apply.is_not_in_force"
    return [
        Missing(
            code="profile_does_not_apply",
            severity="error",
            message=say(
                key, number=profile.number or profile.title, agency=profile.agency, program=program, today=facts.today
            ),
            about=case.id,
            about_label=label(case),
            owed_by=facts.agency,
            since=facts.today,
        )
    ]


def _judge(facts: Facts, case: Fact, profile: Fact, seen: Sequence[Thing]) -> list[Missing]:
    """Every check of the profile against every thing it looks at, in the profile's order."""
    program = case.fields.get("program")
    missing = []
    for check in profile.fields.get("checks", ()):
        if program not in check.get("applies", (program,)):
            continue
        for thing in seen:
            if thing.collection != check["for"] or not _of_category(thing.fact, check.get("categories")):
                continue
            finding = thing.findings[check["require"]]
            if finding.holds:
                continue
            owed_by = thing.owes.get(check["owed_by"], facts.agency)
            # What another agency is told of an own record is its number and no more.
            name = label(thing.fact) if owed_by == facts.agency else thing.fact.number
            missing.append(
                Missing(
                    code=check["code"],
                    severity=check["severity"],
                    message=_say(check["message"], name, finding.detail),
                    about=thing.fact.id,
                    about_label=name,
                    owed_by=owed_by,
                    since=min(finding.since, facts.today),
                    fix=_say(check.get("fix", ""), name, finding.detail),
                    citation=check.get("citation", ""),
                )
            )
    return missing


def _of_category(fact: Fact, categories: Sequence[str] | None) -> bool:
    return not categories or fact.fields.get("category") in categories


def _say(text: str, name: str, detail: Text) -> Text:
    """A sentence of the receiver's profile about one record."""
    return Filled(Given(text), {"label": name, "detail": detail})


def label(fact: Fact) -> str:
    """A record as a reader of its own agency names it: number, then title."""
    return f"{fact.number} ({fact.title})" if fact.number and fact.title else fact.number or fact.title


def _fields(facts: Facts, found: Gathered, profile: Fact) -> dict[str, Any]:
    """The referral's own fields. The owners of the incidents are told that there is one."""
    fields: dict[str, Any] = {"counts": len(found.offenses)}
    if found.case.fields.get("program") in profile.fields.get("programs", ()):
        fields["program"] = found.case.fields["program"]
    owners = sorted({who for one in found.incidents for who in (one.agency, one.owner)} - {facts.agency, facts.owner})
    return {**fields, "informed": owners} if owners else fields


def _links(found: Gathered, sent: set[str]) -> dict[str, list[str]]:
    """Withheld records are not even pointed at."""
    bundle = [one.id for one in _everything(found) if one.id in sent]
    links = {
        "case": [found.case.id],
        "incident": [one.id for one in found.incidents],
        "subject": [one.id for one in found.subjects if one.id in sent],
        "offense": [one.id for one in found.offenses if one.id in sent],
    }
    named = {target for targets in links.values() for target in targets}
    links["included"] = [one for one in bundle if one not in named]
    return {name: targets for name, targets in links.items() if targets}


def _everything(found: Gathered) -> tuple[Fact, ...]:
    trails = found.trails
    approved = (one for one in found.reports if one.state == "approved")
    return once(
        [
            found.case,
            *found.incidents,
            *found.subjects,
            *found.offenses,
            *approved,
            *(trail.item for trail in trails),
            *(one for trail in trails for one in trail.taken_over),
            *(trail.asked for trail in trails if trail.asked),
            *(one for trail in trails for one in trail.reports if one.state == "reported"),
            *found.documents,
        ]
    )


def _manifest(facts: Facts, found: Gathered, profile: Fact) -> list[ManifestItem]:
    rule = _values(facts.rules(str(profile.fields.get("release_rule", ""))))
    in_force = {str(one["mark"]): one for one in rule if (day(one.get("from")) or facts.today) <= facts.today}
    out = []
    for fact in _everything(found):
        decisions = [_by_marks(fact, in_force), _by_owner(facts, fact, profile.agency), _by_disclosure(fact)]
        decision, ground = max(decisions, key=lambda one: STRICTNESS.index(one[0]))
        ground = "; ".join(why for kind, why in decisions if why and kind == decision) or ground
        out.append(
            ManifestItem(
                record=fact.id,
                version=fact.version,
                agency=fact.owner,
                type=fact.type,
                label=fact.number if decision == "withheld" else label(fact),
                decision=decision,
                groups=_groups(fact, decision, decisions[0][0]),
                ground=ground,
            )
        )
    return out


def _by_marks(fact: Fact, rule: Mapping[str, Mapping[str, Any]]) -> tuple[str, str]:
    """The strictest line of the release rule among the record's marks; a mark without a line is withheld."""
    lines = [(mark, rule.get(mark)) for mark in sorted(fact.marks)]
    judged = [
        (str(line["decision"]), f"{mark}: {line['ground']} [{line.get('citation', '')}]")
        if line
        else ("withheld", f"{mark}: no rule releases it")
        for mark, line in lines
    ]
    return _strictest(judged)


def _by_owner(facts: Facts, fact: Fact, office: str) -> tuple[str, str]:
    """Another agency's record is not ours to grant: it is listed, and read under its owner's own terms."""
    if fact.owner in (facts.owner, office):
        return "included", ""
    if fact.type == "forensics.report" and office not in fact.fields.get("released_to", ()):
        return "withheld", f"not released to {office} by {fact.owner}"
    return "included", f"read under the terms of its owner {fact.owner}"


def _by_disclosure(fact: Fact) -> tuple[str, str]:
    if fact.type != "investigation.report":
        return "included", ""
    decision = fact.fields.get("disclosure")
    ground = str(fact.fields.get("disclosure_ground", ""))
    if decision is None:
        return "withheld", "disclosure is not decided"
    return {"whole": "included", "redacted": "masked", "withheld": "withheld"}[decision], f"disclosure: {ground}"


def _strictest(judged: Iterable[tuple[str, str]]) -> tuple[str, str]:
    return max(judged, key=lambda one: STRICTNESS.index(one[0]), default=("included", ""))


def _groups(fact: Fact, decision: str, by_marks: str) -> tuple[str, ...]:
    """Masked by a mark: the base group alone. Masked by the disclosure decision: all but sources and techniques."""
    if decision == "withheld":
        return ()
    if by_marks == "masked":
        return ("base",)
    groups = GROUPS.get(fact.type, ("base",))
    return groups if decision == "included" else tuple(one for one in groups if one != "sensitive")
