"""What an installation may set, read from the environment in one place. Every setting is a field here.

| variable | meaning | default |
|---|---|---|
| COMITY_HOME | folder of the embedded database, keys and files | ~/.comity |
| DATABASE_URL | a PostgreSQL server of your own, role comity_app | the embedded one |
| DATABASE_ADMIN_URL | the same database, role comity_owner: migrations only | the embedded one |
| DATABASE_SEQUENCER_URL | the same database, role comity_sequencer | the embedded one |
| COMITY_BIND | address and port to serve | 127.0.0.1:8440 |
| COMITY_TLS_CERT, COMITY_TLS_KEY | certificate chain and private key (PEM) | none |
| COMITY_TRUSTED_PROXY | address of the proxy that ends TLS in front of us | none |
| COMITY_WORKERS | processes that serve | one for each processor, 8 at most |
| COMITY_FEED_BIND | address and port of the live feed, an origin of its own | the address above, the next port |
| COMITY_FEED_ADDRESS | the feed as others reach it, when a proxy stands in front | made from the line above |
| COMITY_WEBHOOK_ALLOW | networks that webhooks may reach although not public, as 10.1.2.0/24,127.0.0.1/32 | none |
| COMITY_FILES | where files of records are kept, as disk or disk:/srv/files | disk, below COMITY_HOME |
| COMITY_OUTBOX_DAYS | days after which a delivery that was made leaves the outbox | 30 |
| COMITY_REFUSAL_DAYS | days after which the trace of a refused act is deleted | 90 |
"""

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from comity.config.startup import StartupRefused
from comity.sentences import Text, say


@dataclass(frozen=True)
class Settings:
    home: Path
    database_url: str | None
    database_admin_url: str | None
    database_sequencer_url: str | None
    bind_host: str
    bind_port: int
    tls_cert: Path | None
    tls_key: Path | None
    trusted_proxy: str | None
    workers: int
    feed_host: str = "127.0.0.1"
    feed_port: int = 8441
    feed_public: str | None = None
    webhook_allow: tuple[str, ...] = ()
    outbox_days: int = 30
    refusal_days: int = 90
    files: str = "disk"

    @property
    def feed_address(self) -> str:
        """Where streams are opened, as a client is told."""
        if self.feed_public:
            return self.feed_public.rstrip("/")
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.feed_host, self.feed_host)
        host = f"[{host}]" if ":" in host else host
        return f"{'https' if self.tls_cert else 'http'}://{host}:{self.feed_port}/feed"

    @property
    def keys(self) -> Path:
        """Private keys of this node, mode 0700; made on first use."""
        folder = self.home / "keys"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder


def settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Raises StartupRefused: `setting_invalid`, `tls_incomplete`, `bind_refused`."""

    def said(name: str) -> str | None:
        return environment.get(name, "").strip() or None

    host, port = _bind(said("COMITY_BIND") or "127.0.0.1:8440")
    cert, key = said("COMITY_TLS_CERT"), said("COMITY_TLS_KEY")
    if bool(cert) != bool(key):
        raise StartupRefused("tls_incomplete", say("tls_incomplete.comity_tls_cert_and_comity"))
    for name, path in (("COMITY_TLS_CERT", cert), ("COMITY_TLS_KEY", key)):
        if path and not os.access(Path(path).expanduser(), os.R_OK):
            raise _invalid(name, path, say("setting_invalid.readable_file"))
    proxy = said("COMITY_TRUSTED_PROXY")
    if proxy and not _is_address(proxy):
        raise _invalid("COMITY_TRUSTED_PROXY", proxy, say("setting_invalid.address_of_proxy"))
    feed_host, feed_port = _feed_bind(said("COMITY_FEED_BIND"), host, port)
    for bound in (host, feed_host) if not cert and not proxy else ():
        if _is_loopback(bound):
            continue
        raise StartupRefused(
            "bind_refused",
            say("bind_refused.can_be_reached_from_other", bound=bound),
        )
    return Settings(
        home=Path(said("COMITY_HOME") or "~/.comity").expanduser().absolute(),
        database_url=said("DATABASE_URL"),
        database_admin_url=said("DATABASE_ADMIN_URL"),
        database_sequencer_url=said("DATABASE_SEQUENCER_URL"),
        bind_host=host,
        bind_port=port,
        tls_cert=Path(cert).expanduser().absolute() if cert else None,
        tls_key=Path(key).expanduser().absolute() if key else None,
        trusted_proxy=proxy,
        workers=_number("COMITY_WORKERS", said("COMITY_WORKERS") or str(min(os.cpu_count() or 1, 8)), 1, 256),
        feed_host=feed_host,
        feed_port=feed_port,
        feed_public=said("COMITY_FEED_ADDRESS"),
        webhook_allow=_networks("COMITY_WEBHOOK_ALLOW", said("COMITY_WEBHOOK_ALLOW") or ""),
        outbox_days=_number("COMITY_OUTBOX_DAYS", said("COMITY_OUTBOX_DAYS") or "30", 1, 36_500),
        files=said("COMITY_FILES") or "disk",
        refusal_days=_number("COMITY_REFUSAL_DAYS", said("COMITY_REFUSAL_DAYS") or "90", 1, 36_500),
    )


def _invalid(name: str, value: str, wanted: Text) -> StartupRefused:
    return StartupRefused("setting_invalid", say("setting_invalid.is", name=name, value=value, wanted=wanted))


def _number(name: str, text: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise _invalid(name, text, say("setting_invalid.number_from", least=least, most=most))
    return int(text)


def _bind(text: str, name: str = "COMITY_BIND") -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon:
        raise _invalid(name, text, say("setting_invalid.address_and_port"))
    return host.strip("[]") or "0.0.0.0", _number(name, port, 0, 65535)


def _feed_bind(text: str | None, host: str, port: int) -> tuple[str, int]:
    if text:
        return _bind(text, "COMITY_FEED_BIND")
    return host, port + 1 if 0 < port < 65535 else 0


def _networks(name: str, text: str) -> tuple[str, ...]:
    try:
        return tuple(str(ipaddress.ip_network(one.strip(), strict=False)) for one in text.split(",") if one.strip())
    except ValueError:
        raise _invalid(name, text, say("setting_invalid.networks")) from None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True
