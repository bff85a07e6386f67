"""An offer whose two sides are kept in two databases: entries travel as bytes, and each side projects its own row."""

from __future__ import annotations

from comity.kernel.portability import rebuild
from tests.between_nodes.conftest import Two
from tests.world import refused


def test_an_offer_is_answered_on_another_node_and_the_answer_comes_back(two: Two) -> None:
    lead = two.offers()
    assert two.atf.side(lead.record)["state"] == "offered" and two.dea.side(lead.record) == {}
    two.carry()
    dea, atf = two.dea.world, two.atf.world
    seen = dea.read("dea_supervisor", lead.record)
    assert (seen.fields["terms"], seen.agency, seen.number) == ("ATF leads.", "atf", lead.number)
    case, person = (
        dea.read("dea_supervisor", next(one.id for one in seen.linked if one.name == link))
        for link in ("case", "subject")
    )
    assert case.fields["title"] == "Straw purchases" and "summary" not in case.fields
    assert person.fields["name"] == "Invented Näme" and "remarks" not in person.fields
    stored = dea.rows("dea", "select string_agg(convert_from(content, 'UTF8'), ' ') from comity.entry_content")
    assert "Straw purchases" in stored[0][0] and "Not for others" not in stored[0][0], "what is hidden never came"

    dea.answer("dea_supervisor", lead.record, "agreed", fields={"counter_terms": "Weekly calls."})
    assert two.dea.side(lead.record)["state"] == "agreed" and two.atf.side(lead.record)["state"] == "offered"
    two.carry()
    assert two.atf.side(lead.record)["state"] == "agreed"
    view = atf.read("atf_agent", lead.record)
    assert view.state == "agreed" and view.offer and view.offer["answer"] == {"counter_terms": "Weekly calls."}
    assert dea.read("dea_supervisor", lead.record).state == "agreed", "the offerer's own entry has come too"
    assert rebuild.run(atf.node).equal and rebuild.run(dea.node).equal
    assert refused(atf.act, "atf_agent", lead.record, "withdrawn").code == "offer_already_answered"
