"""Keys that stay outside the database, in COMITY_HOME/keys, mode 0600: one per agency, one for the node's digests."""

from __future__ import annotations

import hashlib
import hmac
import os
from contextlib import suppress
from pathlib import Path

from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap


class KeyRing:
    """Reads or makes keys on first use. Losing the folder loses the files, not the record: back it up apart."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[str, bytes] = {}

    def key(self, name: str) -> bytes:
        """32 secret bytes under a name; two processes that make it at once end with the same one."""
        if name not in self._held:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            path = self._folder / f"{name}.key"
            if not path.exists():
                draft = self._folder / f".{name}.{os.getpid()}"
                with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                    out.write(os.urandom(32))
                    out.flush()
                    os.fsync(out.fileno())
                with suppress(FileExistsError):
                    os.link(draft, path)
                draft.unlink()
            self._held[name] = path.read_bytes()
        return self._held[name]

    def wrap(self, agency: str, data_key: bytes) -> bytes:
        """A file's data key, readable only with the agency's key (RFC 3394)."""
        return aes_key_wrap(self.key(f"agency-{agency}"), data_key)

    def unwrap(self, agency: str, wrapped: bytes) -> bytes:
        return aes_key_unwrap(self.key(f"agency-{agency}"), wrapped)

    def collision(self, text: str) -> bytes:
        """A keyed digest for deconfliction: without this key it cannot be searched by guessing names."""
        return hmac.new(self.key("node-collision"), text.encode("utf-8"), hashlib.sha256).digest()
