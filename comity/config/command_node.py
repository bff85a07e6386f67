"""The node of one command: opened, used, and what it wrote followed at once where no worker runs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from comity.config import worker
from comity.config.database import Database, open_database
from comity.config.loader import node_on
from comity.config.settings import Settings
from comity.errors import Problem
from comity.kernel.work.node import Node
from comity.sentences import say


@contextmanager
def opened(settings: Settings, *, threads: int = 1) -> Iterator[Node]:
    """A node for one piece of work; what it wrote is followed at once where no worker runs. Raises StartupRefused."""
    with open_database(settings) as database:
        node = node_on(settings, database, threads)
        try:
            yield node
            _follow(node, database)
        finally:
            node.close()


def _follow(node: Node, database: Database) -> None:
    """Give what was written its place, as a worker would: else an answer waits until the next `comity serve`."""
    try:
        if node.lag()["pending"]:
            worker.inline(node, database.sequencer_url)
    except (psycopg.Error, Problem) as error:
        reason = getattr(error, "code", "") or type(error).__name__
        print(say("cli.followed_later", reason=reason), file=sys.stderr)
