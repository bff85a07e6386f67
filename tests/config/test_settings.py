"""Settings come from the environment in one place, and a dangerous one is refused."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from comity.config import paths
from comity.config.secret import secret_of_node
from comity.config.settings import settings
from comity.config.startup import StartupRefused


def test_defaults() -> None:
    found = settings({})
    assert found.home == Path("~/.comity").expanduser()
    assert (found.bind_host, found.bind_port) == ("127.0.0.1", 8440)
    assert found.database_url is None
    assert found.workers >= 1
    assert (found.outbox_days, settings({"COMITY_OUTBOX_DAYS": "7"}).outbox_days) == (30, 7)
    assert (found.refusal_days, settings({"COMITY_REFUSAL_DAYS": "7"}).refusal_days) == (90, 7)


def test_a_public_address_needs_tls_or_a_proxy(tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    cert.touch()
    key.touch()
    public = {"COMITY_BIND": "0.0.0.0:8440"}
    assert settings({**public, "COMITY_TLS_CERT": str(cert), "COMITY_TLS_KEY": str(key)}).tls_cert == cert
    assert settings({**public, "COMITY_TRUSTED_PROXY": "10.0.0.5"}).trusted_proxy == "10.0.0.5"
    assert settings({"COMITY_BIND": "[::1]:1"}).bind_host == "::1"


@pytest.mark.parametrize(
    ("environment", "code"),
    [
        ({"COMITY_BIND": "0.0.0.0:8440"}, "bind_refused"),
        ({"COMITY_BIND": ":8440"}, "bind_refused"),
        ({"COMITY_BIND": "court.example:8440"}, "bind_refused"),
        ({"COMITY_BIND": "[::]:8440"}, "bind_refused"),
        ({"COMITY_BIND": "8440"}, "setting_invalid"),
        ({"COMITY_BIND": "127.0.0.1:99999"}, "setting_invalid"),
        ({"COMITY_WORKERS": "many"}, "setting_invalid"),
        ({"COMITY_WORKERS": "0"}, "setting_invalid"),
        ({"COMITY_OUTBOX_DAYS": "0"}, "setting_invalid"),
        ({"COMITY_OUTBOX_DAYS": "a month"}, "setting_invalid"),
        ({"COMITY_REFUSAL_DAYS": "0"}, "setting_invalid"),
        ({"COMITY_TRUSTED_PROXY": "the one in front"}, "setting_invalid"),
        ({"COMITY_TLS_CERT": "/absent.pem"}, "tls_incomplete"),
        ({"COMITY_TLS_CERT": "/absent.pem", "COMITY_TLS_KEY": "/absent.key"}, "setting_invalid"),
    ],
)
def test_refused(environment: dict[str, str], code: str) -> None:
    with pytest.raises(StartupRefused) as refused:
        settings(environment)
    assert refused.value.code == code


def test_a_secret_is_made_once_and_is_ours_alone(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: secret_of_node(keys, "django_secret"), range(32)))
    assert len(found) == 1
    assert len(found.pop()) >= 50
    assert (keys / "django_secret").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in keys.iterdir()] == ["django_secret"]


def test_definitions_are_found() -> None:
    assert paths.pillars().is_dir()
    assert paths.jurisdictions().is_dir()
    assert paths.agencies().is_dir()


def test_settings_are_read_without_django_or_a_driver() -> None:
    code = "import sys, comity.config.supervise, comity.config.settings as s; "
    heavy = "sys.exit(bool({'django', 'psycopg'} & {*sys.modules}))"
    assert subprocess.run([sys.executable, "-c", code + heavy]).returncode == 0
