"""Commands of nodes: their installation, and their registration."""

from hps.commands import kinds
from hps.commands.model import Command, Parameter
from hps.flows import membership, progress
from hps.flows.model import NODE

INSTALLER_FILES = ("config.json", "imagename", "imageserver", "storage-layout.json")

COMMANDS: tuple[Command, ...] = (
    Command(
        "installer_config",
        "a file that the installer reads",
        (Parameter("name", kinds.word(*INSTALLER_FILES), "one of " + ", ".join(INSTALLER_FILES)),),
        (NODE,),
        membership.installer_config,
        "the file",
        result={"type": "string"},
        changes=False,
    ),
    Command(
        "install_begin",
        "permission to write to a disk; spends the host's armed state",
        (
            Parameter("disk", kinds.text(limit=128), "serial number of the disk"),
            Parameter("size", kinds.DECIMAL, "its size in bytes"),
            Parameter("blank", kinds.TRUTH, "whether it holds no data"),
        ),
        (NODE,),
        progress.install_begin,
        "the permission, and how often the installation was begun",
    ),
    Command(
        "install_step",
        "a step of the boot timeline",
        (
            Parameter("step", kinds.EVENT, "name of the step", positional=True),
            Parameter("detail", kinds.text(), "words for people", required=False, positional=True),
            Parameter("time", kinds.DECIMAL, "when it happened, epoch seconds; now by default", required=False),
        ),
        (NODE,),
        progress.install_step,
        "the id of the boot that it belongs to",
        function="n_install_step",
    ),
    Command(
        "install_failed",
        "the installation ended without a result",
        (Parameter("reason", kinds.text(), "why", positional=True),),
        (NODE,),
        progress.install_failed,
        "the state of the host",
        function="n_install_failed",
    ),
    Command(
        "register",
        "a node runs: what it is made of, and what it runs",
        (
            Parameter("audit", kinds.AUDIT, "object of HOST_ keys", required=False),
            Parameter("os", kinds.SYSTEM, "object with ID, VERSION_ID and PRETTY_NAME of /etc/os-release"),
            Parameter("slot", kinds.word("a", "b"), "the slot that it runs", required=False),
            Parameter("image", kinds.PLAIN, "the image in that slot", required=False),
            Parameter("booted", kinds.DECIMAL, "when its kernel started, epoch seconds", required=False),
            Parameter("session", kinds.SESSION, "the boot id that it was given", required=False),
        ),
        (NODE,),
        membership.register,
        "the id of this boot, and the state of the host",
    ),
)
