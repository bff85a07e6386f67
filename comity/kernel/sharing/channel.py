"""Channel: a way to be told, declared as one value; sharing/channels lists those that there are.

Whoever is told gets a pointer: that something happened and where to look, decided with the reader's rights of that
moment (sharing/stream_event). A channel moves it and decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from comity.errors import Problem
from comity.kernel.sharing import outbox
from comity.kernel.sharing.stream_event import Pointer
from comity.kernel.sharing.ticket import Admitted
from comity.kernel.work.node import Node, Work


@dataclass(frozen=True, slots=True)
class Notice:
    """What one subscription is told: of a member's, or of everybody's in a role."""

    subscription: UUID
    member: UUID | None
    role: str
    told: Sequence[Pointer]


@dataclass(frozen=True, slots=True)
class Message:
    """One delivery to an address. `id` is the same however often it is sent; `body` is JSON; `secret` is the address's
    own, to sign with."""

    agency: str
    address: str
    id: str
    body: bytes
    secret: bytes


@dataclass(frozen=True, slots=True)
class Reader:
    """One open stream: who reads, and up to which place it was told. Not `ready`: only its rights are looked at."""

    admitted: Admitted
    place: int
    ready: bool = True


@dataclass(frozen=True, slots=True)
class Told:
    """`closed` is why the stream must end. `troubles` are entries on which the stream's filter erred."""

    place: int
    pointers: Sequence[Pointer] = ()
    troubles: Sequence[tuple[int, Problem]] = ()
    closed: Problem | None = None
    more: bool = False


@dataclass(frozen=True, slots=True)
class Channel:
    """A way to be told; exactly one of `keep`, `send` and `live` says which.

    `keep` writes what is told in the transaction that marks it delivered: it needs no address. `send` hands a message
    to an address outside, under a lease and again after a failure, so that a receiver may get one twice and knows it
    by its id. `live` tells those who read now, in their order, and owes nothing.
    `schemes` are those of the addresses that it sends to; `judge` refuses an address when it is added, by a Problem.
    `passing` are the codes of refusals of `send` that may pass: any other is a dead letter at once; those in `final`
    stop the address too.
    """

    name: str
    keep: Callable[[Work, Notice], None] | None = None
    send: Callable[[Node, Message], None] | None = None
    live: Callable[[Node, str, Sequence[Reader]], Sequence[Told]] | None = None
    schemes: tuple[str, ...] = ()
    judge: Callable[[Node, str], None] | None = None
    passing: frozenset[str] = frozenset()
    final: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if sum(one is not None for one in (self.keep, self.send, self.live)) != 1:
            raise ValueError(f"{self.name}: a channel keeps, sends or is live")
        if (self.send is None) != (not self.schemes) or (self.send is None) != (self.judge is None):
            raise ValueError(f"{self.name}: a channel that sends, and no other, has schemes and judges addresses")

    @property
    def effect(self) -> str:
        """Under which name the outbox owes what it delivers; empty for one that is live."""
        return outbox.NOTICE if self.keep else outbox.WEBHOOK if self.send else ""
