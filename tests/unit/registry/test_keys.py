"""The table of keys: every row is whole, every check checks."""

import pytest

from hps.errors import Denied, InvalidInput
from hps.registry import keys
from hps.registry.text import checked_key

KINDS = ("hps", "cluster", "host", "account", "os")


@pytest.mark.parametrize("key", keys.TABLE, ids=lambda key: f"{key.kind} {key.name}")
def test_each_row_is_whole(key: keys.Key) -> None:
    assert key.kind in KINDS
    assert checked_key(key.name) == key.name
    assert key.help
    assert not key.help.endswith(".")
    if key.default:
        key.check(key.default)


def test_no_key_is_declared_twice() -> None:
    assert len(keys.KEYS) == len(keys.TABLE)


@pytest.mark.feature("CF6")
@pytest.mark.parametrize("name", ["state", "State", "NO_SUCH_KEY", "STATE ", ""])
def test_a_key_that_is_not_in_the_table_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput):
        keys.check_values("host", {name: "x"})


@pytest.mark.parametrize(
    ("kind", "name", "value", "good"),
    [
        ("host", "STATE", "INSTALLED", True),
        ("host", "STATE", "installed", False),
        ("host", "STATE", "", False),
        ("host", "STATUS", "", True),
        ("host", "IP", "10.77.0.11", True),
        ("host", "IP", "10.77.0.11\n", False),
        ("host", "HOSTNAME", "sch-001", True),
        ("host", "HOSTNAME", "sch-001${x}", False),
        ("host", "HOST_CPU_MODEL", "anything 'at' all", True),
        ("host", "INSTALL_ARMED", "blank", True),
        ("host", "INSTALL_ARMED", "true", False),
        ("host", "INSTALL_TRIES", "1001", False),
        ("host", "OS_ID", "x86_64:debian:12", True),
        ("host", "OS_ID", "../../etc", False),
        ("cluster", "CONSOLE", "console=ttyS0,115200n8", True),
        ("cluster", "CONSOLE", "console=ttyS0; reboot", False),
        ("cluster", "MENU_TIMEOUT", "-1", False),
        ("cluster", "HOST_CPU_MODEL", "x", False),
        ("os", "IMAGE_SCH", "x86_64-debian_12-SCH/1", True),
    ],
)
def test_values_are_checked(kind: str, name: str, value: str, good: bool) -> None:
    if good:
        keys.check_values(kind, {name: value})
    else:
        with pytest.raises(InvalidInput, match=name):
            keys.check_values(kind, {name: value})


@pytest.mark.feature("S5")
@pytest.mark.parametrize("name", ["CONSOLE", "DNS_DOMAIN", "DHCP_IFACE", "DHCP_IP", "NETWORK_CIDR"])
@pytest.mark.parametrize("bad", ["\n", "\r", "&&", "||", "#!ipxe", ";", "${net0/mac}", "'", '"', "\0", "\u2028"])
def test_no_value_that_reaches_a_boot_script_can_break_out_of_it(name: str, bad: str) -> None:
    with pytest.raises(InvalidInput):
        keys.check_values("cluster", {name: f"x{bad}y"})


@pytest.mark.parametrize(("word", "expected"), [("SCH", "SCH"), ("sch", "SCH"), ("TCN", "TCH"), ("ccn", "CCH")])
def test_type_aliases(word: str, expected: str) -> None:
    assert keys.checked_type(word) == expected


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(InvalidInput, match="not a host type"):
        keys.checked_type("ABC")


@pytest.mark.feature("CF6")
def test_old_names_lead_to_keys_and_every_key_is_found_in_lower_case() -> None:
    assert all((kind, new) in keys.KEYS and (kind, old) not in keys.KEYS for (kind, old), new in keys.OLD_NAMES.items())
    assert keys.canonical("cluster", "network_dhcp_iface") == "DHCP_IFACE"
    assert all(keys.canonical(key.kind, key.name.lower()) == key.name == keys.canonical(key.kind, key.name) for key in keys.TABLE)
    assert keys.canonical("host", "no such key") == "no such key"
    assert keys.is_secret("host", "bmc_password")


@pytest.mark.parametrize(
    ("kind", "name", "near"),
    [
        ("host", "HOSTNAMES", "HOSTNAME"),
        ("cluster", "DHCP_LEAS", "DHCP_LEASE"),
        ("hps", "RESOURCE", "RESOURCES"),
        ("os", "VERSIONS", "VERSION"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest(kind: str, name: str, near: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        keys.known(kind, name)
    assert caught.value.hint == f"did you mean {near}?"


@pytest.mark.parametrize(
    ("kind", "name", "writer", "good"),
    [
        ("host", "DESCRIPTION", keys.OPERATOR, True),
        ("host", "SLOT", keys.OPERATOR, True),
        ("host", "CREATED", keys.OPERATOR, False),
        ("host", "HOST_CPU_MODEL", keys.OPERATOR, False),
        ("host", "SLOT", keys.NODE, True),
        ("host", "HOST_CPU_MODEL", keys.NODE, True),
        ("host", "HOST_PROFILE", keys.NODE, False),
        ("host", "STATE", keys.NODE, False),
        ("host", "TYPE", keys.NODE, False),
        ("host", "CERTIFICATE", keys.NODE, False),
        ("cluster", "DESCRIPTION", keys.NODE, False),
        ("hps", "ACTIVE_CLUSTER", keys.OPERATOR, False),
        ("hps", "RESOURCES", keys.OPERATOR, True),
        ("account", "CERTIFICATE", keys.OPERATOR, False),
        ("os", "IMAGE_SCH", keys.OPERATOR, False),
    ],
)
def test_who_may_write_a_key(kind: str, name: str, writer: str, good: bool) -> None:
    if good:
        keys.check_writer(kind, name, writer)
    else:
        with pytest.raises(Denied):
            keys.check_writer(kind, name, writer)


def test_a_node_writes_nothing_that_a_boot_script_could_be_made_of() -> None:
    """What a node may write is listed here, so that a key which it shall write too is thought about."""
    assert {key.name for key in keys.TABLE if key.writer == keys.NODE} == {
        "LAST_REBOOT_COMMAND",
        "LAST_REBOOT_TIME",
        "SLOT",
        "IMAGE",
        "OS_NAME",
        "OS_VERSION",
        "OS_PRETTY_NAME",
    }


@pytest.mark.feature("S23")
def test_secrets_are_left_out_of_what_is_shown() -> None:
    secret = [(key.kind, key.name) for key in keys.TABLE if key.secret]
    assert ("cluster", "OPENSVC_CLUSTER_SECRET") in secret
    for kind, name in secret:
        assert keys.is_secret(kind, name)
        assert keys.public(kind, {"DESCRIPTION": "x", name: "canary"}) == {"DESCRIPTION": "x"}
    assert not keys.is_secret("host", "HOST_CPU_MODEL")
