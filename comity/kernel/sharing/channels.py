"""The channels there are: what subscribing chooses among, and what delivering, sending, streaming and pruning use."""

from __future__ import annotations

from collections.abc import Sequence

from comity.errors import Problem
from comity.kernel.sharing.channel import Channel, Reader, Told
from comity.kernel.sharing.feed import FEED
from comity.kernel.sharing.notices import INBOX
from comity.kernel.sharing.webhook import WEBHOOK
from comity.kernel.work.node import Node
from comity.sentences import Text, listed, say

CHANNELS: tuple[Channel, ...] = (INBOX, WEBHOOK, FEED)


def effects() -> list[str]:
    """The names under which deliveries are owed, each once."""
    return list(dict.fromkeys(one.effect for one in CHANNELS if one.effect))


def keeping() -> Channel:
    """The channel of a subscription without an address. Problem `channel_unknown`."""
    return _first([one for one in CHANNELS if one.keep], say("channel_unknown.no_address"))


def tell(node: Node, agency: str, readers: Sequence[Reader]) -> Sequence[Told]:
    """What the open streams of an agency are told now, in their order, by the channel that is live. Problem
    `channel_unknown`."""
    channel = _first([one for one in CHANNELS if one.live], say("channel_unknown.open_stream"))
    assert channel.live is not None
    return channel.live(node, agency, readers)


def served(address: str) -> bool:
    """Whether a channel sends to an address of this kind."""
    return any(address.partition(":")[0].lower() in one.schemes for one in CHANNELS)


def speaking(address: str) -> Channel:
    """The channel that sends to an address, by its scheme. Problem `channel_unknown` naming those that there are."""
    scheme = address.partition(":")[0].lower()
    known = listed(name for one in CHANNELS for name in one.schemes)
    said = say("channel_unknown.no_channel_of_scheme", scheme=scheme[:40], known=known)
    return _first([one for one in CHANNELS if scheme in one.schemes], said)


def of(address: str | None) -> Channel:
    """The channel of a subscription: that of its address, or where it has none the one that needs none."""
    return speaking(address) if address else keeping()


def _first(found: Sequence[Channel], said: Text) -> Channel:
    if not found:
        raise Problem("channel_unknown", said)
    return found[0]
