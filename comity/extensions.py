"""What a pillar may add in Python: this page is the whole list. Each is a pure function over read-only facts.

Calculation  what one sentence cannot say: what speaks against an act, what a rule between acts finds, a count.
Package      builds what another institution asks for (a referral) from the facts, or says exactly what is missing.

A pillar owns no table, opens no transaction and makes no request. Facts hold only what the acting agency may see.
The name of an extension is `pillar.function`; `config` registers what a pillar's `pillar.yml` names.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Protocol

from comity.sentences import NOTHING, Sentence, Text


@dataclass(frozen=True, slots=True)
class Done:
    """That an act happened on a record: which member did it and when. `by` is the member's id as text."""

    by: str
    at: datetime
    agency: str


@dataclass(frozen=True, slots=True)
class OfferFact:
    """Where a two-sided record stands: `state` is `offered`, an answer's name, `withdrawn` or `expired`."""

    state: str
    from_agency: str
    to_agency: str
    offered_at: datetime
    answered_at: datetime | None
    answer: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Fact:
    """One record as the acting agency may see it. `links` maps a link's name to target ids (text).

    `agency` is the institution whose record it is: the one for which it was entered, when it was entered on behalf of
    another. `owner` is the agency in whose log it stands and which alone can grant it.
    """

    id: str
    type: str
    agency: str
    number: str
    title: str
    state: str
    version: int
    fields: Mapping[str, Any]
    links: Mapping[str, Sequence[str]]
    marks: frozenset[str]
    entered_at: datetime
    entered_by: str
    acts: Mapping[str, Done]
    offer: OfferFact | None = None
    owner: str = ""


class Facts(Protocol):
    """The graph of records around one subject, read lazily under the actor's rights."""

    subject: Fact
    agency: str
    """The institution that acts: the one on whose behalf it is reported, else `owner`."""
    owner: str
    today: date
    """The day at the acting agency."""
    now: datetime
    """The instant for which it is judged, in UTC: nothing that was entered later is among the facts."""

    def one(self, record: str) -> Fact | None:
        """A record by its id; None for one that is hidden."""

    def day(self, instant: datetime) -> date:
        """The day that an instant is at the acting agency."""

    def knows(self, type_name: str) -> bool:
        """Whether the type is installed here: what cannot be recorded is not missed."""

    given: Mapping[str, Fact]
    """What is handed over beside the subject, by name: the `profile` of the office for which a package is made."""

    def linked(self, fact: Fact, name: str) -> Sequence[Fact]:
        """The records that `fact` points at by the link `name`, oldest first; hidden ones are absent."""

    def linking(self, fact: Fact | str, type_name: str, name: str) -> Sequence[Fact]:
        """The records of a type whose link `name` points at `fact` (a fact or the id of one that may be hidden), oldest
        first; hidden ones are absent."""

    def unseen(self, record: str, type_name: str, name: str, states: Collection[str], tie: str = "") -> bool:
        """Whether records of a type in these core states, whose link `name` points at `record`, are there and not
        the actor's to see: that alone, nothing of them. Judged among what reaches the acting agency.

        With `tie`, a type of claims, also those that point at what a live claim says to be the same, when the claim
        or the other end is hidden. A deliberate disclosure (ADR 0012): ask it only where not to know harms somebody.
        """

    def rules(self, name: str) -> Any:
        """A rule file of the jurisdiction or agency, such as `us-federal.statutes`; None when there is none."""


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that is lacking or speaks against. `about` is a record id, `owed_by` an agency, `since` the day from
    which it is owed. `severity`: `error` refuses, `decides` refuses until a named person decides, `warning` tells."""

    code: str
    severity: str
    message: Text
    about: str
    about_label: str
    owed_by: str
    since: date
    fix: Text = NOTHING
    citation: str = ""

    def __post_init__(self) -> None:
        if not self.fix and isinstance(self.message, Sentence):
            object.__setattr__(self, "fix", self.message.fix)

    def as_json(self) -> dict[str, Any]:
        return {
            "code": self.code, "severity": self.severity, "message": self.message, "about": self.about,
            "about_label": self.about_label, "owed_by": self.owed_by, "since": self.since.isoformat(),
            "fix": self.fix, "citation": self.citation,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class ManifestItem:
    """One record in a package: `included`, `masked` (only `groups` are shown) or `withheld`, with its ground.

    `agency` owns the record; only the offerer's own records can be granted by the package itself.
    """

    record: str
    version: int
    agency: str
    type: str
    label: str
    decision: str
    groups: tuple[str, ...] = ("base",)
    ground: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "record": self.record, "version": self.version, "agency": self.agency, "type": self.type,
            "label": self.label, "decision": self.decision, "groups": list(self.groups), "ground": self.ground,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Parcel:
    """What a package function answers: blocking and warning lacks, and what to send when nothing blocks."""

    missing: Sequence[Missing] = ()
    manifest: Sequence[ManifestItem] = ()
    fields: Mapping[str, Any] = field(default_factory=dict)
    links: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def blocking(self) -> list[Missing]:
        return [one for one in self.missing if one.severity == "error"]


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a foreign file: `number` counts from 1 as a reader of the file would, `values` keyed by column."""

    number: int
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a calculation answers: what is missing, the values that it computed (of JSON's kinds, for a page or a
    board), and the ids of the records that decided."""

    missing: Sequence[Missing] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    rests_on: Sequence[str] = ()

    @property
    def refused(self) -> list[Missing]:
        """What an act may not go past."""
        return [one for one in self.missing if one.severity in ("error", "decides")]

    @property
    def decided(self) -> Outcome:
        """The same after a person has decided what is left to one."""
        return replace(self, missing=[one for one in self.missing if one.severity != "decides"])


Calculation = Callable[[Facts], Outcome]
"""Pure: the same facts, the same outcome. Judged before an act, by a rule between acts, and for a page."""
Package = Callable[[Facts], Parcel]
"""Called with the facts around the subject; the receiver's profile record is given as `profile`."""


@dataclass(frozen=True, slots=True)
class Extensions:
    """What `config` found in the pillars, by name. The kernel looks up; it never imports a pillar."""

    calculations: Mapping[str, Calculation] = field(default_factory=dict)
    packages: Mapping[str, Package] = field(default_factory=dict)
