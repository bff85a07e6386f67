"""Packages: what a pillar's function gathers for another institution, against what that institution says it needs."""

from __future__ import annotations

from comity.errors import Problem
from comity.extensions import Fact, Parcel
from comity.kernel.types.catalogue import Act
from comity.kernel.work import disclosure
from comity.kernel.work.facts import FactGraph
from comity.kernel.work.node import Work
from comity.kernel.work.subject import Subject
from comity.sentences import say


def build(work: Work, rule: Act, subject: Subject, to: str) -> Parcel:
    """What the package function makes of the facts, against the receiver's profile in force."""
    package = work.node.extensions.packages.get(str(rule.package))
    if package is None:
        raise Problem("act_unknown", say("act_unknown.package_is_not_installed", package=rule.package))
    graph = FactGraph(work, subject)
    graph.given = {"profile": _profile(work, graph, rule, to)}
    parcel = package(graph)
    if work.actor.kind == "member":
        disclosure.told(work, "submit", graph.disclosed())
    return parcel


def _profile(work: Work, graph: FactGraph, rule: Act, to: str) -> Fact:
    """The receiver's profile that is in force: it says so while its state is not final."""
    of = work.catalogue.type(str(rule.profile))
    in_force = {state.core for state in of.states.values() if not (state.final or state.in_error)}
    found = graph.owned(to, of.name, in_force)
    if not found:
        raise Problem(
            "not_ready", say("not_ready.has_published_no_in_force", to=to, profile=rule.profile),
        )  # fmt: skip
    return found[-1]
