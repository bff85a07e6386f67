"""The pages that people read, and what stands in them: links, blocks, commands, words."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
_BLOCK = re.compile(r"^```(\w*)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]+`")
_LINK = re.compile(r"\[[^\]\[]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, the path of the file that it is (or nothing), its text."""

    language: str
    path: str
    text: str


def pages() -> list[Path]:
    """README, the docs, and the README of each pillar and folder of data."""
    found = [ROOT / "README.md", ROOT / "CHANGELOG.md", *DOCS.rglob("*.md"), *(ROOT / "comity").rglob("*.md")]
    return sorted(found)


def blocks(page: Path) -> list[Block]:
    return [Block(*one.groups(default="")) for one in _BLOCK.finditer(page.read_text(encoding="utf-8"))]


def prose(page: Path, *, diagrams: bool = True) -> str:
    """The page without code; with the blocks that have no language, because those are drawings."""

    def shown(one: re.Match[str]) -> str:
        return "" if one[1] or not diagrams else one[3]

    return _CODE.sub("", _BLOCK.sub(shown, page.read_text(encoding="utf-8")))


def links(page: Path) -> list[str]:
    return _LINK.findall(_CODE.sub("", _BLOCK.sub("", page.read_text(encoding="utf-8"))))


def anchors(page: Path) -> set[str]:
    text = _BLOCK.sub("", page.read_text(encoding="utf-8"))
    plain = (re.sub(r"[^\w\- ]", "", one.lower()) for one in _HEADING.findall(text))
    return {one.strip().replace(" ", "-") for one in plain}


def commands(page: Path) -> Iterator[list[str]]:
    """Every command of the shell blocks, comments taken away, as its words."""
    for block in blocks(page):
        if block.language in ("sh", "bash", ""):
            lines = block.text.replace("\\\n", " ").splitlines()
            for line in lines:
                if re.match(r"(make|comity|source) ", line) or line in ("make", "comity"):
                    for part in line.split("&&"):
                        yield shlex.split(part, comments=True)


def inline_commands(page: Path) -> Iterator[str]:
    """What stands in running text as a command: `comity member invite`, options and all."""
    for code in _CODE.findall(_BLOCK.sub("", page.read_text(encoding="utf-8"))):
        if code.startswith("`comity "):
            yield code.strip("`")
