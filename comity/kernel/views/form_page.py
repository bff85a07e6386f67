"""What is asked for when a record is entered, or an act or answer done: each field with its label, kind and choices."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from comity.kernel.policy.actor import Actor
from comity.kernel.policy.decide import Resource
from comity.kernel.types.catalogue import Act, Answer, Field, Link, Type
from comity.kernel.types.language import Languages
from comity.kernel.views.wording import Parts, Wording, kind_of
from comity.kernel.work.node import Node, Work
from comity.kernel.work.visibility import Visibility

REASON = "reason"


@dataclass(frozen=True, slots=True)
class Option:
    """A choice: the code that is sent and its label."""

    value: str
    label: str

    def as_json(self) -> dict[str, Any]:
        return {"value": self.value, "label": self.label}


@dataclass(frozen=True, slots=True)
class FormField:
    """One thing that is asked for. `part` says where it is sent: `fields`, `links`, or empty for the request itself.

    `kind` as in a value of a page, or `link` and `member`; `to` are the types that a link may lead to, with labels.
    `value` is what the record holds now. `length` bounds a text where the type does.
    """

    part: str
    name: str
    label: str
    kind: str
    required: bool
    many: bool = False
    help: str = ""
    group: str = ""
    unit: str = ""
    length: int | None = None
    options: tuple[Option, ...] = ()
    to: tuple[Option, ...] = ()
    value: Any = None

    def as_json(self) -> dict[str, Any]:
        return {
            "part": self.part, "name": self.name, "label": self.label, "kind": self.kind, "required": self.required,
            "many": self.many, "help": self.help, "group": self.group, "unit": self.unit, "length": self.length,
            "options": [one.as_json() for one in self.options], "to": [one.as_json() for one in self.to],
            "value": self.value,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Form:
    """What an act asks for. `open`: the reader may do it. `groups` are the groups of its fields with their titles."""

    type: str
    act: str
    label: str
    fields: tuple[FormField, ...]
    groups: tuple[Option, ...] = ()
    open: bool = True

    def as_json(self) -> dict[str, Any]:
        return {
            "type": self.type, "act": self.act, "label": self.label, "open": self.open,
            "fields": [one.as_json() for one in self.fields], "groups": [one.as_json() for one in self.groups],
        }  # fmt: skip


def enter_form(node: Node, actor: Actor, type: str, *, language: Languages = None) -> Form:
    """What entering a record of a type asks for. Problem `type_unknown`, `request_invalid` for an unknown language."""
    with node.work(actor) as work:
        work.catalogue.type(type)
        wording = Wording.without_agencies(work.catalogue, language)
        of = wording.catalogue.type(type)
        asks = _Asks(Parts(wording, of, of))
        fields = [*asks.fields(_entered(of), of.initial), *asks.links(of.links, of.initial)]
        enter = of.acts.get("enter")
        if enter is not None and REASON in enter.needs:
            fields.append(asks.reason(required=True))
        return asks.form("enter", fields, open=enter is not None and _may_enter(work, of))


def _entered(of: Type) -> list[str]:
    enter = of.acts.get("enter")
    return [name for name, one in of.fields.items() if not one.input or (enter is not None and name in enter.sets)]


def _may_enter(work: Work, of: Type) -> bool:
    actor = work.actor
    new = Resource(
        owner=work.agency, type=of.name, core_type=of.core_name, state=of.core_state(of.initial), marks=of.handling,
        entered_by=actor.member,
    )  # fmt: skip
    return work.policies.decide(actor, "enter", new, act="enter", today=work.today).allowed


def act_form(
    parts: Parts, rule: Act | Answer, state: str, held: Mapping[str, Any], seen: Visibility
) -> Form:  # fmt: skip
    """What an act or answer asks for, in the record's own words. `state` is where it leads, `held` what the reader sees
    of the fields now: what it may not see it is not asked to change."""
    asks, of = _Asks(parts), parts.theirs
    if rule.name == "amend":
        named: Sequence[str] = [
            name for name, one in of.fields.items() if not one.input and not one.fixed and seen.shows(of, name)
        ]
        fields = [*asks.fields(named, state, held), *asks.links(_changeable(of), state)]
    else:
        needs = frozenset(rule.needs)
        given = dict.fromkeys((*rule.sets, *(name for name in rule.needs if name != REASON)))
        fields = [
            *asks.fields([name for name in given if name in of.fields], state, held, needs),
            *asks.links({name: of.links[name] for name in given if name in of.links}, state, needs),
        ]
    fields.append(asks.reason(required=REASON in rule.needs))
    return asks.form(rule.name, fields)


def _changeable(of: Type) -> dict[str, Link]:
    """The links that amending may change: none that an act sets, and none that is set once."""
    set_by_acts = {name for act in of.acts.values() for name in act.sets}
    return {name: one for name, one in of.links.items() if not one.fixed and name not in set_by_acts}


@dataclass(frozen=True, slots=True)
class _Asks:
    """Makes the fields of one form."""

    parts: Parts

    def form(self, act: str, fields: Sequence[FormField], *, open: bool = True) -> Form:
        groups = dict.fromkeys(one.group for one in fields if one.group)
        return Form(
            self.parts.theirs.name, act, self.parts.act(act), tuple(fields),
            tuple(Option(name, self.parts.group(name)) for name in groups), open,
        )  # fmt: skip

    def fields(
        self, names: Sequence[str], state: str, held: Mapping[str, Any] | None = None,
        needs: Collection[str] = (),
    ) -> Iterator[FormField]:  # fmt: skip
        for name in names:
            one = self.parts.field(name) or self.parts.theirs.fields[name]
            schema = one.schema
            many = schema.get("type") == "array"
            yield FormField(
                "fields", name, self.parts.label(name), kind_of(one),
                required=state in self.parts.theirs.fields[name].required_in or name in needs,
                many=many, help=str(schema.get("description", "")), group=one.group, unit=one.unit or "",
                length=(schema.get("items", {}) if many else schema).get("maxLength"),
                options=_options(one, self.parts.wording), value=(held or {}).get(name),
            )  # fmt: skip

    def links(
        self, links: Mapping[str, Link], state: str, needs: Collection[str] = ()
    ) -> Iterator[FormField]:  # fmt: skip
        wording = self.parts.wording
        for name, one in links.items():
            member = one.to == ("member",)
            to = tuple(Option(type, wording.type_label(type)) for type in one.to if type not in ("member", "any"))
            yield FormField(
                "links", name, self.parts.label(name), "member" if member else "link",
                required=state in one.required_in or name in needs, many=one.many, to=to,
            )  # fmt: skip

    def reason(self, *, required: bool) -> FormField:
        return FormField("", REASON, self.parts.say("reason"), "text", required)


def _options(one: Field, said: Wording) -> tuple[Option, ...]:
    """The codes with their titles. The values of an enumeration are told as they are: what is read in several languages
    is a list of codes."""
    if one.values is not None:
        return tuple(Option(name, code.title or name) for name, code in one.values.items())
    schema = one.schema.get("items", {}) if one.schema.get("type") == "array" else one.schema
    return tuple(
        Option(str(value), said.locale.given(str(value).replace("_", " "))) for value in schema.get("enum", ())
    )
