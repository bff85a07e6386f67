"""Deliveries over TLS: the certificate is checked for the name, on a connection to the address that was judged."""

from __future__ import annotations

import socket
import ssl
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from comity import clock
from comity.kernel.sharing.http_client import HttpClient
from tests.sharing.stage import LOOPBACK, Receiver
from tests.world import refused

NAME = "hooks.example"


def certificate(folder: Path, name: str) -> tuple[Path, ssl.SSLContext]:
    """A certificate for a name that signs itself: its file, and a server that shows it."""
    key = ec.generate_private_key(ec.SECP256R1())
    called = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(called).issuer_name(called)
        .public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(clock.now() - timedelta(days=1)).not_valid_after(clock.now() + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    shown, kept = folder / "certificate.pem", folder / "key.pem"
    shown.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    kept.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(shown, kept)
    return shown, server


def outward(trusted: Path | None, **more: float) -> HttpClient:
    context = ssl.create_default_context(cafile=str(trusted) if trusted else None)
    return HttpClient(LOOPBACK, lambda host, port: ["127.0.0.1"], context=context, **more)


def test_a_delivery_is_taken_over_tls_by_whom_the_name_belongs_to(tmp_path: Path) -> None:
    shown, server = certificate(tmp_path, NAME)
    with Receiver(tls=server).listening() as there:
        assert outward(shown).post(f"https://{NAME}:{there.port}/hook", {"webhook-id": "1"}, b"{}") == 204
        ((headers, body),) = there.got
    assert body == b"{}" and headers["host"].startswith(NAME) and headers["webhook-id"] == "1"


@pytest.mark.parametrize(("name", "trusted"), [("other.example", True), (NAME, False)])
def test_nothing_is_said_to_who_shows_another_name_or_is_not_vouched_for(
    tmp_path: Path, name: str, trusted: bool
) -> None:
    shown, server = certificate(tmp_path, name)
    with Receiver(tls=server).listening() as there:
        out = outward(shown if trusted else None)
        problem = refused(out.post, f"https://{NAME}:{there.port}/hook", {}, b"secret")
        assert problem.code == "webhook_failed" and "SSLCertVerificationError" in problem.detail
        assert there.got == []


def test_a_handshake_a_byte_at_a_time_is_given_up() -> None:
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                for byte in b"\x16\x03\x03\x40\x00" + bytes(16384):  # the head of a record that is long in coming
                    try:
                        connection.sendall(bytes([byte]))
                    except OSError:
                        return
                    if over.wait(0.05):
                        return

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        problem = refused(outward(None, seconds=0.5).post, f"https://{NAME}:{server.getsockname()[1]}/", {}, b"{}")
        given_up = thread.is_alive()
        over.set()
        thread.join()
    assert problem.code == "webhook_failed" and given_up
