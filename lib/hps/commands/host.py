"""Commands of the operator about hosts."""

from collections.abc import Callable
from typing import Any

from hps.commands import kinds
from hps.commands.model import Command, Parameter
from hps.flows import overview
from hps.flows.model import OPERATOR

_HOST = Parameter("host", kinds.HOST, "its name or MAC address", positional=True)
_ERASE = Parameter("erase", kinds.TRUTH, "permit, once, to erase a disk that holds data", required=False)

_CHANGES: tuple[tuple[str, str, Callable[..., Any], bool], ...] = (
    ("arm", "give one permission to install on the host's disk", overview.host_arm, True),
    ("reinstall", "choose again at the next network boot; with --erase the same again, over the disk", overview.host_reinstall, True),
    ("unconfigure", "forget what the host shall be; its name and address are kept for it", overview.host_unconfigure, False),
    ("reboot", "make a waiting machine restart once", overview.host_reboot, False),
    ("rescue", "boot a shell that touches no disk, at every network boot, until the mode ends", overview.host_rescue, False),
    ("normal", "end the rescue mode", overview.host_normal, False),
    ("remove", "forget the host, its name, address and timeline", overview.host_remove, False),
)


def _change(name: str, words: str, handler: Callable[..., Any], erases: bool) -> Command:
    return Command(
        f"host_{name}",
        words,
        (_HOST, _ERASE) if erases else (_HOST,),
        (OPERATOR,),
        handler,
        "the record of the host as it is then",
        verb=("host", name),
        show=overview.show_change if name != "remove" else overview.show_removal,
    )


COMMANDS: tuple[Command, ...] = (
    Command(
        "host_list",
        "every host, one line each",
        (Parameter("unconfigured", kinds.TRUTH, "only those that nobody has configured", required=False),),
        (OPERATOR,),
        overview.host_list,
        "the records of the hosts",
        changes=False,
        verb=("host", "list"),
        show=overview.show_list,
    ),
    Command(
        "host_show",
        "the record of a host",
        (_HOST,),
        (OPERATOR,),
        overview.host_show,
        "its keys and values, without the secret ones",
        changes=False,
        verb=("host", "show"),
    ),
    Command(
        "host_timeline",
        "what a host did in a boot, and which step is missing",
        (_HOST, Parameter("session", kinds.SESSION, "another boot than the current one", required=False)),
        (OPERATOR,),
        overview.host_timeline,
        "the events of the boot, whether it is done, and what is missing",
        changes=False,
        verb=("host", "timeline"),
        show=overview.show_timeline,
    ),
    Command(
        "host_configure",
        "decide what a host becomes",
        (
            Parameter("host", kinds.HOST, "its MAC address, or its name if it has one", positional=True),
            Parameter("type", kinds.HOST_TYPE, "SCH, TCH, CCH or DRH"),
            Parameter("os", kinds.text(limit=48), "operating system, as x86_64:debian:12", required=False),
            _ERASE,
        ),
        (OPERATOR,),
        overview.host_configure,
        "the record of the host as it is then",
        verb=("host", "configure"),
        show=overview.show_configured,
    ),
    *(_change(*row) for row in _CHANGES),
)
