"""How a story is told: one line a step, for people on a terminal or collected for a program."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import Any

from comity import clock
from comity.kernel.policy.actor import Actor


def who(actor: Actor) -> str:
    return f"{actor.agency.upper()} · {actor.name}"


def counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


@dataclass(slots=True)
class Told:
    """Collects steps; prints them as they happen unless `quiet`."""

    quiet: bool = False
    steps: list[dict[str, Any]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    began: float = field(default_factory=clock.monotonic)

    def step(self, actor: Actor, text: str, **more: Any) -> None:
        self.steps.append(
            {"n": len(self.steps) + 1, "agency": actor.agency, "seat": actor.name, "text": text,
             "ms": round((clock.monotonic() - self.began) * 1000), "lines": self.lines, **more}
        )  # fmt: skip
        self.lines = []
        if not self.quiet:
            from rich.console import Console
            from rich.text import Text

            line = Text(f"{len(self.steps):>3}  ", style="dim")
            line.append(f"{who(actor):<22}", style="bold")
            line.append(f"  {text}")
            Console(file=sys.stdout, soft_wrap=True, highlight=False).print(line)

    def line(self, text: str) -> None:
        """A line within the step that comes next."""
        self.lines.append(text)
        self.say(f"       {text}")

    def say(self, text: str = "") -> None:
        if not self.quiet:
            print(text, flush=True)
