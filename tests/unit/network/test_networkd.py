import configparser

import pytest

from hps.network import networkd
from hps.values import Mac


@pytest.mark.feature("AB11")
def test_static_address_of_the_interface_with_this_mac() -> None:
    text = networkd.render_network(Mac("525400770001"), "10.77.0.11", 24, "10.77.0.254", ["10.77.0.1"], "lab.example")
    parser = configparser.ConfigParser(strict=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text)
    assert dict(parser["Match"]) == {"MACAddress": "52:54:00:77:00:01", "Type": "ether"}
    assert dict(parser["Network"]) == {
        "Address": "10.77.0.11/24",
        "Gateway": "10.77.0.254",
        "DNS": "10.77.0.1",
        "Domains": "lab.example",
        "IPv6AcceptRA": "no",
    }
    bare = networkd.render_network(Mac("525400770001"), "10.77.0.11", 24, "", [], "")
    assert "Gateway" not in bare
    assert "Domains" not in bare


def test_own_names_and_time() -> None:
    assert networkd.render_hosts("sch-001", "lab.example", "10.77.0.11").splitlines()[-1] == "10.77.0.11 sch-001.lab.example sch-001"
    assert networkd.render_hosts("sch-001", "", "10.77.0.11").splitlines()[-1] == "10.77.0.11 sch-001"
    assert networkd.render_time(["10.77.0.1", "10.77.0.2"]) == "[Time]\nNTP=10.77.0.1 10.77.0.2\n"
