"""Certificates made for a test, and PostgreSQL behind TLS."""

import select
import socket
import ssl
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import make_url

SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
PIECE_BYTES = 1 << 16


def make_files(folder: Path, *, name: str = "localhost") -> Path:
    """Make an authority and a server's certificate for the host `name`: ca.pem, server.pem, server.key."""
    folder.mkdir(parents=True, exist_ok=True)
    authority_key, server_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = _certificate("Test authority", authority_key, "Test authority", authority_key)
    server = _certificate(name, server_key, "Test authority", authority_key)
    for file, content in (("ca.pem", authority), ("server.pem", server)):
        (folder / file).write_bytes(content.public_bytes(serialization.Encoding.PEM))
    (folder / "server.key").write_bytes(
        server_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    for file in folder.iterdir():
        file.chmod(0o644)
    return folder


def _certificate(name, key, issuer, issuer_key):
    now = datetime.now(UTC)
    is_authority = name == issuer
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if not is_authority:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


class TlsDoor:
    """Takes PostgreSQL's TLS connections and hands what they say to the server at `url`."""

    def __init__(self, url: str, files: Path) -> None:
        self._target = make_url(url)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(files / "server.pem", files / "server.key")
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._serve, daemon=True).start()

    def url(self, host: str) -> str:
        there = self._target.set(host=host, port=self._listener.getsockname()[1], query={})
        return there.render_as_string(hide_password=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client = self._listener.accept()[0]
                threading.Thread(target=self._answer, args=(client,), daemon=True).start()

    def _answer(self, client: socket.socket) -> None:
        with suppress(OSError), client:
            if client.recv(len(SSL_REQUEST)) != SSL_REQUEST:
                return
            client.sendall(b"S")
            with self._context.wrap_socket(client, server_side=True) as inside, self._server() as server:
                _carry(inside, server)

    def _server(self) -> socket.socket:
        folder = self._target.query.get("host")
        if folder:
            made = socket.socket(socket.AF_UNIX)
            made.connect(f"{folder}/.s.PGSQL.5432")
            return made
        return socket.create_connection((self._target.host or "127.0.0.1", self._target.port or 5432))


def _carry(inside: ssl.SSLSocket, server: socket.socket) -> None:
    """Both ways in one thread: a TLS connection is not for two at once."""
    while True:
        ready = [inside] if inside.pending() else select.select([inside, server], [], [])[0]
        for source, target in ((inside, server), (server, inside)):
            if source in ready:
                piece = source.recv(PIECE_BYTES)
                if not piece:
                    return
                target.sendall(piece)
