"""Collects what becomes of each test: a pytest plugin, whose hooks tests/conftest.py takes.

A run is appended to the file that COMITY_TEST_OUTCOMES names; without one its summary stands at the end of the run.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from tests.speeds import order, sizes
from tests.speeds.runs import DEEP, FAILED, PASSED, SKIPPED, Run
from tests.speeds.summary import told

FILE = "COMITY_TEST_OUTCOMES"


class Outcomes:
    """With workers the reports come to the process that began them; sizes come from each worker when it ends."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.began = time.monotonic()
        self.small: set[str] = set()
        self.run = Run(
            deep=sizes.DEEP,
            server=os.environ.get("COMITY_TEST_PG_BIN", ""),
            selected=config.getoption("markexpr", ""),
            order=os.environ.get(order.VARIABLE, ""),
        )

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.run.tests[report.nodeid] = (FAILED, "")
        elif report.skipped and not hasattr(report, "wasxfail"):
            self._skipped(report)
        elif report.when == "call":
            self.run.tests.setdefault(report.nodeid, (PASSED, ""))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A whole file may be skipped, or broken, before any of its tests has a name."""
        if report.failed:
            self.run.tests[report.nodeid] = (FAILED, "")
        elif report.skipped:
            self._skipped(report)

    def _skipped(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        why: Any = report.longrepr
        reason = str(why[2] if isinstance(why, tuple) else why).removeprefix("Skipped: ")
        self.run.tests.setdefault(report.nodeid, (DEEP if reason == sizes.ONLY_DEEP else SKIPPED, reason))

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self.small |= set(getattr(node, "workeroutput", {}).get("small", ()))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        self.small |= sizes.small()
        workers = getattr(self.config, "workeroutput", None)
        if workers is not None:
            workers["small"] = sorted(self.small)
            return
        self.run.seconds, self.run.small = time.monotonic() - self.began, sorted(self.small)
        if FILE in os.environ:
            self.run.append_to(Path(os.environ[FILE]))

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if FILE not in os.environ and self.run.tests:
            for line in told([self.run]):
                terminalreporter.write_line(line)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Outcomes(config), "outcomes")
