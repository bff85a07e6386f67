"""What the definitions of an agency call things, for commands that name types, states and acts outside a record's page.

What is another agency's and not known here stands as its name in words.
"""

from __future__ import annotations

from dataclasses import dataclass

from comity.kernel.types.catalogue import Catalogue, Type
from comity.kernel.types.language import called, plain_words
from comity.kernel.views.wording import Parts, Wording
from comity.sentences import Given, Sentence, Text, known


@dataclass(frozen=True, slots=True)
class Labels:
    """The words of one reader."""

    wording: Wording

    @classmethod
    def of(cls, catalogue: Catalogue, language: str | None) -> Labels:
        """In a language, or else English. Problem `request_invalid` where the definitions have no words in it."""
        return cls(Wording.without_agencies(catalogue, language))

    def type(self, name: str) -> Text:
        mine = self._known(name)
        return Text(self.wording.type_label(mine)) if mine else self._plain(name)

    def state(self, type: str, name: str) -> Text:
        parts = self._parts(type)
        return Text(parts.state(name)) if parts else self._plain(name)

    def act(self, type: str, name: str, *, done: bool = True) -> Text:
        """What was done, or else what is to be done."""
        parts, own = self._parts(type), self.wording.word(f"{'act' if done else 'do'}_{name}")
        return Text(parts.act(name, done=done)) if parts else Text(own) if own else self._plain(name)

    def role(self, name: str) -> Text:
        role = self.wording.catalogue.roles.get(name)
        return called(role) if role and role.title else self._plain(name)

    def _known(self, type: str) -> str:
        """The name under which the reader's agency has a type: its own, or the core's that it is of."""
        types = self.wording.catalogue.types
        return type if type in types else next((one for one, of in types.items() if of.core_name == type), "")

    def _parts(self, type: str) -> Parts | None:
        of: Type | None = self.wording.catalogue.types.get(self._known(type))
        return Parts(self.wording, of, of) if of is not None else None

    def _plain(self, name: str) -> Text:
        """What is in no definitions: a type, state or act of Comity's own, or a name in words."""
        key = f"cli.term.{name}"
        return Sentence(key) if known(key) else Given(plain_words(name.rpartition(".")[2]))
