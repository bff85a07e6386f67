"""A folder from a stranger, read by whoever verifies it: pipes, devices and links are told and never read."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from comity.kernel.ledger import departure
from comity.kernel.ledger.departure_check import check
from tests.leaving.remade import remade
from tests.leaving.test_commands import ROOT

Trap = Callable[[Path], object]


def pipe(name: str) -> Trap:
    def spoil(folder: Path) -> None:
        (folder / name).unlink()
        os.mkfifo(folder / name)

    return spoil


def endless(name: str) -> Trap:
    def spoil(folder: Path) -> None:
        (folder / name).unlink()
        (folder / name).symlink_to("/dev/zero")

    return spoil


def elsewhere(name: str) -> Trap:
    """A folder that is a link to a folder outside with the very same files."""

    def spoil(folder: Path) -> None:
        (folder / name).rename(folder.parent / "outside")
        (folder / name).symlink_to(folder.parent / "outside")

    return spoil


def sparse(name: str, size: int) -> Trap:
    def spoil(folder: Path) -> None:
        with (folder / name).open("wb") as out:
            out.truncate(size)

    return spoil


def one_line(name: str, byte: bytes) -> Trap:
    def spoil(folder: Path) -> None:
        (folder / name).write_bytes(byte * (departure.LONGEST + 2))
        remade(folder, entries=False)

    return spoil


TRAPS: dict[str, tuple[Trap, str]] = {
    "the log a pipe": (pipe("log.jsonl"), "log.jsonl: no plain file"),
    "the proof a pipe": (pipe("proof.json"), "proof.json is no plain file"),
    "the manifest a pipe": (pipe("manifest-sha256.txt"), "manifest-sha256.txt: no plain file"),
    "rows a pipe": (pipe("rows/layer.jsonl"), "rows/layer.jsonl: no plain file"),
    "the proof without an end": (endless("proof.json"), "proof.json is no plain file"),
    "the manifest without an end": (endless("manifest-sha256.txt"), "manifest-sha256.txt: no plain file"),
    "the log without an end": (endless("log.jsonl"), "log.jsonl: no plain file"),
    "words without an end": (endless("LEFT_BEHIND.txt"), "LEFT_BEHIND.txt: no plain file"),
    "the rows elsewhere": (elsewhere("rows"), "rows: no plain file"),
    "the files elsewhere": (elsewhere("files"), "files: no plain file"),
    "a pipe that nothing names": (lambda folder: os.mkfifo(folder / "files" / "more"), "files/more: no plain file"),
    "a folder too many": (lambda folder: (folder / "rows" / "deep").mkdir(), "rows/deep: no plain file"),
    "a proof of five gigabytes": (sparse("proof.json", 5 << 30), "longer than"),
    "a line of sixty-four megabytes": (one_line("log.jsonl", b" "), "log.jsonl, line 1: it does not end"),
}


@pytest.mark.parametrize("what", TRAPS)
def test_what_is_no_plain_file_is_told_and_not_read(copy: Path, what: str) -> None:
    """In a process that may hold a gigabyte and a half: it answers, in its words, with exit 1."""
    trap, told = TRAPS[what]
    trap(copy)
    done = subprocess.run(
        [sys.executable, "-c", "from comity.config.main import main; main()", "leave", "verify", str(copy)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200", "COMITY_HOME": str(copy.parent / "no-home")},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (1536 << 20, 1536 << 20)),
        capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    assert told in done.stdout and "Traceback" not in done.stderr, done.stdout + done.stderr


def test_a_file_is_looked_at_as_it_is_opened(copy: Path) -> None:
    """Also when it was a plain file a moment ago: what is opened is what is looked at."""
    os.mkfifo(copy / "files" / "pipe")
    elsewhere("rows")(copy)
    for name in ("files/pipe", "rows/layer.jsonl", "rows", "files", "absent", "files/no\0name"):
        with pytest.raises(departure.Unreadable):
            departure.opened(copy, name)


def test_a_folder_reached_by_a_link_is_the_readers_choice(copy: Path) -> None:
    (copy.parent / "link").symlink_to(copy)
    assert check(copy.parent / "link").faults == []


def test_a_strangers_name_for_a_file_is_printed_plainly(copy: Path) -> None:
    (copy / "files" / "\x1b[2Jgone").write_text("x", "utf-8")
    os.close(os.open(os.fsencode(copy) + b"/files/\xff", os.O_CREAT | os.O_WRONLY))
    found = check(copy).faults
    assert len(found) == 2 and all(one.isprintable() for one in found), found
