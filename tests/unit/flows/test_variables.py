"""What machines read and write of records: their own one, their cluster's, and their operating system's."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from hps.commands import table
from hps.errors import Denied, HpsError, InvalidInput, NotFound, Refused, Usage
from hps.flows import enlist, serve, site, variables
from hps.flows.model import BOOTING, CALLER_KINDS, IPS, MEMBERS, NODE, OPERATOR, STRANGER, Caller, Site, Text
from hps.registry import keys
from hps.registry.model import cluster_name, setting
from hps.registry.text import parse_record
from tests.sites import OS_ID, booting, mac_of, make_site, node

pytestmark = pytest.mark.programs  # publishing a host asks supervisor, over its socket, whether dnsmasq runs
NODE_1 = node(1)
CANARY = "canary-4410"
INERT = ("x\ny", "x\ry", "x&&y", "x||y", "#!ipxe", "x;y", "${net0/mac}", "x'y", 'x"y', "x\0y", "x\u2028y", "{{7*7}}", "<%x%>", "$SNIPPET")
"""What breaks out of a boot script, a kernel command line or a template elsewhere (S4, S5)."""


@pytest.fixture
def at(tmp_path: Path) -> Site:
    made = make_site(tmp_path, OPENSVC_CLUSTER_SECRET=CANARY, DESCRIPTION="a = b")
    for number in (1, 2):
        enlist.configure(made, mac_of(number), "SCH")
        made.registry.change(site.record_name(made, mac_of(number)), setting(BMC_PASSWORD=CANARY))
    return made


def do(at: Site, command: str, caller: Any = NODE_1, **given: Any) -> Any:
    return table.perform(at, caller, command, given)


def record(at: Site, number: int = 1) -> dict[str, str]:
    return dict(site.host_values(at, mac_of(number)))


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("host_variable", "n_remote_host_variable"),
        ("cluster_variable", "n_remote_cluster_variable"),
        ("os_variable", "n_os_variable"),
        ("host_get_config", "n_host_get_config"),
        ("determine_state", "n_determine_state"),
        ("set_status", "n_set_status"),
        ("host_audit", "n_host_audit"),
    ],
)
def test_the_commands_of_machines_keep_their_names(name: str, function: str) -> None:
    command = table.find(name)
    assert command.function == function
    assert not {"mac", "host"} & {parameter.name for parameter in command.parameters}


def test_a_node_reads_sets_and_unsets_its_own_keys(at: Site) -> None:
    assert do(at, "host_variable", name="LAST_REBOOT_COMMAND", value="reboot now") == {"name": "LAST_REBOOT_COMMAND", "changed": True}
    assert do(at, "host_variable", name="LAST_REBOOT_COMMAND", value="reboot now")["changed"] is False
    assert do(at, "host_variable", name="LAST_REBOOT_COMMAND")["value"] == "reboot now"
    assert do(at, "host_variable", name="LAST_REBOOT_COMMAND", value="", action="set")["changed"] is True
    assert do(at, "host_variable", name="LAST_REBOOT_COMMAND")["value"] == ""
    assert do(at, "host_variable", name="LAST_REBOOT_COMMAND", action="unset")["changed"] is True
    with pytest.raises(NotFound):
        do(at, "host_variable", name="LAST_REBOOT_COMMAND", action="get")
    assert do(at, "host_variable", name="IP")["value"] == record(at)["IP"]
    assert do(at, "host_variable", name="RESCUE")["value"] == "false"
    for given in ({"action": "set"}, {"action": "get", "value": "x"}, {"action": "unset", "value": ""}):
        with pytest.raises(Usage):
            do(at, "host_variable", name="SLOT", **given)


@pytest.mark.feature("SE2")
def test_a_node_reaches_its_own_record_only(at: Site) -> None:
    before = record(at, 2)
    for name in ("host_variable", "host_get_config", "determine_state", "set_status", "host_audit"):
        for claim in ("mac", "host", "HOST", "X-HPS-MAC"):
            with pytest.raises(Usage, match=f"has no parameter {claim!r}"):
                do(at, name, **{claim: str(mac_of(2)), "name": "IP", "status": "INSTALLED", "data": "a=b"})
    do(at, "host_variable", name="HOST_NOTE", value="mine")
    assert do(at, "host_variable", name="HOSTNAME")["value"] == record(at, 1)["HOSTNAME"]
    assert record(at, 2) == before


@pytest.mark.feature("SE1", "SE2")
@pytest.mark.parametrize("key", sorted({key.name for key in keys.TABLE if key.kind == "host" and key.writer != keys.NODE}))
def test_a_node_writes_no_key_that_is_not_its_to_write(at: Site, key: str) -> None:
    """Among them are STATE and TYPE."""
    before = record(at)
    for given in ({"value": "INSTALLED"}, {"value": "SCH"}, {"value": ""}, {"action": "unset"}):
        with pytest.raises(Denied):
            do(at, "host_variable", name=key, **given)
    assert record(at) == before


@pytest.mark.feature("SE5", "S23")
def test_no_secret_reaches_a_machine(at: Site) -> None:
    answers = []
    for caller in (node(1), Caller(OPERATOR, name="local"), Caller(IPS, name="ips-02")):
        for name, given in (
            ("host_variable", {"name": "BMC_PASSWORD"}),
            ("cluster_variable", {"name": "OPENSVC_CLUSTER_SECRET"}),
            ("host_get_config", {}),
        ):
            try:
                answers.append(repr(do(at, name, caller, **given)))
            except HpsError as error:
                answers.append(str(error))
    assert not any(CANARY in answer for answer in answers)
    assert any("DESCRIPTION" in answer or "HOSTNAME" in answer for answer in answers)


@pytest.mark.feature("SE3")
@pytest.mark.parametrize("kind", CALLER_KINDS)
def test_what_is_known_of_a_cluster_is_for_its_members(at: Site, kind: str) -> None:
    caller = Caller(kind, mac_of(1) if kind in (NODE, BOOTING) else None, "10.77.0.2", "x")
    if kind in MEMBERS:
        assert do(at, "cluster_variable", caller, name="DESCRIPTION")["value"] == "a = b"
        assert do(at, "cluster_variable", caller, name="DHCP_LEASE")["value"] == "3600"
        with pytest.raises(Denied):
            do(at, "cluster_variable", caller, name="OPENSVC_CLUSTER_SECRET")
    else:
        with pytest.raises(Denied) as caught:
            do(at, "cluster_variable", caller, name="DESCRIPTION")
        assert caught.value.status == (401 if kind == STRANGER else 403)


@pytest.mark.feature("SE1", "SE3")
def test_no_machine_writes_a_key_of_the_cluster(at: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "reconcile", lambda paths, registry: serve.Report(plan=None))  # type: ignore[arg-type]
    before = at.registry.read(cluster_name("lab"))
    for caller in (node(1), Caller(IPS, name="ips-02")):
        for value in ("mine", ""):
            with pytest.raises(Denied) as caught:
                do(at, "cluster_variable", caller, name="DESCRIPTION", value=value)
            assert caught.value.status == 403
    assert at.registry.read(cluster_name("lab")) == before
    assert do(at, "cluster_variable", Caller(OPERATOR, name="local"), name="DESCRIPTION", value="mine")["changed"] is True


def test_an_operating_system_is_read(at: Site) -> None:
    assert do(at, "os_variable", os_id=OS_ID, name="ARCH")["value"] == "x86_64"
    assert do(at, "os_variable", os_id=OS_ID, name="IMAGE_SCH")["value"]
    for given, kind in (
        ({"os_id": "x86_64:none:1", "name": "ARCH"}, NotFound),
        ({"os_id": OS_ID, "name": "VERSION"}, NotFound),
        ({"os_id": OS_ID, "name": "ARCHS"}, InvalidInput),
        ({"os_id": "../../hps", "name": "ARCH"}, InvalidInput),
    ):
        with pytest.raises(kind):
            do(at, "os_variable", **given)


def test_the_whole_record_is_text_to_read(at: Site) -> None:
    do(at, "host_variable", name="HOST_NOTE", value="$(touch /tmp/x) = `id`")
    answer = do(at, "host_get_config")
    assert isinstance(answer, Text)
    found = parse_record(answer.body)
    assert found == keys.public("host", record(at))
    assert found["HOST_NOTE"] == "$(touch /tmp/x) = `id`"


@pytest.mark.parametrize("state", keys.STATES)
@pytest.mark.parametrize("wanted", keys.STATES)
def test_a_node_sets_no_state_but_that_its_installation_failed(at: Site, state: str, wanted: str) -> None:
    at.registry.change(site.record_name(at, mac_of(1)), setting(STATE=state))
    before = record(at)
    if (state, wanted) == ("INSTALLING", "INSTALL_FAILED"):
        do(at, "set_status", status=wanted)
        assert do(at, "determine_state") == {"state": "INSTALL_FAILED"}
        assert "INSTALL_ARMED" not in record(at)
    elif state == wanted and state in ("INSTALLED", "INSTALL_FAILED"):
        assert do(at, "set_status", status=wanted) == {"state": state}
        assert record(at) == before
    else:
        with pytest.raises(Denied) as caught:
            do(at, "set_status", status=wanted)
        assert caught.value.hint.startswith("set by ")
        assert record(at) == before


@pytest.mark.parametrize("caller", [booting(1), node(1)], ids=["booting", "node"])
def test_an_audit_is_kept_and_nothing_else_changes(at: Site, caller: Caller) -> None:
    before = record(at)
    pairs = {"mfg": "QEMU & Co", "prod": "Standard PC (i440FX + PIIX, 1996) | =", "ser": "", "mem": "4096"}
    data = "|".join(f"{name}={quote(value, safe='')}" for name, value in pairs.items())
    assert do(at, "host_audit", caller, data=data, prefix="smbios")["keys"] == ["HOST_MEM", "HOST_MFG", "HOST_PROD", "HOST_SER"]
    assert record(at) == {**before, **{f"HOST_{name.upper()}": value for name, value in pairs.items()}}
    assert do(at, "host_audit", caller, data=quote("plat=pcbios|arch=x86_64", safe=""))["keys"] == ["HOST_ARCH", "HOST_PLAT"]


@pytest.mark.parametrize(
    "data",
    [
        "nothing",
        "a b=c",
        "=x",
        "a=1|A=2",
        "a=x%0aSTATE=INSTALLED",
        "a=x%1b[2J",
        "a=%00",
        "a=%E2%80%A8",
        "a=" + "x" * 4097,
        "|".join(f"k{number}=v" for number in range(61)),
        "n" * 41 + "=v",
        "a=1||b=2",
    ],
)
def test_an_audit_that_is_not_well_formed_changes_nothing(at: Site, data: str) -> None:
    before = record(at)
    with pytest.raises(InvalidInput):
        do(at, "host_audit", booting(1), data=data)
    assert record(at) == before


@pytest.mark.parametrize("name", ["PROFILE", "profile"])
def test_an_audit_cannot_choose_the_profile(at: Site, name: str) -> None:
    before = record(at)
    with pytest.raises(Denied):
        do(at, "host_audit", booting(1), data=f"mem=1|{name}=EVIL")
    assert record(at) == before


def test_a_machine_that_is_not_known_leaves_nothing(at: Site) -> None:
    with pytest.raises(NotFound):
        do(at, "host_audit", booting(9), data="a=b")
    assert record(at, 9) == {}


def test_a_machine_cannot_make_its_record_grow_without_an_end(at: Site) -> None:
    with pytest.raises(Refused, match="too many facts"):
        for first in range(0, 300, 50):
            do(at, "host_audit", data="|".join(f"k{number}=v" for number in range(first, first + 50)))
    assert sum(key.startswith("HOST_") for key in record(at)) <= variables.MAXIMUM_FACTS
    with pytest.raises(InvalidInput, match="too long"):
        do(at, "host_variable", name="HOST_NOTE", value="x" * 4097)


def _served(at: Site) -> dict[str, bytes]:
    serve.publish_host(at.paths, at.registry, at.cluster, mac_of(1))
    return {str(path): path.read_bytes() for path in at.paths.services.rglob("*") if path.is_file()}


@pytest.mark.feature("S4", "S5")
@pytest.mark.parametrize("bad", INERT)
@pytest.mark.parametrize("key", ["HOST_NOTE", *sorted(key.name for key in keys.TABLE if key.kind == "host" and key.writer == keys.NODE)])
def test_what_a_machine_writes_never_stands_in_a_boot_script(at: Site, key: str, bad: str) -> None:
    """Either it is refused with 400, or nothing that a machine is served changes by it."""
    at.registry.change(site.record_name(at, mac_of(1)), setting(STATE="UNMANAGED"))
    served = _served(at)
    assert any("scripts" in name for name in served)
    told = repr(do(at, "init", booting(1)))
    before = record(at)
    try:
        do(at, "host_variable", name=key, value=bad)
    except HpsError as error:
        assert error.status == 400
        assert record(at) == before
    assert _served(at) == served
    assert repr(do(at, "init", booting(1))) == told
