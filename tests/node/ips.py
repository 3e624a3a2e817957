"""A real IPS for the tests of its clients: nginx before hps-api, in a network namespace, and the identity of one node beside it.

`unshare --net python -m tests.node.ips FOLDER` makes everything below the folder, says `ready`, and serves until its standard
input ends. The network is the namespace's own: who wants to ask enters it.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hps.ask import node
from hps.flows import enlist, membership, serve, site
from hps.flows.model import NODE, STRANGER, Caller, Site, Text
from hps.images import layer, zipapp
from hps.security import certificates
from hps.services import nginx
from tests.sites import mac_of, make_site

ROOT = Path(__file__).resolve().parents[2]
ADDRESS = "10.77.0.1"
PATIENCE = 30.0


def prepare(base: Path) -> Site:
    """Records, authority and configurations of the IPS, and `identity/` and `hps.pyz` of a node; needs the network."""
    for words in (
        ("link", "set", "lo", "up"),
        ("link", "add", "hps0", "type", "bridge"),
        ("addr", "add", f"{ADDRESS}/24", "dev", "hps0"),
        ("link", "set", "hps0", "up"),
    ):
        subprocess.run(("ip", *words), check=True)
    at = make_site(base)
    serve.reconcile(at.paths, at.registry, probe_seconds=0)
    enlist.configure(at, mac_of(1), "SCH")
    key, request = certificates.key_and_request()
    token = site.tokens(at).mint(mac_of(1))
    issued = membership.certificate(at, Caller(STRANGER), {"token": token, "csr": request})
    configuration = membership.installer_config(at, Caller(NODE, mac_of(1)), {"name": "config.json"})
    assert isinstance(configuration, Text)
    identity = base / "identity"
    identity.mkdir(mode=0o700)
    (identity / node.PAIR).write_text(key + issued["certificate"])
    (identity / node.AUTHORITY).write_bytes((at.authority / "ca.pem").read_bytes())
    (identity / "config.json").write_text(configuration.body)
    (base / "hps.pyz").write_bytes(zipapp.pack(zipapp.sources(layer.PACKAGE)))
    return at


@contextmanager
def serving(at: Site) -> Iterator[None]:
    """nginx and hps-api as supervisor starts them (supervisor.d), until the end."""
    socket = nginx.api_socket(at.paths)
    gunicorn = [sys.executable, "-m", "gunicorn", "--bind", f"unix:{socket}", "--worker-class", "gthread", "--threads", "8"]
    environment = {"HPS_BASE": str(at.paths.base), "PYTHONPATH": f"{ROOT}/lib:{ROOT}/hps-api", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    programs = (
        (*gunicorn, "--chdir", str(ROOT / "hps-api"), "app:app"),
        ("nginx", "-e", "stderr", "-c", str(nginx.configuration(at.paths))),
    )
    log = (at.paths.base / "ips.log").open("wb")
    running = [subprocess.Popen(words, env=environment, stdout=log, stderr=subprocess.STDOUT) for words in programs]
    try:
        deadline = time.monotonic() + PATIENCE
        while not (socket.exists() and nginx.operator_socket(at.paths).exists()):
            if time.monotonic() > deadline or any(process.poll() is not None for process in running):
                raise AssertionError((at.paths.base / "ips.log").read_text())
            time.sleep(0.02)
        yield
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(PATIENCE)
        log.close()


@contextmanager
def running(base: Path) -> Iterator[int]:
    """The id of the process of an IPS in a namespace of its own; needs root."""
    words = ["unshare", "--net", sys.executable, "-m", "tests.node.ips", str(base)]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "ready\n", (base / "ips.log").read_text() if (base / "ips.log").exists() else ""
        yield process.pid
    finally:
        process.stdin.close()
        process.wait(PATIENCE)


def main() -> int:
    """Serve until standard input ends."""
    at = prepare(Path(sys.argv[1]))
    with serving(at):
        print("ready", flush=True)
        sys.stdin.read()
    return 0


if __name__ == "__main__":
    sys.exit(main())
