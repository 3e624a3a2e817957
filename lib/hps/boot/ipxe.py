"""A decision as an iPXE script, for the iPXE of Debian 12 (1.0.0+git-20190125). Pure.

Every value that is put into a template passes `checked_plain` once more, whoever checked it before: a newline, quote or
`${` in a host name or a kernel argument is refused here too (S5). Words for the screen are reduced to safe characters.
"""

import re

from hps.boot.model import Decision, Explain, Install, Introduce, Item, Local, Menu, Rescue, Restart, Wait
from hps.errors import InvalidInput
from hps.values import checked_address, checked_plain

MENU = """#!ipxe
:top
menu {title}
{items}
choose --default {choice} --timeout {milliseconds} item || goto top
echo HPS: you chose ${{item}}, telling the IPS
chain --replace --autofree {api}?cmd=process_menu_item&menu_item=${{item:uristring}} ||
echo HPS: the IPS did not answer, the menu comes back in 10 seconds
sleep 10
goto top
"""

WAIT = """#!ipxe
echo
{words}
echo HPS: asking again in {seconds} seconds, no key press is needed
:again
sleep {seconds}
chain --replace --autofree {api}?cmd=init ||
echo HPS: the IPS did not answer, trying again in {seconds} seconds
goto again
"""

KERNEL = """#!ipxe
echo
echo HPS: {what}
echo HPS: next, the kernel and its initrd come from the IPS
imgfree
kernel {boot}/installer/{folder}/vmlinuz {arguments} || goto failed
initrd {boot}/installer/{folder}/initrd.img || goto failed
echo HPS: both are here, starting the kernel
boot || goto failed
:failed
echo HPS: the kernel could not be fetched or started, asking again in 10 seconds
sleep 10
chain --replace --autofree {api}?cmd=init || goto failed
"""

LOCAL = """#!ipxe
echo
echo HPS: {words}
:again
chain --replace --autofree {boot}/local.ipxe ||
echo HPS: the IPS did not answer, trying again in 10 seconds
sleep 10
goto again
"""

RESTART = """#!ipxe
echo
echo HPS: {words}, restarting in 3 seconds
sleep 3
reboot
"""

INTRODUCE = """#!ipxe
echo
echo HPS: this machine is new here, telling the IPS what it is
cpuid --ext 29 && set machine x86_64 || set machine ${{buildarch}}
:again
chain --replace --autofree {api}?cmd=init&arch=${{machine:uristring}} ||
echo HPS: the IPS did not answer, trying again in 10 seconds
sleep 10
goto again
"""


def render(decision: Decision, address: str = "", console: str = "") -> str:
    """The script that carries a decision out.

    Args:
        decision: what the machine is told.
        address: the IPS as the machine reaches it; empty for paths relative to where the script came from.
        console: console arguments of the kernel command line.

    Raises:
        InvalidInput: a value holds a character that a boot script cannot carry.
    """
    base = f"http://{checked_address(address)}" if address else ""
    api, boot = f"{base}/hps-api", f"{base}/boot"
    match decision:
        case Menu():
            lines = "\n".join(_item(item) for item in decision.items)
            choice = checked_plain(decision.choice, "the default of the menu")
            return MENU.format(title=shown(decision.title), items=lines, choice=choice, milliseconds=int(decision.seconds) * 1000, api=api)
        case Wait():
            return WAIT.format(words=_echo(decision.title, *decision.lines), seconds=int(decision.seconds), api=api)
        case Explain():
            hint = (f"what helps: {decision.hint}",) if decision.hint else ()
            return WAIT.format(words=_echo(f"cannot go on: {decision.message}", *hint), seconds=int(decision.seconds), api=api)
        case Install() | Rescue():
            return KERNEL.format(
                what=_purpose(decision),
                boot=boot,
                folder=_word(decision.folder, "the folder"),
                arguments=kernel_arguments(decision, base, console),
                api=api,
            )
        case Local():
            return LOCAL.format(words=shown(decision.words), boot=boot)
        case Restart():
            return RESTART.format(words=shown(decision.words))
        case Introduce():
            return INTRODUCE.format(api=api)


def kernel_arguments(decision: Install | Rescue, base: str, console: str) -> str:
    """The kernel command line; raises InvalidInput for a value that it cannot carry."""
    pairs = [
        ("initrd", "initrd.img"),
        ("hps.mode", "install" if isinstance(decision, Install) else "rescue"),
        ("hps.url", base),
        ("hps.tls", base.replace("http:", "https:")),
        ("hps.ca", decision.authority),
        *([("hps.token", decision.token)] if isinstance(decision, Install) else []),
        ("hps.mac", decision.mac.digits),
        ("hps.time", str(int(decision.time))),
        ("hps.session", decision.session),
    ]
    words = [f"{name}={_word(value, name)}" for name, value in pairs]
    return " ".join((*words, checked_plain(console, "the console arguments"))).rstrip()


def shown(text: str) -> str:
    """Words for the screen: every character that a script could take for something else becomes a space; at most 160."""
    return re.sub(r"[^A-Za-z0-9 ,.:/_+@=%-]", " ", text)[:160].strip()


def _purpose(decision: Install | Rescue) -> str:
    name = checked_plain(decision.host, "the host name") or str(decision.mac)
    if isinstance(decision, Install):
        return f"installing {name} as {_word(decision.type, 'the type')} with {_word(decision.folder, 'the folder')}"
    return f"starting a rescue shell on {name}, no disk is touched"


def _word(value: str, what: str) -> str:
    if " " in checked_plain(value, what):
        raise InvalidInput(f"{what} holds a space, and a boot script would take it for two words")
    return value


def _item(item: Item) -> str:
    if not item.name:
        return f"item --gap -- {shown(item.words)}"
    return f"item {_word(item.name, 'the menu item')} {shown(item.words)}"


def _echo(*lines: str) -> str:
    return "\n".join(f"echo HPS: {shown(line)}" for line in lines)
