"""The database schema as this version ships it: the files of comity/kernel/schema, and the number that orders them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from comity.config.paths import PACKAGE

FOLDER = PACKAGE / "kernel" / "schema"

Files = Mapping[str, str]
"""SQL by the file's name below the folder, without `.sql`: `functions/reach`; in order of names."""


@dataclass(frozen=True)
class Schema:
    """`tables` make an empty database as it is now; `steps` bring an older one there. `functions` and `rights` are
    replaced whenever they differ. `revision` grows with every change of any of them, see `line`."""

    revision: int
    tables: Files
    steps: Files
    functions: Files
    rights: Files

    @cached_property
    def digests(self) -> dict[str, str]:
        """Of each file that is replaced."""
        return {
            name: hashlib.sha256(text.encode()).hexdigest() for name, text in {**self.functions, **self.rights}.items()
        }

    @property
    def line(self) -> str:
        """What the file `revision` says of the other files: the number, and the digest of all that it stands for."""
        state = hashlib.sha256()
        for name, text in {**self.tables, **self.steps, **self.functions, **self.rights}.items():
            state.update(f"{name}\0{text}\0".encode())
        return f"{self.revision} {state.hexdigest()[:16]}"


@lru_cache(maxsize=4)
def shipped(folder: Path = FOLDER) -> Schema:
    return Schema(
        revision=int((folder / "revision").read_text(encoding="ascii").split()[0]),
        tables=_files(folder, "tables"),
        steps=_files(folder, "steps"),
        functions=_files(folder, "functions"),
        rights=_files(folder, "rights"),
    )


def _files(folder: Path, kind: str) -> Files:
    return {f"{kind}/{path.stem}": path.read_text(encoding="utf-8") for path in sorted((folder / kind).glob("*.sql"))}
