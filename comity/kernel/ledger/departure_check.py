"""Checking the folder in which an agency left: needs no database, no Django and no key. Memory does not grow with it.

What a host could still have done is said in docs/leaving.md: cut the end off and count anew. A receipt that somebody
holds shows it: give it to `held`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from comity.errors import Problem
from comity.kernel.ledger import departure, departure_layers
from comity.kernel.ledger.departure import Unreadable
from comity.kernel.ledger.departure_layers import Laid
from comity.kernel.ledger.entry import ABOUT_ANOTHERS, ERASE
from comity.kernel.ledger.fold import Folded, fold, said_again
from comity.kernel.ledger.merkle import Tree
from comity.kernel.ledger.verify import check_entry, items_erased
from comity.sentences import Text, reason, say

MOST = 100
AT_ONCE = 50_000
Again = Mapping[str, Mapping[str, Any]]
"""Entries whose records are folded in one walk of the log; a longer log is walked more often."""


@dataclass(slots=True)
class Checked:
    """What the folder holds, as found by reading it, and every fault (the first hundred in words)."""

    agency: str = ""
    entries: int = 0
    root: str = ""
    proof: str = ""
    records: dict[str, int] = field(default_factory=dict)
    files: int = 0
    bytes: int = 0
    erased: int = 0
    faults: list[Text] = field(default_factory=list)
    more: int = 0
    receipts: list[dict[str, Any]] = field(default_factory=list)

    def fault(self, said: Text) -> None:
        if len(self.faults) < MOST:
            self.faults.append(said)
        else:
            self.more += 1

    def as_json(self) -> dict[str, Any]:
        return {
            "holds": not self.faults, "agency": self.agency, "entries": self.entries, "root": self.root,
            "proof": self.proof, "records": self.records, "files": {"count": self.files, "bytes": self.bytes},
            "erased_entries": self.erased, "receipts": self.receipts, "faults": self.faults, "more_faults": self.more,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Held:
    """What somebody holds of an entry: its id and, from a receipt, its leaf in hex and perhaps its place."""

    entry: str
    leaf: str | None = None
    place: int | None = None


def check(folder: Path, held: tuple[Held, ...] = ()) -> Checked:
    """Everything that can be found by reading the folder. Raises nothing for what is wrong in it: `faults` say it."""
    out = Checked()
    try:
        stated = departure.proof(folder)
        out.agency, out.proof = stated["agency"], departure.sha256(folder, departure.PROOF)[0]
        names = _plain(folder)
        files = _manifest(folder, out, stated, names)
        laid, again = _log(folder, out, stated, {one.entry: one for one in held})
        if not out.faults:  # else versions and states differ everywhere, and say no more
            _records(folder, out, stated, files, again)
            for said in departure_layers.faults(folder, out.agency, stated["layers"], laid):
                out.fault(said)
    except Unreadable as error:
        out.fault(reason(error))
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError, Problem) as error:
        out.fault(say("folder_fault.cannot_be_read", name=type(error).__name__, error=str(error).partition("\n")[0]))
    return out


def _plain(folder: Path) -> set[str]:
    """The names of all files. Raises Unreadable when one is no plain file: then nothing is read on."""
    found = dict(departure.standing(folder))
    other = sorted(departure.shown(name) for name, plain in found.items() if not plain)
    if other:
        key = "folder_fault.no_plain_files_and_more" if len(other) > MOST else "folder_fault.no_plain_files"
        raise Unreadable(say(key, names=other[:MOST]))
    return set(found)


def _manifest(folder: Path, out: Checked, stated: Mapping[str, Any], names: set[str]) -> dict[str, tuple[str, int]]:
    """Every file against its digest; answers (digest, size) of the files of records."""
    if departure.sha256(folder, departure.MANIFEST)[0] != stated["manifest"]:
        out.fault(say("folder_fault.is_not_one_that_names", manifest=departure.MANIFEST, proof=departure.PROOF))
    known = {departure.PROOF, departure.MANIFEST}
    files: dict[str, tuple[str, int]] = {}
    for digest, name in departure.manifest(folder):
        known.add(name)
        if name not in names:
            out.fault(say("folder_fault.is_in_manifest_and_is", shown=departure.shown(name)))
            continue
        found = departure.sha256(folder, name)
        if found[0] != digest:
            out.fault(say("folder_fault.is_not_what_manifest_says", shown=departure.shown(name)))
        if name.startswith(f"{departure.FILES}/"):
            files[name.split("/", 1)[1]] = found
    for name in sorted(names - known):
        out.fault(say("folder_fault.is_not_in_manifest", shown=departure.shown(name)))
    return files


def _log(folder: Path, out: Checked, stated: Mapping[str, Any], held: dict[str, Held]) -> tuple[list[Laid], Again]:
    """Every entry against its leaf, the places without a gap, the root; and what somebody holds receipts of.

    Answers the layers of definitions that the entries lay, and what orders of erasure say in the place of others.
    """
    tree, gone, orders, laid = Tree(), {}, [], []
    for row in departure.entries(folder):
        place = row["place"]
        if place != tree.size + 1:
            out.fault(say("folder_fault.after_place_comes_place", size=tree.size, place=place))
        if row["agency"] != out.agency:
            out.fault(say("folder_fault.place_entry_is_of", place=place, agency=row["agency"]))
        tree.add(row["leaf"])
        for said in _faults(row):
            out.fault(say("folder_fault.place", place=place, said=said))
        if items := items_erased(row):
            gone[row["entry"]] = {"place": place, "items": items}
        if row["kind"] == ERASE and row["refers"]:
            orders.append({**row, "content": departure.parsed(row["content"])})
        if layer := Laid.of(row):
            laid.append(layer)
        if one := held.pop(row["entry"], None):
            out.receipts.append({"entry": one.entry, "place": place, "leaf": row["leaf"].hex()})
            if one.leaf not in (None, row["leaf"].hex()):
                out.fault(say("folder_fault.place_receipt_of_has_another", place=place, entry=one.entry))
            if one.place not in (None, place):
                out.fault(
                    say("folder_fault.place_receipt_of_says_place", place=place, entry=one.entry, one_place=one.place)
                )
    out.entries, out.root, out.erased = tree.size, tree.root().hex(), len(gone)
    for unknown in held:
        out.fault(say("folder_fault.entry_is_not_in_log", unknown=unknown))
    for entry in sorted(set(gone) - {row["refers"] for row in orders}):
        out.fault(say("folder_fault.place_content_is_gone_and", place=gone[entry]["place"]))
    found = {"entries": out.entries, "first": min(out.entries, 1), "last": out.entries, "root": out.root}
    for name, value in found.items():
        if stated[name] != value:
            out.fault(
                say("folder_fault.says_log_gives", proof=departure.PROOF, name=name, stated=stated[name], value=value)
            )
    erased = stated["absent"].get("erased")
    if not isinstance(erased, list) or {one.get("entry") for one in erased if isinstance(one, dict)} != set(gone):
        out.fault(say("folder_fault.does_not_name_entries_whose", proof=departure.PROOF))
    return laid, said_again(orders)


def _faults(row: Mapping[str, Any]) -> list[Text]:
    try:
        return check_entry(row)
    except (KeyError, TypeError, ValueError, AttributeError, Problem):
        return [say("folder_fault.entry_cannot_be_read")]


def _records(
    folder: Path, out: Checked, stated: Mapping[str, Any], files: Mapping[str, tuple[str, int]], again: Again
) -> None:  # fmt: skip
    """Every record folded anew and compared; every file against the item that the log commits to."""
    told = (line for _, line in departure.lines(folder, departure.RECORDS))
    rest = dict(files)
    for record, kind, state in folded(folder, out.entries, again):
        if kind is None:
            out.fault(say("folder_fault.record_its_versions_are_not", record=record))
            continue
        if kind not in ABOUT_ANOTHERS:
            out.records[state.type] = out.records.get(state.type, 0) + 1
        line = departure.record_line(record, kind, state)
        if (said := next(told, None)) != line:
            out.fault(
                say(
                    "folder_fault.record_says_its_entries_give",
                    record=record,
                    records=departure.RECORDS,
                    said=str(said)[:200],
                )
            )
            return
        for file, item in state.files.items():
            found = rest.pop(file, None)
            if found is None:
                out.fault(say("folder_fault.record_file_is_not_here", record=record, file=file))
            elif found != (item.get("digest"), item.get("size")):
                out.fault(say("folder_fault.record_file_is_not_one", record=record, file=file))
            else:
                out.files += 1
                out.bytes += found[1]
    if next(told, None) is not None:
        out.fault(say("folder_fault.names_record_that_has_no", records=departure.RECORDS))
    for file in rest:
        out.fault(say("folder_fault.no_entry_names_it", files=departure.FILES, file=file))
    if stated["records"] != out.records:
        out.fault(say("folder_fault.says_other_numbers_of_records", proof=departure.PROOF))
    if stated["files"] != {"count": out.files, "bytes": out.bytes}:
        out.fault(say("folder_fault.says_other_numbers_of_files", proof=departure.PROOF))


def folded(folder: Path, count: int, again: Again) -> Iterator[tuple[str, str | None, Folded]]:
    """(record, kind of its first entry, folded state) in order of ids; the kind is None where versions are wrong.

    The log is walked once for each part of the ids, so that no more than about AT_ONCE entries' states are held.
    """
    parts = count // AT_ONCE + 1
    for part in range(parts):
        states: dict[str, tuple[str | None, Folded]] = {}
        for row in departure.entries(folder):
            record = str(UUID(row["record"]))
            if int(record[:8], 16) * parts >> 32 != part:
                continue
            kind, before = states.get(record, (row["kind"], Folded()))
            if row["version"] != before.version + 1:
                kind = None
            states[record] = (kind, onward(before, row, again))
        for record in sorted(states):
            yield record, *states[record]


def onward(before: Folded, row: Mapping[str, Any], again: Again) -> Folded:
    """The state after one more entry of the log, in its order."""
    return fold([{**row, "id": row["entry"], "content": departure.parsed(row["content"])}], before, again)
