"""`comity demo` in all its forms, as a newcomer starts it: what it prints, what it counts, and that it ends well."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from comity.cli import credentials
from comity.config.stories import STORIES
from tests.patience import PATIENCE, eventually

MAIN = "from comity.config.main import main; main()"
FORMS = {"us": (), "india": ("india",), "outside": ("--outside", "court,jail")}
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("demos")]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], dict[str, Any]]:
    @lru_cache
    def play(form: str) -> dict[str, Any]:
        home = tmp_path_factory.mktemp(form)
        given = {**{k: v for k, v in os.environ.items() if not k.startswith("DATABASE_")}, "COMITY_HOME": str(home)}
        done = subprocess.run(
            [sys.executable, "-c", MAIN, "demo", *FORMS[form], "--no-serve", "--json"],
            env=given, capture_output=True, text=True, timeout=240, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-3000:]
        return dict(json.loads(done.stdout))

    return play


@pytest.mark.parametrize("form", FORMS)
def test_it_ends_with_nothing_retyped_everything_rebuilt_and_no_order_left(
    played: Callable[[str], dict[str, Any]], form: str
) -> None:
    told = played(form)
    assert told["facts_retyped"] == 0 and told["retyped"] == []
    assert told["rebuild_equal"] is True and told["rebuild"]["differences"] == []
    assert told["facts_entered"] > 100 and told["facts_reobserved"] >= 3
    orders = told["reconciliation"]
    assert told["reconciled"] is True and orders["differences"] == [] and orders["open"] == []
    assert orders["given"] == orders["done"] >= 40
    assert told["latency_ms"]["count"] >= 10 and 0 < told["latency_ms"]["median"] <= told["latency_ms"]["most"]


def test_the_api_goes_on_over_what_the_demo_made(tmp_path: Path) -> None:
    given = {**{k: v for k, v in os.environ.items() if not k.startswith("DATABASE_")}, "COMITY_HOME": str(tmp_path)}
    given |= {"COMITY_BIND": "127.0.0.1:0", "COMITY_FEED_BIND": "127.0.0.1:0", "COMITY_WORKERS": "1"}
    demo = subprocess.Popen(
        [sys.executable, "-c", MAIN, "demo", "india", "--json"],
        env=given, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        assert demo.stdout is not None
        address = next(json.loads(line)["address"] for line in demo.stdout if line.startswith('{"address"'))
        token = credentials.known(tmp_path / "demo")[0].token
        asked = urllib.request.Request(f"{address}/inbox", headers={"Authorization": f"Bearer {token}"})
        eventually(lambda: _answers(asked))
        assert not (tmp_path / "postgres").exists(), "one database, the demo's"
    finally:
        demo.terminate()
        demo.wait(PATIENCE)


def _answers(asked: urllib.request.Request) -> bool:
    try:
        with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError as error:
        raise AssertionError(error.read().decode()) from error
    except OSError:
        return False


@pytest.mark.parametrize("form", FORMS)
def test_every_institution_has_its_part(played: Callable[[str], dict[str, Any]], form: str) -> None:
    script = STORIES["india" if form == "india" else "us"]
    acted = {one["agency"] for one in played(form)["steps"]}
    assert acted >= set(script.agencies), set(script.agencies) - acted


def test_the_release_is_stopped_by_a_detainer_whose_holder_is_named(played: Callable[[str], dict[str, Any]]) -> None:
    for form in ("us", "outside"):
        stopped = next(one for one in played(form)["steps"] if "tries to release" in one["text"])
        assert "refused" in stopped["text"] and "held by state-police" in stopped["text"]


def test_what_an_outsider_did_is_told_as_reported_and_never_as_its_own(played: Callable[[str], dict[str, Any]]) -> None:
    for one in played("outside")["steps"]:
        assert (one["agency"] in ("usdc", "detention")) == ("reported_by" in one), one["text"]
        assert not ("reported_by" in one and one["seat"]), "nobody of an outsider has a seat here"
    reporters = {(one["agency"], one["reported_by"]) for one in played("outside")["steps"] if "reported_by" in one}
    assert reporters == {("usdc", "usao"), ("detention", "usms")}
    assert not any("reported_by" in one for one in played("us")["steps"])


@pytest.mark.parametrize(
    ("line", "step"),
    [
        ("the clock: Trial", "unseals the case"),
        ("by that the laboratory sees", "to the laboratory by carrier"),
        ("missing:", "refused, with the list"),
        ("the laboratory's obligation closes by itself", "the laboratory reports"),
    ],
)
def test_what_came_by_itself_is_told_under_the_step_that_caused_it(
    played: Callable[[str], dict[str, Any]], line: str, step: str
) -> None:
    told = [one["text"] for one in played("us")["steps"] for said in one["lines"] if said.startswith(line)]
    assert told and all(step in text for text in told)


def test_the_clocks_of_india_show_their_working_and_their_citation(played: Callable[[str], dict[str, Any]]) -> None:
    clocks = [line for one in played("india")["steps"] for line in one["lines"] if line.startswith("the clock")]
    assert len(clocks) == 2
    assert "60 days from" in clocks[0] and "BNSS 187(3)" in clocks[0]
    assert "1 year from" in clocks[1] and "BNSS 479" in clocks[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("atlantis",), "the stories are us, india"),
        (("--outside", "court,moon"), "moon"),
        (("india", "--outside", "jail"), "jail"),
    ],
)
def test_an_unknown_story_or_outsider_is_answered_with_the_list(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", MAIN, "demo", *arguments, "--no-serve"],
        env={**os.environ, "COMITY_HOME": str(tmp_path)}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2 and said in done.stderr + done.stdout
    assert not (tmp_path / "demo").exists(), "nothing was begun"
