from hps.host.model import Host, table
from hps.values import Mac


def test_a_list_has_one_line_for_each_host() -> None:
    hosts = (
        Host(Mac.parse("525400770001"), {"STATE": "UNCONFIGURED"}),
        Host(Mac.parse("525400770002"), {"STATE": "INSTALLED", "HOSTNAME": "sch-001", "TYPE": "SCH"}),
    )
    lines = table(hosts).splitlines()
    assert lines[0].split()[:3] == ["NAME", "MAC", "STATE"]
    assert lines[1].split()[:3] == ["-", "52:54:00:77:00:01", "UNCONFIGURED"]
    assert lines[2].split()[:4] == ["sch-001", "52:54:00:77:00:02", "INSTALLED", "SCH"]


def test_only_a_host_that_nobody_decided_on_is_unconfigured() -> None:
    mac = Mac.parse("525400770001")
    assert not Host(mac, {"STATE": "UNCONFIGURED"}).configured
    assert Host(mac, {"STATE": "INSTALL_FAILED"}).configured
