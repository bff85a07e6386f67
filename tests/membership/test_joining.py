"""An outsider joins: from then on it acts itself, and says of each entry made in its name whether it is so."""

from __future__ import annotations

import io
from collections.abc import Iterator

import psycopg
import pytest

from comity.kernel.exchange.reported import confirm, dispute, open_reports, reports
from comity.kernel.portability import rebuild
from comity.kernel.records.attach import attach, fetch
from comity.kernel.sharing.inbox import inbox
from comity.kernel.views.history import history
from comity.kernel.views.read import read
from comity.kernel.views.refusals import refusals
from tests.membership.stage import District, own_file
from tests.pillars.stage import refused, staged
from tests.records.conftest import at_once, code_of
from tests.world import day, instant


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> Iterator[District]:
    """The court has been outside, several things were reported of it; then it joined: two clerks, a judge."""
    with staged(tmp_path_factory.mktemp("district")) as stage:
        found = District(stage.node).open()
        paper = found.document("docket", "Certified copy of the docket")
        case, found.made["defendant"] = found.case("docket", paper)
        fields = {"kind": "unseal", "title": "Unsealed", "terms": "The case is unsealed.", "addressees": ["usms"]}
        order = found.entered("docket", "usdc", paper, "court.order", fields, {"case": [case.record]})
        signed = found.acted("docket", "usdc", paper, order.record, "sign")
        filing = {"court": "usdc", "kind": "motion", "title": "Motion to unseal"}
        found.made |= {
            "paper": paper, "case": case.record, "case.enter": case.entry, "order": order.record,
            "order.enter": order.entry, "order.sign": signed.entry,
            "filing": found.enter("attorney", "court.filing", filing),
            "waiting": found.enter("attorney", "court.filing", {**filing, "title": "Second motion"}),
        }  # fmt: skip
        told = found.answered("docket", "usdc", paper, found.made["filing"], "filed", fields={"filed_at": instant()})
        found.made["filing.filed"] = told.entry
        stay = found.document("liaison", "Booking sheet")
        found.made["booking"] = stay
        found.join("usdc", clerk=["deputy_clerk"], second=["deputy_clerk"], judge=["magistrate_judge"])
        yield found


@pytest.fixture(scope="module", autouse=True)
def rebuilt(district: District) -> Iterator[None]:
    yield
    found = rebuild.run(district.node)
    assert found.equal, found.differences


def states(district: District, seat: str) -> dict[str, str]:
    return {one.entry: one.state for one in reports(district.node, district.seats[seat])}


def test_what_was_reported_of_it_waits_for_the_court(district: District) -> None:
    clerk, made = district.seats["clerk"], district.made
    waiting = {one.entry: one for one in open_reports(district.node, clerk)}
    assert {made[name] for name in ("case.enter", "order.enter", "order.sign", "filing.filed")} <= set(waiting)
    assert waiting[made["order.sign"]].said == "as reported by usao for usdc"
    told = [one for one in inbox(district.node, clerk) if one.kind == "reported"]
    assert {one.from_agency for one in told} == {"usao"} and len(told) == len(waiting)
    view = read(district.node, clerk, made["order"])
    assert (view.agency, view.on_behalf, list(view.acts)) == ("usao", "usdc", [])
    assert view.fields["terms"] == "The case is unsealed."
    (file,) = read(district.node, clerk, made["paper"]).files
    assert b"".join(fetch(district.node, clerk, file)[1]).startswith(b"%PDF")
    assert open_reports(district.node, district.seats["attorney"]) == []
    assert set(waiting) <= set(states(district, "attorney")), "the reporter sees what became of its reports"
    assert reports(district.node, district.seats["marshal"]) == []


def test_the_document_is_seen_as_it_was_when_it_was_named(district: District) -> None:
    district.put("usdc", "outside")
    paper = district.document("docket", "Copy with a scan")
    district.case("docket", paper)
    more = io.BytesIO(b"%PDF our notes")
    attach(district.node, district.seats["docket"], paper, name="notes.pdf", media_type="application/pdf", stream=more)
    district.amend("attorney", paper, text="What we think of it")
    district.put("usdc", "member")
    seen = read(district.node, district.seats["clerk"], paper)
    assert [one["name"] for one in seen.files.values()] == ["scan.pdf"]
    assert seen.fields["title"] == "Copy with a scan" and "text" not in seen.fields


def test_a_member_acts_itself(district: District) -> None:
    made = district.made
    with refused("not_outside"):
        district.case("docket", made["paper"])
    with refused("not_outside"):
        district.acted("docket", "usdc", made["paper"], made["case"], "deactivate", reason="r")
    with refused("not_outside"):
        district.answered("docket", "usdc", made["paper"], made["waiting"], "filed", fields={"filed_at": instant()})
    told = refusals(district.node, district.seats["docket"], code="not_outside").items
    assert sorted((one["verb"], one["act"], one["on_behalf"]) for one in told) == [
        ("act", "deactivate", "usdc"), ("answer", "filed", "usdc"), ("enter", "", "usdc"),
    ]  # fmt: skip
    assert {one["name"] for one in told} == {"docket"}
    district.answer("clerk", made["waiting"], "filed", filed_at=instant())
    assert district.state("attorney", made["waiting"]) == "filed"


def test_the_word_of_the_court_is_given_by_who_could_have_acted(district: District) -> None:
    made = district.made
    for seat, entry, code in (
        ("clerk", made["order.sign"], "not_allowed"),
        ("judge", made["case.enter"], "not_allowed"),
        ("attorney", made["order.sign"], "not_found"),
        ("marshal", made["order.sign"], "not_found"),
        ("judge", made["order"], "not_found"),
    ):
        with refused(code):
            confirm(district.node, district.seats[seat], entry)
    with refused("invalid"):
        dispute(district.node, district.seats["judge"], made["order.sign"], reason=" ")
    told = [(one["verb"], one["code"], one["faults"]) for one in refusals(district.node, district.seats["judge"]).items]
    assert ("confirm", "not_allowed", []) in told
    assert ("dispute", "invalid", [{"code": "needs", "path": "reason"}]) in told
    assert states(district, "attorney")[made["order.sign"]] == "open"


def test_what_it_confirms_is_told_as_confirmed_and_once(district: District) -> None:
    made, clerk = district.made, district.seats["clerk"]
    receipt = confirm(district.node, clerk, made["filing.filed"], key="mine")
    assert confirm(district.node, clerk, made["filing.filed"], key="mine").entry == receipt.entry
    assert receipt.agency == "usdc"
    with refused("report_judged") as told:
        dispute(district.node, district.seats["second"], made["filing.filed"], reason="On second thoughts")
    assert told[0].extra["state"] == "confirmed"
    lines = history(district.node, district.seats["attorney"], made["filing"])
    said = f"as reported by usao for usdc; confirmed by usdc on {day()}"
    assert [(one.kind, one.agency) for one in lines][-2:] == [("answer", "usao"), ("confirm", "usdc")]
    assert said[:-10] in lines[-2].reported


def test_an_outsider_that_joined_disputes_an_entry_made_on_its_behalf(district: District) -> None:
    made, judge = district.made, district.seats["judge"]
    dispute(district.node, judge, made["order.sign"], reason="It was signed in another case.")
    view = read(district.node, district.seats["attorney"], made["order"])
    assert view.state == "signed", "nothing in a log is undone"
    assert "Sign as reported by usao for usdc; disputed by usdc on" in view.reported
    assert view.reported.endswith(": It was signed in another case.")
    (told,) = [one for one in inbox(district.node, district.seats["docket"]) if one.kind == "disputed"]
    assert (told.record, told.from_agency, told.state) == (made["order"], "usdc", "disputed")


def test_the_reporter_corrects_and_the_correction_waits_in_its_turn(district: District) -> None:
    made, docket = district.made, district.seats["docket"]
    confirm(district.node, district.seats["clerk"], made["case.enter"])
    dispute(district.node, district.seats["clerk"], made["order.enter"], reason="Another caption.")
    assert any(one.kind == "disputed" for one in inbox(district.node, docket))
    mended = district.amended(
        "docket", "usdc", made["paper"], made["case"], fields={"caption": "United States v. D. Pruitt"},
        corrects=made["case.enter"], reason="The court disputes the caption",
    )  # fmt: skip
    assert states(district, "clerk")[mended.entry] == "open"
    with refused("not_allowed"):  # in its own name the reporter moves nothing of the court's
        district.amend("docket", made["case"], caption="Ours")


def test_two_members_of_the_court_say_yes_and_no_at_once(district: District) -> None:
    for number in range(3):
        district.put("usdc", "outside")
        paper = district.document("docket", f"Copy {number}")
        entry = district.case("docket", paper)[0].entry
        district.put("usdc", "member")
        found = at_once([
            lambda entry=entry: confirm(district.node, district.seats["clerk"], entry),
            lambda entry=entry: dispute(district.node, district.seats["second"], entry, reason="Not ours"),
        ])  # fmt: skip
        assert sorted(code_of(one) for one in found) == ["done", "report_judged"]
        verdict = "confirmed" if code_of(found[0]) == "done" else "disputed"
        assert states(district, "attorney")[entry] == verdict


def test_the_jail_is_mirrored_and_the_marshals_enter_what_its_connector_says(district: District) -> None:
    fields = {
        "received_at": instant(),
        "ground": "arrest_warrant",
        "legal_custodian": "usms",
        "identified_by": "photograph",
    }
    person = district.enter("liaison", "registry.person", {"role": "prisoner", "name": "Dale Everett Pruitt"})
    stay = district.entered(
        "liaison", "detention", district.made["booking"], "custody.intake", fields, {"person": [person]}
    )
    assert read(district.node, district.seats["marshal"], stay.record).reported == "as reported by usms for detention"
    transfer = {"receiver": "detention", "reason": "housing", "planned_for": instant()}
    with refused("invalid", "not_the_custodian"):  # the stay is the jail's, whoever reports it
        district.enter("liaison", "custody.transfer", transfer, intake=stay.record, person=person)


def test_the_reporter_reads_the_verdict_of_an_institution_with_which_it_has_no_agreement(district: District) -> None:
    """A laboratory that has never agreed on anything with the Marshals joins and disputes what they said of it."""
    speaks = '  lab_liaison: { title: Liaison, for: fsl, is: [officer], read: { "registry.*": all } }\n'
    district.put("usms", "member", {"roles.yml": own_file("usms", "roles.yml") + speaks})
    district.put("fsl", "outside")
    district.seat("usms", "lab", "deputy_marshal", "lab_liaison")
    letter = district.document("lab", "Letter of the laboratory")
    place = district.entered("lab", "fsl", letter, "registry.place", {"address": "Loading dock"})
    district.join("fsl", director=["director"])
    (waiting,) = open_reports(district.node, district.seats["director"])
    dispute(district.node, district.seats["director"], waiting.entry, reason="We have no dock.")
    said = read(district.node, district.seats["lab"], place.record).reported
    assert said.startswith("as reported by usms for fsl; disputed by fsl on ") and said.endswith(": We have no dock.")
    lines = history(district.node, district.seats["lab"], place.record)
    assert [(one.kind, one.agency, one.reason) for one in lines][-1] == ("dispute", "fsl", "We have no dock.")
    (told,) = [one for one in inbox(district.node, district.seats["lab"]) if one.kind == "disputed"]
    assert told.message.endswith("We have no dock.: amend the record")


def confirmed(district: District, title: str) -> str:
    """The entry of a case that was reported of the court while it was outside, and that it has confirmed since."""
    district.put("usdc", "outside")
    entry = district.case("docket", district.document("docket", title))[0].entry
    district.put("usdc", "member")
    confirm(district.node, district.seats["clerk"], entry)
    return str(entry)


def test_nobody_writes_the_verdict_of_another(district: District) -> None:
    """The second lock: a reporter, a bystander and the reporter with a row of its own making."""
    entry = confirmed(district, "Copy that nobody rewrites")
    for agency in ("usao", "usms"):
        with district.node.transaction(agency) as (conn, _):
            changed = conn.execute("update comity.reported set state = 'disputed' where entry = %s", (entry,))
            assert changed.rowcount == 0
    with pytest.raises(psycopg.errors.InsufficientPrivilege), district.node.transaction("usdc") as (conn, _):
        conn.execute("update comity.reported set state = 'disputed' where entry = %s", (entry,))
    forged = """insert into comity.reported (entry, agency, by_agency, record, type, act, document, entered_at)
        select gen_random_uuid(), 'usms', 'usdc', record, type, act, document, entered_at
          from comity.reported limit 1"""
    with pytest.raises(psycopg.errors.InsufficientPrivilege), district.node.transaction("usao") as (conn, _):
        conn.execute(forged)


def test_a_row_that_its_entries_do_not_tell_is_found(district: District) -> None:
    """The rebuild compares reports with the log: here a verdict that no entry says, in a transaction that is undone."""
    from comity.kernel.exchange.reported import Rebuilding

    confirmed(district, "Copy that the log tells")
    with district.node.transaction("usdc") as (conn, _):
        told = Rebuilding("usdc")
        assert "the verdict on a report is not what the log says" in {what for _, what in told.differences(conn)}
    with district.node.transaction("usao") as (conn, _):
        told = Rebuilding("usao")
        assert {what for _, what in told.differences(conn)} == {"a report differs from the entry that made it"}
