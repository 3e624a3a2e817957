import re
from typing import Any

import pytest

from hps.boot.decision import STATE_TABLE, decide
from hps.boot.model import STATIC, Decision, Explain, Install, Introduce, Local, Menu, Request, Rescue, Restart, Wait
from hps.registry.keys import STATES
from hps.values import Mac

MAC = Mac.parse("525400770001")
CLUSTER = {"CLUSTER_NAME": "lab", "DHCP_IP": "10.77.0.1"}
DEBIAN = {"OS_ID": "x86_64:debian:12", "ARCH": "x86_64", "IMAGE_SCH": "x86_64-debian_12-SCH/1"}
TRIXIE = {"OS_ID": "x86_64:debian:13", "ARCH": "x86_64", "IMAGE_SCH": "x86_64-debian_13-SCH/4"}
ARM = {"OS_ID": "aarch64:debian:12", "ARCH": "aarch64", "IMAGE_SCH": "aarch64-debian_12-SCH/1"}
READY = {"TYPE": "SCH", "OS_ID": "x86_64:debian:12", "HOSTNAME": "sch-001", "ARCH": "x86_64"}


def answer(host: dict[str, str], cluster: dict[str, str] | None = None, systems: Any = (DEBIAN,), arch: str = "") -> Decision:
    return decide(host, {**CLUSTER, **(cluster or {})}, systems, Request(MAC, arch))


EXPECTED = {
    "UNCONFIGURED": Menu,
    "REINSTALL": Menu,
    "CONFIGURED": Wait,
    "NETWORK_BOOT": Wait,
    "INSTALLING": Install,
    "INSTALL_FAILED": Wait,
    "INSTALLED": Local,
    "DISK_BOOT": Local,
    "UNMANAGED": Local,
}


def test_the_tables_name_every_state() -> None:
    assert set(STATE_TABLE) == set(STATES) == set(EXPECTED)


@pytest.mark.parametrize("state", STATES)
def test_every_state_has_its_answer(state: str) -> None:
    assert type(answer({**READY, "STATE": state})) is EXPECTED[state]


@pytest.mark.parametrize("state", ["", "RUNNING", "installed", "FAILED", "x" * 5000, "${net0/mac}"])
def test_a_state_that_we_do_not_know_is_explained_and_asked_again(state: str) -> None:
    found = answer({**READY, "STATE": state})
    assert isinstance(found, Explain)
    assert found.seconds > 0
    assert state in found.message


@pytest.mark.parametrize("state", STATES)
def test_rescue_overrides_every_state_and_carries_no_token(state: str) -> None:
    found = answer({**READY, "STATE": state, "RESCUE": "true"})
    assert isinstance(found, Rescue)
    assert not hasattr(found, "token")


def test_a_failed_installation_says_why_and_never_installs() -> None:
    found = answer({**READY, "STATE": "INSTALL_FAILED", "INSTALL_ERROR": "disk too small", "INSTALL_ARMED": "erase"})
    assert isinstance(found, Wait)
    assert any("disk too small" in line for line in found.lines)
    assert any("hps host arm sch-001" in line for line in found.lines)


@pytest.mark.feature("BT4")
def test_the_menu_offers_what_has_an_image_for_this_architecture() -> None:
    retired = {**TRIXIE, "OS_ID": "x86_64:debian:11", "STATUS": "retired"}
    found = answer({"STATE": "UNCONFIGURED"}, systems=(ARM, DEBIAN, TRIXIE, retired), arch="x86_64")
    assert isinstance(found, Menu)
    offered = [item.name for item in found.items if re.match("boot_|erase_", item.name)]
    pairs = ["SCH@x86_64:debian:12", "SCH@x86_64:debian:13"]
    assert offered == [f"boot_{pair}" for pair in pairs] + [f"erase_{pair}" for pair in pairs]


@pytest.mark.parametrize(
    ("settings", "choice", "seconds"),
    [
        ({}, "init_menu", 15),
        ({"DEFAULT_TYPE": "SCH", "DEFAULT_OS": "x86_64:debian:12"}, "boot_SCH@x86_64:debian:12", 30),
        ({"DEFAULT_TYPE": "SCH", "DEFAULT_OS": "x86_64:debian:12", "MENU_TIMEOUT": "7"}, "boot_SCH@x86_64:debian:12", 7),
        ({"DEFAULT_TYPE": "SCH", "DEFAULT_OS": "x86_64:debian:12", "MENU_TIMEOUT": "0"}, "init_menu", 15),
        ({"DEFAULT_TYPE": "SCH", "DEFAULT_OS": "x86_64:debian:13"}, "init_menu", 15),
        ({"DEFAULT_TYPE": "SCH"}, "init_menu", 15),
    ],
)
def test_the_menu_chooses_only_a_default_that_it_offers(settings: dict[str, str], choice: str, seconds: int) -> None:
    found = answer({"STATE": "UNCONFIGURED", "ARCH": "x86_64"}, settings)
    assert isinstance(found, Menu)
    assert (found.choice, found.seconds) == (choice, seconds)


@pytest.mark.feature("BT5")
def test_configured_at_the_cli_there_is_no_menu() -> None:
    found = answer({"STATE": "UNCONFIGURED", "ARCH": "x86_64"}, {"CONFIGURE_AT": "cli", "POLL_INTERVAL": "3"})
    assert isinstance(found, Wait)
    assert found.seconds == 3
    assert any(f"hps host configure {MAC}" in line for line in found.lines)


@pytest.mark.feature("BT7")
def test_a_waiting_machine_restarts_when_its_status_says_so() -> None:
    for state in ("UNCONFIGURED", "INSTALL_FAILED", "CONFIGURED", "NETWORK_BOOT", "RUNNING"):
        assert isinstance(answer({**READY, "STATE": state, "STATUS": "reboot"}), Restart)
    for state in ("INSTALLED", "INSTALLING"):
        assert not isinstance(answer({**READY, "STATE": state, "STATUS": "reboot"}), Restart)


@pytest.mark.parametrize(
    ("host", "systems", "arch", "kind"),
    [
        ({"STATE": "UNCONFIGURED"}, (DEBIAN,), "", Introduce),
        ({"STATE": "UNCONFIGURED"}, (DEBIAN,), "mips", Explain),
        ({"STATE": "UNCONFIGURED"}, (DEBIAN,), "i386", Explain),
        ({"STATE": "UNCONFIGURED"}, (ARM,), "arm64", Menu),
        ({"STATE": "UNCONFIGURED"}, (), "x86_64", Wait),
        ({"STATE": "UNCONFIGURED"}, ({**DEBIAN, "IMAGE_SCH": ""},), "x86_64", Wait),
        ({**READY, "STATE": "INSTALLING"}, (), "", Explain),
        ({**READY, "STATE": "INSTALLING", "OS_ID": ""}, (DEBIAN,), "", Explain),
        ({**READY, "STATE": "INSTALLING", "ARCH": "aarch64"}, (DEBIAN,), "", Explain),
        ({**READY, "STATE": "INSTALLING", "TYPE": "DRH"}, (DEBIAN,), "", Wait),
        ({"STATE": "UNCONFIGURED", "RESCUE": "true"}, (), "", Explain),
    ],
)
def test_what_cannot_be_done_is_said(host: dict[str, str], systems: Any, arch: str, kind: type) -> None:
    assert type(answer(host, systems=systems, arch=arch)) is kind


@pytest.mark.feature("BT8")
@pytest.mark.parametrize("state", [*STATES, "", "RUNNING"])
def test_what_can_stand_in_a_file_follows_the_state(state: str) -> None:
    dynamic = state in ("UNCONFIGURED", "REINSTALL", "INSTALLING")
    assert isinstance(answer({**READY, "STATE": state}), STATIC) is not dynamic
    assert not isinstance(answer({**READY, "STATE": state, "RESCUE": "true"}), STATIC)
    assert not isinstance(answer({"STATE": "UNCONFIGURED"}), STATIC)
