"""What the HTTP way in needs from the process that runs it, and the one place that holds it.

`config` attaches a `Service` before the first request; nothing here imports `config` or a pillar.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from comity.kernel.policy.identity import Identity
    from comity.kernel.types.catalogue import Catalogue
    from comity.kernel.work.node import Node

GIBIBYTE = 1 << 30


@dataclass(frozen=True, slots=True)
class Service:
    """`open_node` connects to the database (Problem `unavailable` while it does not answer) and is called once.

    `core` is the catalogue of the pillars alone: the same for every caller. `identities` say who calls, in the order in
    which they are asked. `file_limit` in bytes. `metrics_folder`
    is where the processes of one server leave their counts for each other; None keeps them in this process.
    """

    open_node: Callable[[], Node]
    core: Callable[[], Catalogue]
    version: str
    identities: Sequence[Identity]
    file_limit: int = 5 * GIBIBYTE
    metrics_folder: Path | None = None
    metrics_open: bool = False
    trusted_proxy: str = ""
    feed_address: str = ""


_service: Service | None = None
_node: Node | None = None
_opening = threading.Lock()


def attach(service: Service) -> None:
    """Hand over the service of this process; a node opened for an earlier one is closed."""
    global _service
    close()
    _service = service


def service() -> Service:
    if _service is None:
        raise RuntimeError("no service is attached: comity.api.service.attach comes first")
    return _service


def node() -> Node:
    """The process's node, opened at the first request that needs it. Raises Problem `unavailable`."""
    global _node
    if _node is None:
        with _opening:
            if _node is None:
                _node = service().open_node()
    return _node


def close() -> None:
    global _node
    if _node is not None:
        _node.close()
        _node = None
