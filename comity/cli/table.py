"""A table in the width that there is: prose gives way, what may have to be copied is not broken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any
from unicodedata import category

from rich import box
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType

BETWEEN = 2
"""Cells between two columns."""
PROSE = 8
"""Cells that a column of prose keeps where the others need the room: a word in a sentence is broken before a name."""
LONGEST = 64
"""Cells of the longest word that keeps its column wide, as the hex of a hash; a longer one is broken."""


class Fitted:
    """Columns as wide as what stands in them; where that is too wide, each at least as wide as its longest word.

    Where that is too wide too, at least as wide as the longest word that is no prose: one that stands alone in its
    cell, or has a digit or a sign in it. Where even that is, each row stands as a list, a line for each cell.
    """

    def __init__(self, columns: Sequence[str], rows: Iterable[Sequence[Any]], whole: Sequence[str] = ()) -> None:
        self.columns = columns
        self.rows = [
            [one if isinstance(one, Text) else Text("" if one is None else str(one)) for one in r] for r in rows
        ]
        texts = [[name, *(row[at].plain for row in self.rows)] for at, name in enumerate(columns)]
        self.most = [max(_line(one) for one in column) for column in texts]
        self.least, self.firm = [], []
        for name, most, column in zip(columns, self.most, texts, strict=True):
            longest = min(LONGEST, max(_longest(one.split()) for one in column))
            self.least.append(most if name in whole else longest)
            firm = max(_longest(_firm(one)) for one in column[1:]) if column[1:] else 0
            self.firm.append(most if name in whole else min(longest, max(PROSE, firm)))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        room = options.max_width - BETWEEN * (len(self.columns) - 1)
        if sum(self.least) <= room:
            yield self._table(_widths(self.least, self.most, room))
        elif sum(self.firm) <= room:
            yield self._table(_widths(self.firm, self.least, room))
        else:
            yield self._list()

    def _table(self, widths: Sequence[int]) -> Table:
        made = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
        for column, width in zip(self.columns, widths, strict=True):
            made.add_column(column, overflow="fold", width=width)
        for row in self.rows:
            made.add_row(*row)
        return made

    def _list(self) -> Table:
        made = Table.grid(padding=(0, 2))
        made.add_column(style="dim", justify="right", no_wrap=True)
        made.add_column(overflow="fold")
        for at, row in enumerate(self.rows):
            if at:
                made.add_row("", "")
            for column, cell in zip(self.columns, row, strict=True):
                if cell.plain:
                    made.add_row(Text(column), cell)
        return made


def _line(text: str) -> int:
    return max((cell_len(one) for one in text.splitlines()), default=0)


def _longest(words: Iterable[str]) -> int:
    return max(map(cell_len, words), default=0)


def _firm(text: str) -> list[str]:
    words = text.split()
    return words if len(words) == 1 else [one for one in words if not _is_prose(one)]


def _is_prose(word: str) -> bool:
    """Letters alone, with the signs that a script writes on them, such as the vowels of Devanagari."""
    letters = word.strip(".,;:!?()[]'\"।")
    return bool(letters) and all(category(one)[0] in "LM" for one in letters)


def _widths(least: Sequence[int], most: Sequence[int], room: int) -> list[int]:
    """The least of each column, and what room is left to those that want more, the narrowest first."""
    widths, left = list(least), room - sum(least)
    wanting = [at for at in range(len(least)) if most[at] > least[at]]
    while left > 0 and wanting:
        at = min(wanting, key=lambda one: widths[one])
        widths[at] += 1
        left -= 1
        if widths[at] == most[at]:
            wanting.remove(at)
    return widths
