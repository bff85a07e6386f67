"""The only way out: one POST to a public address, resolved once, connected to as resolved, bounded in time and size.

A name that an agency gives could lead into the host's own network (a loopback service, the metadata address of a
cloud). So every address that the name resolves to is judged, and the connection goes to one that was judged: what the
name resolves to a moment later does not matter. Redirects are not followed. Proxies of the environment are not used.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from comity.errors import Problem
from comity.sentences import Text, say

Address = IPv4Address | IPv6Address
Resolver = Callable[[str, int], Sequence[str]]
MOST_READ = 64 * 1024
LONGEST_URL = 2_000
_NOT_PUBLIC = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/3", "::/8", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16",
        "fc00::/7", "fe80::/9", "ff00::/8",
    )
)  # fmt: skip
"""Special-purpose addresses (IANA registries of RFC 6890), multicast and reserved ones among them."""
_CARRIES_IPV4 = ((IPv6Network("64:ff9b::/96"), 0), (IPv6Network("2002::/16"), 80))
"""IPv6 prefixes that hold an IPv4 address, and how many bits stand behind it: NAT64, 6to4."""


def resolve(host: str, port: int) -> Sequence[str]:
    """Every address of a name, as the host's own resolver has it."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


@dataclass(frozen=True, slots=True)
class Target:
    host: str
    port: int
    path: str
    tls: bool


@dataclass(frozen=True)
class HttpClient:
    """`allowed` networks may be reached although they are not public, and without TLS. `seconds` bound one delivery."""

    allowed: Sequence[str] = ()
    resolver: Resolver = resolve
    seconds: float = 15
    context: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    def judged(self, url: str) -> Target:
        """The parts of a URL to which deliveries may be addressed; Problem `webhook_refused`. Resolves no name."""
        target = _target(url)
        literal = _literal(target.host)
        if literal is not None and not self._may(literal):
            raise _refused(say("webhook_refused.is_no_public_address", host=target.host))
        if not target.tls and not self.allowed:
            raise _refused(say("webhook_refused.deliveries_go_by_https"))
        return target

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        """Send one POST and answer its status (2xx). Problem: webhook_refused, webhook_failed, endpoint_gone (410)."""
        target = self.judged(url)
        addresses = self._addresses(target)
        connection = _connection(target, str(addresses[0]), self.seconds, self.context)
        watch = threading.Timer(self.seconds, _cut, (connection,))
        watch.daemon = True
        watch.start()
        try:
            connection.request("POST", target.path, body, {**headers, "Connection": "close"})
            response = connection.getresponse()
            status = response.status
            response.read(MOST_READ)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Problem(
                "webhook_failed", say("webhook_failed.delivery_was_not_taken", name=type(error).__name__)
            ) from None
        finally:
            watch.cancel()
            connection.close()
        if status == http.HTTPStatus.GONE:
            raise Problem("endpoint_gone", say("endpoint_gone.address_answered_410_it_wants"))
        if 300 <= status < 400:
            raise Problem("webhook_failed", say("webhook_failed.address_answered_redirect_is_not", status=status))
        if not 200 <= status < 300:
            raise Problem("webhook_failed", say("webhook_failed.address_answered", status=status))
        return status

    def _addresses(self, target: Target) -> list[Address]:
        """What the name resolves to, once; refused if any of it may not be reached."""
        try:
            found = [ip_address(text) for text in self.resolver(target.host, target.port)]
        except (OSError, ValueError, UnicodeError):
            raise Problem("webhook_failed", say("webhook_failed.does_not_resolve", host=target.host)) from None
        if not found:
            raise Problem("webhook_failed", say("webhook_failed.does_not_resolve", host=target.host))
        for one in found:
            if not self._may(one):
                raise _refused(say("webhook_refused.leads_to_which_is_no", host=target.host, one=one))
            if not target.tls and not self._listed(one):
                raise _refused(say("webhook_refused.deliveries_go_by_https"))
        return found

    def _may(self, address: Address) -> bool:
        return self._listed(address) or is_public(address)

    def _listed(self, address: Address) -> bool:
        plain = _carried(address) or address
        return any(plain in ip_network(text, strict=False) for text in self.allowed)


def is_public(address: Address) -> bool:
    """Whether an address is on the public internet. One that carries an IPv4 address is judged by that one too."""
    carried = _carried(address)
    if carried is not None:
        return is_public(carried)
    in_special = any(address.version == one.version and address in one for one in _NOT_PUBLIC)
    return address.is_global and not address.is_multicast and not in_special


def _carried(address: Address) -> IPv4Address | None:
    if isinstance(address, IPv4Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    for network, behind in _CARRIES_IPV4:
        if address in network:
            return IPv4Address(int(address) >> behind & 0xFFFFFFFF)
    return None


def _target(url: str) -> Target:
    if len(url) > LONGEST_URL or not all("\x21" <= one <= "\x7e" for one in url):
        raise _refused(say("webhook_refused.address_is_written_in_at"))
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname or ""
    except ValueError:
        raise _refused(say("webhook_refused.this_is_no_address_of")) from None
    if parts.scheme not in ("https", "http") or not host or parts.fragment or "@" in parts.netloc or port == 0:
        raise _refused(say("webhook_refused.address_is_https_host_path"))
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    tls = parts.scheme == "https"
    return Target(host, port or (443 if tls else 80), path, tls)


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _refused(detail: Text) -> Problem:
    return Problem("webhook_refused", detail, fix=say("webhook_refused.name_public_https_address_or.fix"))


def _connection(target: Target, address: str, seconds: float, context: ssl.SSLContext) -> http.client.HTTPConnection:
    if target.tls:
        return _PinnedTls(target, address, seconds, context)
    return _Pinned(target, address, seconds)


class _Pinned(http.client.HTTPConnection):
    """A connection to the address that was judged, whatever the name says now."""

    def __init__(self, target: Target, address: str, seconds: float) -> None:
        super().__init__(target.host, target.port, timeout=seconds)
        self._address = address

    def connect(self) -> None:
        self.sock = socket.create_connection((self._address, self.port), self.timeout)


class _PinnedTls(http.client.HTTPSConnection):
    """The same over TLS, the certificate checked for the name."""

    def __init__(self, target: Target, address: str, seconds: float, context: ssl.SSLContext) -> None:
        super().__init__(target.host, target.port, timeout=seconds, context=context)
        self._address, self._made = address, context

    def connect(self) -> None:
        self.sock = socket.create_connection((self._address, self.port), self.timeout)
        self.sock = self._made.wrap_socket(self.sock, server_hostname=self.host, do_handshake_on_connect=False)
        self.sock.do_handshake()  # on a socket that is ours already, so that `_cut` ends this too


def _cut(connection: http.client.HTTPConnection) -> None:
    """Time is over, however slowly the other side still speaks."""
    sock = connection.sock
    if sock is not None:
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            return
