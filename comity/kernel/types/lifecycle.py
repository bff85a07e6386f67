"""States and the acts between them: what a step leads to, and what is wrong with a lifecycle before anyone meets it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from comity.errors import Fault, Problem
from comity.kernel.types.catalogue import Act, Answer, Catalogue, OfferRule, State, Type
from comity.kernel.types.definition import nearest
from comity.kernel.types.language import called, called_in, plain_words, with_name
from comity.sentences import Given, Text, Worded, known, listed, say

Edge = tuple[str, str]


def step(of: Type, act: str, state: str) -> str:
    """The state after `act` (an act, an answer, `withdrawn` or `expired`) on a record in `state`.

    Raises act_forbidden, act_unknown or answer_unknown, and act_out_of_turn, which names the states the act may come
    from and the acts that are open now. Roles and guards are not looked at.
    """
    if act in of.forbid:
        why = Worded(of.forbid[act]) if of.forbid[act] else say("act_forbidden.its_own_rules")
        label = called_in(named_steps(of), act)
        raise Problem("act_forbidden", say("act_forbidden.is_barred_for_this_agency", act=label, why=why))
    found = named_steps(of).get(act)
    if found is None:
        fix = nearest(act, named_steps(of))
        raise Problem("act_unknown", say("act_unknown.type_has_no_act", title=called(of), act=act), fix=fix)
    if act == "enter" or state not in found.from_:
        now = open_acts(of, state)
        raise Problem(
            "act_out_of_turn",
            say(
                "act_out_of_turn.is_not_done_in_state",
                act=called(found),
                state=called_in(of.states, state),
                listed=listed(called_in(of.states, one) for one in sorted(found.from_)),
                listed2=listed(with_name(of.acts, sorted(now))),
            ),
            open=now,
            comes_from=sorted(found.from_),
        )
    return target(of.states, found.to, state)


def open_acts(of: Type, state: str) -> list[str]:
    """The acts, apart from `enter` and answers, that this state allows, in the order of the definition."""
    return [name for name, one in of.acts.items() if name != "enter" and state in one.from_]


def target(states: Mapping[str, State], to: str | None, state: str) -> str:
    """Where a step ends: no `to` stays; a divided state is entered by its entry, unless the record is in it already."""
    if to is None:
        return state
    found = states.get(to)
    if found is None or not found.divided:
        return to
    return state if state in states and states[state].core == to else found.entry


def answers(offer: OfferRule | None) -> dict[str, Answer]:
    """All ways in which an offer ends, by name; empty for a one-sided type."""
    if offer is None:
        return {}
    extra = [one for one in (offer.withdrawn, offer.expired) if one is not None]
    return {**offer.answers, **{one.name: one for one in extra}}


def named_steps(of: Type) -> dict[str, Act | Answer]:
    """Everything that can be done to a record of the type, by name."""
    return {**answers(of.offer), **of.acts}


def offer_ended(of: Type | None, state: str) -> Text:
    """What is said of an offer that is no longer open: how it ended, or the state to which its answer led."""
    if known(key := f"page.state_{state}"):
        return say(key)
    found = answers(of.offer).get(state) if of else None
    return called_in(of.states, found.to if found else state) if of else Given(state)


def step_done(of: Type | None, act: str) -> Text:
    """What is said of an act or answer that was done; of the kernel's own, by a word of its own."""
    found = named_steps(of).get(act) if of else None
    if (found is None or not found.label) and known(key := f"page.act_{act}"):
        return say(key)
    return called(found) if found else Given(plain_words(act))


def edges(acts: Iterable[Act], offer: OfferRule | None, states: Mapping[str, State]) -> list[Edge]:
    """Every move from one state to another, over acts, answers, withdrawal and expiry."""
    steps: list[Act | Answer] = [*acts, *answers(offer).values()]
    moves = ((come, target(states, one.to, come)) for one in steps for come in one.from_)
    return list(dict.fromkeys(move for move in moves if move[0] != move[1]))


def reached(start: Iterable[str], moves: Iterable[Edge]) -> frozenset[str]:
    """The states that can be come to from `start`, itself included."""
    onward: dict[str, list[str]] = {}
    for come, to in moves:
        onward.setdefault(come, []).append(to)
    seen = set(start)
    todo = list(seen)
    while todo:
        for to in onward.get(todo.pop(), ()):
            if to not in seen:
                seen.add(to)
                todo.append(to)
    return frozenset(seen)


def forward(initial: str, moves: list[Edge]) -> list[Edge]:
    """The moves that do not go back: a move to a state through which every record had to pass already is going back."""
    everywhere = reached([initial], moves)
    behind = {
        state: everywhere
        - (reached([initial], [m for m in moves if state not in m]) if state != initial else frozenset())
        for state in everywhere
    }
    return [(come, to) for come, to in moves if come not in behind.get(to, frozenset())]


def check(catalogue: Catalogue) -> list[Fault]:
    """unreachable_state, dead_end, final_state_left, act_nobody_may and offer_nobody_answers, for every type."""
    return [fault for one in catalogue.types.values() for fault in _type(one, catalogue)]


def _type(of: Type, catalogue: Catalogue) -> Iterator[Fault]:
    moves = edges(of.acts.values(), of.offer, of.states)
    if of.initial in of.states:
        seen = reached([of.initial, *(name for name, one in of.states.items() if one.barred)], moves)
        for name, state in of.states.items():
            if name not in seen and not state.divided:
                fix = say("dead_end.add_act_that_leads_to.fix", name=name)
                yield Fault(
                    "unreachable_state",
                    state.source,
                    say("unreachable_state.no_act_leads_to", name=of.name, name2=name),
                    fix,
                )
    for name, state in of.states.items():
        out = [to for come, to in moves if come == name]
        if not state.final and not out and not state.divided and not state.barred:
            fix = say("dead_end.mark_final_true_or_add.fix", name=name)
            yield Fault("dead_end", state.source, say("dead_end.nothing_leads_out_of", name=of.name, name2=name), fix)
    steps: list[Act | Answer] = [*of.acts.values(), *answers(of.offer).values()]
    for one in steps:
        for name in sorted(one.from_ & {name for name, state in of.states.items() if state.final}):
            to = target(of.states, one.to, name)
            if of.core_state(to) != of.core_state(name):
                fix = say("final_state_left.remove_final_from_or_from.fix", name=name, one_name=one.name)
                yield Fault(
                    "final_state_left",
                    one.source,
                    say("final_state_left.leaves_final_state", name=of.name, one_name=one.name, name2=name),
                    fix,
                )
    yield from _offer(of, catalogue)
    yield from _nobody(of, catalogue)


def _offer(of: Type, catalogue: Catalogue) -> Iterator[Fault]:
    if of.offer is None:
        return
    if not of.offer.answers:
        said = say("offer_nobody_answers.is_offered_and_has_no", name=of.name)
        yield Fault(
            "offer_nobody_answers", of.offer.source, said, say("offer_nobody_answers.add_answers_with_their_roles.fix")
        )
        return
    filled = _filled(catalogue)
    asked = next((one for one in catalogue.agreements if of.name in one.offers), None)
    wanted = frozenset().union(*(one.by for one in of.offer.answers.values()))
    if asked is not None and not wanted & filled:
        fix = say("offer_nobody_answers.give_role_is_one_of.fix", listed=_listed(wanted), name=of.name)
        said = say("offer_nobody_answers.agreement_lets_offer_which_no", id=asked.id, to=asked.to, name=of.name)
        yield Fault("offer_nobody_answers", asked.source, said, fix)


def _nobody(of: Type, catalogue: Catalogue) -> Iterator[Fault]:
    """Acts that nobody of the agency may do, of the types that it uses on purpose and enters itself."""
    filled = _filled(catalogue)
    enter = of.acts.get("enter")
    if enter is None or not enter.by & filled or not on_purpose(of, catalogue):
        return
    for one in of.acts.values():
        if one.by and not one.by & filled and one.by != {"system"}:
            fix = say("act_nobody_may.give_role_in_roles_yml.fix", listed=_listed(one.by), name=one.name)
            said = say("act_nobody_may.no_role_of_may_though", agency=catalogue.agency, name=one.name, of_name=of.name)
            yield Fault("act_nobody_may", one.source, said, fix)


def on_purpose(of: Type, catalogue: Catalogue) -> bool:
    """Whether the type is of a pillar that the agency works with and the agency names it, one by one: brings or
    overlays it, calls it by a word of its own, lets others read or find it under an agreement, or says of it alone
    what a role reads.

    A pattern (`*`, `evidence.*`) names whatever may come later, and nobody uses on purpose what is not there yet. So
    a type that somebody adds asks nothing of an agency that does not name it.
    """
    used, home = catalogue.definition.pillars, of.core_name.split(".")[0]
    if used and home not in (*used, catalogue.agency, catalogue.jurisdiction):
        return False
    opened = (name for one in catalogue.agreements for name in (*one.read, *one.find, *one.states, *one.emergency))
    named = {*catalogue.definition.words, *(name for role in catalogue.roles.values() for name in role.read), *opened}
    return of.name in named or (bool(catalogue.agency) and catalogue.agency in (of.owner_layer, *of.layers))


def _filled(catalogue: Catalogue) -> frozenset[str]:
    """The lifecycle roles that are filled for the agency itself."""
    return frozenset(name for role in catalogue.roles.values() if not role.for_ for name in role.is_)


def _listed(names: Iterable[str]) -> Text:
    return listed(sorted(names))
