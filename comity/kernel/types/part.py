"""What of a definition a fault speaks of, such as `field title` or `grants of court.order`: said only where there is a
fault, for definitions have thousands of parts."""

from __future__ import annotations

from dataclasses import dataclass

from comity.sentences import Text, say


@dataclass(frozen=True, slots=True)
class Part:
    """`kind` is its sentence, `part.KIND` in the catalogue; `of` the whole that it is a part of."""

    kind: str
    name: str = ""
    of: What = ""

    def said(self) -> Text:
        return say(f"part.{self.kind}", name=self.name, of=spoken_of(self.of))


What = str | Part


def spoken_of(what: What) -> str:
    """The part in words."""
    return what.said() if isinstance(what, Part) else what


def kind_of_part(kind: str) -> Text:
    """What a kind of part is called: a field, an act."""
    return say(f"kind.{kind}")
