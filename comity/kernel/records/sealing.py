"""How the bytes of a file are sealed for a store, and opened again.

The stored form is a sequence of AES-256-GCM frames of up to 1 MiB. Each frame's nonce is its number and its associated
data says the file, so that frames cannot be exchanged, cut or joined. Every file has a data key of its own, which is
kept wrapped with the agency's key (records/attach).
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from typing import IO
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from comity.errors import Problem
from comity.kernel.work.file_store import FileStore
from comity.sentences import say

FRAME = 1 << 20
MOST = 5 << 30
"""Plain bytes of one file."""
SEALED_MOST = MOST + 20 * (MOST // FRAME + 1)
"""The same as it is stored: a frame bears its length (4) and its tag (16)."""


def new_key() -> bytes:
    """A data key."""
    return AESGCM.generate_key(256)


class Sealed:
    """The frames of a stream, once. `size` and `digest` (SHA-256) are those of the plain bytes, when all are taken."""

    def __init__(self, stream: IO[bytes], data_key: bytes, file: UUID) -> None:
        self._stream, self._cipher, self._file = stream, AESGCM(data_key), file
        self._hash = hashlib.sha256()
        self.size = 0

    @property
    def digest(self) -> bytes:
        return self._hash.digest()

    def __iter__(self) -> Iterator[bytes]:
        number = 0
        while block := self._stream.read(FRAME):
            self._hash.update(block)
            self.size += len(block)
            sealed = self._cipher.encrypt(struct.pack(">IQ", 0, number), block, self._file.bytes)
            yield struct.pack(">I", len(sealed)) + sealed
            number += 1


def keep(store: FileStore, where: tuple[str, str], stream: IO[bytes], data_key: bytes, file: UUID) -> Sealed:
    """Put a stream into a store, sealed; `where` is (agency, name). Durable when this returns. Problem as `put`."""
    sealed = Sealed(stream, data_key, file)
    store.put(*where, sealed, most=SEALED_MOST)
    return sealed


def opened(
    store: FileStore, where: tuple[str, str], data_key: bytes, file: UUID, expected: bytes
) -> Iterator[bytes]:  # fmt: skip
    """The plain bytes of a stored file; at its end `file_damaged`, if they are not those that were entered."""
    cipher, digest, number = AESGCM(data_key), hashlib.sha256(), 0
    damaged = Problem("file_damaged", say("file_damaged.stored_file_does_not_match"))
    try:
        with store.open(*where) as stored:
            while head := stored.read(4):
                size = struct.unpack(">I", head)[0]
                sealed = stored.read(size)
                if len(sealed) != size:
                    raise damaged
                block = cipher.decrypt(struct.pack(">IQ", 0, number), sealed, file.bytes)
                digest.update(block)
                number += 1
                yield block
    except (OSError, InvalidTag, struct.error) as error:
        raise damaged from error
    if digest.digest() != expected:
        raise damaged
