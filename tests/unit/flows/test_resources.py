"""What machines boot from is moved while the services run: one move and one setting, and they boot from the new place."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from hps.registry import settings
from tests.unit.flows.networks import Wire
from tests.unit.flows.test_serve import QUICK, Site, until

pytestmark = pytest.mark.root
FILES = {
    "boot/installer/x86_64-debian_12/vmlinuz": b"kernel",
    "images/x86_64-debian_12-SCH/1/manifest": b"manifest",
    "tftp/loader": b"loader",
}
ADDRESSES = {
    "boot/installer/x86_64-debian_12/vmlinuz": "http://10.77.0.1/boot/installer/x86_64-debian_12/vmlinuz",
    "images/x86_64-debian_12-SCH/1/manifest": "http://10.77.0.1/images/x86_64-debian_12-SCH/1/manifest",
    "tftp/loader": "tftp://10.77.0.1/loader",
}


@pytest.fixture
def made() -> Iterator[Site]:
    base = Path(tempfile.mkdtemp(prefix="hps-u", dir="/tmp"))
    base.chmod(0o755)
    with Wire() as wire:
        site = Site(wire, base)
        site.configure()
        site.hps("cluster", "activate", "lab", "--probe-seconds", QUICK)
        site.start()
        try:
            site.wait_answering()
            yield site
        finally:
            site.stop()
            shutil.rmtree(base)


def fetched(site: Site, address: str) -> bytes:
    return subprocess.run(site.wire.outside(["curl", "-s", "-f", "-m", "10", address]), capture_output=True, check=False).stdout


@pytest.mark.feature("SV6")
def test_machines_boot_from_the_folder_that_resources_were_moved_to(made: Site) -> None:
    subprocess.run(["ip", "-n", made.wire.machine, "address", "add", "10.77.0.99/24", "dev", "end"], check=True)
    for name, content in FILES.items():
        path = made.paths.resources / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    for name, content in FILES.items():
        assert fetched(made, ADDRESSES[name]) == content
    moved = made.paths.base / "elsewhere"
    assert "is not a folder" in made.hps("hps_config", "set", "RESOURCES", str(moved), code=7)
    made.paths.resources.rename(moved)
    made.hps("hps_config", "set", "RESOURCES", str(moved))
    assert not made.paths.resources.exists()
    for name, content in FILES.items():
        until(lambda name=name, content=content: fetched(made, ADDRESSES[name]) == content, f"{name} from its new place", 30)  # type: ignore[misc]
    assert settings.located(made.paths, settings.read(made.registry)).resources == moved
    assert made.hps("service", "reconcile") == ""
    made.wait_answering()
    moved.chmod(0o700)
    moved.rename(moved.with_name("closed"))
    assert "may not enter" in made.hps("hps_config", "set", "RESOURCES", str(moved.with_name("closed")), code=4)
