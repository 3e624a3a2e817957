"""The program `hps` against a real IPS: over its socket, and from elsewhere over mutual TLS; and no secret in sight."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hps.flows import accounts, site
from hps.paths import Paths
from tests.node import ips

pytestmark = [pytest.mark.root, pytest.mark.programs]

CANARY = "canary-0815-swordfish"


@dataclass(frozen=True)
class Served:
    """An IPS that runs: its base, the id of its process, and the home of an operator."""

    base: Path
    process: int
    home: Path

    def hps(self, *words: str, given: str = "") -> "subprocess.CompletedProcess[str]":
        """`hps` on the IPS itself."""
        return subprocess.run(self.words(*words), env=self.environment(), input=given, capture_output=True, text=True, check=False)

    def remote(self, *words: str, given: str = "") -> "subprocess.CompletedProcess[str]":
        """`hps --ips` in the network of the IPS, without anything of its files."""
        enter = ["nsenter", "--net", f"--target={self.process}"]
        command = [*enter, *self.words("--ips", ips.ADDRESS, *words)]
        environment = {**self.environment(), "HPS_BASE": "/nonexistent"}
        return subprocess.run(command, env=environment, input=given, capture_output=True, text=True, check=False)

    def words(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "hps", *words]

    def environment(self) -> dict[str, str]:
        return {
            "HPS_BASE": str(self.base),
            "PYTHONPATH": f"{ips.ROOT}/lib",
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(self.home),
        }


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    base = tmp_path_factory.mktemp("ips", numbered=True)
    home = tmp_path_factory.mktemp("home", numbered=True)
    with ips.running(base) as process:
        accounts.create_operator(site.open_site(Paths(base)), "anna", home / ".ssl")
        yield Served(base, process, home)


def test_the_same_verbs_here_and_from_elsewhere(served: Served) -> None:
    for words in (
        ("health",),
        ("host", "list"),
        ("host", "show", "sch-001", "--json"),
        ("host", "show", "nobody"),
        ("host", "--help"),
        ("host",),
    ):
        here, there = served.hps(*words), served.remote(*words)
        assert (here.returncode, here.stdout, here.stderr) == (there.returncode, there.stdout, there.stderr)
    assert served.remote("host", "show", "nobody").returncode == 7
    assert "name=local\n" in served.hps("authenticate").stdout
    assert "name=anna\n" in served.remote("authenticate").stdout


def test_values_survive_the_whole_way(served: Served) -> None:
    for value in ("", "a b", "-x", "--json", "--", "ä\u2028\t$(id)", "line\nline\n\n", "'\"\\", "\r"):
        assert served.remote("host_config", "set", "sch-001", "DESCRIPTION", "--", value).returncode == 0
        shown = served.hps("host_config", "get", "sch-001", "DESCRIPTION", "--json").stdout
        assert shown == served.remote("host_config", "get", "sch-001", "DESCRIPTION", "--json").stdout
        assert site.find(site.open_site(Paths(served.base)), "sch-001").values["DESCRIPTION"] == value
        assert served.remote("host_config", "set", "sch-001", "DESCRIPTION", "-", given=f"{value}\n").returncode == 0
        assert site.find(site.open_site(Paths(served.base)), "sch-001").values["DESCRIPTION"] == value


def test_what_is_too_long_is_said_so(served: Served) -> None:
    for size in (70_000, 300_000):
        done = served.remote("host_config", "set", "sch-001", "DESCRIPTION", "-", given="x" * size)
        assert (done.returncode, done.stdout) == (3, "")
        assert done.stderr.startswith("hps: ")


def test_an_account_that_was_removed_is_a_stranger_at_once(served: Served, tmp_path: Path) -> None:
    accounts.create_operator(site.open_site(Paths(served.base)), "bert", tmp_path / ".ssl")
    bert = Served(served.base, served.process, tmp_path)
    assert "name=bert\n" in bert.remote("authenticate").stdout
    assert served.hps("account", "remove", "bert").returncode == 0
    for words in (("authenticate",), ("host", "list"), ("host", "--help")):
        done = bert.remote(*words)
        assert (done.returncode, done.stdout) == (8, "")


@dataclass
class Watcher:
    """Looks at the arguments and the environment of every process, again and again, until the end."""

    seen: dict[int, bytes] = field(default_factory=dict)
    ended: threading.Event = field(default_factory=threading.Event)
    rounds: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def watch(self) -> None:
        while not self.ended.is_set():
            for process in (path for path in Path("/proc").iterdir() if path.name.isdigit() and path.name != str(os.getpid())):
                for place in ("cmdline", "environ"):
                    try:
                        content = (process / place).read_bytes()
                    except OSError:
                        continue
                    if CANARY.encode() in content:
                        self.seen[int(process.name)] = content
            self.rounds.release()

    @contextmanager
    def watching(self) -> Iterator[None]:
        thread = threading.Thread(target=self.watch)
        thread.start()
        try:
            yield
        finally:
            self.ended.set()
            thread.join()

    def look(self) -> None:
        """Wait until everything that runs now has been looked at."""
        while self.rounds.acquire(blocking=False):
            pass
        for _ in range(2):
            assert self.rounds.acquire(timeout=30)


@pytest.mark.feature("S21")
def test_no_process_has_a_secret_among_its_arguments(served: Served) -> None:
    """Each secret is set while every process is watched; the client is held in the middle of it, so that it is surely seen."""
    watcher = Watcher()
    with watcher.watching():
        for words in ("host_config set sch-001 BMC_PASSWORD -", "cluster_config set OPENSVC_CLUSTER_SECRET -"):
            process = subprocess.Popen(
                served.words(*words.split()), env=served.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
            assert process.stdin is not None
            process.stdin.write(CANARY.encode())
            process.stdin.flush()
            watcher.look()
            process.communicate(timeout=60)
            assert process.returncode == 0
        watcher.look()
        assert watcher.seen == {}
        typed = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()", CANARY], stdin=subprocess.PIPE)
        watcher.look()
        typed.communicate()
    assert set(watcher.seen) == {typed.pid}
    for path in (path for path in (served.base / "log").rglob("*") if path.is_file()):
        assert CANARY.encode() not in path.read_bytes(), path
    assert CANARY.encode() not in (served.base / "ips.log").read_bytes()
    for words in ("host_config list sch-001", "cluster_config list", "host show sch-001"):
        assert CANARY not in served.hps(*words.split()).stdout
