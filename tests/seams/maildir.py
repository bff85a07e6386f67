"""A channel of its own: each delivery is a message in a maildir, from which a mail server takes it."""

from __future__ import annotations

import re
from email.message import EmailMessage
from pathlib import Path

from comity.errors import Problem
from comity.kernel.sharing.channel import Channel, Message
from comity.kernel.work.node import Node
from comity.sentences import Given

_BOX = re.compile(r"maildir:([a-z][a-z0-9_-]{0,39})\Z")


def folder(node: Node, agency: str, address: str) -> Path:
    """The maildir of an address, below the node's home and apart from every other agency's."""
    found = _BOX.match(address)
    if found is None:
        raise Problem("webhook_refused", Given("the name of a maildir is a word"), fix=Given("write maildir:NAME"))
    return node.home / "mail" / agency / found[1]


def judge(node: Node, address: str) -> None:
    folder(node, "-", address)


def send(node: Node, message: Message) -> None:
    box = folder(node, message.agency, message.address)
    mail = EmailMessage()
    mail["Subject"], mail["Message-ID"] = "Something happened in Comity", f"<{message.id}@comity>"
    mail.set_content(message.body.decode())
    try:
        for part in ("tmp", "new", "cur"):
            (box / part).mkdir(parents=True, exist_ok=True, mode=0o700)
        written = box / "tmp" / message.id
        written.write_bytes(mail.as_bytes())
        written.replace(box / "new" / message.id)  # sent again, it is the same message
    except OSError as error:
        raise Problem("webhook_failed", Given(f"the maildir was not written: {error.strerror}")) from error


MAILDIR = Channel("mail", send=send, judge=judge, schemes=("maildir",), passing=frozenset({"webhook_failed"}))
