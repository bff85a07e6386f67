"""An agency leaves one home and arrives in another: the same log, the same records, and it goes on."""

from __future__ import annotations

from comity.kernel.ledger.departure_check import check
from comity.kernel.policy import tokens
from comity.kernel.records import rebuild
from comity.kernel.records.arrive import arrive
from comity.kernel.records.leave import Left
from tests.leaving.conftest import Elsewhere, Kept
from tests.world import World


def test_the_folder_holds(world: World, left: Left, kept: Kept) -> None:
    found = check(left.folder)
    assert found.faults == []
    ((count,),) = world.rows("atf", "select count(*) from comity.entry where agency = 'atf'")
    assert found.entries == count


def test_it_arrives(world: World, left: Left, kept: Kept, elsewhere: Elsewhere) -> None:
    other = elsewhere()
    done = arrive(other.node, tokens.operator(), left.folder)
    assert done.entries == left.checked.entries
    other.follow()
    found = rebuild.run(other.node)
    assert found.equal, found.differences
