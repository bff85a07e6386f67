"""What the build must run, it runs: a test that was skipped, or that is not there any more, fails the build."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.speeds.must_run import faults, main, names
from tests.speeds.runs import Run
from tests.speeds.test_run import ROOT, TINY, environment

CI = ROOT / ".ci"
LISTED = names((CI / "must_run").read_text("utf-8"))


def ran(**tests: tuple[str, str]) -> Run:
    return Run(deep=False, server="", selected="", order="", tests=tests)


RUN = Run(
    deep=False, server="", selected="", order="",
    tests={
        "tests/a/test_one.py::test_x": ("passed", ""),
        "tests/a/test_one.py::test_y[1]": ("failed", ""),
        "tests/a/test_one.py::test_y[2]": ("skipped", "no data"),
        "tests/a/test_two.py::TestIt::test_z": ("passed", ""),
        "tests/ab/test_three.py": ("skipped", "no module"),
        "tests/b/test_four.py::test_deep": ("deep", "only in make test-deep"),
        "tests/b/test_four.py::test_small": ("passed", ""),
    },
)  # fmt: skip


@pytest.mark.parametrize(
    "name",
    ["tests/a/test_one.py::test_x", "tests/a/test_one.py::test_y[1]", "tests/a/test_two.py", "tests/b",
     "tests/a/test_two.py::TestIt"],
)  # fmt: skip
def test_what_ran_is_well(name: str) -> None:
    assert faults([name], [RUN]) == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("tests/a", "tests/a/test_one.py::test_y[2]: was skipped (no data), and tests/a must run"),
        ("tests/a/test_one.py::test_y", "tests/a/test_one.py::test_y[2]: was skipped (no data)"),
        ("tests/ab/test_three.py::test_q", "no test has this name"),
        ("tests/ab", "tests/ab/test_three.py: was skipped (no module)"),
        ("tests/a/test_on", "no test has this name"),
        ("tests/c", "tests/c: no test has this name"),
        ("tests/b/test_four.py::test_deep", "runs in make test-deep alone"),
    ],
)
def test_what_did_not_run_is_told_with_its_reason(name: str, said: str) -> None:
    (fault,) = faults([name], [RUN])
    assert said in fault


def test_what_one_of_two_runs_skipped_and_the_other_ran_did_run() -> None:
    other = ran(**{"tests/a/test_one.py::test_y[2]": ("passed", "")})
    assert faults(["tests/a"], [RUN, other]) == faults(["tests/a"], [other, RUN]) == []


def test_lines_may_say_why_they_stand_there() -> None:
    assert names("# all\n\ntests/a/   # a folder\n tests/b::c\n#tests/d") == ["tests/a", "tests/b::c"]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The build's own files beside a tiny suite."""
    for name, text in TINY.items():
        (tmp_path / name).write_text(text)
    (tmp_path / ".ci").mkdir()
    for name in ("run", "install"):
        (tmp_path / ".ci" / name).write_text((CI / name).read_text("utf-8"))
        (tmp_path / ".ci" / name).chmod(0o755)
    (tmp_path / ".ci" / "packages").write_text("# none\n")
    (tmp_path / ".venv").symlink_to(Path(sys.executable).parents[1])
    (tmp_path / "Makefile").write_text("test:\n\t@.venv/bin/python -m pytest $(ARGS)\n")
    return tmp_path


def built(checkout: Path, must_run: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    (checkout / ".ci" / "must_run").write_text(must_run)
    return subprocess.run(
        ["bash", ".ci/run", *arguments], cwd=checkout, env=environment(), capture_output=True, text=True, timeout=120
    )


def test_the_build_fails_when_a_test_that_must_run_was_skipped(checkout: Path) -> None:
    skipped = built(checkout, "test_harness.py\ntest_absent.py::TestCity::test_one\n")
    assert skipped.returncode == 1
    assert skipped.stderr.splitlines()[-1].startswith("test_absent.py::TestCity::test_one: was skipped (the city is")


def test_the_build_fails_when_a_test_fails(checkout: Path) -> None:
    (checkout / "test_harness.py").write_text("def test_schedule(): assert False\n")
    failed = built(checkout, "test_harness.py\n")
    assert failed.returncode not in (0, 1), "make's own code: the list is not even looked at"


def test_a_list_that_names_nothing_is_a_mistake(tmp_path: Path) -> None:
    listed, outcomes = tmp_path / "must_run", tmp_path / "outcomes"
    RUN.append_to(outcomes)
    for text, code in (("# nothing\n", 1), ("tests/gone\n", 1), ("tests/b\n", 0)):
        listed.write_text(text)
        assert main([str(listed), str(outcomes)]) == code, text


def program(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """Programs of a Debian on which nothing is installed and apt-get installs what it is asked for."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program(folder, "id", "echo 0")
    program(folder, "dpkg-query", f'for last; do :; done; [ -e "{tmp_path}/$last" ] && printf installed')
    program(folder, "apt-get", f'echo "$@" >> {tmp_path}/asked; for last; do :; done; touch "{tmp_path}/$last"')
    (tmp_path / "packages").write_text("# what the tests can use\nwidget-15  # a server\n\n")
    return folder


def installed(machine: Path) -> subprocess.CompletedProcess[str]:
    variables = environment(PATH=f"{machine}:/usr/bin:/bin")
    return subprocess.run(
        ["bash", str(CI / "install"), str(machine.parent / "packages")], env=variables, capture_output=True, text=True,
        timeout=60,
    )  # fmt: skip


def test_packages_are_installed_once_by_root(machine: Path) -> None:
    assert installed(machine).returncode == 0
    asked = (machine.parent / "asked").read_text().splitlines()
    assert len(asked) == 2 and asked[0].endswith("update") and asked[1].endswith("--no-install-recommends widget-15")
    again = installed(machine)
    assert again.returncode == 0 and (machine.parent / "asked").read_text().splitlines() == asked


def test_where_packages_cannot_be_installed_that_is_said(machine: Path) -> None:
    program(machine, "apt-get", "echo 'no network' >&2; exit 100")
    done = installed(machine)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (1, "Not installed, apt-get could not: widget-15")
    program(machine, "id", "echo 1000")
    done = installed(machine)
    assert (done.returncode, done.stderr) == (1, "Not installed, because only root may: widget-15\n")
    (machine / "dpkg-query").unlink()
    for name in ("bash", "sed"):
        (machine / name).symlink_to(f"/usr/bin/{name}")
    done = subprocess.run(
        ["/bin/bash", str(CI / "install"), str(machine.parent / "packages")], env={"PATH": str(machine)},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, "Not installed, because this is no Debian: widget-15\n")


def test_a_build_without_its_packages_goes_on(checkout: Path) -> None:
    (checkout / ".ci" / "packages").write_text("no-such-package-anywhere\n")
    program(checkout / ".ci", "install", "exit 1")
    done = built(checkout, "test_harness.py\n")
    assert done.returncode == 0 and "Going on without them" in done.stderr


def test_the_list_names_files_that_are_there_and_needs_no_data_from_beside_the_repository() -> None:
    assert len(LISTED) == len(set(LISTED)) > 5
    for name in LISTED:
        path = ROOT / name.partition("::")[0]
        assert path.exists(), name
        for file in [path] if path.is_file() else path.rglob("*.py"):
            assert '"shared"' not in file.read_text("utf-8") or file == Path(__file__), (name, file)


def test_no_file_of_the_build_names_a_host() -> None:
    for file in CI.iterdir():
        assert "://" not in file.read_text("utf-8"), file
