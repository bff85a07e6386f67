"""The stores of files there are, by the word that COMITY_FILES begins with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from comity.config.settings import Settings
from comity.config.startup import StartupRefused
from comity.kernel.work.disk_store import DiskStore
from comity.kernel.work.file_store import FileStore
from comity.sentences import listed, say


def _on_disk(place: str, home: Path) -> FileStore:
    return DiskStore(Path(place).expanduser().absolute() if place else home / "files")


STORES: Mapping[str, Callable[[str, Path], FileStore]] = {"disk": _on_disk}
"""Each is called with what stands behind the colon in COMITY_FILES, which may be nothing, and the node's home."""


def opened(settings: Settings) -> FileStore:
    """The store that the settings name. Raises StartupRefused `setting_invalid`."""
    kind, _, place = settings.files.partition(":")
    if kind not in STORES:
        fix = say("setting_invalid.set_it_to_one_of.fix", stores=listed(STORES))
        raise StartupRefused("setting_invalid", say("setting_invalid.comity_files_names_store", kind=kind), fix)
    return STORES[kind](place, settings.home)
