"""Where webhooks do not go: the host's own network, by whatever spelling, name, redirect or second answer of a name."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Sequence

import pytest

from comity.errors import Problem
from comity.kernel.sharing.http_client import HttpClient, is_public, resolve
from tests.sharing.stage import LOOPBACK, Receiver
from tests.world import refused

PRIVATE = (
    "127.0.0.1", "127.8.9.10", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "100.100.100.200", "192.0.0.192", "198.18.0.1", "224.0.0.1", "239.1.1.1", "240.0.0.1",
    "255.255.255.255", "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "fe80::1",
    "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1",
    "2002:7f00:1::", "2002:a00:1::", "2001:db8::1", "2001::1", "100::1",
)  # fmt: skip
PUBLIC = ("1.1.1.1", "93.184.215.14", "2606:4700::1111", "64:ff9b::101:101")


def leading_to(*addresses: str) -> HttpClient:
    return HttpClient(resolver=lambda host, port: addresses)


@pytest.mark.parametrize("address", PRIVATE)
def test_no_private_address_is_reached_by_a_name_or_written_out(address: str) -> None:
    assert refused(leading_to(address).post, "https://hooks.example/x", {}, b"").code == "webhook_refused"
    shown = f"[{address}]" if ":" in address else address
    assert refused(HttpClient().judged, f"https://{shown}/x").code == "webhook_refused"


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_public(address: str) -> None:
    from ipaddress import ip_address

    assert is_public(ip_address(address))


def test_one_private_address_among_public_ones_refuses_the_name() -> None:
    mixed = leading_to("1.1.1.1", "127.0.0.1")
    assert refused(mixed.post, "https://hooks.example/x", {}, b"").code == "webhook_refused"


@pytest.mark.parametrize("host", ["localhost", "2130706433", "0x7f.1", "127.1", "0177.0.0.1"])
def test_other_spellings_of_loopback_are_refused_where_they_resolve(host: str) -> None:
    try:
        resolve(host, 443)
    except OSError:
        pytest.skip("this resolver does not know the spelling")
    assert refused(HttpClient().post, f"https://{host}/x", {}, b"").code == "webhook_refused"


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example/x", "ftp://hooks.example/x", "file:///etc/passwd", "https://user:word@hooks.example/x",
        "https://hooks.example@127.0.0.1/x", "https:///x", "https://hooks.example/x#y", "https://hooks.example:0/x",
        "https://hooks.example:99999/x", "https://hooks.example/a b", "https://hooks.example/\r\nHost: other",
        "https://hooks.example/" + "x" * 2_000, "https://hööks.example/", "gopher://hooks.example", "",
        "hooks.example/x",
    ],
)  # fmt: skip
def test_an_address_that_is_not_plain_https_is_refused(url: str) -> None:
    assert refused(HttpClient().judged, url).code == "webhook_refused"


def test_a_name_is_resolved_once_and_the_connection_goes_where_it_was_judged() -> None:
    asked = []

    def turning(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    with Receiver().listening() as there:
        out = HttpClient(allowed=LOOPBACK, resolver=turning)
        assert out.post(f"http://hooks.example:{there.port}/x?y=1", {"A": "b"}, b"{}") == 204
        assert there.got[0][0]["host"] == f"hooks.example:{there.port}"
    assert asked == ["hooks.example"]


def test_plain_http_goes_to_listed_networks_only() -> None:
    out = HttpClient(allowed=("10.9.0.0/16",), resolver=lambda host, port: ["1.1.1.1"])
    assert refused(out.post, "http://hooks.example/x", {}, b"").code == "webhook_refused"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with Receiver().listening() as inner:
        lead = f"HTTP/1.1 {status} There\r\nLocation: {inner.url}\r\nContent-Length: 0\r\n\r\n".encode()
        with Receiver(answer=lambda _: lead).listening() as there:
            problem = refused(HttpClient(allowed=LOOPBACK).post, there.url, {}, b"{}")
        assert problem.code == "webhook_failed" and "redirect" in problem.detail
        assert inner.got == []


def test_an_answer_without_end_is_read_to_a_bound() -> None:
    endless = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"x" * (8 << 20)
    with Receiver(answer=lambda _: endless).listening() as there:
        assert HttpClient(allowed=LOOPBACK).post(there.url, {}, b"{}") == 200


def test_a_receiver_that_does_not_answer_is_given_up_in_time() -> None:
    with Receiver(hold=threading.Event()).listening() as there:
        problem = refused(HttpClient(allowed=LOOPBACK, seconds=0.4).post, there.url, {}, b"{}")
    assert problem.code == "webhook_failed"


def test_a_receiver_that_answers_a_byte_at_a_time_is_given_up_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                for byte in b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 100:
                    try:
                        connection.sendall(bytes([byte]))
                    except OSError:
                        return
                    time.sleep(0.1)

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        out = HttpClient(allowed=LOOPBACK, seconds=0.6)
        problem = refused(out.post, f"http://127.0.0.1:{server.getsockname()[1]}/", {}, b"{}")
        assert problem.code == "webhook_failed"
        thread.join(3)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"HTTP/1.1 500 No\r\n\r\n", "webhook_failed"), (b"HTTP/1.1 404 No\r\n\r\n", "webhook_failed"),
        (b"HTTP/1.1 410 Gone\r\n\r\n", "endpoint_gone"), (b"nonsense\r\n\r\n", "webhook_failed"),
        (b"", "webhook_failed"),
    ],
)  # fmt: skip
def test_what_is_no_success_is_a_failure(answer: bytes, code: str) -> None:
    with Receiver(answer=lambda _: answer).listening() as there:
        assert refused(HttpClient(allowed=LOOPBACK, seconds=2).post, there.url, {}, b"{}").code == code


def test_a_name_that_does_not_resolve_is_a_failure_to_be_tried_again() -> None:
    def nothing(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror

    with pytest.raises(Problem) as caught:
        HttpClient(resolver=nothing).post("https://hooks.example/x", {}, b"")
    assert caught.value.code == "webhook_failed"
