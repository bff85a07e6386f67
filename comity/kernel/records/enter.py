"""Entering records: one, or many in one transaction. Both go the same way (records/batch)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from comity import names
from comity.errors import Problem
from comity.kernel.policy.actor import Actor
from comity.kernel.records.batch import Entering, propose
from comity.kernel.records.proposal import Proposal
from comity.kernel.work.locking import Retry, attempts, contended
from comity.kernel.work.node import Node, Work
from comity.kernel.work.refusals import Attempt, trace
from comity.kernel.work.results import Draft, Receipt
from comity.sentences import say

LIMIT = 5_000


def enter(node: Node, actor: Actor, type: str, fields: Mapping[str, Any], **rest: Any) -> Receipt:
    """Enter one record; `rest` are the other members of Draft. Raises Problem with all faults gathered."""
    answer = enter_many(node, actor, [Draft(type, fields, **rest)])[0]
    if isinstance(answer, Problem):
        raise answer
    return answer


def enter_many(node: Node, actor: Actor, drafts: Sequence[Draft]) -> list[Receipt | Problem]:
    """Enter drafts in one transaction: a receipt or a refusal for each, in their order.

    A refused draft does not stop the others, except those of its `group`. Drafts with a key that was used before are
    answered with the first receipt. An id that is taken is its own draft's refusal, as far as this transaction sees;
    one that an agency beyond its reach has, or that is taken at this moment, refuses them all (`invalid`, id_taken).
    Raises Problem when nothing could be tried at all.
    """
    try:
        answers = enter_untraced(node, actor, drafts)
    except Problem as problem:
        types = {one.type for one in drafts[:LIMIT]}
        trace(node, actor, [(Attempt("enter", types.pop() if len(types) == 1 else ""), problem)])
        raise
    refused = [(one, answer) for one, answer in zip(drafts, answers, strict=True) if isinstance(answer, Problem)]
    if refused:
        trace(node, actor, [(Attempt("enter", one.type), problem) for one, problem in refused])
    return answers


def enter_untraced(node: Node, actor: Actor, drafts: Sequence[Draft]) -> list[Receipt | Problem]:
    """The same without a trace of what is refused: for who tries it again in another way, and traces what is left."""
    if len(drafts) > LIMIT:
        raise Problem("body_too_large", say("body_too_large.at_most_records_are_entered", limit=LIMIT))
    for overtaken in attempts():
        try:
            with node.work(actor) as work:
                return enter_within(work, drafts, still=overtaken > 1)
        except Retry:
            continue
    raise contended()


def rehearse_many(node: Node, actor: Actor, drafts: Sequence[Draft]) -> list[Receipt | Problem]:
    """What `enter_many` would answer, with nothing written: a receipt of what is new names no entry and no number."""
    with node.work(actor) as work:
        entering = Entering(work, drafts)
        entering.decide()
        return entering.rehearsed()


def enter_within(work: Work, drafts: Sequence[Draft], *, still: bool = False) -> list[Receipt | Problem]:
    """The steps of entering, in the caller's transaction. `still`: no mark moves meanwhile (lock_shared)."""
    entering = Entering(work, drafts, still=still)
    entering.decide()
    return entering.write()


def proposal(work: Work, draft: Draft, record: UUID | None = None) -> Proposal:
    """The proposal to enter one draft by itself, its links being ids, for another verb that writes it."""
    return propose(work, draft, record or names.new_id(), draft.links)
