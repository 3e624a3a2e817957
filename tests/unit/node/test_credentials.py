import hashlib
import json
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from hps.errors import CommandFailed, Denied, InvalidInput, Unreachable
from hps.node import credentials
from hps.node.credentials import Credentials
from hps.system import command

pytestmark = pytest.mark.programs


def certificate(folder: Path) -> str:
    folder.mkdir(parents=True)
    made = ("-days", "2", "-keyout", str(folder / "ca.key"), "-out", str(folder / "ca.pem"))
    command.run(("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=a CA", *made))
    return (folder / "ca.pem").read_text()


class Handler(SimpleHTTPRequestHandler):
    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    folder = tmp_path / "served"
    certificate(folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", folder
        server.shutdown()


def test_only_the_ca_that_the_boot_script_named_is_trusted(served: tuple[str, Path], tmp_path: Path) -> None:
    url, folder = served
    identity = Credentials(tmp_path / "identity")
    der = command.run(("openssl", "x509", "-in", str(folder / "ca.pem"), "-outform", "DER", "-fingerprint", "-sha256", "-noout"))
    expected = der.partition("=")[2].strip().replace(":", "").lower()
    with pytest.raises(Denied, match="not the cluster's CA"):
        credentials.trust(identity, url, hashlib.sha256(b"another").hexdigest())
    assert not identity.ca.exists()
    credentials.trust(identity, url, expected)
    assert identity.ca.read_text() == (folder / "ca.pem").read_text()
    (folder / "ca.pem").write_text("no certificate")
    with pytest.raises(Denied, match="is not a certificate"):
        credentials.trust(identity, url, expected)
    (folder / "ca.pem").unlink()
    with pytest.raises(Unreachable, match="404"):
        credentials.trust(identity, url, expected)


def test_fingerprint_refuses_other_text() -> None:
    with pytest.raises(InvalidInput):
        credentials.fingerprint("")


class Issuer(Handler):
    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        folder = Path(self.directory)
        (folder / "asked").write_text(json.dumps(asked))
        signer = ("-CA", str(folder / "ca.pem"), "-CAkey", str(folder / "ca.key"), "-days", "1")
        issued = command.run(("openssl", "x509", "-req", "-in", "/dev/stdin", *signer), stdin=asked["csr"].encode())
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"ok": True, "result": {"certificate": issued}}).encode())


def test_key_stays_here_and_the_token_buys_a_certificate(tmp_path: Path) -> None:
    identity = Credentials(tmp_path / "identity")
    identity.folder.mkdir()
    identity.ca.write_text(certificate(tmp_path / "served"))
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Issuer, directory=str(tmp_path / "served"))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        found = credentials.request_certificate(identity, f"http://127.0.0.1:{server.server_port}", "the-token")
        server.shutdown()
    assert identity.pair.stat().st_mode & 0o777 == 0o600
    asked = json.loads((tmp_path / "served/asked").read_text())
    assert asked["token"] == "the-token"
    assert "PRIVATE" not in asked["csr"]
    assert found == credentials.fingerprint(identity.certificate())
    assert [name.name for name in identity.folder.iterdir() if "PRIVATE" in name.read_text()] == ["node.pem"]
    identity.tls().context()
    credentials.move(identity, tmp_path / "state/identity", "{}")
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "state/identity").iterdir()}
    assert modes == {"config.json": 0o600, "ca.pem": 0o644, "node.pem": 0o600}
    assert (tmp_path / "state/identity").stat().st_mode & 0o777 == 0o700


def test_how_much_of_a_certificate_is_left(tmp_path: Path) -> None:
    pem = certificate(tmp_path / "ca")
    now = time.time()
    assert 0.99 < credentials.left(pem, now) <= 1.01
    assert 0.49 < credentials.left(pem, now + 86400) < 0.51
    assert credentials.left(pem, now + 3 * 86400) < 0
    with pytest.raises(CommandFailed):
        credentials.left("no certificate", now)


def test_an_operators_files_are_named_after_the_cluster(tmp_path: Path) -> None:
    found = Credentials(tmp_path, "hps-lab")
    assert [path.name for path in (found.pair, found.ca, found.renewed)] == ["hps-lab.pem", "hps-lab-ca.pem", ".hps-lab.next.pem"]
    assert Credentials(tmp_path).ca.name == "ca.pem"
