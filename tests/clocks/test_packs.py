"""A change of law is one data pack: putting it in force prints the records that it touches, once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from comity.config import loader, paths
from comity.kernel.definitions.load import read_folder
from comity.kernel.definitions.profile import check_folders
from comity.kernel.policy import tokens
from comity.kernel.records.install import install
from tests.pillars.stage import staged

PACK = "rules/bns_2024.yml"
FIR = {"received_at": "2024-08-01T10:00:00+05:30", "information": "Sample."}


def test_installing_a_pack_prints_the_records_that_it_touches(tmp_path: Path) -> None:
    law, own = dict(read_folder(paths.jurisdictions() / "india")), read_folder(paths.agencies() / "in-police")
    before = {path: text for path, text in law.items() if path != PACK}
    with staged(tmp_path / "home") as stage:
        stage.install("in-police", loader.core_files(), before, own)
        stage.seat("in-police", "officer", "station_house_officer")
        old = stage.enter(
            "officer", "india.fir", {**FIR, "sections": "IPC 420", "occurred_from": "2024-06-30T10:00:00Z"}
        )
        new = stage.enter(
            "officer", "india.fir", {**FIR, "sections": "IPC 420", "occurred_from": "2024-07-02T10:00:00Z"}
        )
        stage.enter("officer", "india.fir", {**FIR, "sections": "BNS 303(2)", "occurred_from": "2024-07-03T10:00:00Z"})

        def put() -> list[dict[str, object]]:
            done = install(
                stage.node, tokens.operator(), agency="in-police", core=loader.core_files(), jurisdiction=law, own=own
            )
            return [dict(one) for one in done.touched]

        touched = {one["record"]: one for one in put()}
        assert {record: one["verdict"] for record, one in touched.items()} == {old: "stays", new: "renumber"}
        assert touched[new]["sections"] == {"420": ["318(4)"]} and touched[new]["open"] is True
        assert all(
            set(one) == {"pack", "record", "number", "type", "open", "verdict", "sections"} for one in touched.values()
        )
        assert put() == [], "a pack that is in force already touches nothing anew"


@pytest.mark.slow
def test_the_command_says_so_to_the_operator(tmp_path: Path) -> None:
    home = {**os.environ, "COMITY_HOME": str(tmp_path / "home")}
    command = [sys.executable, "-c", "from comity.config.main import main; main()", "profile", "install", "in-police"]
    done = subprocess.run(command, env=home, capture_output=True, text=True, timeout=120, check=True)
    assert "in-police is installed" in done.stdout and "touches" not in done.stdout


def test_profile_check_runs_the_worked_pairs_of_a_jurisdiction() -> None:
    law = dict(read_folder(paths.jurisdictions() / "india", pairs=True))
    report = check_folders(loader.core_files(), {"india": law}, {})
    assert report.ok and report.layers[-1].examples_run >= 100
    name = next(path for path in law if path.startswith("examples/clocks/"))
    law[name] = law[name].replace("state: running", "state: stopped", 1)
    broken = check_folders(loader.core_files(), {"india": law}, {})
    assert [one.kind for one in broken.layers[-1].examples] == ["pair"] and not broken.ok
    law[name] = "clocks: india.clocks_trial\npairs: [{ name: x }]\n"
    unread = check_folders(loader.core_files(), {"india": law}, {})
    assert [one.kind for one in unread.layers[-1].examples] == ["file"]
