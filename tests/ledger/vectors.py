"""The test vectors of ADR 0001. `python -m tests.ledger.vectors` writes vectors.json from the product's own code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from comity.clock import parse_instant
from comity.kernel.ledger.canonical import ordered
from comity.kernel.ledger.entry import Entry, seal_bytes, split

FILE = Path(__file__).with_name("vectors.json")
TARGET = "6f1f2f6e-3d0b-4c57-9c86-0d5a2f3b7e11"

CASES: Mapping[str, Mapping[str, Any]] = {
    "a case is opened": {
        "set/title": "Lakeside firearms sales",
        "set/program": "firearms",
        f"link/subject/{TARGET}": True,
        "number": "ATF-2026-000001",
        "reason": "Two sources and a city incident",
    },
    "nothing was set": {},
    "names in Devanagari, combining and not": {
        "set/name": "अर्जुन नमूना",
        "set/aliases": ["श्री अर्जुन", "e\u0301", "\u00e9", "क\u094dष"],
    },
    "nested objects, every kind of value": {
        "set/table": {"b": {"z": [], "a": {}}, "a": [1, -1, 0, 2**53 - 1, 1 - 2**53, None, True, False], "": ""},
        f"file/{TARGET}": {"name": "photo 1.jpg", "media_type": "image/jpeg", "size": 4096, "digest": "00" * 32},
        "unset/summary": True,
    },
    "control characters, quotes and slashes": {
        "set/text": "".join(chr(code) for code in range(1, 0x20)) + '"\\/\u007f\u0080\u2028\u2029\ufeff',
    },
    "keys beyond the basic plane": {
        "set/table": {"\U0001f600": "first by UTF-16", "\uff5e": "second", "\ue000": "before it", "a": "ahead of all"},
        "set/text": "\U0001f600\U0010ffff",
    },
    "an answer in the answerer's log": {
        "answer/received_weight": "28.19",
        "answer/seal_intact": True,
        "answer/discrepancy": "0.42 g below the weight that was sent",
    },
    "a condition is overridden": {
        "set/basis": "warrant",
        "override/authority_recalled": True,
        "override/person_left": True,
        "reason": "Arrested before the recall was known",
    },
}  # fmt: skip


def entry(at: int, content: Mapping[str, Any]) -> Entry:
    """The entry of the vector at a place: every other one refers to another entry and has a state before."""
    later = at % 2 == 1
    return Entry(
        id=UUID(int=0x10000000000040008000000000000000 + at), agency="in-police" if at == 2 else "atf",
        record=UUID(TARGET), type="investigation.case", type_version=3, kind="amend" if later else "enter",
        act="amend" if later else "enter", actor=UUID(int=1 if at == 1 else 77),
        occurred_at=parse_instant("0999-01-02T03:04:05+00:00" if at == 3 else "2026-11-22T09:30:00.25-05:00"),
        entered_at=parse_instant("2026-11-22T14:30:01+00:00"), version=2 if later else 1,
        state_from="open" if later else "", state_to="open", content=content,
        refers=UUID(int=0x20000000000040008000000000000000 + at) if later else None,
    )  # fmt: skip


def salts(at: int, count: int) -> bytes:
    """Counted, so that anyone can make the vectors again; in life they are random."""
    return b"".join(bytes([at * 16 + item]) * 16 for item in range(count))


def made() -> list[dict[str, Any]]:
    out = []
    for at, (name, content) in enumerate(CASES.items()):
        given = entry(at, content)
        salt = salts(at, len(content))
        sealed = seal_bytes(given, salt)
        paths = ordered(content)
        out.append(
            {
                "name": name,
                "header": json.loads(given.header()),
                "header_bytes": given.header().decode(),
                "items": [
                    {"path": path, "salt": salt[16 * i : 16 * (i + 1)].hex(), "value": content[path]}
                    for i, path in enumerate(paths)
                ],
                "content_bytes": sealed.content.decode(),
                "commitments": [one.hex() for one in split(sealed.commitments)],
                "leaf": sealed.leaf.hex(),
            }
        )
    return out


if __name__ == "__main__":
    FILE.write_text(json.dumps(made(), indent=1, ensure_ascii=True) + "\n", encoding="ascii")
