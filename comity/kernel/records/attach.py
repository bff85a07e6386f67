"""Files of records: hashed on the way in, encrypted with a key of their own, kept under random names.

The stored form is a sequence of AES-256-GCM frames of up to 1 MiB. Each frame's nonce is its number and its associated
data says the file, so that frames cannot be exchanged, cut or joined. The data key is wrapped with the agency's key.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from comity import names
from comity.errors import Fault, Problem
from comity.kernel.ledger import items
from comity.kernel.ledger.canonical import refuse_unspellable
from comity.kernel.policy.actor import Actor
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

FRAME = 1 << 20


@traced(lambda record, **_: Attempt("attach", record=record))
def attach(
    node: Node, actor: Actor, record: str, *, name: str, media_type: str, stream: IO[bytes], key: str | None = None
) -> Receipt:
    """Add a file to a record that the actor may amend. The bytes are on disk before the entry is appended.

    Raises Problem: not_found, not_allowed, act_out_of_turn, invalid (an empty name or file), disk_full.
    """
    refuse_unspellable(name=name, media_type=media_type)
    faults = [] if name.strip() else [Fault("required", "name", "a file has a name")]
    if faults:
        raise Problem("invalid", "The file is not valid", faults=faults)
    with node.work(actor) as work:  # refuse before the bytes are taken
        subject = own(work, record)
        of = work.type_of(subject.agency, subject.type_name, subject.core_type)
        allow(work, "attach", subject.resource(), act="amend")
        lifecycle.step(of, "amend", subject.folded.state)
    file, data_key = names.new_id(), AESGCM.generate_key(256)
    stored = os.urandom(16).hex()
    path = folder(node, actor.agency) / stored
    try:
        size, digest = store(path, stream, data_key, file)
        if not size:
            raise Problem("invalid", "The file is empty", faults=[Fault("required", "file", "a file has bytes")])
        info = FileInfo(str(file), record, name, media_type, size, digest.hex())
        return _enter(node, actor, info, stored, data_key, key)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise Problem(
            "disk_full", f"The file could not be kept: {error.strerror}", fix="make room, then send it again"
        ) from error
    except BaseException as error:
        if getattr(error, "code", "") != "unavailable":  # else it may be committed, and a file too many is no loss
            path.unlink(missing_ok=True)
        raise


def _enter(node: Node, actor: Actor, info: FileInfo, stored: str, data_key: bytes, key: str | None) -> Receipt:
    """Append the entry of a file that is on disk. The record is looked at again: it may have moved meanwhile."""
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
        (folder(node, actor.agency) / stored).unlink(missing_ok=True)
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
            raise Problem("not_found", "No such record, or it is not yours to see")
        subject = find_subject(work, row[2])
        of = work.type_of(subject.agency, subject.type_name, subject.core_type)
        if str(row[0]) not in subject.folded.files or not visibility(work, of, subject).whole:
            raise Problem("not_found", "No such record, or it is not yours to see")
        disclosure.told(work, "fetch", [(subject, [items.spell(items.Item(items.FILE, str(row[0])))])])
    info = FileInfo(str(row[0]), str(row[2]), row[3], row[4], row[5], row[6].hex())
    data_key = node.keys.unwrap(row[1], row[8])
    return info, blocks_of(folder(node, row[1]) / row[7], data_key, row[0], row[6])


def folder(node: Node, agency: str) -> Path:
    """Where an agency's files lie: apart from every other's, so that they can leave with it."""
    path = node.home / "files" / agency
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


def store(path: Path, stream: IO[bytes], data_key: bytes, file: UUID) -> tuple[int, bytes]:
    """Write the frames; answers (plain size, SHA-256 of the plain bytes). On disk when this returns."""
    cipher, digest, size, number = AESGCM(data_key), hashlib.sha256(), 0, 0
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        while block := stream.read(FRAME):
            digest.update(block)
            size += len(block)
            sealed = cipher.encrypt(struct.pack(">IQ", 0, number), block, file.bytes)
            out.write(struct.pack(">I", len(sealed)) + sealed)
            number += 1
        out.flush()
        os.fsync(out.fileno())
    held = os.open(path.parent, os.O_RDONLY)  # its name too is on disk before its entry is
    try:
        os.fsync(held)
    finally:
        os.close(held)
    return size, digest.digest()


def blocks_of(path: Path, data_key: bytes, file: UUID, expected: bytes) -> Iterator[bytes]:
    """The plain bytes of a stored file; at its end `file_damaged`, if they are not those that were entered."""
    cipher, digest, number = AESGCM(data_key), hashlib.sha256(), 0
    damaged = Problem("file_damaged", "The stored file does not match its digest", fix="restore it from a backup")
    try:
        with path.open("rb") as stored:
            while head := stored.read(4):
                size = struct.unpack(">I", head)[0]
                sealed = stored.read(size)
                if len(sealed) != size:
                    raise damaged
                block = cipher.decrypt(struct.pack(">IQ", 0, number), sealed, file.bytes)
                digest.update(block)
                number += 1
                yield block
    except (OSError, InvalidTag, struct.error) as error:
        raise damaged from error
    if digest.digest() != expected:
        raise damaged
