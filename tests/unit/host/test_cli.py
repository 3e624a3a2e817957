import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hps.cli import run
from hps.flows import site
from tests.sites import mac_of, make_site

pytestmark = pytest.mark.programs  # publishing a host asks supervisor, over its socket, whether dnsmasq runs


@pytest.mark.feature("UI7")
def test_an_operator_follows_a_host_through_its_life(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    at = make_site(tmp_path)
    monkeypatch.setenv("HPS_BASE", str(tmp_path))

    def hps(*words: str) -> str:
        assert run(words) == 0, capsys.readouterr().err
        return capsys.readouterr().out

    def state() -> str:
        return site.host_values(at, mac_of(1))["STATE"]

    assert "sch-001: INSTALLING, SCH, 10.77.0.2" in hps("host", "configure", str(mac_of(1)), "--type", "SCH")
    assert hps("host", "list", "--unconfigured").count("\n") == 1
    assert json.loads(hps("host", "list", "--json"))["hosts"][0]["MAC"] == str(mac_of(1))
    assert "HOSTNAME=sch-001\n" in hps("host", "show", "sch-001")
    hps("host", "arm", "sch-001", "--erase")
    assert site.host_values(at, mac_of(1))["INSTALL_ARMED"] == "erase"
    for verb, after in (
        ("rescue", "INSTALLING"),
        ("normal", "INSTALLING"),
        ("reboot", "INSTALLING"),
        ("unconfigure", "UNCONFIGURED"),
        ("reinstall", "REINSTALL"),
    ):
        hps("host", verb, "sch-001")
        assert state() == after
    site.timeline(at).record(mac_of(1), "dhcp", "10.77.0.2", "dnsmasq", "sch-001")
    session = site.timeline(at).record(mac_of(1), "script", "install: sch-001")
    story = hps("host", "timeline", "sch-001", "--session", session)
    assert session in story
    assert "missing: kernel, for 0 s; usual cause:" in story
    assert "sch-001: removed" in hps("host", "remove", "sch-001")
    assert run(("host", "show", "sch-001")) == 7
    assert "hps host list" in capsys.readouterr().err


def test_the_lease_hook_starts_fast_and_needs_the_standard_library_only(tmp_path: Path) -> None:
    lib = Path(__file__).resolve().parents[3] / "lib"
    words = [sys.executable, "-P", "-s", "-S", "-m", "hps", "timeline", "lease", "add", str(mac_of(1)), "10.77.0.210"]
    environment = {"HPS_BASE": str(tmp_path), "PYTHONPATH": str(lib), "DNSMASQ_VENDOR_CLASS": "PXEClient", "DNSMASQ_TAGS": "$(touch x)"}
    start = time.monotonic()
    subprocess.run(words, env=environment, check=True, cwd=tmp_path)
    assert time.monotonic() - start < 2
    assert '"event": "dhcp"' in (tmp_path / "log/boots" / f"{mac_of(1).digits}.jsonl").read_text()
    subprocess.run([*words[:8], "del", "x"], env=environment, check=True, cwd=tmp_path)
    subprocess.run([*words[:8], "init"], env=environment, check=True, cwd=tmp_path)
