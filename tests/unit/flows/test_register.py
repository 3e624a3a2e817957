from pathlib import Path

import pytest

from hps.flows import register


@pytest.mark.parametrize(
    ("line", "label", "slot"),
    [
        ("root=x hps.slot=a ro", "", "a"),
        ("hps.slot=b", "hps-a", "b"),
        ("ro quiet", "hps-b", "b"),
        ("hps.slot=c", "data", ""),
        ("xhps.slot=a", "", ""),
    ],
)
def test_slot_from_the_loader_or_the_label(line: str, label: str, slot: str) -> None:
    assert register.slot_of(line, label) == slot


def test_registration_holds_system_slot_and_image(tmp_path: Path) -> None:
    for path, text in {
        "etc/os-release": 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian 12"\n',
        "etc/hps/image": "x86_64-debian_12-SCH/3\n",
        "proc/cmdline": "root=PARTUUID=x hps.slot=a\n",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    found = register.registration(tmp_path)
    assert found["os"] == {"ID": "debian", "VERSION_ID": "12", "PRETTY_NAME": "Debian 12"}
    assert (found["slot"], found["image"]) == ("a", "x86_64-debian_12-SCH/3")
    assert found["audit"]["HOST_BUILDARCH"]
    assert "slot" not in register.registration(tmp_path / "empty")
