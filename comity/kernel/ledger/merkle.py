"""The Merkle root over a log's leaves (RFC 6962, section 2.1), leaf by leaf."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field


@dataclass(slots=True)
class Tree:
    """A growing tree. `add` the leaf hashes in order of their places; `root` may be asked at any size."""

    size: int = 0
    _peaks: list[bytes] = field(default_factory=list)

    def add(self, leaf: bytes) -> None:
        """Join the new leaf with every whole subtree that it completes: one for each trailing 1 bit of the size."""
        complete = self.size
        while complete & 1:
            leaf = node_hash(self._peaks.pop(), leaf)
            complete >>= 1
        self._peaks.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """SHA-256 of nothing for the empty log."""
        if not self._peaks:
            return hashlib.sha256(b"").digest()
        root = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            root = node_hash(peak, root)
        return root


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 6962, section 2.1: SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()
