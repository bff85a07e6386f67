"""Checking stored entries without trusting the host: pure functions that need neither Django nor a database driver."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from comity.errors import Problem
from comity.kernel.ledger.canonical import canonical, ordered
from comity.kernel.ledger.entry import HASH, SALT, commitment, header_fields, leaf_data, leaf_hash


def check_entry(row: Mapping[str, Any]) -> list[str]:
    """What is wrong with an entry: empty when its bytes give its leaf.

    `row` holds the header's values as text, `commitments` and `leaf` as bytes, and `content` and `salts` as bytes or
    None where they were erased. With part of the content erased, the items that remain must be among the commitments.
    """
    faults = []
    stored = row["commitments"]
    commitments = [stored[at : at + HASH] for at in range(0, len(stored), HASH)]
    if len(stored) % HASH or commitments != sorted(commitments):
        faults.append("the commitments are not whole or not in order")
    header = canonical(header_fields(row))
    if leaf_hash(leaf_data(header, commitments)) != row["leaf"]:
        faults.append("the header and the commitments do not give the leaf")
    if row["content"] is None:
        return faults
    try:
        content = json.loads(bytes(row["content"]).decode("utf-8"))
        spelled = canonical(content)
    except (ValueError, RecursionError, Problem):
        return [*faults, "the stored content cannot have been committed to"]
    if spelled != bytes(row["content"]) or not isinstance(content, dict):
        return [*faults, "the stored content is not in its canonical spelling"]
    salts = row["salts"]
    if salts is None or len(salts) != SALT * len(content):
        return [*faults, "there is not one salt for each item"]
    try:
        known, entry = set(commitments), UUID(row["entry"]).bytes
    except ValueError:
        return [*faults, "the entry's id is no id"]
    for at, path in enumerate(ordered(content)):
        salt = salts[SALT * at : SALT * (at + 1)]
        if commitment(entry, path, salt, canonical(content[path])) not in known:
            faults.append(f"the item {path.split('/')[0]} is not what was committed to")
    return faults


def items_erased(row: Mapping[str, Any]) -> int:
    """How many of an entry's items are no longer there: as many as its commitments that no stored salt belongs to."""
    return len(row["commitments"]) // HASH - len(row["salts"] or b"") // SALT
