"""An institution's own program that enters records: every one under a key, tried again until there is a receipt.

`python -m tests.faults.writer COUNT`, on the server of COMITY_HOME. It prints `ack KEY RECORD ENTRY` once a receipt is
there, and `odd ...` for anything that is neither a receipt nor the refusal `unavailable`.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor

from comity import clock
from comity.config import loader
from comity.config.settings import settings
from comity.errors import Problem
from comity.kernel.policy import tokens
from comity.kernel.policy.actor import Actor
from comity.kernel.records.enter import enter
from comity.kernel.work.node import Node

AGENCY = "usao"
THREADS = 4


def say(line: str) -> None:
    """In one piece, so that half a line is never taken for a receipt."""
    os.write(1, f"{line}\n".encode())


def one(node: Node, actor: Actor, key: str) -> None:
    while True:
        try:
            done = enter(node, actor, "registry.place", {"address": f"{key} Harbour Road"}, key=key)
        except Problem as problem:
            if problem.code != "unavailable":
                say(f"odd {key} {problem!r}")
                return
            clock.pause(0.05)
        except Exception as error:  # noqa: BLE001
            say(f"odd {key} {error!r}")
            return
        else:
            say(f"ack {key} {done.record} {done.entry}")
            return


def main() -> None:
    count, token = int(sys.argv[1]), sys.argv[2]
    node = loader.open_node(settings(), threads=THREADS)
    actor = tokens.sign_in(node, token)
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda at: one(node, actor, f"k{at}"), range(count)))
    node.close()


if __name__ == "__main__":
    main()
