"""FileStore: where the bytes of records' files are kept. They come sealed (records/attach) and are noise to a store.

A store keeps them apart by agency, so that one's can leave or go without another's, and knows nothing of records.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO, Protocol


class FileStore(Protocol):
    """What is asked of a store. `name` is hexadecimal, made by the caller and never used twice."""

    def put(self, agency: str, name: str, blocks: Iterable[bytes], *, most: int) -> int:
        """Keep the blocks, in order; answers how many bytes. They are durable when this returns.

        Whatever goes wrong, also in `blocks`, leaves nothing under the name. Problem: disk_full; body_too_large beyond
        `most` bytes; what `blocks` raises passes through.
        """

    def open(self, agency: str, name: str) -> IO[bytes]:
        """What was kept, from its beginning; the caller closes it. OSError when it is not there."""

    def delete(self, agency: str, name: str) -> None:
        """Forget what was kept. What is not there is no error. OSError when it cannot be deleted."""

    def free(self) -> int | None:
        """Bytes that still have room; None where the store cannot say."""
