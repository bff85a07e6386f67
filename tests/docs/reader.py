"""A reader who does what a page says: creates the files, types the commands, keeps a second terminal open.

The reader works in a copy of the project with a home of its own. `make setup` finds everything installed there already,
because the copy's `.venv` speaks for the environment that runs the tests.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from comity import clock
from tests.docs.pages import ROOT, blocks

COPIED = (
    "comity", "agencies", "jurisdictions", "Makefile", "LICENSE", "README.md", "pyproject.toml", "docs", "tests/golden",
    "tests/__init__.py",
)  # fmt: skip
LOCKS = ("requirements.txt", "requirements-dev.txt")
FAILED = "@@failed"
SERVE = "comity serve"


class Reader:
    """`said` is all that the commands printed so far; `blocks` run one after another in one shell."""

    def __init__(self, folder: Path) -> None:
        self.project = folder / "project"
        self.notes = folder / "curl.jsonl"
        self.said = ""
        self.port = _free_port()
        _copy(self.project)
        _environment(self.project)
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "LC_ALL", "TMPDIR")}
        self.environment = {
            **kept, "HOME": str(folder), "COMITY_BIND": f"127.0.0.1:{self.port}", "COMITY_WORKERS": "1",
            "COLUMNS": "160", "CURL_NOTES": str(self.notes), "CURL": shutil.which("curl") or "",
        }  # fmt: skip
        self._server: subprocess.Popen[bytes] | None = None
        self._log = folder / "serve.log"
        self._errors = folder / "errors.txt"
        with self._errors.open("wb") as errors:
            self._shell = subprocess.Popen(
                ["bash", "--norc", "--noprofile"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
                text=True, cwd=self.project, env=self.environment,
            )  # fmt: skip
        self.type(f"set -E -o pipefail; trap 'echo \"{FAILED}: $BASH_COMMAND\" >&2' ERR")

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shell.poll() is None:
            self._shell.communicate("exit\n", timeout=60)
        if self._server is not None:
            self._server.send_signal(signal.SIGTERM)
            self._server.wait(60)

    def follow(self, page: str) -> list[tuple[str, str]]:
        """Do what every block says, in the page's order: (command or path, what it printed). Nothing is left out."""
        told = []
        for block in blocks(self.project / "docs" / page):
            if block.path:
                file = self.project / block.path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(block.text, encoding="utf-8")
                told.append((block.path, ""))
            elif block.language == "sh" and block.text.strip() == SERVE:
                self.serve()
            elif block.language == "sh":
                told.append((block.text, self.type(self.own(block.text))))
                self.wait(block.text)
            elif block.language == "json":
                typed, printed = told[-1]
                lines = printed.strip().splitlines()
                assert lines and lines[-1].startswith("{"), f"{typed} printed {printed!r}"
                matches(json.loads(block.text), json.loads(lines[-1]), typed)
            else:
                raise AssertionError(f"{page} has a block that nobody can follow: {block}")
        return told

    def own(self, text: str) -> str:
        """As the reader types it: this year's numbers, this server's address."""
        year = clock.now().astimezone(ZoneInfo("America/New_York")).year
        text = re.sub(r"\b([A-Z]+-[A-Z]*)2026(-[0-9]+)\b", rf"\g<1>{year}\g<2>", text)
        return text.replace("127.0.0.1:8440", f"127.0.0.1:{self.port}")

    def type(self, text: str) -> str:
        """Type commands into the shell; give what they printed. A command that fails is an error. A line that redeems
        a code takes the code that was printed last."""
        parts = re.split(r"^(.*\bCODE\b.*\n?)", text, flags=re.MULTILINE)
        return "".join(self._type(self._with_code(part)) for part in parts if part.strip())

    def _with_code(self, text: str) -> str:
        if "CODE" not in text:
            return text
        codes = re.findall(r"comity member redeem (\S+)", self.said)
        assert codes, f"no code was printed before {text}"
        return re.sub(r"\bCODE\b", codes[-1], text)

    def _type(self, text: str) -> str:
        assert self._shell.stdin is not None and self._shell.stdout is not None
        before = self._errors.stat().st_size
        self._shell.stdin.write(f"{text}\necho; echo @@end\n")
        self._shell.stdin.flush()
        lines: list[str] = []
        while (line := self._shell.stdout.readline()) and line != "@@end\n":
            lines.append(line)
        errors = self._errors.read_bytes()[before:].decode()
        assert line and FAILED not in errors, f"{text}\n{''.join(lines)}\n{errors}"
        said = "".join(lines).removesuffix("\n")
        self.said += said
        return said

    def comity(self, *arguments: str) -> Any:
        """One more command, in the same terminal: its JSON."""
        return json.loads(self.type(shlex.join(["comity", *arguments, "--json"])))

    def serve(self) -> None:
        """`comity serve` in a second terminal, until the reader is done."""
        with self._log.open("wb") as log:
            self._server = subprocess.Popen(
                ["bash", "-c", f"source .venv/bin/activate; exec {SERVE}"], stdout=log, stderr=log, cwd=self.project,
                env=self.environment,
            )  # fmt: skip
        self.until(lambda: self.get("/health")["status"] == "ok", "the server does not come up")

    def wait(self, text: str) -> None:
        """What follows by itself takes a moment: an answered loan's own record."""
        for number in re.findall(r"^comity answer (\S+) accepted", self.own(text), re.MULTILINE):
            asked = ("show", number, "--as", number.partition("-")[0].lower())
            self.until(lambda asked=asked: self.comity(*asked)["state"] != "offered", "no worker follows")

    def until(self, what: Any, otherwise: str) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                if what():
                    return
            except OSError:
                assert self._server is None or self._server.poll() is None, self._log.read_text()
            time.sleep(0.2)
        raise AssertionError(f"{otherwise}: {self._log.read_text() if self._log.exists() else ''}")

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1{path}", timeout=20) as answer:
            return json.loads(answer.read())

    def requests(self) -> list[Mapping[str, Any]]:
        """What was asked of the server with curl."""
        return [json.loads(line) for line in self.notes.read_text(encoding="utf-8").splitlines()]


def matches(wanted: Any, got: Any, where: str) -> None:
    """What a page shows of an answer is in the answer: `…` stands for anything, members not shown are not asked for."""
    if isinstance(wanted, Mapping):
        assert isinstance(got, Mapping), f"{where}: {got}"
        for name, value in wanted.items():
            assert name in got, f"{where}: no {name} in {got}"
            matches(value, got[name], f"{where} {name}")
    elif isinstance(wanted, list) and isinstance(got, list):
        open_end = wanted[-1:] == ["…"]
        items = wanted[:-1] if open_end else wanted
        assert len(got) == len(items) or (open_end and len(got) > len(items)), f"{where}: {got}"
        for one, other in zip(items, got, strict=False):
            matches(one, other, where)
    elif isinstance(wanted, str) and "…" in wanted:
        assert re.fullmatch(".+".join(map(re.escape, wanted.split("…"))), str(got)), f"{where}: {got}"
    else:
        assert wanted == got, f"{where}: {got}, not {wanted}"


def _copy(project: Path) -> None:
    project.mkdir()
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, project / name, ignore=shutil.ignore_patterns("__pycache__", "_data"))
        else:
            shutil.copy(ROOT / name, project / name)
    for name in LOCKS:
        (project / name).write_text("", encoding="utf-8")


def _environment(project: Path) -> None:
    """What `make setup` would have made. The stamp comes last: make compares its time with the locks'."""
    bin = project / ".venv" / "bin"
    bin.mkdir(parents=True)
    python, curl = shlex.quote(sys.executable), shlex.quote(str(ROOT / "tests" / "docs" / "curl.py"))
    code = "from comity.config.main import main; main()"
    _script(bin / "comity", f"PYTHONPATH={shlex.quote(str(project))} exec {python} -P -c '{code}' \"$@\"")
    _script(bin / "curl", f'exec {python} {curl} "$@"')
    _script(bin / "python3", f'exec {python} "$@"')
    _script(bin / "python", f'PYTHONPATH={shlex.quote(str(project))} exec {python} "$@"')
    (bin / "activate").write_text(f"export PATH={shlex.quote(str(bin))}:$PATH\n", encoding="utf-8")
    for name in (*LOCKS, "pyproject.toml"):
        os.utime(project / name, (1, 1))
    (project / ".venv" / ".installed").touch()


def _script(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
    path.chmod(0o755)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
