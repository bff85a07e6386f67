"""What fills a seam is reached through its declared list alone, and a list that is emptied breaks what it serves."""

from __future__ import annotations

import ast
import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from comity import __version__
from comity.api import service
from comity.config import file_stores, identities, loader, worker, wsgi
from comity.config.settings import Settings
from comity.config.startup import StartupRefused
from comity.formats import open_file
from comity.formats.rows import Options
from comity.kernel.sharing import channels, followers
from comity.kernel.sharing.channel import Reader
from comity.kernel.sharing.endpoint import add_webhook
from comity.kernel.sharing.pending_work import pending_work
from comity.kernel.sharing.subscribe import subscribe
from comity.kernel.views.export import export
from tests.architecture.sources import modules
from tests.sharing.stage import case, incident, notices, place_all, subscribed
from tests.world import World, refused

FILLED_BY = {
    "comity.kernel.sharing.webhook": {"comity/kernel/sharing/channels.py"},
    "comity.kernel.sharing.http_client": {"comity/kernel/sharing/webhook.py"},
    "comity.kernel.sharing.notices": {"comity/kernel/sharing/channels.py"},
    "comity.kernel.work.disk_store": {"comity/config/file_stores.py"},
    "comity.cli.seat": {"comity/config/identities.py", "comity/cli/session.py"},
    "comity.formats.delimited": {"comity/formats/open_file.py"},
    "comity.formats.json_rows": {"comity/formats/open_file.py"},
    "comity.formats.spreadsheet": {"comity/formats/open_file.py"},
    "comity.kernel.sharing.mark_delivery": {"comity/kernel/sharing/followers.py"},
    "comity.kernel.sharing.settle": {"comity/kernel/sharing/followers.py"},
    "comity.kernel.sharing.digest": {"comity/kernel/sharing/followers.py"},
    "comity.kernel.sharing.escalate": {"comity/kernel/sharing/followers.py"},
    "comity.kernel.sharing.activity": {"comity/kernel/sharing/followers.py"},
}
"""Who imports what fills a seam: its list, what it is made of, and for a seat the command that says where it speaks."""
OF_MORE = {
    ("comity.kernel.sharing.feed", "told"): set(),
    ("comity.kernel.sharing.feed", "FEED"): {"comity/kernel/sharing/channels.py"},
    ("comity.kernel.policy.tokens", "TOKEN"): {"comity/config/identities.py"},
    ("comity.kernel.policy.tokens", "bearer"): {"comity/cli/seat.py"},
    ("comity.kernel.policy.tokens", "sign_in"): set(),
    ("comity.kernel.exchange.obligations", "close_met"): set(),
    ("comity.kernel.sharing.deliver", "follow_subscriptions"): set(),
    ("comity.kernel.sharing.deliver", "DELIVERIES"): set(),
    ("comity.kernel.sharing.deliver", "shelve"): set(),
}
"""The same of modules that hold more: who imports this of them by its name."""
BY_MODULE = {
    "obligations.close_met": set(),
    "obligations.FOLLOWER": {"comity/kernel/sharing/followers.py"},
    "deliver.follow_subscriptions": set(),
    "deliver.DELIVERIES": {"comity/kernel/sharing/followers.py"},
    "tokens.sign_in": {"comity/config/demo.py"},
    "tokens.TOKEN": set(),
    "feed.told": set(),
}
"""And through the module's name."""


def importers(module: str, name: str = "") -> set[str]:
    """The modules that import a module, or a name of it, anywhere in them."""
    found = set()
    short = module.rpartition(".")[2]
    for path, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module == module:
                if not name or name in {one.name for one in node.names}:
                    found.add(path)
            elif not name and isinstance(node, ast.ImportFrom) and node.module == module.rpartition(".")[0]:
                found |= {path for one in node.names if one.name == short}
    return found


def through(reference: str) -> set[str]:
    """The modules that say `module.name`."""
    module, _, name = reference.partition(".")
    return {
        path
        for path, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr == name and getattr(node.value, "id", "") == module
    }


@pytest.mark.parametrize("module", FILLED_BY)
def test_a_part_that_fills_a_seam_is_imported_by_its_list_alone(module: str) -> None:
    assert importers(module) == FILLED_BY[module]


@pytest.mark.parametrize(("module", "name"), OF_MORE)
def test_what_fills_a_seam_beside_other_things_is_taken_by_its_list_alone(module: str, name: str) -> None:
    assert importers(module, name) == OF_MORE[module, name]


@pytest.mark.parametrize("reference", BY_MODULE)
def test_nor_is_it_reached_through_its_module(reference: str) -> None:
    assert through(reference) == BY_MODULE[reference]


def test_nobody_else_knows_where_files_lie() -> None:
    said = {
        path
        for path, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.BinOp) and re.search(r"\bhome / 'files'", ast.unparse(node))
    }
    assert said == {"comity/config/file_stores.py"}


def test_without_followers_nothing_follows(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with subscribed(world, "atf_agent", {"types": ["investigation.incident"]}) as one:
        world.follow()
        with monkeypatch.context() as patched:
            patched.setattr(followers, "FOLLOWERS", ())
            incident(world)
            place_all(world)
            assert worker.follow_all(world.node) == 0
            assert pending_work(world.node, "cpd").names == frozenset()
            assert notices(world, "atf_agent", one) == []
            assert refused(followers.statistic, "activity").code == "statistic_unknown"
        world.follow()
        assert len(notices(world, "atf_agent", one)) == 1


def test_without_channels_nobody_subscribes_is_told_or_adds_an_address(world: World, monkeypatch: Any) -> None:
    chief, agent = world.seats[world.seat("atf", "administrator")], world.seats["atf_agent"]
    monkeypatch.setattr(channels, "CHANNELS", ())
    wanted = {"types": ["investigation.incident"]}
    assert refused(subscribe, world.node, agent, wanted).code == "channel_unknown"
    assert refused(add_webhook, world.node, chief, "https://hooks.example/x").code == "channel_unknown"
    nobody: list[Reader] = []
    assert refused(channels.tell, world.node, "atf", nobody).code == "channel_unknown"


def test_without_providers_of_identity_nobody_is_known(
    world: World, node_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    wsgi.make(node_settings)
    headers = {"Authorization": f"Bearer {world.issued['atf_agent'].token}"}
    made = service.Service(
        open_node=lambda: world.node, core=loader.core_catalogue, version=__version__, identities=identities.IDENTITIES
    )
    monkeypatch.setattr(service, "_node", world.node)
    monkeypatch.setattr(service, "_service", made)
    assert Client(SERVER_NAME="localhost").get("/api/v1/me", headers=headers).status_code == 200
    monkeypatch.setattr(service, "_service", dataclasses.replace(made, identities=()))
    response = Client(SERVER_NAME="localhost").get("/api/v1/me", headers=headers)
    assert (response.status_code, response.json()["code"]) == (401, "token_invalid")


def test_without_stores_no_node_is_opened(node_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert file_stores.opened(node_settings).free()
    monkeypatch.setattr(file_stores, "STORES", {})
    with pytest.raises(StartupRefused, match="setting_invalid"):
        file_stores.opened(node_settings)


def test_without_formats_nothing_is_read_or_written(world: World, tmp_path: Path, monkeypatch: Any) -> None:
    made = case(world)
    agent, file = world.seats["atf_agent"], tmp_path / "cases.csv"
    assert export(world.node, agent, file, where={"number": made.number}).rows == 1
    monkeypatch.setattr(open_file, "FORMATS", ())
    problem = refused(export, world.node, agent, tmp_path / "more.csv")
    assert [one.code for one in problem.faults] == ["format_unknown"]
    problem = refused(lambda: open_file.open_table(file, Options()).__enter__())
    assert [one.code for one in problem.faults] == ["format_unknown"]


def test_without_calculations_no_act_that_names_one_is_done(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = (world.enter("atf_agent", "registry.person", {"role": "subject", "name": name}) for name in ("A", "B"))
    claim = {"basis": "document", "weight": 60}
    links = {"person": [str(one.record)], "same_as": [str(other.record)]}
    monkeypatch.setattr(world.node, "extensions", dataclasses.replace(world.node.extensions, calculations={}))
    problem = refused(world.enter, "atf_agent", "registry.identity_claim", claim, links=links)
    assert [one.code for one in problem.faults] == ["guard_error"]
    monkeypatch.undo()
    assert world.enter("atf_agent", "registry.identity_claim", claim, links=links).number
