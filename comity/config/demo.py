"""`comity demo`: an empty node, the agencies installed, the story played, and what the record says about it."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from comity import clock
from comity.cli import credentials as kept_seats
from comity.config import loader, paths, worker
from comity.config.database import Database, open_database
from comity.config.narration import Narration
from comity.config.settings import Settings
from comity.config.stories import STORIES
from comity.config.stories.stage import Script, Story
from comity.errors import Problem
from comity.kernel.definitions.load import read_folder
from comity.kernel.duties.reconcile import reconcile_all
from comity.kernel.exchange import duplicate_entry
from comity.kernel.policy import tokens
from comity.kernel.policy.actor import Actor
from comity.kernel.portability import rebuild
from comity.kernel.records.install import install
from comity.kernel.work.node import Node
from comity.names import counted
from comity.sentences import say

MARK = "this-is-a-comity-demo"


def run(of: Settings, *, story: str = "us", outside: Collection[str] = (), serve: bool, as_json: bool) -> int:
    """Play a story in a home of its own below COMITY_HOME; with `serve` the API goes on afterwards. Exit code.

    `outside` are words of the story (court, jail): institutions that keep no record here. Problem `usage`.
    """
    script = _script(story)
    without = _outsiders(script, outside)
    demo = replace(of, home=_fresh(of.home / "demo")) if not of.database_url else of
    told = Narration(quiet=as_json)
    began = clock.monotonic()
    if of.database_url:
        _refuse_used(of)
    with open_database(demo) as database:
        node = loader.node_on(demo, database, 4)
        try:
            told.say("Comity: one justice record that several institutions keep together.")
            told.say(f"An empty record is being set up in {demo.home}")
            seats = prepare(node, demo, script, without)
            set_up = clock.monotonic() - began
            told.say(
                f"{len(script.agencies)} agencies installed in {set_up:.1f} s; each line below is an act of a seat."
            )
            if without:
                told.say(f"Outside: {', '.join(without)}. Members record what these do, on their behalf.")
            told.say()
            played = clock.monotonic()
            told.began = played
            on = Story(node, seats, told, script.seats, script.reporters, without)
            with following(demo, database):
                script.play(on)
                _settled(node, database)
                result = _result(node, on, script, set_up, clock.monotonic() - played)
        finally:
            node.close()
        _report(told, result, as_json)
        good = bool(result["rebuild_equal"]) and result["facts_retyped"] == 0 and result["reconciled"]
    look, (agency, person, _) = result["look"], script.seats[script.look[1]]
    if serve and good:
        from comity.config.serve import serve as serve_on

        told.say("\nThe API goes on. Try, in another terminal:")
        told.say(f"  COMITY_HOME={demo.home} comity inbox --as {agency} --seat '{person}'")
        return int(serve_on(demo, as_json=as_json))
    if not as_json:
        told.say(f"\nLook around: COMITY_HOME={demo.home} comity show {look} --as {agency} --seat '{person}'")
    return 0 if good else 1


def _script(story: str) -> Script:
    script = STORIES.get(story)
    if script is None:
        raise Problem(
            "request_invalid", say("request_invalid.there_is_no_story", story=story, stories=", ".join(STORIES))
        )
    return script


def _outsiders(script: Script, named: Collection[str]) -> list[str]:
    unknown = sorted(set(named) - set(script.outsiders))
    if unknown:
        if not script.outsiders:
            raise Problem("request_invalid", say("request_invalid.nobody_can_be_outside", unknown=unknown))
        known = list(script.outsiders)
        raise Problem("request_invalid", say("request_invalid.cannot_be_outside", unknown=unknown, known=known))
    return [script.outsiders[one] for one in named]


def _fresh(home: Path) -> Path:
    """An empty folder for the demo; an earlier demo there goes, anything else is refused."""
    if home.exists() and any(home.iterdir()):
        if not (home / MARK).exists():
            raise Problem("startup_refused", say("startup_refused.holds_something_that_is_no", home=home))
        from comity.config.embedded import Embedded

        Embedded(home).release()
        _wait_gone(home)
        shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    (home / MARK).write_text("Made by `comity demo`; each demo begins by removing this folder.\n")
    return home


def _wait_gone(home: Path) -> None:
    """An earlier demo's server may still be ending."""
    deadline = clock.monotonic() + 15
    while list(home.rglob("postmaster.pid")) and clock.monotonic() < deadline:
        clock.pause(0.1)
    if list(home.rglob("postmaster.pid")):
        raise Problem("startup_refused", say("startup_refused.demo_is_still_running_in", home=home))


def _refuse_used(of: Settings) -> None:
    with open_database(of) as database:
        node = loader.node_on(of, database, 1)
        try:
            if node.agencies():
                raise Problem(
                    "startup_refused", say("startup_refused.database_holds_agencies_already_demo"),
                )  # fmt: skip
        finally:
            node.close()


def prepare(node: Node, of: Settings, script: Script, outside: Collection[str] = ()) -> dict[str, Actor]:
    """Install the agencies and let their members in; their tokens are kept for the command line.

    Agencies that are `outside` are installed as that: they are known, and nobody signs in for them.
    """
    law = read_folder(paths.jurisdictions() / script.jurisdiction)
    core = dict(loader.core_files())
    for agency in script.agencies:
        own = dict(read_folder(paths.agencies() / agency))
        if agency in outside:
            own["agency.yml"] = own["agency.yml"].replace("membership: member", "membership: outside")
        install(node, tokens.operator(), agency=agency, core=core, jurisdiction=law, own=own, reason="demo")
    actors = {}
    for name, (agency, person, roles) in script.seats.items():
        if agency in outside:
            continue
        issued = tokens.admit(node, agency, person, roles)
        kept_seats.remember(of.home, agency=agency, member=issued.member, name=person, token=issued.token)
        actors[name] = tokens.sign_in(node, issued.token)
    return actors


@contextmanager
def following(of: Settings, database: Database) -> Iterator[None]:
    """A worker process for the time of the story, started again whenever it is killed."""
    import threading

    environment = {
        **os.environ, "COMITY_HOME": str(of.home),
    }  # fmt: skip
    ending = threading.Event()
    held: list[subprocess.Popen[bytes]] = []

    def keep() -> None:
        while not ending.is_set():
            process = subprocess.Popen(
                [sys.executable, "-m", "comity.config.worker"], env=environment, stdout=subprocess.DEVNULL
            )
            held[:] = [process]
            while process.poll() is None and not ending.wait(0.1):
                pass

    thread = threading.Thread(target=keep, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join(5)
        for process in held:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def _settled(node: Node, database: Database) -> None:
    """Wait until everything appended has its place."""
    deadline = clock.monotonic() + 20
    while node.lag()["pending"]:
        if clock.monotonic() > deadline:
            worker.inline(node, database.sequencer_url)
            return
        clock.pause(0.02)


def _result(node: Node, story: Story, script: Script, set_up: float, played: float) -> dict[str, Any]:
    facts = duplicate_entry.count(node)
    rebuilt = rebuild.run(node)
    reconciled = reconcile_all(node)
    waited = sorted(one * 1000 for one in story.latency)
    return {
        **facts.as_json(),
        "rebuild_equal": rebuilt.equal,
        "rebuild": rebuilt.as_json(),
        "reconciled": not reconciled.differences,
        "reconciliation": reconciled.as_json(),
        "latency_ms": {
            "count": len(waited), "median": round(statistics.median(waited), 1) if waited else None,
            "most": round(waited[-1], 1) if waited else None,
        },
        "disclosures": disclosures(node),
        "seconds": {"set_up": round(set_up, 2), "story": round(played, 2)},
        "look": story.number(script.look[0]),
        "steps": story.told.steps,
    }  # fmt: skip


def disclosures(node: Node) -> list[dict[str, Any]]:
    """Who saw whose records: reader, owner, how many requests, as each owner's own log of disclosures says."""
    out = []
    for owner in node.agencies():
        with node.transaction(owner) as (conn, _):
            out += [
                {"owner": owner, "reader": reader, "requests": count, "records": records}
                for reader, count, records in conn.execute(
                    """select agency, count(distinct id), count(distinct r->>'record') from comity.disclosure
                        cross join jsonb_array_elements(records) r where owner = comity.me()
                        group by agency order by agency"""
                )
            ]
    return out


def _report(told: Narration, result: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(result, ensure_ascii=False, indent=2))
        return
    told.say()
    told.say(f"Facts entered        {result['facts_entered']}")
    told.say(f"Facts retyped        {result['facts_retyped']}   (typed again though visible)")
    told.say(f"Facts re-observed    {result['facts_reobserved']}   (own observations, such as a weight on receipt)")
    for one in result["disclosures"]:
        told.say(
            f"Who saw what         {one['reader']} read {counted(one['records'], 'record')} of {one['owner']} "
            f"in {counted(one['requests'], 'request')}"
        )
    rebuilt = result["rebuild"]
    verdict = "equal" if rebuilt["equal"] else "DIFFERENT"
    told.say(
        f"Rebuilt from the log {rebuilt['records']} records from {rebuilt['entries']} entries: {verdict}; "
        "every leaf checked"
    )
    orders = result["reconciliation"]
    told.say(
        f"Orders reconciled    {orders['given']} duties given, {orders['done']} done, {len(orders['open'])} open, "
        f"{counted(len(orders['differences']), 'difference')}"
    )
    waited = result["latency_ms"]
    told.say(
        f"Seen elsewhere       {waited['median']} ms after the commit in the middle, {waited['most']} ms at most, "
        f"{waited['count']} times"
    )
    told.say(f"Seconds              {result['seconds']['set_up']} set-up, {result['seconds']['story']} story")
    for one in result["retyped"]:
        told.say(f"RETYPED {one}")
    for one in (*rebuilt["differences"], *orders["differences"]):
        told.say(f"DIFFERENCE {one}")
