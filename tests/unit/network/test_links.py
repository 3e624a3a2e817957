from pathlib import Path

import pytest

from hps.network import links
from hps.network.links import Link
from hps.steps import describe
from hps.values import Mac


def add(root: Path, name: str, address: str = "52:54:00:77:00:01", kind: str = "1", carrier: str = "1", **more: str) -> Path:
    place = root / "class/net" / name
    place.mkdir(parents=True)
    for key, text in {"address": address, "type": kind, "carrier": carrier, **more}.items():
        (place / key).write_text(f"{text}\n")
    return place


@pytest.mark.feature("I24")
def test_all_ethernet_interfaces_are_found_and_raised(tmp_path: Path) -> None:
    add(tmp_path, "eth1", "52:54:00:77:00:02", speed="1000")
    add(tmp_path, "eth0", carrier="")
    add(tmp_path, "lo", "00:00:00:00:00:00", kind="772")
    add(tmp_path, "ib0", "52:54:00:77:00:03", kind="32")
    (add(tmp_path, "br0", "52:54:00:77:00:04") / "bridge").mkdir()
    add(tmp_path, "odd", "00:00:00:00:00:00")
    driver = tmp_path / "drivers/virtio_net"
    driver.mkdir(parents=True)
    (tmp_path / "class/net/eth1/device").mkdir()
    (tmp_path / "class/net/eth1/device/driver").symlink_to(driver)
    found = links.read_links(tmp_path)
    assert found == (Link("eth0", Mac("525400770001")), Link("eth1", Mac("525400770002"), True, "virtio_net", "1000"))
    assert describe(links.raise_plan(found)) == "run ip link set dev eth0 up\nrun ip link set dev eth1 up\n"
