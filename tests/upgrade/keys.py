"""The keys of the recorded nodes: made from the words below, for these tests only. They keep nothing secret."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path


def write_keys(folder: Path, agencies: Iterable[str]) -> None:
    """Into a home's `keys`, before the node makes its own."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name in ("node-collision", *(f"agency-{agency}" for agency in agencies)):
        path = folder / f"{name}.key"
        path.write_bytes(hashlib.sha256(f"of no worth, for tests/upgrade alone: {name}".encode()).digest())
        path.chmod(0o600)
