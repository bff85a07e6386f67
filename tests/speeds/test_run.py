"""A run says what it did not do: tiny suites are run by pytest in a process of its own, small and whole."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.speeds.__main__ import HANG, steps
from tests.speeds.order import LONG, by_chance, long_first
from tests.speeds.runs import DEEP, FAILED, PASSED, SKIPPED, Run, written
from tests.speeds.summary import told

ROOT = Path(__file__).parents[2]
TINY = {
    "pytest.ini": "[pytest]\naddopts = -q -p no:cacheprovider\n",
    "conftest.py": (
        "from tests.speeds.order import pytest_collection_modifyitems\n"
        "from tests.speeds.outcomes import pytest_configure\n"
    ),
    "test_harness.py": (
        "from pathlib import Path\n"
        "import pytest\n"
        "from tests.speeds.sizes import deep_only, size\n"
        "@pytest.mark.parametrize('seed', range(size(small=2, deep=5)))\n"
        "def test_schedule(seed): pass\n"
        "def test_same_at_both_speeds(): assert size(small=3, deep=3) == 3\n"
        "@deep_only\n"
        "def test_everything(): pass\n"
    ),
    "test_absent.py": (
        "import pytest\n"
        "@pytest.mark.skipif(True, reason='the city is not here')\n"
        "class TestCity:\n"
        "    def test_one(self): pass\n"
        "    def test_two(self): pass\n"
    ),
    "test_no_such_module.py": "import pytest\npytest.importorskip('no_such_module', reason='a module is not here')\n",
}


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    for name, text in TINY.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def environment(**more: str) -> dict[str, str]:
    """Nothing of the run that runs this test; only the code of the project."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("COMITY_", "PYTEST_"))}
    return {**clean, "PYTHONPATH": str(ROOT), **more}


def pytest_of(folder: Path, *arguments: str, **variables: str) -> Run:
    file = folder / "outcomes.jsonl"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments, str(folder)], cwd=folder, capture_output=True, text=True,
        env=environment(COMITY_TEST_OUTCOMES=str(file), **variables),
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stdout + done.stderr
    (run,) = written(file)
    return run


def test_each_test_is_kept_with_what_became_of_it(tiny: Path) -> None:
    (tiny / "test_wrong.py").write_text(
        "import pytest\n"
        "@pytest.fixture\ndef broken(): raise OSError\n"
        "@pytest.fixture\ndef ends_badly():\n    yield\n    raise OSError\n"
        "def test_fails(): assert False\n"
        "def test_begins_badly(broken): pass\n"
        "def test_ends_badly(ends_badly): pass\n"
        "@pytest.mark.xfail\ndef test_known(): assert False\n"
    )
    run = pytest_of(tiny, "-n", "2")
    wrong = [f"test_wrong.py::test_{name}" for name in ("begins_badly", "ends_badly", "fails")]
    assert run.ids(FAILED) == wrong
    assert run.ids(DEEP) == ["test_harness.py::test_everything"]
    assert {name: run.tests[name][1] for name in run.ids(SKIPPED)} == {
        "test_absent.py::TestCity::test_one": "the city is not here",
        "test_absent.py::TestCity::test_two": "the city is not here",
        "test_no_such_module.py": "a module is not here",
    }
    assert run.ids(PASSED) == [
        "test_harness.py::test_same_at_both_speeds",
        "test_harness.py::test_schedule[0]",
        "test_harness.py::test_schedule[1]",
        "test_wrong.py::test_known",
    ]
    assert run.small == ["test_harness:4"], "what is the same at both speeds is not called small"


def test_a_deep_run_is_whole(tiny: Path) -> None:
    run = pytest_of(tiny, COMITY_TEST_DEEP="1")
    assert (run.deep, run.small, run.ids(DEEP)) == (True, [], [])
    assert len([name for name in run.ids(PASSED) if "test_schedule" in name]) == 5
    assert "test_harness.py::test_everything" in run.ids(PASSED)


def test_a_file_that_cannot_be_read_failed(tiny: Path) -> None:
    (tiny / "test_broken.py").write_text("import\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", str(tiny)], cwd=tiny, capture_output=True, text=True,
        env=environment(COMITY_TEST_OUTCOMES=str(tiny / "out")),
    )  # fmt: skip
    assert done.returncode == 2
    assert written(tiny / "out")[0].ids(FAILED) == ["test_broken.py"]


def both_speeds(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.speeds", *arguments], cwd=ROOT, capture_output=True, text=True,
        env=environment(**variables),
    )  # fmt: skip


def test_a_run_ends_with_what_it_left_out_and_why(tiny: Path) -> None:
    done = both_speeds("quick", str(tiny))
    assert done.returncode == 0, done.stderr
    said = done.stdout[done.stdout.index("What ran, and what did not:") :]
    for words in (
        "quick, on the embedded PostgreSQL: 3 passed, 0 failed, 4 skipped",
        "1 harness at a small size, whole in make test-deep: test_harness",
        "1 only in make test-deep: test_harness.py::test_everything",
        "2 skipped, the city is not here: test_absent.py::TestCity::test_one, test_absent.py::TestCity::test_two",
        "1 skipped, a module is not here: test_no_such_module.py",
    ):
        assert words in said


def test_a_run_that_fails_says_so_by_its_exit_code(tiny: Path) -> None:
    (tiny / "test_wrong.py").write_text("def test_fails(): assert False\n")
    done = both_speeds("deep", str(tiny), COMITY_TEST_ORDER="77")
    assert done.returncode == 1
    assert "deep, on the embedded PostgreSQL: 7 passed, 1 failed, 3 skipped" in done.stdout
    assert "in random order 77 (COMITY_TEST_ORDER=77 repeats it)" in done.stdout and "small size" not in done.stdout
    assert both_speeds("quickly").returncode == 1


def test_many_tests_left_out_for_one_reason_are_counted_and_not_all_named() -> None:
    many = {f"test_a.py::test_{number:02}": (SKIPPED, "no data") for number in range(20)}
    text = "\n".join(told([Run(deep=False, server="/fifteen", selected="pg15", order="", tests=many)]))
    assert "quick, on the PostgreSQL of /fifteen, marked pg15: 0 passed, 0 failed, 20 skipped" in text
    assert "20 skipped, no data: test_a.py::test_00, " in text and text.endswith(" and 14 more")
    assert text.count("::") == 6


def test_postgresql_15_has_its_runs_where_it_is_found() -> None:
    quick, deep = (steps(speed, (), "/fifteen", "") for speed in (False, True))
    servers = [variables.get("COMITY_TEST_PG_BIN") for _, variables in quick]
    assert servers == [None, "/fifteen"] and quick[1][0][-1] == "pg15"
    marked = [" ".join(more).removeprefix(HANG).strip() for more, _ in deep]
    whole = [variables.get("COMITY_TEST_DEEP") for _, variables in deep]
    assert marked == ["", "-m pg15", "-m not pg15"] and whole == ["1", "1", None], "every test meets PostgreSQL 15"
    assert len(steps(True, (), "", "")) == len(steps(False, (), "", "")) == 1
    assert len(steps(True, ("tests/ledger",), "/fifteen", "")) == 1, "what was asked for by name runs once"


def test_a_random_order_is_repeated_by_its_number_and_keeps_folders_whole() -> None:
    files = [Path(folder) / f"test_{n}.py" for folder in ("a", "b", "c", "a") for n in range(8)]
    files = list(dict.fromkeys(files))
    one = by_chance(files, "1")
    assert one == by_chance(files, "1") and sorted(one) == sorted(files)
    assert len({tuple(by_chance(files, str(number))) for number in range(20)}) == 20
    folders = [file.parent for file in one]
    assert len([at for at in range(1, len(folders)) if folders[at] != folders[at - 1]]) == 2


def test_the_tests_of_a_file_keep_their_order(tiny: Path) -> None:
    files = [tiny / "test_absent.py", tiny / "test_harness.py"]
    number = next(str(number) for number in range(99) if by_chance(files, str(number)) != files)
    run = pytest_of(tiny, COMITY_TEST_ORDER=number)
    assert run.order == number
    assert [name.partition("::")[2] for name in run.tests if "::" in name] == [
        "test_schedule[0]", "test_schedule[1]", "test_same_at_both_speeds", "test_everything",
        "TestCity::test_one", "TestCity::test_two",
    ]  # fmt: skip


def test_as_written_the_longest_files_come_first_and_all_of_them_are_there() -> None:
    files = [
        Path(f"/x/tests/{name}") for name in ("api/test_a.py", "docs/test_followed.py", "orders/test_reconcile.py")
    ]
    assert [one.name for one in long_first(files)] == ["test_followed.py", "test_reconcile.py", "test_a.py"]
    assert all((Path(__file__).parents[1] / name).exists() for name in LONG)
