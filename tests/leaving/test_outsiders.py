"""Two who reported and judged of each other leave one after the other: neither log needs the other's to hold."""

from __future__ import annotations

from pathlib import Path

from comity.kernel.exchange.reported import confirm, dispute
from comity.kernel.policy import tokens
from comity.kernel.portability import rebuild
from comity.kernel.portability.leave import leave
from tests.leaving.conftest import Elsewhere
from tests.leaving.shipped import arrive
from tests.membership.stage import District


def test_reports_and_verdicts_leave_each_with_its_own_log(elsewhere: Elsewhere, tmp_path: Path) -> None:
    here, there = elsewhere(), elsewhere()
    district = District(here.node).open()
    paper = district.document("docket", "Certified copy of the docket")
    case, _ = district.case("docket", paper)
    fields = {"kind": "unseal", "title": "Unsealed", "terms": "The case is unsealed.", "addressees": ["usms"]}
    order = district.entered("docket", "usdc", paper, "court.order", fields, {"case": [case.record]})
    district.join("usdc", clerk=["deputy_clerk"], chief=["administrator"])
    district.seat("usao", "boss", "administrator")
    confirm(here.node, district.seats["clerk"], case.entry)
    dispute(here.node, district.seats["clerk"], order.entry, reason="Another order")
    here.follow()
    for agency, seat in (("usdc", "chief"), ("usao", "boss")):
        left = leave(here.node, district.seats[seat], tmp_path / agency)
        arrive(there.node, tokens.operator(), left.folder)
        there.follow()
        found = rebuild.run(there.node)
        assert found.equal, found.differences
    states = there.rows("usdc", "select entry::text, state from comity.reported where by_agency = 'usao'")
    assert set(states) == {(case.entry, "confirmed"), (order.entry, "disputed")}
