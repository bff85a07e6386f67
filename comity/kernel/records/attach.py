"""Files of records: hashed on the way in, encrypted with a key of their own (records/sealing), kept under random names
in the node's store of files. The data key is wrapped with the agency's key.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import IO

from comity import names
from comity.errors import Fault, Problem
from comity.kernel.ledger import items
from comity.kernel.ledger.canonical import refuse_unspellable
from comity.kernel.policy.actor import Actor
from comity.kernel.records import sealing
from comity.kernel.records.write import write
from comity.kernel.types import lifecycle
from comity.kernel.work import disclosure
from comity.kernel.work.change import Step, changed
from comity.kernel.work.idempotency import actor_key, digest_of, once
from comity.kernel.work.node import Node, Work
from comity.kernel.work.refusals import Attempt, traced
from comity.kernel.work.results import FileInfo, Receipt, as_uuid
from comity.kernel.work.subject import allow, find_subject, own
from comity.kernel.work.visibility import visibility
from comity.sentences import say


@traced(lambda record, **_: Attempt("attach", record=record))
def attach(
    node: Node, actor: Actor, record: str, *, name: str, media_type: str, stream: IO[bytes], key: str | None = None
) -> Receipt:
    """Add a file to a record that the actor may amend. The bytes are durable before the entry is appended.

    Raises Problem: not_found, not_allowed, act_out_of_turn, invalid (an empty name or file), disk_full, body_too_large.
    """
    refuse_unspellable(name=name, media_type=media_type)
    faults = [] if name.strip() else [Fault("required", "name", say("required.file_has_name"))]
    if faults:
        raise Problem("invalid", say("invalid.file_is_not_valid"), faults=faults)
    with node.work(actor) as work:  # refuse before the bytes are taken
        subject = own(work, record)
        of = work.type_of(subject.agency, subject.type_name, subject.core_type)
        allow(work, "attach", subject.resource(), act="amend")
        lifecycle.step(of, "amend", subject.folded.state)
    file, data_key = names.new_id(), sealing.new_key()
    stored = os.urandom(16).hex()
    kept = sealing.keep(node.files, (actor.agency, stored), stream, data_key, file)
    try:
        if not kept.size:
            raise Problem(
                "invalid",
                say("invalid.file_is_empty"),
                faults=[Fault("required", "file", say("required.file_has_bytes"))],
            )
        info = FileInfo(str(file), record, name, media_type, kept.size, kept.digest.hex())
        return _enter(node, actor, info, stored, data_key, key)
    except BaseException as error:
        if getattr(error, "code", "") != "unavailable":  # else it may be committed, and a file too many is no loss
            _forget(node, actor.agency, stored)
        raise


def _enter(node: Node, actor: Actor, info: FileInfo, stored: str, data_key: bytes, key: str | None) -> Receipt:
    """Append the entry of a file that is kept. The record is looked at again: it may have moved meanwhile."""
    asked = digest_of("attach", info.record, info.name, info.media_type, info.sha256, *actor_key(actor)) if key else b""

    def do(work: Work) -> Receipt:
        subject = own(work, info.record)
        of = work.type_of(subject.agency, subject.type_name, subject.core_type)
        allow(work, "attach", subject.resource(), act="amend")
        lifecycle.step(of, "amend", subject.folded.state)
        content = items.add_file(info.id, info.name, info.media_type, info.size, info.sha256)
        done = Step("act", "attach", subject.folded.state)
        change = changed(work, of, subject.folded, subject.id, done, content)
        receipt = write(work, [replace(change, key=key, digest=asked)])[0]
        work.conn.execute(
            """insert into comity.file (id, agency, record, name, media_type, size, digest, stored, data_key, added_at)
               values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
            (
                info.id, actor.agency, subject.id, info.name, info.media_type, info.size, bytes.fromhex(info.sha256),
                stored, node.keys.wrap(actor.agency, data_key), work.now,
            ),
        )  # fmt: skip
        return receipt

    def again(before: Receipt) -> Receipt:
        _forget(node, actor.agency, stored)
        return before

    return once(node, actor, key, asked, do, again)


def fetch(node: Node, actor: Actor, file: str) -> tuple[FileInfo, Iterator[bytes]]:
    """The file's description and its plain bytes, checked against its digest at the end: `file_damaged` otherwise.

    A file is shown to whoever may read every field group of its record.
    """
    with node.work(actor) as work:
        row = work.conn.execute(
            """select id, agency, record, name, media_type, size, digest, stored, data_key
                 from comity.file where id = %s""",
            (as_uuid(file),),
        ).fetchone()
        if row is None:
            raise Problem("not_found", say("not_found.no_such_record_or_it"))
        subject = find_subject(work, row[2])
        of = work.type_of(subject.agency, subject.type_name, subject.core_type)
        if str(row[0]) not in subject.folded.files or not visibility(work, of, subject).whole:
            raise Problem("not_found", say("not_found.no_such_record_or_it"))
        disclosure.told(work, "fetch", [(subject, [items.spell(items.Item(items.FILE, str(row[0])))])])
    info = FileInfo(str(row[0]), str(row[2]), row[3], row[4], row[5], row[6].hex())
    data_key = node.keys.unwrap(row[1], row[8])
    return info, sealing.opened(node.files, (row[1], row[7]), data_key, row[0], row[6])


def _forget(node: Node, agency: str, stored: str) -> None:
    """What no entry names is noise: where it cannot be deleted now, it does no harm."""
    with suppress(OSError):
        node.files.delete(agency, stored)
