"""What a layer says of a type's acts, answers and offer: fewer roles, fewer states, more conditions; what would loosen
is refused where it is written."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from comity.kernel.types import conditions, reading
from comity.kernel.types.catalogue import Act, Answer, OfferRule
from comity.kernel.types.conditions import read_guards, refuse_overrides
from comity.kernel.types.definition import Faults, Form, Node, Source, is_names, is_text, nearest
from comity.kernel.types.part import Part
from comity.kernel.types.reading import EVERY, Draft
from comity.sentences import Text, listed, say

KEEP_CORE = say("layer_loosens_field.leave_core_value_layer_only.fix")
Done = TypeVar("Done", Act, Answer)


def loosens(faults: Faults, at: Source | str, said: Text) -> None:
    """A layer would let pass what the core does not."""
    faults.add("layer_loosens_field", at, said, KEEP_CORE)


def outside(draft: Draft, states: frozenset[str], names: frozenset[str]) -> frozenset[str]:
    """The known states among `names` that lie outside `states`, a sub-state being inside its core state. `EVERY`: all
    unfinished ones. Unknown names are left to `finish`."""
    if states == EVERY:
        states = frozenset(name for name, one in draft.states.items() if not one.final)
    return frozenset(
        name for name in names & draft.states.keys() if name not in states and draft.states[name].core not in states
    )


def lay_act(draft: Draft, name: str, node: Node, layer: str, faults: Faults) -> None:
    core = draft.acts.get(name)
    if node.value is None:
        faults.add("layer_removes_act", node.source, say("layer_removes_act.act_cannot_be_removed", name=name))
    elif core is not None:
        draft.acts[name] = _narrow_act(draft, core, node, faults)
    elif reading.named(name, node, faults, "act"):
        draft.acts[name] = _new_act(draft, reading.read_act(name, node, layer, faults), layer, faults)


def _narrow_act(draft: Draft, core: Act, node: Node, faults: Faults) -> Act:
    form = Form(node, faults, Part("act", core.name), reading.ACT_KEYS, nullable=("guard", "guards", "needs"))
    for key in ("creates", "package", "profile", "owes"):
        if key in form and getattr(core, key) not in (None, form.text(key)):
            faults.add(
                "layer_changes_act",
                form.at(key),
                say("layer_changes_act.of_act_is_core_s", key=key, name=core.name),
                KEEP_CORE,
            )
    _lifts_nothing(core.name, "lifts" in form, form.at("lifts"), faults)
    narrowed = _narrow_done(draft, core, form, faults)
    return replace(
        narrowed, creates=core.creates or form.text("creates") or None,
        package=core.package or form.text("package") or None,
        profile=core.profile or form.text("profile") or None, owes=core.owes or form.text("owes") or None,
    )  # fmt: skip


def _narrow_done(draft: Draft, core: Done, form: Form, faults: Faults) -> Done:
    """What acts and answers share: fewer roles, fewer states to come from, a nearer state to reach, more conditions."""
    name = core.name
    wider = frozenset(form.names("by")) - core.by
    if wider:
        fix = say("layer_widens_roles.only_roles_among.fix", by=listed(sorted(core.by)))
        faults.add(
            "layer_widens_roles",
            form.at("by"),
            say("layer_widens_roles.may_not_do_in_core", wider=", ".join(sorted(wider)), name=name),
            fix,
        )
    from_ = frozenset(form.names("from")) if "from" in form else core.from_
    wider = outside(draft, core.from_, from_ - EVERY)
    if wider:
        said = say("layer_widens_from.does_not_come_from_in", name=name, wider=", ".join(sorted(wider)))
        fix = say("layer_widens_from.only_core_states_and_sub.fix")
        faults.add("layer_widens_from", form.at("from"), said, fix)
    to = form.text("to") or core.to
    if to != core.to and (core.to is None or outside(draft, frozenset((core.to,)), frozenset((to or "",)))):
        key = "layer_changes_target.leads_to_in_core" if core.to else "layer_changes_target.leads_nowhere_in_core"
        said = say(key, name=name, to=core.to)
        faults.add("layer_changes_target", form.at("to"), said, say("layer_changes_target.name_it_or_sub_state.fix"))
    if "follows" in form:
        faults.add(
            "layer_changes_act",
            form.at("follows"),
            say("layer_changes_act.from_what_follows_is_core", name=name),
            KEEP_CORE,
        )
    for key in ("guard", "guards", "needs", "not_by", "sets"):
        written = form.node.get(key)
        had = getattr(core, "guards" if key == "guard" else key)
        if written is not None and written.value in (None, ()) and had:
            faults.add(
                "layer_drops_guard", form.at(key), say("layer_drops_guard.of_cannot_be_dropped", key=key, name=name)
            )
    _own_inputs(draft, name, set(form.names("sets")) - set(core.sets), form, faults)
    return replace(
        core, by=(frozenset(form.names("by")) or core.by), from_=from_, to=to,
        needs=_joined(core.needs, form.names("needs")), sets=_joined(core.sets, form.names("sets")),
        not_by=_joined(core.not_by, form.names("not_by")),
        guards=conditions.said_of(core.guards, form, faults) + read_guards(form, faults),
        source=str(form.source),
        label=form.text("label", core.label), labels={**core.labels, **form.labels},
    )  # fmt: skip


def _joined(old: tuple[str, ...], new: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*old, *new)))


def _own_inputs(draft: Draft, act: str, sets: set[str], form: Form, faults: Faults) -> None:
    for name in sets:
        field = draft.fields.get(name)
        if field is not None and field.input:
            fix = say("layer_widens_sets.only_acts_that_core_names.fix")
            faults.add(
                "layer_widens_sets", form.at("sets"), say("layer_widens_sets.may_not_set_core", act=act, name=name), fix
            )


def _lifts_nothing(act: str, lifts: bool, source: Source | str, faults: Faults) -> None:
    if lifts:
        said = say("layer_changes_act.would_take_handling_mark_off", act=act)
        faults.add("layer_changes_act", source, said, say("layer_changes_act.only_type_own_file_says.fix"))


def _new_act(draft: Draft, act: Act, layer: str, faults: Faults) -> Act:
    _lifts_nothing(act.name, bool(act.lifts), act.source, faults)
    if act.name in ("enter", "amend"):
        said = say("layer_widens_roles.core_lets_nobody", name=act.name, draft_name=draft.name)
        faults.add("layer_widens_roles", act.source, said, say("layer_widens_roles.remove_it.fix"))
    from_ = act.from_ if act.from_ != EVERY else frozenset(n for n, one in draft.states.items() if not one.final)
    if act.to is not None and act.to in draft.states:
        home = draft.states[act.to].core
        crossed = sorted(one for one in from_ if one in draft.states and draft.states[one].core != home)
        if crossed:
            said = say(
                "layer_act_crosses_states.leads_from_to_which_is", name=act.name, crossed=", ".join(crossed), to=act.to
            )
            fix = say("layer_act_crosses_states.move_within_one_core_state.fix")
            faults.add("layer_act_crosses_states", act.source, said, fix)
    for name in act.sets:
        field = draft.fields.get(name)
        if field is not None and field.input:
            faults.add(
                "layer_widens_sets",
                act.source,
                say("layer_widens_sets.answer_may_not_set_core", name=act.name, field=name),
            )
    return replace(act, owner_layer=layer)


def lay_offer(draft: Draft, node: Node, faults: Faults) -> None:
    core = draft.offer
    if core is None:
        faults.add("layer_changes_act", node.source, say("layer_changes_act.is_not_two_sided_in", name=draft.name))
        return
    form = Form(node, faults, "offer", reading.OFFER_KEYS)
    answers = dict(core.answers)
    for name, one in form.items("answers"):
        if name not in answers:
            known = nearest(name, answers)
            faults.add(
                "layer_changes_act", one.source, say("layer_changes_act.core_offer_has_no_answer", name=name), known
            )
        elif one.value is None:
            faults.add("layer_removes_act", one.source, say("layer_removes_act.answer_cannot_be_removed", name=name))
        else:
            answers[name] = _narrow_answer(draft, answers[name], one, faults)
    withdrawn, grants = form.get("withdrawn"), form.get("grants")
    read = reading.read_grants(grants, faults) if grants else core.grants
    more = set(read.groups) - set(core.grants.groups)
    for name, groups in read.links.items():
        more |= {f"{name}.{group}" for group in set(groups) - set(core.grants.links.get(name, ()))}
    if more:
        said = say("layer_widens_grants.core_offer_does_not_grant", more=", ".join(sorted(more)))
        faults.add("layer_widens_grants", form.at("grants"), said, say("layer_widens_grants.grant_same_or_less.fix"))
    expired = _expired(core.expired, form, faults)
    if "to_several" in form:
        said = say("layer_changes_act.how_many_answers_offer_needs")
        faults.add("layer_changes_act", form.at("to_several"), said, say("layer_changes_act.remove_to_several.fix"))
    expires = reading.read_expires(form, faults) or core.expires
    draft.offer = OfferRule(
        answers=answers,
        withdrawn=_narrow_answer(draft, core.withdrawn, withdrawn, faults)
        if withdrawn and core.withdrawn
        else core.withdrawn,
        expired=expired, expires=expires, grants=read, to_several=core.to_several, source=core.source,
    )  # fmt: skip


def _expired(core: Answer | None, form: Form, faults: Faults) -> Answer | None:
    """How an offer expires is the core's; a layer says it in its own words."""
    node = form.get("expired")
    if node is None:
        return core
    said = Form(node, faults, "expired", {"label": is_text})
    if core is None:
        faults.add("layer_changes_act", form.at("expired"), say("layer_changes_act.how_offer_expires_is_core"))
        return None
    return replace(core, label=said.text("label", core.label), labels={**core.labels, **said.labels})


def _narrow_answer(draft: Draft, core: Answer, node: Node, faults: Faults) -> Answer:
    form = Form(node, faults, Part("answer", core.name), reading.ANSWER_KEYS, nullable=("guard", "guards", "needs"))
    if "ends" in form and form.plain("ends") is False and core.ends:
        faults.add(
            "layer_widens_grants",
            form.at("ends"),
            say("layer_widens_grants.ends_grant_in_core", name=core.name),
            KEEP_CORE,
        )
    narrowed_ = replace(_narrow_done(draft, core, form, faults), ends=core.ends or form.plain("ends", False))
    refuse_overrides(narrowed_.guards, Part("the_answer", core.name), faults)
    return narrowed_


def lay_forbidden(draft: Draft, form: Form, faults: Faults) -> None:
    """`forbid`: a list of names, or names with why. Acts leave the type; `find.` names wait for the catalogue."""
    node = form.get("forbid")
    if node is None:
        return
    if node.is_map:
        written = {key: (one.value, one.source) for key, one in node.items()}
    elif is_names(node.plain()):
        written = dict.fromkeys(form.names("forbid"), ("", node.source))
    else:
        faults.add("wrong_kind", node.source, say("wrong_kind.forbid_is_list_of_names"))
        return
    for name, (reason, source) in written.items():
        if reason and not is_text(reason):
            faults.add("wrong_kind", source, say("wrong_kind.reason_to_forbid_must_be", name=name))
        elif name in draft.acts:
            _bar(draft, draft.acts.pop(name))
        elif not name.startswith("find."):
            fix = nearest(name, draft.acts, say("name.name_act_of_this_type.fix"))
            faults.add("act_unknown", source, say("act_unknown.has_no_act", of=draft.name, act=name), fix)
            continue
        draft.forbid[name] = str(reason or "")


def _bar(draft: Draft, act: Act) -> None:
    """Remembers the states that a forbidden act leaves and reaches: that they are cut off is the statute's doing."""
    for name, one in draft.states.items():
        if name == act.to or name in act.from_ or one.core in act.from_ or (act.from_ == EVERY and not one.final):
            draft.states[name] = replace(one, barred=True)
