"""One scratch node for all cases of a law, so that a case also meets what others have left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from comity.kernel.portability import rebuild
from tests.cases.case import Case
from tests.cases.runner import Scratch
from tests.pillars.stage import staged


class Nodes:
    """The nodes of one module of tests, each made when the first case of its law is played."""

    def __init__(self, folder: Path, held: ExitStack) -> None:
        self.folder, self.held = folder, held
        self.by_law: dict[str, Scratch] = {}

    def play(self, case: Case, folder: Path) -> list[str]:
        if case.law not in self.by_law:
            where = self.folder / case.law
            where.mkdir()
            self.by_law[case.law] = Scratch(self.held.enter_context(staged(where)).node)
        return self.by_law[case.law].play(case, folder)


@contextmanager
def nodes(folder: Path) -> Iterator[Nodes]:
    """At the end the log of each node tells what it holds: what the cases wrote folds to what they read."""
    with ExitStack() as held:
        made = Nodes(folder, held)
        yield made
        for scratch in made.by_law.values():
            found = rebuild.run(scratch.node)
            assert found.equal, found.differences[:5]
