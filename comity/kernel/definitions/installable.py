"""What loads and yet cannot be put to work: fields of a class that is not kept, calculations that nobody brings."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from comity.errors import Fault
from comity.kernel.law.obligation_rules import OBLIGATION_RULES
from comity.kernel.types.catalogue import Catalogue, Type
from comity.kernel.types.definition import Source
from comity.sentences import say


def not_installable(catalogue: Catalogue) -> list[Fault]:
    """Fields of a class that this version does not keep."""
    return [
        Fault("class_not_available", one.source, say("class_not_available.is", name=of.name, name2=name, cls=one.cls))
        for of in catalogue.types.values()
        for name, one in of.fields.items()
        if one.cls != "ordinary"
    ]


def declared(catalogue: Catalogue, kind: str) -> frozenset[str]:
    """What the pillars say that they bring of a kind (`calculations`, `packages`), as `pillar.function`."""
    named = ((home, pillar.extensions.get(kind, {})) for home, pillar in catalogue.pillars.items())
    return frozenset(name if "." in name else f"{home}.{name}" for home, of in named for name in of)


_UNKNOWN = {"calculation": "extension_unknown.calculation", "package": "extension_unknown.package"}


def unknown(catalogue: Catalogue, calculations: Collection[str], packages: Collection[str]) -> list[Fault]:
    """A fault `extension_unknown` for each that is named and not among these."""
    out = []
    for what, name, source in _named(catalogue):
        if name not in (packages if what == "package" else calculations):
            out.append(Fault("extension_unknown", str(source), say(_UNKNOWN[what], name=name)))
    return out


def _named(catalogue: Catalogue) -> Iterator[tuple[str, str, Source | str]]:
    for of in catalogue.types.values():
        yield from _of_type(of)
    for rule in OBLIGATION_RULES.of(catalogue.rules).values():
        yield from (("calculation", law.said.calculation, rule.source) for law in rule.versions if law.said.calculation)


def _of_type(of: Type) -> Iterator[tuple[str, str, Source | str]]:
    for act in (*of.acts.values(), *(of.offer.answers.values() if of.offer else ())):
        yield from (("calculation", guard.extension, guard.source) for guard in act.guards if guard.extension)
    yield from (("package", act.package, act.source) for act in of.acts.values() if act.package)
