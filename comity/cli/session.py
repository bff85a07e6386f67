"""Who speaks in a command: a seat of this machine, or the operator of the node for what needs no seat."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from comity.cli.output import locale, read_by, want
from comity.cli.services import services
from comity.errors import Problem
from comity.sentences import say

if TYPE_CHECKING:
    from comity.cli.labels import Labels
    from comity.kernel.policy.actor import Actor
    from comity.kernel.types.catalogue import Catalogue
    from comity.kernel.work.node import Node

As = Annotated[str | None, typer.Option("--as", metavar="AGENCY", help="The agency to speak for.")]
SeatName = Annotated[str | None, typer.Option("--seat", metavar="MEMBER", help="The member, when several have seats.")]
Purpose = Annotated[
    str | None, typer.Option("--purpose", metavar="WORD", help="What it is read or done for, if not the agency's own.")
]
Language = Annotated[
    str | None,
    typer.Option(
        "--language",
        envvar="COMITY_LANGUAGE",
        metavar="CODE",
        help="In which the words stand, as hi.",
        callback=want,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
Key = Annotated[str | None, typer.Option("--key", help="An idempotency key: the same again is done once.")]


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in actor at a node."""

    node: Node
    actor: Actor

    @property
    def catalogue(self) -> Catalogue:
        return self.node.catalogue(self.actor.agency)

    def labels(self, language: str | None = None) -> Labels:
        """What the definitions call things in a language that is demanded, or else in the reader's.

        Problem `request_invalid` where they have no words in one that is demanded."""
        from comity.cli.labels import Labels

        return Labels.of(self.catalogue, language or locale().language)

    def record(self, reference: str) -> str:
        """The id that a reference means: an id, or a record's number. Problem `not_found`."""
        try:
            return str(UUID(reference))
        except ValueError:
            from comity.kernel.views.find import find_by_number

            return str(find_by_number(self.node, self.actor, reference))

    def speaking(self, on_behalf: str | None, document: str | None) -> Actor:
        """The actor, on behalf of an agency when one is named; `document` is an id or a number."""
        if on_behalf is None:
            if document is not None:
                raise Problem("request_invalid", say("request_invalid.document_goes_with_on_behalf"))
            return self.actor
        from comity.kernel.policy.actor import Behalf

        return replace(self.actor, behalf=Behalf(on_behalf, self.record(document) if document else ""))


@contextmanager
def signed_in(agency: str | None, seat: str | None, purpose: str | None = None) -> Iterator[Session]:
    """The session of a seat; its agency's and member's suspension count from this moment."""
    from comity.cli.seat import AGENCY, HOME, NAME
    from comity.kernel.policy.identity import Credentials, shown, sign_in

    settings = services().settings()
    here = {HOME: str(settings.home), AGENCY: agency, NAME: seat}
    said = Credentials(here={name: value for name, value in here.items() if value is not None})
    found = shown(services().identities(), said)
    with services().opened(settings) as node:
        actor = sign_in(node, found, purpose or "")
        if agency is not None and actor.agency != agency:
            raise Problem("seat_unknown", say("seat_unknown.token_is_of_not_of", agency=actor.agency, agency2=agency))
        read_by(node.catalogue(actor.agency))
        yield Session(node, actor)


@contextmanager
def operating(agency: str | None = None, seat: str | None = None) -> Iterator[Session]:
    """A seat where one is named, else the operator: who may install and run, and reads nothing."""
    if agency is not None or seat is not None:
        with signed_in(agency, seat) as session:
            yield session
        return
    from comity.kernel.policy.tokens import operator

    with services().opened(services().settings()) as node:
        yield Session(node, operator())


def plain(value: Any) -> Any:
    return value.as_json() if hasattr(value, "as_json") else value
