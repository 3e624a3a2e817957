import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hps.boot import ipxe, script
from hps.boot.model import Decision, Explain, Install, Introduce, Item, Local, Menu, Rescue, Restart, Wait
from hps.errors import InvalidInput
from hps.registry.keys import check_values
from hps.values import Mac

MAC = Mac.parse("525400770001")
INSTALL = Install("x86_64-debian_12", MAC, "sch-001", "SCH", "ab" * 32, "525400770001.secret-_", "a1b2c3", 1795000000)
RESCUE = Rescue("x86_64-debian_12", MAC, "sch-001", "ab" * 32, "a1b2c3", 1795000000)
MENU = Menu("HPS", (Item("", "Install"), Item("boot_SCH@x86_64:debian:12", "SCH"), Item("init_menu", "Wait")), "init_menu", 15)
EVERY: tuple[Decision, ...] = (
    INSTALL,
    RESCUE,
    MENU,
    Wait("waiting", ("a", "b"), 5),
    Explain("wrong", "mend it"),
    Local(),
    Restart(),
    Introduce(),
)

KNOWN = {
    "echo",
    "menu",
    "item",
    "choose",
    "chain",
    "sleep",
    "goto",
    "imgfree",
    "kernel",
    "initrd",
    "boot",
    "reboot",
    "cpuid",
    "set",
    "iseq",
}
HOSTILE = [
    "a\nchain http://evil/",
    "a\rb",
    'a"b',
    "a'b",
    "${net0/mac}",
    "a && b",
    "a || b",
    "a;b",
    "#!ipxe",
    "a\0b",
    "a\u2028b",
    "a\\b",
    "`a`",
]


@pytest.mark.parametrize("decision", EVERY, ids=lambda one: type(one).__name__)
def test_every_script_uses_known_commands_and_says_what_happens(decision: Decision) -> None:
    lines = ipxe.render(decision, "10.77.0.1", "console=ttyS0").splitlines()
    assert lines[0] == "#!ipxe"
    words = [line.split()[0] for line in lines[1:] if not line.startswith(":")]
    assert set(words) <= KNOWN
    assert any(line.startswith(("echo HPS: ", "menu ")) for line in lines)
    labels = {line[1:] for line in lines if line.startswith(":")}
    assert {found for line in lines for found in re.findall(r"goto (\S+)", line)} <= labels


@pytest.mark.parametrize("decision", [one for one in EVERY if not isinstance(one, Restart)], ids=lambda one: type(one).__name__)
def test_no_script_is_a_dead_end(decision: Decision) -> None:
    """Every script ends by going back or by asking again, whatever fails."""
    last = ipxe.render(decision, "10.77.0.1").splitlines()[-1]
    assert last.startswith("goto ") or last.endswith("|| goto failed")


def test_the_kernel_line_carries_the_contract() -> None:
    line = next(
        line for line in ipxe.render(INSTALL, "10.77.0.1", "console=tty0 console=ttyS0,115200n8").splitlines() if line.startswith("kernel")
    )
    for word in (
        "http://10.77.0.1/boot/installer/x86_64-debian_12/vmlinuz",
        "hps.mode=install",
        "hps.url=http://10.77.0.1",
        "hps.tls=https://10.77.0.1",
        f"hps.ca={'ab' * 32}",
        "hps.token=525400770001.secret-_",
        "hps.mac=525400770001",
        "hps.time=1795000000",
        "hps.session=a1b2c3",
        "console=tty0",
        "console=ttyS0,115200n8",
    ):
        assert word in line.split()
    assert "hps.token" not in ipxe.render(RESCUE, "10.77.0.1")
    assert "hps.mode=rescue" in ipxe.render(RESCUE, "10.77.0.1")


@pytest.mark.feature("S5")
@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("field", ["folder", "host", "type", "authority", "token", "session", "console"])
def test_hostile_values_are_refused_when_a_script_is_rendered(field: str, value: str) -> None:
    values = {"folder": "x86_64-debian_12", "mac": MAC, "host": "sch-001", "type": "SCH", "authority": "", "token": "", "session": ""}
    console = value if field == "console" else ""
    decision = Install(**{**values, **({field: value} if field != "console" else {})})  # type: ignore[arg-type]
    with pytest.raises(InvalidInput):
        ipxe.render(decision, "10.77.0.1", console)


@pytest.mark.feature("S5")
@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize(
    ("kind", "key"), [("host", "HOSTNAME"), ("host", "OS_ID"), ("host", "ARCH"), ("cluster", "CONSOLE"), ("cluster", "DNS_DOMAIN")]
)
def test_hostile_values_are_refused_when_a_record_is_written(kind: str, key: str, value: str) -> None:
    with pytest.raises(InvalidInput):
        check_values(kind, {key: value})


@pytest.mark.feature("S5")
@given(st.text(max_size=200))
def test_no_words_for_the_screen_become_commands(text: str) -> None:
    plain = ipxe.render(Wait("title", ("x",), 5), "10.77.0.1")
    for decision in (
        Wait(text, (text,), 5),
        Explain(text, text),
        Local(text),
        Restart(text),
        Menu(text, (Item("", text),), "init_menu", 5),
    ):
        text_of = ipxe.render(decision, "10.77.0.1")
        words = [line.split(" ")[0] for line in text_of.splitlines()[1:]]
        assert all(word in KNOWN or word.startswith(":") for word in words)
        shown = [line for line in text_of.splitlines() if line.startswith(("echo", "item", "menu"))]
        assert not any(set(line) & set("\"'$\\#;&|`") for line in shown if "${" not in line or "chose" not in line)
    assert ipxe.render(Wait(text, (text,), 5), "10.77.0.1").count("\n") == plain.count("\n")


@pytest.mark.feature("S5")
@given(st.text(max_size=60))
def test_a_host_name_is_either_refused_or_shown_as_it_is(text: str) -> None:
    try:
        found = ipxe.render(Install("x86_64-debian_12", MAC, text, "SCH"), "10.77.0.1")
    except InvalidInput:
        return
    assert re.fullmatch(r"[A-Za-z0-9 ,.:/_+@=%-]*", text)
    assert len(found.splitlines()) == len(ipxe.render(INSTALL, "10.77.0.1").splitlines())


STATIC = (Local("sch-001 starts from its own disk"), Wait("waiting", ("a", "b"), 5), Explain("wrong", "mend it"))


@pytest.mark.parametrize("decision", STATIC, ids=lambda one: type(one).__name__)
def test_a_script_in_a_file_says_what_it_is_and_whose(decision: Decision) -> None:
    text = ipxe.render_file(decision, MAC, "10.77.0.1")
    plain = ipxe.render(decision, "10.77.0.1").splitlines()
    assert text.splitlines() == [plain[0], f"# {ipxe.words(decision)}", "# for 52:54:00:77:00:01", *plain[1:]]
    assert script.words_of(text) == ipxe.words(decision)
    assert script.owner_of(text) == str(MAC)


@pytest.mark.parametrize(
    "decision", [one for one in EVERY if not isinstance(one, Local | Wait | Explain)], ids=lambda one: type(one).__name__
)
def test_what_must_be_asked_for_never_stands_in_a_file(decision: Decision) -> None:
    with pytest.raises(InvalidInput):
        ipxe.render_file(decision, MAC, "10.77.0.1")


def test_a_waiting_machine_asks_to_be_told_of_a_change_and_one_that_pauses_does_so_first() -> None:
    lines = ipxe.render(Wait("waiting", (), 5), "10.77.0.1").splitlines()
    assert "chain --replace --autofree --timeout 60000 http://10.77.0.1/hps-api?cmd=init&wait=50 ||" in lines
    assert lines[lines.index(":again") - 1] == "sleep 0"
    for decision in (Wait("waiting", (), 5, pause=20), Explain("wrong", "", 20)):
        lines = ipxe.render(decision, "10.77.0.1").splitlines()
        assert lines[lines.index(":again") - 1] == "sleep 20"


@pytest.mark.feature("S5")
@given(st.text(max_size=200))
def test_no_words_become_a_line_of_a_script_in_a_file(text: str) -> None:
    for decision in (Wait(text, (text,), 5), Explain(text, text), Local(text)):
        lines = ipxe.render_file(decision, MAC, "10.77.0.1").splitlines()
        assert len(lines) == len(ipxe.render(decision, "10.77.0.1").splitlines()) + 2
        assert script.owner_of("\n".join(lines)) == str(MAC)
