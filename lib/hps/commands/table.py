"""The commands of hps-api, each declared once; the query-string form, the JSON form and the documents come from here."""

import re
from collections.abc import Mapping
from typing import Any

from hps.boot.menu import parse_choice
from hps.commands.model import Command, Parameter, admit, checked_parameters, decimal, text, truth
from hps.errors import InvalidInput, NotFound
from hps.flows import decide, membership, overview, progress
from hps.flows.model import BOOTING, CALLER_KINDS, NODE, OPERATOR, STRANGER, Caller, Site
from hps.registry.keys import checked_type, one_of
from hps.timeline.model import checked_event
from hps.values import Mac, checked_name, checked_plain

INSTALLER_FILES = ("config.json", "imagename", "imageserver", "storage-layout.json")
MENU_ITEMS = ("init_menu", "show_host", "unmanage", "reboot")


def _menu_item(value: str) -> object:
    if value not in MENU_ITEMS and parse_choice(value) is None:
        raise InvalidInput(f"{value[:60]!r} is not an item of the menu")
    return value


def _session(value: str) -> object:
    if not re.fullmatch(r"[0-9a-f]{6}", value):
        raise InvalidInput("a boot id is six hexadecimal digits")
    return value


def _plain(value: str) -> object:
    return checked_plain(value, "the value")


_HOST = Parameter("host", text(limit=80), "name or MAC address of a host")
_ERASE = Parameter("erase", truth, "permit, once, to erase a disk that holds data", required=False)

COMMANDS: tuple[Command, ...] = (
    Command(
        "init",
        "the boot decision",
        (Parameter("arch", text(checked_name, 32), "architecture as the loader says it", required=False),),
        (BOOTING,),
        decide.init,
    ),
    Command("install", "straight to the installer, for a host that is to be installed", (), (BOOTING,), decide.install),
    Command(
        "process_menu_item",
        "do what was chosen in the menu",
        (Parameter("menu_item", text(_menu_item, 80), "boot_TYPE@OS, erase_TYPE@OS, " + ", ".join(MENU_ITEMS)),),
        (BOOTING,),
        decide.process_menu_item,
    ),
    Command(
        "certificate",
        "a client certificate for the one-time token of the kernel command line",
        (
            Parameter("token", text(limit=128), "the token"),
            Parameter("csr", text(limit=16384), "certificate request, PKCS#10 in PEM form"),
        ),
        (STRANGER, BOOTING),
        membership.certificate,
    ),
    Command(
        "installer_config",
        "a file that the installer reads",
        (Parameter("name", text(one_of(*INSTALLER_FILES)), "one of " + ", ".join(INSTALLER_FILES)),),
        (NODE,),
        membership.installer_config,
    ),
    Command(
        "install_begin",
        "permission to write to a disk; spends the host's armed state",
        (
            Parameter("disk", text(limit=128), "serial number of the disk"),
            Parameter("size", decimal, "its size in bytes"),
            Parameter("blank", truth, "whether it holds no data"),
        ),
        (NODE,),
        progress.install_begin,
    ),
    Command(
        "install_step",
        "a step of the boot timeline",
        (
            Parameter("step", text(checked_event), "name of the step"),
            Parameter("detail", text(limit=4096), "words for people", required=False),
            Parameter("time", decimal, "when it happened, epoch seconds; now by default", required=False),
        ),
        (NODE,),
        progress.install_step,
    ),
    Command(
        "install_failed",
        "the installation ended without a result",
        (Parameter("reason", text(limit=4096), "why"),),
        (NODE,),
        progress.install_failed,
    ),
    Command(
        "register",
        "a node runs: what it is made of, and what it runs",
        (
            Parameter("audit", membership.checked_audit, "object of HOST_ keys", required=False),
            Parameter("os", membership.checked_system, "object with ID, VERSION_ID and PRETTY_NAME of /etc/os-release"),
            Parameter("slot", text(one_of("a", "b")), "the slot that it runs", required=False),
            Parameter("image", text(_plain, 128), "the image in that slot", required=False),
            Parameter("booted", decimal, "when its kernel started, epoch seconds", required=False),
            Parameter("session", text(_session), "the boot id that it was given", required=False),
        ),
        (NODE,),
        membership.register,
    ),
    Command(
        "log_message",
        "a line for the log of the IPS",
        (
            Parameter("message", text(limit=4096), "the words"),
            Parameter("function", text(limit=128), "which function says so", required=False),
        ),
        (BOOTING, NODE),
        progress.log_message,
    ),
    Command("health", "whether decisions can be made", (), CALLER_KINDS, progress.health),
    Command(
        "hosts", "the records of the hosts", (Parameter("unconfigured", truth, "only those", required=False),), (OPERATOR,), overview.hosts
    ),
    Command(
        "host_timeline",
        "the events of a boot, and the step that is missing",
        (_HOST, Parameter("session", text(_session), "boot id", required=False)),
        (OPERATOR,),
        overview.host_timeline,
    ),
    Command(
        "host_configure",
        "decide what a host becomes",
        (
            Parameter("mac", text(Mac.parse, 17), "MAC address"),
            Parameter("type", text(checked_type, 8), "SCH, TCH, CCH or DRH"),
            Parameter("os", text(limit=48), "operating system, as x86_64:debian:12", required=False),
            _ERASE,
        ),
        (OPERATOR,),
        overview.host_configure,
    ),
    Command(
        "host_change",
        "do one of the operator's verbs to a host",
        (_HOST, Parameter("action", text(one_of(*overview.ACTIONS)), "one of " + ", ".join(overview.ACTIONS)), _ERASE),
        (OPERATOR,),
        overview.host_change,
    ),
)

BY_NAME = {command.name: command for command in COMMANDS}


def find(name: str) -> Command:
    """The command of this name; raises NotFound."""
    if name not in BY_NAME:
        raise NotFound(f"there is no command {name[:40]!r}", hint="docs/reference/commands.md lists them")
    return BY_NAME[name]


def perform(at: Site, caller: Caller, name: str, given: Mapping[str, Any]) -> object:
    """Run a command: the only way to a handler, and nothing on it comes before the question whether the caller may."""
    command = find(name)
    admit(command, caller)
    return command.handler(at, caller, checked_parameters(command, given))
