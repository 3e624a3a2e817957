"""The loaders are made by argument lists, and the static configuration keeps the rules that make it safe."""

import subprocess
from pathlib import Path

import pytest

from hps.images import loader

CONFIGURATION = loader.asset("loader/grub.cfg").decode()


def test_the_arguments_of_grub_mkimage() -> None:
    arguments = loader.mkimage_arguments("i386-pc", "(,gpt2)/grub", Path("/tmp/core.img"), ("biosdisk", "normal"))
    assert arguments == (
        "grub-mkimage",
        "-O",
        "i386-pc",
        "-d",
        "/usr/lib/grub/i386-pc",
        "-p",
        "(,gpt2)/grub",
        "-o",
        "/tmp/core.img",
        "biosdisk",
        "normal",
    )


@pytest.mark.feature("AB7")
def test_linux_is_loaded_in_one_place_only_after_both_files_were_seen() -> None:
    lines = [line.strip() for line in CONFIGURATION.splitlines()]
    loads = [number for number, line in enumerate(lines) if line.startswith("if linux ")]
    assert len(loads) == 1
    assert not [line for line in lines if line.startswith("linux ")]
    checks = [number for number, line in enumerate(lines) if "-s" in line and "vmlinuz" in line and "initrd.img" in line]
    assert checks[0] < loads[0]
    after = lines[loads[0] :]
    assert "reboot" in after[: after.index("}")], "a kernel that was loaded and did not start must end in a restart"


def test_only_known_variables_are_read_and_one_is_written() -> None:
    loads = [line for line in CONFIGURATION.splitlines() if line.strip().startswith("load_env")]
    assert loads == ['load_env --file "$hps_env" ab_good ab_try ab_left ab_seq ab_console']
    saves = [line.strip() for line in CONFIGURATION.splitlines() if "save_env" in line]
    assert saves == ['if save_env --file "$hps_env" ab_left; then hps_start "$ab_try" yes; fi']


@pytest.mark.programs
@pytest.mark.parametrize("name", ["loader/grub.cfg", "media/grub.cfg"])
def test_grub_can_read_the_configuration(name: str) -> None:
    subprocess.run(["grub-script-check"], input=loader.asset(name), check=True)


@pytest.mark.programs
def test_the_loaders_are_made() -> None:
    made = loader.node_loader()
    assert sorted(made) == ["boot.img", "core.img", "grub.cfg", "grubx64.efi"]
    assert len(made["boot.img"]) == 512
    assert len(made["core.img"]) < 1 << 20, "it must fit the BIOS boot partition"
    assert made["grubx64.efi"][:2] == b"MZ"
    assert made == loader.node_loader(), "the same packages give the same loaders"
    network = loader.network_loader()
    assert network["local.efi"][:2] == b"MZ"
    assert sorted(network) == ["local.efi"]
    assert sorted(loader.tftp_loader()) == ["snponly.efi", "undionly.kpxe"]
