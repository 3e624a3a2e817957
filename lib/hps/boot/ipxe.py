"""A decision as an iPXE script, for the iPXE of Debian 12 (1.0.0+git-20190125). Pure.

Every value that is put into a template passes `checked_plain` once more, whoever checked it before: a newline, quote or
`${` in a host name or a kernel argument is refused here too (S5). Words for the screen are reduced to safe characters.
"""

import functools

from hps.boot.model import STATIC, Decision, Explain, Install, Introduce, Item, Local, Menu, Rescue, Restart, Wait
from hps.boot.script import marked, shown
from hps.errors import InvalidInput
from hps.values import Mac, checked_address, checked_plain

__all__ = ["HOLD", "kernel_arguments", "render", "render_file", "shown", "words"]

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

HOLD = 50
"""Seconds for which the IPS holds an answer back; a connection that says nothing for longer may be cut on its way."""

WAIT = """#!ipxe
echo
{words}
echo HPS: {plan}, no key press is needed
sleep {pause}
:again
chain --replace --autofree --timeout {milliseconds} {api}?cmd=init&wait={hold} ||
echo HPS: the IPS did not answer, trying again in {seconds} seconds
sleep {seconds}
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
iseq ${{platform}} efi || exit
:again
chain {boot}/local.efi ||
echo HPS: the loader for the disk did not arrive, trying again in 10 seconds
sleep 10
goto again
"""
"""A BIOS goes on to its next device by itself. UEFI would open its menu, so that it gets a small loader for the disk."""

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
    return _kept(decision, address) if isinstance(decision, STATIC) else _render(decision, address, console)


@functools.lru_cache(maxsize=1024)
def _kept(decision: Decision, address: str) -> str:
    """A script without a secret is made once: many machines wait for the same, and each asks again and again."""
    return _render(decision, address, "")


def _render(decision: Decision, address: str, console: str) -> str:
    base = f"http://{checked_address(address)}" if address else ""
    api, boot = f"{base}/hps-api", f"{base}/boot"
    match decision:
        case Menu():
            lines = "\n".join(_item(item) for item in decision.items)
            choice = checked_plain(decision.choice, "the default of the menu")
            return MENU.format(title=shown(decision.title), items=lines, choice=choice, milliseconds=int(decision.seconds) * 1000, api=api)
        case Wait():
            return _wait(_echo(decision.title, *decision.lines), decision.seconds, decision.pause, api)
        case Explain():
            hint = (f"what helps: {decision.hint}",) if decision.hint else ()
            return _wait(_echo(f"cannot go on: {decision.message}", *hint), decision.seconds, decision.seconds, api)
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


def render_file(decision: Decision, mac: Mac, address: str) -> str:
    """The script of a known host as nginx serves it from a file; raises InvalidInput for a decision that each machine must ask for."""
    if not isinstance(decision, STATIC):
        raise InvalidInput(f"the answer {type(decision).__name__} cannot stand in a file")
    return marked(render(decision, address), words(decision), mac)


def words(decision: Decision) -> str:
    """A decision in one line, as the timeline has it: its kind, a colon, and what it says."""
    match decision:
        case Wait():
            return f"wait: {decision.title}"
        case Explain():
            return f"explain: {decision.message}"
        case Install():
            return f"install: {decision.host} as {decision.type} with {decision.folder}"
        case _:
            return _WORDS[type(decision)]


_WORDS = {
    Menu: "menu: what shall this machine become",
    Introduce: "introduce: its architecture is asked for",
    Restart: "restart: the operator asked for it",
    Rescue: "rescue: a shell, no disk is touched",
    Local: "local: its own disk",
}


def _wait(lines: str, seconds: int, pause: int, api: str) -> str:
    plan = f"asking again in {int(pause)} seconds" if pause else "asking again as soon as something changes"
    return WAIT.format(words=lines, plan=plan, seconds=int(seconds), pause=int(pause), milliseconds=(HOLD + 10) * 1000, hold=HOLD, api=api)


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
