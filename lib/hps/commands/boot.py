"""Commands of machines that have no operating system yet, and what everybody may ask."""

from hps.commands import kinds
from hps.commands.model import Command, Parameter
from hps.flows import decide, membership, progress
from hps.flows.model import BOOTING, CALLER_KINDS, NODE, STRANGER

COMMANDS: tuple[Command, ...] = (
    Command(
        "init",
        "the boot decision",
        (
            Parameter("arch", kinds.ARCHITECTURE, "architecture as the loader says it", required=False),
            Parameter("wait", kinds.DECIMAL, "seconds to hold the answer while nothing changes, at most 60", required=False),
        ),
        (BOOTING,),
        decide.init,
        "an iPXE script, or the decision as data",
    ),
    Command(
        "process_menu_item",
        "do what was chosen in the menu",
        (Parameter("menu_item", kinds.MENU_ITEM, "boot_TYPE@OS, erase_TYPE@OS, " + ", ".join(kinds.MENU_ITEMS)),),
        (BOOTING,),
        decide.process_menu_item,
        "an iPXE script, or the decision as data",
    ),
    Command(
        "certificate",
        "a client certificate for the one-time token of the kernel command line",
        (
            Parameter("token", kinds.text(limit=128), "the token", secret=True),
            Parameter("csr", kinds.text(limit=16384), "certificate request, PKCS#10 in PEM form"),
        ),
        (STRANGER, BOOTING),
        membership.certificate,
        "the certificate in PEM form",
    ),
    Command(
        "log_message",
        "a line for the log of the IPS",
        (
            Parameter("message", kinds.text(), "the words", positional=True),
            Parameter("function", kinds.text(limit=128), "which function says so", required=False),
        ),
        (BOOTING, NODE),
        progress.log_message,
        "the id of the boot that it belongs to",
        function="n_log_message",
    ),
    Command(
        "health",
        "whether decisions can be made",
        (),
        CALLER_KINDS,
        progress.health,
        "the status, ready or idle, and the active cluster",
        changes=False,
        needs_cluster=False,
        verb=("health",),
        function="n_health",
    ),
)
