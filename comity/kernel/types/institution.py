"""What an institution is in the catalogue: its roles, its agreements, its own definition, the pillars it works with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from comity.sentences import UNWORDED, Worded


@dataclass(frozen=True, slots=True)
class ReadRule:
    """What a role reads of the types that match: `when` is `all` or `assigned`; `groups` None means every group."""

    when: str = "all"
    groups: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Role:
    """`is_`: the lifecycle roles that it fills (with `for_` only on behalf of that agency); `read`: pattern -> rule."""

    name: str
    title: Worded
    is_: frozenset[str] = frozenset()
    read: Mapping[str, ReadRule] = field(default_factory=dict)
    marks: frozenset[str] = frozenset()
    source: str = ""
    for_: str = ""

    def read_rule(self, type_name: str) -> ReadRule | None:
        """The most specific rule for a type: its name, the longest `prefix.*`, `*`; None when nothing is read."""
        if type_name in self.read:
            return self.read[type_name]
        parts = type_name.split(".")
        for size in range(len(parts) - 1, 0, -1):
            pattern = ".".join(parts[:size]) + ".*"
            if pattern in self.read:
                return self.read[pattern]
        return self.read.get("*")


@dataclass(frozen=True, slots=True)
class LifecycleRole:
    """A role that lifecycles name under `by` and an agency's roles fill by `is`. `may`: the powers of the kernel that
    it carries (types/roles). `home`: the pillar or jurisdiction that declares it."""

    name: str
    title: Worded
    may: frozenset[str] = frozenset()
    home: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Agreement:
    """What this agency lets another do with its records. Dates are days in the grantor's zone, both ends included."""

    id: str
    to: str
    title: str = ""
    basis: str = ""
    purposes: frozenset[str] = frozenset()
    from_: date | None = None
    until: date | None = None
    read: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    find: frozenset[str] = frozenset()
    marks: frozenset[str] = frozenset()
    states: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    emergency: frozenset[str] = frozenset()
    offers: frozenset[str] = frozenset()
    source: str = ""

    def as_json(self) -> dict[str, Any]:
        """Plain data with sorted lists and ISO dates: what the agreement table stores and `from_json` reads."""
        return {
            "id": self.id, "to": self.to, "title": self.title, "basis": self.basis, "purposes": sorted(self.purposes),
            "from": self.from_.isoformat() if self.from_ else None,
            "until": self.until.isoformat() if self.until else None,
            "read": {name: list(groups) for name, groups in sorted(self.read.items())}, "find": sorted(self.find),
            "marks": sorted(self.marks), "states": {name: list(one) for name, one in sorted(self.states.items())},
            "emergency": sorted(self.emergency), "offers": sorted(self.offers),
        }  # fmt: skip

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Agreement:
        """The inverse of `as_json`."""
        return cls(
            id=data["id"], to=data["to"], title=data.get("title", ""), basis=data.get("basis", ""),
            purposes=frozenset(data.get("purposes", ())),
            from_=date.fromisoformat(data["from"]) if data.get("from") else None,
            until=date.fromisoformat(data["until"]) if data.get("until") else None,
            read={name: tuple(groups) for name, groups in data.get("read", {}).items()},
            find=frozenset(data.get("find", ())), marks=frozenset(data.get("marks", ())),
            states={name: tuple(one) for name, one in data.get("states", {}).items()},
            emergency=frozenset(data.get("emergency", ())), offers=frozenset(data.get("offers", ())),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class AgencyDefinition:
    """agency.yml. `pillars` empty means all that are loaded; `words` are the agency's own titles for types,
    `words_in` the same by language.
    `country` (ISO 3166) is whose habits of writing dates and numbers its members read by.
    `purpose`: for what its members and its system read and act where nothing else is stated."""

    id: str
    title: Worded = UNWORDED
    jurisdiction: str = ""
    zone: str = "UTC"
    language: str = "en"
    country: str = ""
    membership: str = "member"
    kind: str = ""
    contact: Mapping[str, Any] = field(default_factory=dict)
    pillars: tuple[str, ...] = ()
    words: Mapping[str, str] = field(default_factory=dict)
    words_in: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    station: str = ""
    purpose: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Pillar:
    """pillar.yml. `extensions` maps a kind (`calculations`, `packages`, `formats`) to `name ->
    module:function`. `needs` must be installed with it; `knows` are others that its definitions name, there or not."""

    name: str
    title: Worded = UNWORDED
    needs: tuple[str, ...] = ()
    knows: tuple[str, ...] = ()
    extensions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    source: str = ""
