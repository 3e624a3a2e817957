"""Mutual TLS against a real server of the standard library: whoever cannot prove who it is gets no question."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from hps.ask import door, tls
from hps.errors import Denied, InvalidInput, NotFound, Unreachable
from hps.security import authority, certificates
from tests.sites import mac_of

pytestmark = pytest.mark.programs
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
DAY = 86400.0


@dataclass
class Place:
    """An authority with a certificate of an IPS at 127.0.0.1, and the files of a node."""

    folder: Path

    def __post_init__(self) -> None:
        authority.ensure_authority(self.folder, "lab")
        authority.ensure_server_certificate(self.folder, ["ips"], ["127.0.0.1"])
        self.ca, self.own = self.folder / "ca.pem", self.folder / "own.pem"
        self.own.write_text(self.issued())

    def issued(self, now: float | None = None) -> str:
        key, request = certificates.key_and_request()
        return key + certificates.issue(self.folder, request, certificates.NODE, mac_of(1).digits, 30, now=now).pem

    def files(self) -> tuple[str, str, str]:
        return str(self.ca), str(self.own), str(self.own)

    @contextmanager
    def serving(self, answer: bytes = ANSWER, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3, clean: bool = True) -> Iterator[int]:
        """The port of a server that asks for a certificate of this authority, and takes one connection."""
        settings = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(self.ca))
        settings.verify_mode = ssl.CERT_REQUIRED
        settings.load_cert_chain(self.folder / "ips.pem", self.folder / "ips.key")
        settings.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        settings.maximum_version = version
        with socket.create_server(("127.0.0.1", 0)) as listener:

            def serve() -> None:
                plain = listener.accept()[0]
                try:
                    with settings.wrap_socket(plain, server_side=True) as connection:
                        connection.recv(1 << 16)
                        connection.sendall(answer)
                        if clean:
                            connection.unwrap()
                except OSError:
                    plain.close()

            thread = threading.Thread(target=serve)
            thread.start()
            yield int(listener.getsockname()[1])
            thread.join(10)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("ca", numbered=True) / "lab")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("ca", numbered=True) / "other")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_both_prove_who_they_are(place: Place, version: ssl.TLSVersion) -> None:
    with place.serving(version=version) as port:
        answer = door.ask(tls.connect("127.0.0.1", port, *place.files()), "/hps-api", b"{}")
    assert answer.body == b"hello"


def test_an_end_that_is_not_announced_is_none_of_ours_to_judge_but_a_short_answer_is(place: Place) -> None:
    with place.serving(clean=False) as port:
        assert door.ask(tls.connect("127.0.0.1", port, *place.files()), "/", b"{}").body == b"hello"
    with place.serving(answer=ANSWER[:-1], clean=False) as port, pytest.raises(Unreachable, match="cut off"):
        door.ask(tls.connect("127.0.0.1", port, *place.files()), "/", b"{}")


def test_a_server_of_another_authority_is_denied(place: Place, other: Place) -> None:
    with other.serving() as port, pytest.raises(Denied, match="not the server"):
        tls.connect("127.0.0.1", port, *place.files())


def test_a_server_with_another_name_is_denied(place: Place) -> None:
    with place.serving() as port, pytest.raises(Denied, match="not the server"):
        tls.connect("localhost", port, *place.files())


@pytest.mark.parametrize("moment", [-800 * DAY, 800 * DAY])
def test_a_server_whose_certificate_is_not_of_now_is_denied(tmp_path: Path, moment: float) -> None:
    place = Place(tmp_path)
    (tmp_path / "ips.pem").unlink()
    authority.ensure_server_certificate(tmp_path, ["ips"], ["127.0.0.1"], now=time.time() + moment)
    with place.serving() as port, pytest.raises(Denied, match="not the server"):
        tls.connect("127.0.0.1", port, *place.files())


def test_a_certificate_of_another_cluster_gets_no_answer(place: Place, other: Place) -> None:
    with place.serving() as port, pytest.raises(Unreachable):
        door.ask(tls.connect("127.0.0.1", port, str(place.ca), str(other.own), str(other.own)), "/", b"{}")


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_old_versions_of_tls_are_not_spoken(place: Place) -> None:
    with place.serving(version=ssl.TLSVersion.TLSv1_1) as port, pytest.raises(Unreachable, match="TLS"):
        tls.connect("127.0.0.1", port, *place.files())


def test_what_is_no_server_of_tls_is_unreachable(place: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=lambda: listener.accept()[0].close())
        thread.start()
        with pytest.raises(Unreachable, match="does not speak TLS"):
            tls.connect("127.0.0.1", listener.getsockname()[1], *place.files())
        thread.join(10)
    with pytest.raises(Unreachable, match="not reachable"):
        tls.connect("127.0.0.1", 1, *place.files())
    for name in ("no-such-name.invalid", "ä", "x" * 300):
        with pytest.raises(Unreachable, match="no address"):
            tls.connect(name, 443, *place.files())


def test_files_that_are_missing_or_damaged_are_named(place: Place, tmp_path: Path) -> None:
    (tmp_path / "damaged").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    ca, own, _ = place.files()
    for missing in ((str(tmp_path / "none"), own, own), (ca, str(tmp_path / "none"), own), (ca, own, str(tmp_path / "none"))):
        with pytest.raises(NotFound, match="does not exist"):
            tls.context(*missing)
    for damaged in ((str(tmp_path / "damaged"), own, own), (ca, str(tmp_path / "damaged"), own), (ca, own, str(place.folder / "ips.key"))):
        with pytest.raises(InvalidInput, match="damaged"):
            tls.context(*damaged)
