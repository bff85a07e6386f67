"""One more of each seam: its own file and its line in the declared list, and everything of the core has it."""

from __future__ import annotations

import dataclasses
import email
import io
import json
import os
import shutil
from collections.abc import Iterator
from datetime import timedelta
from email import policy
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from comity import __version__, clock
from comity.api import service
from comity.config import file_stores, identities, loader, worker, wsgi
from comity.config.settings import Settings
from comity.formats import open_file
from comity.formats.rows import Options
from comity.kernel.records.attach import attach, fetch
from comity.kernel.records.erase import erase
from comity.kernel.sharing import channels, followers, prune, send
from comity.kernel.sharing.dead_letters import dead_letters
from comity.kernel.sharing.endpoint import Endpoint, add_webhook, remove_webhook, webhooks
from comity.kernel.sharing.pending_work import pending_work
from comity.kernel.views.export import export
from comity.kernel.work.file_store import FileStore
from tests.seams.archive_store import ArchiveStore
from tests.seams.authors import AUTHORS
from tests.seams.fixed_width import FIXED
from tests.seams.maildir import MAILDIR, folder
from tests.seams.signed_header import GATEWAY, HEADER, signed
from tests.sharing.stage import case, incident, outbox, place_all, subscribed
from tests.world import World, refused

INCIDENTS = {"types": ["investigation.incident"]}


class TestChannel:
    @pytest.fixture(autouse=True)
    def listed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(channels, "CHANNELS", (*channels.CHANNELS, MAILDIR))

    @pytest.fixture
    def chief(self, world: World) -> Any:
        return world.seats[world.seat("atf", "administrator")]

    @pytest.fixture
    def box(self, world: World, chief: Any) -> Iterator[tuple[Endpoint, Path]]:
        made = add_webhook(world.node, chief, "maildir:desk")
        place = folder(world.node, "atf", made.url)
        yield made, place
        remove_webhook(world.node, chief, str(made.id))
        shutil.rmtree(place, ignore_errors=True)

    def delivered(self, world: World, made: Endpoint) -> int:
        world.follow()
        return sum(send.send_due(world.node, "atf", one) for one in send.ready(world.node, "atf") if one.id == made.id)

    def test_a_subscriber_is_told_there_and_the_rights_are_decided_as_ever(self, world: World, box: Any) -> None:
        made, place = box
        with subscribed(world, "atf_agent", INCIDENTS, webhook=str(made.id)) as one:
            assert one.channel == "mail" and one.as_json()["channel"] == "mail"
            known, hidden = incident(world), incident(world)
            world.amend("cpd_sergeant", hidden.record, marks=["informant"], reason="a source")
            assert self.delivered(world, made) == 1
            (mail,) = (place / "new").iterdir()
            told = email.message_from_bytes(mail.read_bytes(), policy=policy.default)
            assert json.loads(told.get_content())["data"]["record"] == known.record
            assert {state for _, state, _ in outbox(world, one)} == {"done"}
            disclosed = world.rows("cpd", "select records::text from comity.disclosure where verb = 'mail'")
            assert any(known.record in records for (records,) in disclosed)

    def test_what_fails_is_tried_again_given_up_and_listed_like_any(self, world: World, chief: Any, box: Any) -> None:
        made, place = box
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("a file where the folder should be")
        with subscribed(world, "atf_agent", INCIDENTS, webhook=str(made.id)) as one:
            incident(world)
            at = clock.now()
            for _ in range(send.TRIES):
                with clock.at(at):
                    assert self.delivered(world, made) == 0
                at += timedelta(days=1, minutes=1)
            (held,) = [found for found in webhooks(world.node, chief) if found.id == made.id]
            assert held.state == "stopped"
            letters = [dead for dead in dead_letters(world.node, chief) if dead.subscription == one.id]
            assert letters and all("the maildir was not written" in dead.reason for dead in letters)
        place.unlink()

    def test_an_address_that_it_does_not_take_is_refused_when_it_is_added(self, world: World, chief: Any) -> None:
        assert refused(add_webhook, world.node, chief, "maildir:../other").code == "webhook_refused"
        assert refused(add_webhook, world.node, chief, "gopher://x").code == "channel_unknown"

    def test_what_it_delivered_is_pruned_after_the_node_s_period(self, world: World, box: Any) -> None:
        made, _ = box
        with subscribed(world, "atf_agent", INCIDENTS, webhook=str(made.id)) as one:
            incident(world)
            assert self.delivered(world, made) == 1
            prune.prune(world.node, "atf", clock.now() + timedelta(days=world.node.outbox_days + 1))
            assert outbox(world, one) == []


class TestFileStore:
    @pytest.fixture
    def store(self, world: World, tmp_path: Path, node_settings: Settings, monkeypatch: Any) -> Iterator[FileStore]:
        monkeypatch.setattr(
            file_stores, "STORES", {**file_stores.STORES, "archive": lambda place, _: ArchiveStore(Path(place))}
        )
        before = world.node.files
        chosen = dataclasses.replace(node_settings, files=f"archive:{tmp_path / 'kept'}")
        world.node.files = file_stores.opened(chosen)
        yield world.node.files
        world.node.files = before

    def test_a_file_is_kept_read_and_erased_there(self, world: World, store: ArchiveStore) -> None:
        record, data = case(world).record, os.urandom((1 << 20) + 7)
        attached = attach(
            world.node, world.seats["atf_agent"], record, name="scan.pdf", media_type="application/pdf",
            stream=io.BytesIO(data),
        )  # fmt: skip
        (kept,) = store.root.rglob("*.zip")
        assert kept.parent.name == kept.name[:2] and kept.parent.parent.name == "atf"
        (file,) = world.read("atf_agent", record).files
        assert b"".join(fetch(world.node, world.seats["atf_agent"], file)[1]) == data
        assert not list((world.node.home / "files").rglob(kept.stem)), "nothing of it is anywhere else"
        with world.node.work(world.seats["atf_agent"]) as work:
            erase(work, UUID(attached.entry), authority="Order 1")
            assert kept.exists(), "until the order is committed"
        assert not kept.exists()

    def test_what_is_refused_leaves_nothing_there(self, world: World, store: ArchiveStore) -> None:
        record = case(world).record
        given = {"name": "a", "media_type": "text/plain", "stream": io.BytesIO(b"")}
        assert refused(attach, world.node, world.seats["atf_agent"], record, **given).code == "invalid"
        assert not list(store.root.rglob("*.zip"))


class TestIdentity:
    @pytest.fixture
    def client(self, world: World, node_settings: Settings, monkeypatch: Any) -> Client:
        monkeypatch.setattr(identities, "IDENTITIES", (*identities.IDENTITIES, GATEWAY))
        wsgi.make(node_settings)
        made = service.Service(
            open_node=lambda: world.node, core=loader.core_catalogue, version=__version__,
            identities=identities.IDENTITIES,
        )  # fmt: skip
        monkeypatch.setattr(service, "_service", made)
        monkeypatch.setattr(service, "_node", world.node)
        return Client(SERVER_NAME="localhost")

    def asked(self, client: Client, **headers: str) -> tuple[int, dict[str, Any]]:
        response = client.get("/api/v1/me", headers=headers)
        return response.status_code, response.json()

    def test_a_member_is_known_by_it_and_by_its_token_as_before(self, world: World, client: Client) -> None:
        issued = world.issued["atf_agent"]
        status, me = self.asked(client, **{HEADER: signed("atf", issued.member)})
        assert (status, me["member"], me["kind"]) == (200, issued.member, "member")
        status, same = self.asked(client, Authorization=f"Bearer {issued.token}")
        assert (status, same) == (200, me)

    def test_what_is_not_signed_by_it_is_refused(self, world: World, client: Client) -> None:
        told = signed("atf", world.issued["atf_agent"].member)
        for wrong in (told.replace("atf", "dea", 1), told[:-1] + ("0" if told[-1] != "0" else "1"), "", "x"):
            assert self.asked(client, **{HEADER: wrong})[1]["code"] == "token_invalid"
        stranger = signed("dea", world.issued["atf_agent"].member)
        assert self.asked(client, **{HEADER: stranger})[1]["code"] == "token_invalid", "signed, and no member there"
        status, nobody = self.asked(client)
        assert (status, nobody["code"]) == (401, "token_invalid")
        assert "Bearer" in nobody["fix"] and HEADER in nobody["fix"], "the refusal says all that may be shown"


class TestStatistic:
    @pytest.fixture(autouse=True)
    def listed(self, world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        monkeypatch.setattr(followers, "FOLLOWERS", (*followers.FOLLOWERS, AUTHORS))
        yield
        with world.node.transaction("fsl") as (conn, _):
            conn.execute("delete from comity.tally where statistic = 'authors'")

    def test_the_worker_keeps_it_and_it_is_shown_with_the_others(self, world: World) -> None:
        seat = world.seats["fsl_analyst"]
        made = world.enter("fsl_analyst", "registry.document", {"kind": "other", "title": "Worksheet"})
        place_all(world)
        assert "authors" in pending_work(world.node, "fsl")
        world.follow()
        assert "authors" not in pending_work(world.node, "fsl")
        assert set(followers.statistics()) == {"activity", "authors"}

        def counted() -> int:
            rows = [one.as_json() for one in followers.statistic("authors").rows(world.node, seat, None)]
            return sum(row["entries"] for row in rows if row["member"] == seat.member)

        ((entries,),) = world.rows("fsl", "select count(*) from comity.entry where actor = %s", seat.member)
        assert counted() == entries > 0
        world.amend("fsl_analyst", made.record, {"title": "Worksheet, amended"})
        world.follow()
        assert counted() == entries + 1
        assert AUTHORS.restart is not None
        AUTHORS.restart(world.node, "fsl")
        assert counted() == entries + 1

    def test_a_failing_follower_stops_neither_the_others_nor_the_worker(self, world: World, capsys: Any) -> None:
        from comity.errors import Problem

        def fails(*_: object) -> int:
            raise Problem("unavailable")

        broken = dataclasses.replace(AUTHORS, name="broken", step=fails)
        world.enter("fsl_analyst", "registry.document", {"kind": "other", "title": "Worksheet"})
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(followers, "FOLLOWERS", (broken, *followers.FOLLOWERS))
            place_all(world)
            worker.follow_all(world.node)
        assert "worker: fsl: broken: unavailable" in capsys.readouterr().err
        assert "activity" not in pending_work(world.node, "fsl")


class TestFormat:
    @pytest.fixture(autouse=True)
    def listed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(open_file, "FORMATS", (*open_file.FORMATS, FIXED))

    def test_what_is_found_is_written_and_read_in_it(self, world: World, tmp_path: Path) -> None:
        made = case(world)
        done = export(world.node, world.seats["atf_agent"], tmp_path / "cases.txt", where={"number": made.number})
        assert (done.format, done.rows, done.more) == ("fixed", 1, False)
        with open_file.open_table(tmp_path / "cases.txt", Options()) as table:
            (row,) = table.rows
            assert row.values["number"] == (made.number or "")[:12] and row.values["state"] == made.state  # type: ignore[union-attr]
