"""Format: how rows stand in a file, declared as one value. formats/open_file lists those that there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from comity.formats.rows import Options, Table

Read = Callable[[Path, str, Options], AbstractContextManager[Table]]
WriteRow = Callable[[Mapping[str, Any]], None]
Write = Callable[[TextIO, str, Sequence[str]], WriteRow]


@dataclass(frozen=True, slots=True)
class Format:
    """A format that is read, written, or both. `suffixes` are those of its files, with their dot.

    `read` opens a file as a Table and is called with the format's name and how to read; it raises Problem
    import_refused for a file that cannot be read at all. `write` begins a text with these columns, in this order, and
    gives what writes one row more: a value that a row lacks is left empty, one of no column is left out. It takes
    text, numbers, truth, nothing, lists and objects. The text ends well after every row.
    """

    name: str
    suffixes: tuple[str, ...] = ()
    read: Read | None = None
    write: Write | None = None
