"""What the definitions say beside the policies moves the table: each edit is played on the files in memory."""

from __future__ import annotations

from functools import cache

import pytest

from comity.kernel.definitions.load import load
from comity.kernel.types.definition import Files
from tests.golden import declared
from tests.golden.offices import Definitions, Office, shipped
from tests.golden.table import DECLARED, defined, difference, table, written


@cache
def definitions() -> Definitions:
    return shipped()


def edited(agency: str, layer: str, file: str, old: str, new: str) -> Office:
    """The agency once one place of a file of the core, of a jurisdiction or of an agency is written otherwise.

    Of the others it sees agreements alone here, so that only the agency that is edited is loaded anew.
    """
    here, law = definitions(), definitions().catalogues[agency].jurisdiction

    def read(name: str, files: Files) -> Files:
        if name != layer:
            return files
        assert files[file].count(old) == 1, f"{old!r} stands once in {file}"
        return {**files, file: files[file].replace(old, new)}

    known = {
        name: load(read("core", here.core), read(law, here.jurisdictions[law]), read(name, here.agencies[name]))
        for name in {agency, layer} & set(here.agencies)
    }
    return Office(
        known.pop(agency), {name: one for name, one in {**here.catalogues, **known}.items() if name != agency}
    )


def told(office: Office) -> str:
    return "\n".join(defined(office))


def moved(agency: str, *edit: str) -> list[str]:
    """How the sections on definitions differ after the edit."""
    before, after = told(definitions().office(agency)), told(edited(agency, *edit))
    return [" ".join(line.split()) for line in difference(before, after)]


REGISTRY, TYPES = "registry/pillar.yml", "investigation/types"
EDITS = {
    "a field leaves its group": (
        "usao", ("core", "registry/types/person.yml", "maxLength: 40, group: identity,", "maxLength: 40,"),
        "+ registry.person identity aliases birth_date fbi_number height license_number name sex state_number weight",
    ),
    "a field of sources becomes one of the base": (
        "dea", ("core", f"{TYPES}/report.yml", '{3,20}$", group: sensitive,', '{3,20}$",'),
        "+ investigation.report sensitive techniques",
    ),
    "an agency puts its own field into a group": (
        "atf", ("atf", "types/report.yml", "unit: USD", "unit: USD, group: sensitive"),
        "+ investigation.report sensitive atf:official_funds informant_number techniques",
    ),
    "an offer opens more of what it links": (
        "dea", ("core", f"{TYPES}/lead.yml", "case: [base]", "case: [base, narrative]"),
        "+ investigation.lead to partner base terms; case: base narrative; subject: base identity "
        "until declined withdrawn expired after P7D",
    ),
    "an offer opens less of itself": (
        "dea", ("core", f"{TYPES}/lead.yml", "groups: [base, terms]", "groups: [base]"),
        "+ investigation.lead to partner base; case: base; subject: base identity "
        "until declined withdrawn expired after P7D",
    ),
    "an answer no longer ends what the offer opened": (
        "dea", ("core", f"{TYPES}/lead.yml", "needs: [reason], ends: true", "needs: [reason]"),
        "+ investigation.lead to partner base terms; case: base; subject: base identity "
        "until withdrawn expired after P7D",
    ),
    "an offer stands longer": (
        "dea", ("core", f"{TYPES}/lead.yml", "expires: P7D", "expires: P70D"),
        "+ investigation.lead to partner base terms; case: base; subject: base identity "
        "until declined withdrawn expired after P70D",
    ),
    "another agency no longer takes an offer": (
        "dea", ("usao", "agreements.yml", "DEA\n    basis: \"Intake agreement, 2026 (sample)\"\n"
        "    purposes: [prosecution, investigation]\n    from: 2026-01-01", "DEA\n"
        "    basis: \"Intake agreement, 2026 (sample)\"\n    purposes: [prosecution, investigation]\n"
        "    from: 2027-01-01"),
        "+ (may be made to usao) 2027-01-01..2028-12-31 prosecution.referral",
    ),
    "a role speaks for another": (
        "usao", ("usao", "roles.yml", "for: usdc", "for: usms"), "+ docket_clerk for usms clerk judge",
    ),
    "a role of the types gets a power": (
        "usao", ("core", REGISTRY, "[review_emergencies, keep_subscriptions, see_refusals]",
                 "[review_emergencies, keep_subscriptions, see_refusals, leave]"),
        "+ chief attorney supervisor may keep_subscriptions leave review_emergencies see_refusals",
    ),
    "a role of the types loses a power": (
        "atf", ("core", REGISTRY, "      - keep_endpoints\n", ""),
        "+ administrator administrator may admit_members keep_subscriptions leave review_emergencies see_refusals "
        "subscribe_for_any_role",
    ),
    "who wrote it may approve it": (
        "atf", ("core", f"{TYPES}/report.yml", "by: [supervisor], not_by: [enter, amend, submit]", "by: [supervisor]"),
        "+ investigation.report not by who did return: enter",
    ),
    "a field that an act sets may be amended": (
        "atf", ("core", f"{TYPES}/report.yml", "investigation.disclosure, input: true", "investigation.disclosure"),
        "+ investigation.report set by enter and amend too disclosure",
    ),
    "an act sets more": (
        "atf", ("core", f"{TYPES}/report.yml", "sets: [disclosure, disclosure_ground]",
                "sets: [disclosure, disclosure_ground, techniques]"),
        "+ investigation.report set decide_disclosure: disclosure disclosure_ground techniques",
    ),
    "what is fixed on entering may be amended": (
        "usms", ("core", "custody/types/hold.yml", "detainer: { to: custody.detainer, serial: true, fixed: true }",
                 "detainer: { to: custody.detainer, serial: true }"),
        "+ custody.hold set by enter alone intake",
    ),
    "marks no longer pass by a link": (
        "usms", ("core", "custody/types/hold.yml", "inherit: true, ", ""),
        "+ intake (linked) custody.housing custody.movement custody.release custody.transfer",
    ),
    "a type bears a mark always": (
        "dea", ("core", f"{TYPES}/lead.yml", "links:\n", "handling: [sealed]\nlinks:\n"),
        "+ sealed (always) investigation.lead",
    ),
    "an act no longer lifts a mark": (
        "usdc", ("core", "court/types/case.yml", "    lifts: [sealed]\n", ""),
        "+ sealed (lifted) court.docket_entry.unseal court.filing.unseal court.hearing.unseal court.order.unseal "
        "court.warrant.unseal prosecution.instrument.unseal",
    ),
    "an agency in a field is no party": (
        "usms", ("core", "custody/types/hold.yml", "party: true, ", ""), "- authority (party) custody.hold",
    ),
    "others learn of any person": (
        "dea", ("core", "registry/types/person.yml", "subject, person_of_interest, arrestee]", "subject, arrestee]"),
        "+ registry.person (pointer) birth_date name | as target | role: arrestee subject",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_of_the_definitions_moves_the_line_that_it_means(name: str) -> None:
    agency, edit, wanted = EDITS[name]
    lines = moved(agency, *edit)
    assert wanted in lines, lines
    assert len(lines) <= 4, "a heading, what was, what is, and nothing else"


def test_the_head_says_for_what_an_agency_works_whether_it_is_a_member_and_where_its_days_begin() -> None:
    def last(text: str) -> str:
        return next(one for one in reversed(text.splitlines()) if one.startswith("#"))

    said = last(written()["usao"])
    assert said == "# member; purpose where none is stated: prosecution; its days are those of America/New_York"
    for old, new in (
        ("purpose: prosecution", "purpose: custody"), ("membership: member", "membership: outside"),
        ("zone: America/New_York", "zone: America/Denver"),
    ):  # fmt: skip
        assert declared.agency(edited("usao", "usao", "agency.yml", old, new)) == said.replace(
            old.split()[1], new.split()[1]
        )


def test_every_committed_table_has_what_its_definitions_say() -> None:
    for agency, text in written().items():
        assert text.endswith(told(definitions().office(agency))), agency
        assert all(f"\n[{name}] " in text for name in DECLARED), agency


@pytest.mark.slow
def test_the_whole_table_differs_too() -> None:
    other = edited("usao", "usao", "agency.yml", "purpose: prosecution", "purpose: custody")
    lines = list(difference(written()["usao"], table(other)))
    assert [one[:1] for one in lines] == ["[", "-", "+"], lines
    assert "purpose where none is stated: custody" in lines[2]
