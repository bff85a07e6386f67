"""A second implementation, from the text of ADR 0001 alone: hashlib, struct and json, nothing of Comity."""

import hashlib
import json
import struct
from collections.abc import Mapping, Sequence
from typing import Any


def spell(value: Any) -> str:
    """Canonical JSON, section 1."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return "[" + ",".join(spell(one) for one in value) + "]"
    keys = sorted(value, key=lambda key: list(struct.iter_unpack(">H", key.encode("utf-16-be"))))
    return "{" + ",".join(spell(key) + ":" + spell(value[key]) for key in keys) + "}"


def commitment(entry: str, path: str, salt: bytes, value: Any) -> bytes:
    name = path.encode()
    tag = b"comity-field-v1" + b"\x00" + bytes.fromhex(entry.replace("-", ""))
    return hashlib.sha256(tag + struct.pack(">H", len(name)) + name + salt + spell(value).encode()).digest()


def leaf_data(header: Mapping[str, Any], commitments: Sequence[bytes]) -> bytes:
    text = spell(header).encode()
    data = b"comity-entry-v1" + b"\x00" + struct.pack(">I", len(text)) + text
    return data + struct.pack(">I", len(commitments)) + b"".join(sorted(commitments))


def leaf(header: Mapping[str, Any], commitments: Sequence[bytes]) -> bytes:
    return hashlib.sha256(b"\x00" + leaf_data(header, commitments)).digest()
