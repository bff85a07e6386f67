"""Checking stored entries without trusting the host: pure functions that need neither Django nor a database driver."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from comity.errors import Problem
from comity.kernel.ledger.canonical import canonical, ordered
from comity.kernel.ledger.entry import HASH, SALT, commitment, header_fields, leaf_data, leaf_hash
from comity.sentences import Text, say


def check_entry(row: Mapping[str, Any]) -> list[Text]:
    """What is wrong with an entry: empty when its bytes give its leaf.

    `row` holds the header's values as text, `commitments` and `leaf` as bytes, and `content` and `salts` as bytes or
    None where they were erased. With part of the content erased, the items that remain must be among the commitments.
    """
    faults: list[Text] = []
    stored = row["commitments"]
    commitments = [stored[at : at + HASH] for at in range(0, len(stored), HASH)]
    if len(stored) % HASH or commitments != sorted(commitments):
        faults.append(say("folder_fault.commitments_not_whole"))
    header = canonical(header_fields(row))
    if leaf_hash(leaf_data(header, commitments)) != row["leaf"]:
        faults.append(say("folder_fault.leaf_differs"))
    if row["content"] is None:
        return faults
    try:
        content = json.loads(bytes(row["content"]).decode("utf-8"))
        spelled = canonical(content)
    except (ValueError, RecursionError, Problem):
        return [*faults, say("folder_fault.content_never_committed")]
    if spelled != bytes(row["content"]) or not isinstance(content, dict):
        return [*faults, say("folder_fault.content_not_canonical")]
    salts = row["salts"]
    if salts is None or len(salts) != SALT * len(content):
        return [*faults, say("folder_fault.salts_missing")]
    try:
        known, entry = set(commitments), UUID(row["entry"]).bytes
    except ValueError:
        return [*faults, say("folder_fault.entry_id_is_none")]
    for at, path in enumerate(ordered(content)):
        salt = salts[SALT * at : SALT * (at + 1)]
        if commitment(entry, path, salt, canonical(content[path])) not in known:
            faults.append(say("folder_fault.item_differs", item=path.split("/")[0]))
    return faults


def items_erased(row: Mapping[str, Any]) -> int:
    """How many of an entry's items are no longer there: as many as its commitments that no stored salt belongs to."""
    return len(row["commitments"]) // HASH - len(row["salts"] or b"") // SALT
