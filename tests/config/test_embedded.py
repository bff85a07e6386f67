"""A server of one's own: it comes when it is needed, survives what can befall it, and leaves nothing behind."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from comity.config.embedded import Embedded
from comity.config.embedded_folders import private_folder, require_room
from comity.config.startup import StartupRefused
from tests.config import server
from tests.conftest import test_binaries
from tests.patience import eventually
from tests.speeds.sizes import size

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="watches processes through /proc")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root meets this")


@pytest.fixture(scope="module", autouse=True)
def impatient() -> Iterator[None]:
    """Supervisors of these tests end sooner after their last user than the two seconds of production."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMITY_EMBEDDED_GRACE", "0.3")
        yield


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home whose server has been made and has ended: the costly part, once."""
    home = tmp_path_factory.mktemp("made")
    embedded = Embedded(home, test_binaries())
    urls = embedded.start()
    with psycopg.connect(urls.owner) as connection:
        connection.execute("CREATE TABLE kept (word text)")
        connection.execute("INSERT INTO kept VALUES ('राम')")
        connection.execute("GRANT SELECT, INSERT ON kept TO comity_app")
    embedded.release()
    server.nothing_left(home)
    yield home
    server.nothing_left(home)


@pytest.mark.pg15
def test_it_starts_once_is_shared_and_ends_with_its_last_user(made: Path) -> None:
    first, second = Embedded(made, test_binaries()), Embedded(made, test_binaries())
    urls = first.start()
    assert server.ask(urls.app, "SELECT word FROM kept") == "राम"
    pid = server.postmaster(made)
    assert second.start() == urls == first.start()
    assert server.postmaster(made) == pid
    first.release()
    assert server.ask(second.start().app, "SELECT session_user") == "comity_app"
    second.release()
    server.nothing_left(made)
    assert not (made / "postgres" / "postmaster.pid").exists()


@pytest.mark.pg15
def test_it_listens_on_no_network_address_and_its_folders_are_ours_alone(made: Path) -> None:
    with Embedded(made, test_binaries()) as urls:
        assert server.ask(urls.app, "SHOW listen_addresses") == ""
        assert server.ask(urls.app, "SHOW data_checksums") == "on"
        for folder in (made / "postgres", made / "run"):
            assert folder.stat().st_mode & 0o777 == 0o700
        roles = """SELECT count(*) FROM pg_roles WHERE rolname LIKE 'comity%'
                    AND NOT rolsuper AND NOT rolbypassrls AND NOT rolcreaterole AND NOT rolcreatedb"""
        assert server.ask(urls.app, roles) == 3
        extensions = "SELECT string_agg(extname, ' ' ORDER BY extname) FROM pg_extension WHERE extname <> 'plpgsql'"
        assert server.ask(urls.app, extensions) == "btree_gin fuzzystrmatch pg_trgm"


def test_a_killed_program_leaves_no_server(made: Path) -> None:
    user = server.program(made)
    assert server.said(user).startswith("postgresql://")
    server.kill(user)
    server.nothing_left(made)


def test_a_killed_supervisor_takes_the_server_along_and_the_next_start_recovers(made: Path) -> None:
    user = server.program(made)
    url = server.said(user)
    for round_ in range(size(small=3, deep=20)):
        with psycopg.connect(url) as connection:
            connection.execute("INSERT INTO kept VALUES (%s)", (f"before {round_}",))
        server.kill_hard(server.supervisor(made))
        with Embedded(made, test_binaries()) as urls:  # at once: the old one is still ending
            counted = f"SELECT count(*) FROM kept WHERE word = 'before {round_}'"
            assert server.ask(urls.app, counted) == 1
            assert len([line for line in server.processes_of(made) if "postgres -D" in line]) == 1
    server.kill(user)
    server.nothing_left(made)


def test_a_killed_postmaster_is_started_again_even_while_a_query_runs(made: Path) -> None:
    with Embedded(made, test_binaries()) as urls, closing(psycopg.connect(urls.app)) as busy:
        server.ask(urls.owner, "INSERT INTO kept VALUES ('committed') RETURNING 1")
        pid = server.postmaster(made)
        busy.pgconn.send_query(b"SELECT count(*) FROM generate_series(1, 200000000)")
        server.kill_hard(pid)
        eventually(lambda: not Path(f"/proc/{pid}").exists())
        assert server.ask_patiently(urls.app, "SELECT count(*) FROM kept WHERE word = 'committed'") == 1
        assert server.postmaster(made) != pid
    server.nothing_left(made)


def test_both_killed_at_once(made: Path) -> None:
    user = server.program(made)
    server.said(user)
    supervisor, postmaster = server.supervisor(made), server.postmaster(made)
    server.kill_hard(supervisor)
    server.kill_hard(postmaster)
    with Embedded(made, test_binaries()) as urls:
        assert server.ask(urls.app, "SELECT 1") == 1
    server.kill(user)
    server.nothing_left(made)


def test_a_long_running_program_is_attached_again_by_itself(made: Path) -> None:
    embedded = Embedded(made, test_binaries())
    urls = embedded.start()
    embedded.keep()
    before = server.supervisor(made)
    server.kill_hard(before)
    eventually(lambda: not Path(f"/proc/{before}").exists())
    assert server.ask_patiently(urls.app, "SELECT 1") == 1
    embedded.release()
    server.nothing_left(made)


@pytest.mark.parametrize("number", ["the number of a process that lives", "of one that does not"])
def test_a_stale_lock_file_does_not_hinder(made: Path, number: str) -> None:
    pid = os.getpid() if "lives" in number and "not" not in number else 4_000_000
    stale = made / "postgres" / "postmaster.pid"
    stale.write_text(f"{pid}\n{made}/postgres\n1700000000\n5432\n{made}/run\n\n        1         1\nready   \n")
    (made / "run" / ".s.PGSQL.5432.lock").write_text(f"{pid}\n{made}/postgres\n1700000000\n5432\n{made}/run\n")
    (made / "run" / "supervisor.sock").touch()
    with Embedded(made, test_binaries()) as urls:
        assert server.ask(urls.app, "SELECT 1") == 1
    server.nothing_left(made)


def test_programs_that_start_together_share_one_server(tmp_path: Path) -> None:
    users = [server.program(tmp_path) for _ in range(size(small=5, deep=12))]
    addresses = {server.said(user) for user in users}
    assert len(addresses) == 1
    assert len([line for line in server.processes_of(tmp_path) if "postgres -D" in line]) == 1
    assert len([line for line in server.processes_of(tmp_path) if "comity.config.supervise" in line]) == 1
    for user in users:
        server.finish(user)
    server.nothing_left(tmp_path)


def _served_and_ended(home: Path, patience: float) -> None:
    """A client is served and its server told to end. It may have joined one that was told before and ends only now."""
    for _ in range(100):
        with contextlib.suppress(psycopg.OperationalError), Embedded(home, test_binaries()) as urls:
            assert server.ask(urls.app, "SELECT 1") == 1
            os.kill(server.supervisor(home), signal.SIGTERM)
            time.sleep(patience)
            return
        time.sleep(0.1)
    raise AssertionError("nobody was served")


def test_a_home_with_a_long_path(tmp_path: Path) -> None:
    home = tmp_path / ("district-" * 20) / "comity"
    with Embedded(home, test_binaries()) as urls:
        assert server.ask(urls.app, "SELECT 1") == 1
        sockets = str(server.ask(urls.superuser, "SHOW unix_socket_directories"))
        assert len(sockets) < 90
        assert Path(sockets).stat().st_mode & 0o777 == 0o700
    for patience in (0.0, 0.15, 0.3):  # the next one comes at any moment of the last one's end
        _served_and_ended(home, patience)
    server.nothing_left(home)
    assert not Path(sockets).exists()


def test_a_folder_that_goes_while_it_is_looked_at_is_made_again(tmp_path: Path) -> None:
    """By a supervisor that ends; two of them, as often as they can."""
    folder = tmp_path / "run"
    ended = threading.Event()

    def removing() -> None:
        while not ended.is_set():
            with contextlib.suppress(OSError):
                folder.rmdir()

    thread = threading.Thread(target=removing)
    thread.start()
    try:
        for _ in range(size(small=300, deep=20_000)):
            private_folder(folder)
    finally:
        ended.set()
        thread.join()


def test_what_runs_on_holds_nothing_of_the_one_who_started_it(made: Path) -> None:
    """Else `comity db start | cat` would not end with the command."""
    user = server.program(made, stderr=subprocess.PIPE)
    assert server.said(user).startswith("postgresql://")
    streams = {str(Path(f"/proc/{user.pid}/fd/{number}").readlink()) for number in (0, 1, 2)}
    for pid in (server.supervisor(made), server.postmaster(made)):
        held = set()
        for one in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                held.add(str(one.readlink()))
        assert not streams & held
    server.kill(user)
    assert user.stderr is not None
    user.stderr.close()
    server.nothing_left(made)


def test_a_folder_that_another_user_put_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "run").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StartupRefused) as refused:
        Embedded(tmp_path, test_binaries()).start()
    assert refused.value.code == "folder_not_ours"


@pytest.mark.parametrize(("version", "code"), [("99", "data_newer"), ("9", "data_older")])
def test_data_of_another_postgresql_are_refused(made: Path, version: str, code: str) -> None:
    file = made / "postgres" / "PG_VERSION"
    true_version = file.read_text()
    file.write_text(version + "\n")
    try:
        with pytest.raises(StartupRefused) as refused:
            Embedded(made, test_binaries()).start()
        assert refused.value.code == code
    finally:
        file.write_text(true_version)
    server.nothing_left(made)


def test_too_little_room_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StartupRefused) as refused:
        require_room(tmp_path / "not" / "yet", 2**62)
    assert refused.value.code == "disk_full"


@as_root
def test_a_full_disk_is_refused_at_the_start(tmp_path: Path) -> None:
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=30m,mode=700", "none", tmp_path]).returncode != 0:
        pytest.skip("mounting is not allowed here")
    try:
        with pytest.raises(StartupRefused) as refused:
            Embedded(tmp_path, test_binaries()).start()
        assert refused.value.code == "disk_full"
        server.nothing_left(tmp_path)
    finally:
        subprocess.run(["umount", tmp_path], check=True)


def test_a_start_that_was_interrupted_is_begun_again(tmp_path: Path) -> None:
    (tmp_path / "postgres.part").mkdir()
    (tmp_path / "postgres.part" / "PG_VERSION").write_text("18\n")
    with Embedded(tmp_path, test_binaries()) as urls:
        assert server.ask(urls.app, "SELECT 1") == 1
    server.nothing_left(tmp_path)


@as_root
def test_an_ordinary_user_has_a_server_too() -> None:
    nobody = pwd.getpwnam("nobody")
    identity = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    packages = [path for path in sys.path if path.endswith("site-packages")]
    root = str(Path(__file__).resolve().parents[2])
    environment = {"PYTHONPATH": ":".join([root, *packages]), "PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1"}
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    for python in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        trial = [python, "-c", "import psycopg, comity.config.embedded"]
        try:
            if subprocess.run(trial, env=environment, cwd="/", capture_output=True, **identity).returncode == 0:  # type: ignore[call-overload]
                break
        except OSError:
            continue
    else:
        pytest.skip(f"no {version} here that the account nobody may run")
    home = Path(tempfile.mkdtemp(prefix="comity-test-"))
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    try:
        user = server.program(home, python=python, env=environment, cwd="/", **identity)
        url = server.said(user)
        assert url.startswith("postgresql://comity_app@")
        assert (home / "postgres").stat().st_uid == nobody.pw_uid
        assert Path(f"/proc/{server.postmaster(home)}").stat().st_uid == nobody.pw_uid
        with pytest.raises(psycopg.OperationalError):  # peer: not even root passes for another
            psycopg.connect(url)
        server.kill(user)
        server.nothing_left(home)
    finally:
        shutil.rmtree(home)


@as_root
def test_where_user_namespaces_are_refused_nobody_runs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    home = Path(tempfile.mkdtemp(prefix="comity-test-"))
    monkeypatch.setenv("COMITY_POSTGRES_ACCOUNT", "nobody")
    try:
        user = server.program(home)
        url = server.said(user)
        assert server.ask(url, "SELECT session_user") == "comity_app"
        assert (home / "postgres").stat().st_uid == pwd.getpwnam("nobody").pw_uid
        assert home.stat().st_mode & 0o777 == 0o711
        server.kill_hard(server.supervisor(home))
        again = server.program(home)
        assert server.said(again) == url
        server.finish(again)
        server.kill(user)
        server.nothing_left(home)
    finally:
        shutil.rmtree(home)


@as_root
def test_data_of_a_user_namespace_are_not_passed_over_where_it_is_refused(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if (made / "postgres").stat().st_uid != 0:
        pytest.skip("user namespaces are refused here")
    monkeypatch.setenv("COMITY_POSTGRES_ACCOUNT", "nobody")
    user = server.program(made)
    assert server.said(user) == "refused account_changed"
    server.finish(user)
