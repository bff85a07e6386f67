"""A store of files of its own: each in a zip archive, in folders by the first letters of its name."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from comity.errors import Problem


@dataclass(frozen=True)
class ArchiveStore:
    root: Path

    def put(self, agency: str, name: str, blocks: Iterable[bytes], *, most: int) -> int:
        path, size = self._path(agency, name), 0
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with zipfile.ZipFile(path, "x") as archive, archive.open(name, "w", force_zip64=True) as out:
                for block in blocks:
                    size += len(block)
                    if size > most:
                        raise Problem("body_too_large")
                    out.write(block)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return size

    def open(self, agency: str, name: str) -> IO[bytes]:
        return zipfile.ZipFile(self._path(agency, name)).open(name)

    def delete(self, agency: str, name: str) -> None:
        self._path(agency, name).unlink(missing_ok=True)

    def free(self) -> int | None:
        return None

    def _path(self, agency: str, name: str) -> Path:
        return self.root / agency / name[:2] / f"{name}.zip"
