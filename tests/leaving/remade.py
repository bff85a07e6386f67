"""What a dishonest host can do: make every digest of a folder anew, so that it agrees with itself."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from comity.kernel.ledger import departure, departure_check
from comity.kernel.ledger.entry import ABOUT_ANOTHERS, ERASE
from comity.kernel.ledger.fold import said_again
from comity.kernel.ledger.merkle import Tree


def remade(folder: Path, *, entries: bool = True) -> None:
    """Root, counts, states, manifest and proof as log and files now give them; `entries` False: digests only."""
    stated = json.loads((folder / "proof.json").read_text("utf-8"))
    if entries:
        tree, orders = Tree(), []
        for row in departure.entries(folder):
            tree.add(row["leaf"])
            if row["kind"] == ERASE:
                orders.append({**row, "content": departure.parsed(row["content"])})
        counted: dict[str, int] = {}
        with (folder / "records.jsonl").open("wb") as out:
            for record, kind, state in departure_check.folded(folder, tree.size, said_again(orders)):
                assert kind is not None, "the entry stood alone"
                out.write(json.dumps(departure.record_line(record, kind, state)).encode() + b"\n")
                if kind not in ABOUT_ANOTHERS:
                    counted[state.type] = counted.get(state.type, 0) + 1
        stated |= {"entries": tree.size, "last": tree.size, "root": tree.root().hex(), "records": counted}
    listed = sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in ("proof.json", "manifest-sha256.txt")
    )
    text = "".join(f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in listed)
    (folder / "manifest-sha256.txt").write_text(text, "utf-8")
    stated["manifest"] = hashlib.sha256(text.encode()).hexdigest()
    (folder / "proof.json").write_text(json.dumps(stated), "utf-8")
