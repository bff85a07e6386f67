"""Secrets that an installation makes for itself on first use."""

import contextlib
import os
import secrets
from pathlib import Path


def secret_of_node(keys: Path, name: str) -> str:
    """The secret called `name` in `keys`, made when absent (mode 0600). Two processes that ask at once get the same."""
    path = keys / name
    keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        part = keys / f".{name}.{os.getpid()}.{secrets.token_hex(4)}"
        fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(fd, "w", encoding="ascii") as file:
                file.write(secrets.token_urlsafe(48))
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):
                os.link(part, path)  # never replaces what another process made first
        finally:
            part.unlink()
    return path.read_text(encoding="ascii").strip()
