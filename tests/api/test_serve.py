"""`comity serve` as its operator knows it: it serves, what is killed comes back, and nothing is left when it ends."""

from __future__ import annotations

import concurrent.futures
import http.client
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from comity.config.settings import Settings
from comity.kernel.policy.tokens import Issued
from tests.patience import PATIENCE, eventually
from tests.speeds.sizes import size

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")]
COMITY = (sys.executable, "-c", "from comity.config.main import main; main()")


class Server:
    """A `comity serve` of its own, on the database of the test."""

    def __init__(self, home: Path, log: Path) -> None:
        environment = {**os.environ, "COMITY_HOME": str(home), "COMITY_BIND": "127.0.0.1:0", "COMITY_WORKERS": "2"}
        self.log = log
        with log.open("wb") as errors:
            self.process = subprocess.Popen(
                [*COMITY, "serve", "--json"], stdout=subprocess.PIPE, stderr=errors, env=environment, cwd="/"
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, log.read_text()
        self.address = json.loads(line)["address"]

    def ask(self, path: str, token: str = "", body: Any = None, **headers: str) -> tuple[int, Any]:
        request = urllib.request.Request(f"{self.address}{path}", data=json.dumps(body).encode() if body else None)
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        if body:
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"null")
        except (OSError, ValueError, http.client.HTTPException):  # the last: it was killed between header and body
            return 0, None

    def tree(self) -> dict[int, str]:
        """The processes below the server: number and command line."""
        return below(self.process.pid)

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


def below(pid: int) -> dict[int, str]:
    found: dict[int, str] = {}
    try:
        children = [
            int(one) for task in Path(f"/proc/{pid}/task").iterdir() for one in (task / "children").read_text().split()
        ]
    except OSError:
        return found
    for child in children:
        try:
            found[child] = Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        found |= below(child)
    return found


@pytest.fixture(scope="module")
def server(node: Any, node_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(node_settings.home, tmp_path_factory.mktemp("serve") / "errors.log")
    yield made
    if made.process.poll() is None:
        made.process.kill()
        made.process.wait()


ENTRIES = size(small=500, deep=5_000)
ROUNDS = size(small=1, deep=10)
BODY = size(small=64, deep=512) << 20
PAUSES = size(small=[0.0, 0.1, 0.3, 0.6], deep=[at / 20 for at in range(24)])
CASE = {"fields": {"title": "Served", "program": "firearms", "opened": "2026-11-20"}}


def test_it_serves(server: Server, seats: dict[str, Issued]) -> None:
    assert server.ask("/health")[0] == 200
    status, receipt = server.ask("/records/investigation.case", seats["agent"].token, CASE)
    assert status == 201
    placed = eventually(
        lambda: server.ask(f"/records/id/{receipt['record']}/history", seats["agent"].token)[1]["items"][0]["place"]
    )
    assert placed >= 1
    assert server.ask("/nothing")[1]["code"] == "route_unknown"


def test_large_bodies_stream(server: Server, seats: dict[str, Issued]) -> None:
    """In and out, while no worker grows by as much."""
    token = seats["agent"].token
    _, receipt = server.ask("/records/investigation.case", token, CASE)
    request = urllib.request.Request(
        f"{server.address}/records/id/{receipt['record']}/files?name=disk.img", data=_Zeros(BODY), method="POST",
        headers={"Authorization": f"Bearer {token}", "Content-Length": str(BODY), "Content-Type": "application/x-raw"},
    )  # fmt: skip
    before = max(_peak(pid) for pid in server.tree())
    with urllib.request.urlopen(request, timeout=120) as answer:
        assert answer.status == 201
    _, record = server.ask(f"/records/id/{receipt['record']}", token)
    (file,) = record["files"]
    back = urllib.request.Request(f"{server.address}/files/{file}", headers={"Authorization": f"Bearer {token}"})
    total = 0
    with urllib.request.urlopen(back, timeout=120) as answer:
        while part := answer.read(1 << 20):
            total += len(part)
    assert total == BODY
    assert max(_peak(pid) for pid in server.tree()) - before < (48 << 10)


def test_what_is_killed_comes_back_and_nothing_acknowledged_is_lost(server: Server, seats: dict[str, Issued]) -> None:
    token = seats["agent"].token
    acknowledged: dict[str, str] = {}

    def enter(number: int) -> None:
        key = f"kill-{number}"
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            status, receipt = server.ask("/records/investigation.case", token, CASE, Idempotency_Key=key)
            if status == 201:
                acknowledged[key] = receipt["record"]
                return
            assert status in (0, 503), receipt
            time.sleep(0.05)

    def kill(part: str) -> None:
        victims = eventually(lambda: [pid for pid, line in server.tree().items() if part in line])
        os.kill(victims[-1], signal.SIGKILL)

    with concurrent.futures.ThreadPoolExecutor(8) as many:
        work = [many.submit(enter, number) for number in range(ENTRIES)]
        for _ in range(ROUNDS):
            time.sleep(0.3)
            kill("comity.config.serve")  # an HTTP worker
            time.sleep(0.5)
            kill("comity.config.worker")
            time.sleep(0.5)
            http = eventually(lambda: [pid for pid, line in server.tree().items() if "comity.config.serve" in line])
            os.kill(http[0], signal.SIGKILL)  # the HTTP server, whose workers end with it
        for one in work:
            one.result()
    assert len(acknowledged) == len(set(acknowledged.values())) == ENTRIES
    eventually(lambda: server.ask("/health")[0] == 200)
    for key, record in list(acknowledged.items())[::20]:
        status, again = server.ask("/records/investigation.case", token, CASE, Idempotency_Key=key)
        assert (status, again["record"], again["replayed"]) == (201, record, True)
    eventually(lambda: server.ask("/health")[1]["sequencer"]["pending"] == 0)
    eventually(lambda: any("comity.config.worker" in line for line in server.tree().values()))


@pytest.mark.parametrize("pause", PAUSES)
def test_workers_that_are_just_being_made_do_not_outlive_the_http_server(server: Server, pause: float) -> None:
    """A worker swallows the signal that its parent's end sends until it has its own handlers."""
    eventually(lambda: server.ask("/health")[0] == 200)
    (main, *_) = eventually(lambda: [pid for pid, line in server.tree().items() if "comity.config.serve" in line])
    workers = eventually(lambda: set(below(main)))
    os.kill(min(workers), signal.SIGKILL)
    eventually(lambda: set(below(main)) - workers)  # granian makes another
    time.sleep(pause)
    left = list(below(main))
    os.kill(main, signal.SIGKILL)
    eventually(lambda: not [pid for pid in left if _lives(pid)])


def test_it_logs_and_counts_for_all_workers(server: Server, seats: dict[str, Issued]) -> None:
    eventually(lambda: server.ask("/health")[0] == 200)
    for _ in range(20):
        server.ask("/me", seats["agent"].token)

    def counted() -> bool:
        with urllib.request.urlopen(f"{server.address}/metrics", timeout=PATIENCE) as answer:
            text = answer.read().decode()
        lines = [line for line in text.splitlines() if 'route="/api/v1/me",status="200"' in line]
        return bool(lines) and int(lines[0].split()[-1]) >= 20

    eventually(counted)
    log = server.log.read_text()
    assert "route=/api/v1/me status=200" in log
    assert "Served" not in log and seats["agent"].token not in log


def test_a_second_one_at_the_same_address_is_refused(server: Server, node_settings: Settings) -> None:
    bind = server.address.removeprefix("http://").removesuffix("/api/v1")
    environment = {**os.environ, "COMITY_HOME": str(node_settings.home), "COMITY_BIND": bind}
    second = subprocess.run(
        [*COMITY, "serve", "--json"], capture_output=True, text=True, env=environment, check=False, timeout=60
    )
    assert second.returncode == 75
    assert json.loads(second.stdout)["cause"] == "address_in_use"


def test_nothing_is_left_when_it_ends(server: Server) -> None:
    tree = server.tree()
    assert len(tree) >= 4
    assert server.end() == 0
    eventually(lambda: not [pid for pid in tree if _lives(pid)])


def test_it_ends_under_load_and_keeps_what_it_acknowledged(
    node: Any, node_settings: Settings, seats: dict[str, Issued], tmp_path: Path
) -> None:
    server = Server(node_settings.home, tmp_path / "errors.log")
    tree = server.tree()
    token = seats["agent"].token
    acknowledged: list[str] = []

    def enter_until_refused() -> None:
        while True:
            status, receipt = server.ask("/records/investigation.case", token, CASE)
            if status != 201:
                assert status in (0, 503), receipt
                return
            acknowledged.append(receipt["record"])

    with concurrent.futures.ThreadPoolExecutor(8) as many:
        work = [many.submit(enter_until_refused) for _ in range(8)]
        eventually(lambda: len(acknowledged) > 50)
        assert server.end() == 0
        for one in work:
            one.result()
    eventually(lambda: not [pid for pid in tree if _lives(pid)])
    with node.transaction("atf") as (conn, _):
        rows = conn.execute("select count(*) from comity.record where id = any(%s::uuid[])", (acknowledged,)).fetchone()
    assert rows[0] == len(set(acknowledged)) == len(acknowledged)


def test_nothing_is_left_when_it_is_killed(node: Any, node_settings: Settings, tmp_path: Path) -> None:
    server = Server(node_settings.home, tmp_path / "errors.log")
    tree = server.tree()
    server.process.kill()
    server.process.wait()
    eventually(lambda: not [pid for pid in tree if _lives(pid)])


class _Zeros:
    """A body of so many bytes, read in parts."""

    def __init__(self, size: int) -> None:
        self.left = size

    def read(self, size: int = 65536) -> bytes:
        part = bytes(min(size, self.left))
        self.left -= len(part)
        return part


def _peak(pid: int) -> int:
    """The highest resident memory of a process so far, in KiB."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)


def _lives(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
