"""Counts and durations of requests, as Prometheus reads them: by method, route template and status, never by content.

The processes of one server each write their counts to a file of the shared folder once a second; whichever is asked
adds them up. The files of processes that have ended stay until the server starts again, so a count never falls.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from comity import clock

BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_WRITE_EVERY = 1.0

Requests = dict[tuple[str, str, int], int]
Durations = dict[tuple[str, str], list[float]]


class Counts:
    """Request counts of this process, and of its fellows when they share a folder. Safe for threads."""

    def __init__(self, folder: Path | None = None) -> None:
        self._requests: Requests = defaultdict(int)
        self._durations: Durations = {}
        self._lock = threading.Lock()
        self._folder = folder
        self._changed = threading.Event()
        self._writer: threading.Thread | None = None

    def add(self, method: str, route: str, status: int, seconds: float) -> None:
        method = method if method in METHODS else "OTHER"
        with self._lock:
            self._requests[method, route, status] += 1
            row = self._durations.setdefault((method, route), [0.0] * (len(BUCKETS) + 2))
            for index, bound in enumerate(BUCKETS):
                row[index] += seconds <= bound
            row[-2] += seconds
            row[-1] += 1
        self._changed.set()
        if self._folder is not None and self._writer is None:
            self._start_writer()

    def text(self, gauges: Mapping[str, tuple[str, float]] | None = None) -> str:
        """The exposition text; `gauges` maps a name to its help and value."""
        requests, durations = self._sum()
        lines = ["# HELP comity_requests_total Requests answered.", "# TYPE comity_requests_total counter"]
        lines += [
            f'comity_requests_total{{method="{method}",route="{route}",status="{status}"}} {count}'
            for (method, route, status), count in sorted(requests.items())
        ]
        name = "comity_request_seconds"
        lines += [f"# HELP {name} Time until the answer began.", f"# TYPE {name} histogram"]
        for (method, route), row in sorted(durations.items()):
            labels = f'method="{method}",route="{route}"'
            lines += [
                f'{name}_bucket{{{labels},le="{bound}"}} {row[i]:.0f}' for i, bound in enumerate((*BUCKETS, "+Inf"))
            ][:-1]
            lines.append(f'{name}_bucket{{{labels},le="+Inf"}} {row[-1]:.0f}')
            lines.append(f"{name}_sum{{{labels}}} {row[-2]:.6f}")
            lines.append(f"{name}_count{{{labels}}} {row[-1]:.0f}")
        for gauge, (told, value) in (gauges or {}).items():
            lines += [f"# HELP {gauge} {told}", f"# TYPE {gauge} gauge", f"{gauge} {value:g}"]
        return "\n".join(lines) + "\n"

    def write(self) -> None:
        """Leave this process's counts for its fellows."""
        if self._folder is None:
            return
        with self._lock:
            kept = {
                "requests": [[*key, count] for key, count in self._requests.items()],
                "durations": [[*key, *row] for key, row in self._durations.items()],
            }
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        mine = self._folder / f"{os.getpid()}.json"
        part = mine.with_suffix(".part")
        part.write_text(json.dumps(kept), encoding="utf-8")
        part.replace(mine)

    def _sum(self) -> tuple[Requests, Durations]:
        with self._lock:
            requests: Requests = defaultdict(int, self._requests)
            durations: Durations = {key: list(row) for key, row in self._durations.items()}
        for other in self._others():
            for method, route, status, count in other["requests"]:
                requests[method, route, status] += count
            for method, route, *row in other["durations"]:
                known = durations.setdefault((method, route), [0.0] * len(row))
                durations[method, route] = [a + b for a, b in zip(known, row, strict=True)]
        return requests, durations

    def _others(self) -> Iterator[dict[str, list[list[Any]]]]:
        if self._folder is None or not self._folder.is_dir():
            return
        for path in sorted(self._folder.glob("*.json")):
            if path.stem != str(os.getpid()):
                with contextlib.suppress(OSError, ValueError):
                    yield json.loads(path.read_text(encoding="utf-8"))

    def _start_writer(self) -> None:
        with self._lock:
            if self._writer is None:
                self._writer = threading.Thread(target=self._keep_writing, name="comity-metrics", daemon=True)
                self._writer.start()

    def _keep_writing(self) -> None:
        while True:
            self._changed.wait()
            self._changed.clear()
            with contextlib.suppress(OSError):
                self.write()
            clock.pause(_WRITE_EVERY)


def forget(folder: Path) -> None:
    """Remove what an earlier server left. Only the starting server may call it."""
    for path in _files(folder):
        path.unlink(missing_ok=True)


def _files(folder: Path) -> Iterable[Path]:
    return (*folder.glob("*.json"), *folder.glob("*.part")) if folder.is_dir() else ()
