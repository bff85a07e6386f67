"""The store of files on this machine's disk: a folder for each agency, a file for each name, for its owner alone."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from comity.errors import Problem
from comity.sentences import say


@dataclass(frozen=True, slots=True)
class DiskStore:
    """A FileStore (work/file_store). `root` is made when it is first written to."""

    root: Path

    def put(self, agency: str, name: str, blocks: Iterable[bytes], *, most: int) -> int:
        path = self._path(agency, name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise _full(error) from error
        try:
            size = self._write(handle, blocks, most)
            self._settle(path.parent)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return size

    def open(self, agency: str, name: str) -> IO[bytes]:
        return self._path(agency, name).open("rb")

    def delete(self, agency: str, name: str) -> None:
        self._path(agency, name).unlink(missing_ok=True)

    def free(self) -> int | None:
        place = self.root
        while not place.exists():
            place = place.parent
        return shutil.disk_usage(place).free

    def _path(self, agency: str, name: str) -> Path:
        return self.root / agency / name

    def _write(self, handle: int, blocks: Iterable[bytes], most: int) -> int:
        size = 0
        try:
            for block in blocks:
                size += len(block)
                if size > most:
                    raise Problem("body_too_large", say("body_too_large.file_is_larger_than_bytes", most=most))
                _written(handle, block)
            _synced(handle)
        finally:
            os.close(handle)
        return size

    def _settle(self, folder: Path) -> None:
        """Its name too is on disk before this returns."""
        held = os.open(folder, os.O_RDONLY)
        try:
            _synced(held)
        finally:
            os.close(held)


def _written(handle: int, block: bytes) -> None:
    rest = memoryview(block)
    try:
        while rest:
            rest = rest[os.write(handle, rest) :]
    except OSError as error:
        raise _full(error) from error


def _synced(handle: int) -> None:
    try:
        os.fsync(handle)
    except OSError as error:
        raise _full(error) from error


def _full(error: OSError) -> Problem:
    return Problem("disk_full", say("disk_full.file_could_not_be_kept", strerror=error.strerror))
