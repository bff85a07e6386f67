"""How a story is told: one line a step, for people on a terminal or collected for a program."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import Any

from comity import clock
from comity.kernel.policy.actor import Actor


def who(agency: str, name: str, reporter: Actor | None = None) -> str:
    """The seat as a line shows it; an outsider is never shown as if it had acted here itself."""
    return f"{agency.upper()} · {name}" if reporter is None else f"{agency.upper()}, as {reporter.agency} reports"


@dataclass(slots=True)
class Narration:
    """Collects steps; prints them as they happen unless `quiet`."""

    quiet: bool = False
    steps: list[dict[str, Any]] = field(default_factory=list)
    began: float = field(default_factory=clock.monotonic)

    def step(self, agency: str, name: str, text: str, *, reporter: Actor | None = None, **more: Any) -> None:
        told = {"reported_by": reporter.agency} if reporter else {}
        self.steps.append(
            {"n": len(self.steps) + 1, "agency": agency, "seat": "" if reporter else name, "text": text, **told,
             "ms": round((clock.monotonic() - self.began) * 1000), "lines": [], **more}
        )  # fmt: skip
        if not self.quiet:
            from rich.console import Console
            from rich.text import Text

            line = Text(f"{len(self.steps):>3}  ", style="dim")
            line.append(f"{who(agency, name, reporter):<26}", style="bold")
            line.append(f"  {text}")
            Console(file=sys.stdout, soft_wrap=True, highlight=False).print(line)

    def line(self, text: str) -> None:
        """What came of the step that was told last: printed under it, and among its lines."""
        self.steps[-1]["lines"].append(text)
        self.say(f"       {text}")

    def say(self, text: str = "") -> None:
        if not self.quiet:
            print(text, flush=True)
