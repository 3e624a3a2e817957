"""What the TFTP server is told: accepted by dnsmasq itself; it answers neither DHCP nor DNS."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hps.errors import InvalidInput
from hps.paths import Paths
from hps.services import tftp
from tests.unit.services.clusters import CLUSTER, clusters

PATHS = Paths(Path("/srv/hps"))


@pytest.mark.programs
@settings(max_examples=15, deadline=None)
@given(values=clusters(), advertise=st.booleans())
def test_dnsmasq_accepts_every_cluster(tmp_path_factory: pytest.TempPathFactory, values: dict[str, str], advertise: bool) -> None:
    paths = Paths(tmp_path_factory.mktemp("ips"))
    file = tftp.configuration(paths)
    file.parent.mkdir(parents=True)
    file.write_text(tftp.render(values, paths, advertise=advertise))
    done = subprocess.run(["dnsmasq", "--test", "-C", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_it_serves_loaders_on_the_one_interface_and_nothing_else() -> None:
    lines = tftp.render(CLUSTER, PATHS).splitlines()
    assert {"port=0", "interface=br0", "except-interface=lo", "enable-tftp", "tftp-root=/srv/hps/resources/tftp"} <= set(lines)
    assert not [line for line in lines if line.startswith(("dhcp-range", "dhcp-host", "dhcp-boot", "server"))]


def test_the_prefix_is_advertised_where_there_is_ipv6() -> None:
    lines = tftp.render(CLUSTER, PATHS, advertise=True).splitlines()
    prefix = tftp.local_prefix(CLUSTER["CLUSTER_NAME"])
    assert f"dhcp-range={prefix.network_address},ra-only,64,3600" in lines
    assert "enable-ra" in lines


def test_a_value_that_could_add_a_line_is_refused() -> None:
    with pytest.raises(InvalidInput):
        tftp.render(CLUSTER | {"DHCP_IFACE": "br0\nport=53"}, PATHS)


def test_the_local_prefix_is_a_unique_local_one_and_stays() -> None:
    prefix = tftp.local_prefix("lab")
    assert prefix == tftp.local_prefix("lab") != tftp.local_prefix("lab2")
    assert prefix.network_address.packed[0] == 0xFD
    assert prefix.prefixlen == 64
