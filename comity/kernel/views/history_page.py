"""A record's history as a person reads it: each entry in words, beside it what it is in the log."""

from __future__ import annotations

from dataclasses import dataclass

from comity.kernel.policy.actor import Actor
from comity.kernel.types.language import Languages
from comity.kernel.views.history import lines
from comity.kernel.views.timeline import Moment, agencies_in, moments
from comity.kernel.views.wording import Wording
from comity.kernel.work.node import Node
from comity.kernel.work.results import HistoryLine
from comity.kernel.work.subject import find_subject
from comity.kernel.work.visibility import visibility


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """The entries of a record, oldest first: `moments` in words, `lines` the same as data."""

    language: str
    moments: tuple[Moment, ...]
    lines: tuple[HistoryLine, ...]


def history_page(node: Node, actor: Actor, record: str, *, language: Languages = None) -> HistoryPage:
    """What `history` answers, and disclosed as by it, in the reader's words. Problem `not_found`; `request_invalid` for
    a language in which the definitions have no words."""
    with node.work(actor) as work:
        subject = find_subject(work, record)
        of = work.type_of(subject.agency, subject.type_name, subject.core_type)
        found = lines(work, of, subject, visibility(work, of, subject))
        wording = Wording.of(work, language, agencies_in(of, found))
        told = moments(wording.of_record(of), found)
        return HistoryPage(wording.language, told[::-1], tuple(found))
