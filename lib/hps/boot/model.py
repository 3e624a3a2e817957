"""What a machine may be told at boot: one frozen kind for each answer. Pure."""

from dataclasses import dataclass

from hps.values import Mac


@dataclass(frozen=True)
class Request:
    """Who asks: its MAC address, and its architecture where its loader said it (`x86_64`, `aarch64`)."""

    mac: Mac
    arch: str = ""


@dataclass(frozen=True)
class Item:
    """One line of the menu; without a name it is a heading."""

    name: str
    words: str


@dataclass(frozen=True)
class Menu:
    """Let the person at the terminal choose; after `seconds` the machine takes `choice` by itself."""

    title: str
    items: tuple[Item, ...]
    choice: str
    seconds: int


@dataclass(frozen=True)
class Wait:
    """Say why, and ask again with a question whose answer the IPS holds back until something changes.

    `seconds` pass between two questions where no answer comes; `pause` seconds before the first one.
    """

    title: str
    lines: tuple[str, ...]
    seconds: int
    pause: int = 0


@dataclass(frozen=True)
class Install:
    """Start the installer of an operating system; the token, session and time are filled in by the flow."""

    folder: str
    mac: Mac
    host: str
    type: str
    authority: str = ""
    token: str = ""
    session: str = ""
    time: int = 0


@dataclass(frozen=True)
class Rescue:
    """Start the installer's kernel with a shell; it gets no token and touches no disk."""

    folder: str
    mac: Mac
    host: str
    authority: str = ""
    session: str = ""
    time: int = 0


@dataclass(frozen=True)
class Local:
    """Start what is on the machine's own disk."""

    words: str = "this machine starts from its own disk"


@dataclass(frozen=True)
class Restart:
    """Restart the machine once."""

    words: str = "the operator asked for a restart"


@dataclass(frozen=True)
class Introduce:
    """Let the loader say which architecture the machine has, and ask again with that."""


@dataclass(frozen=True)
class Explain:
    """Something is wrong: say what and what helps, sleep, and ask again; never a dead end."""

    message: str
    hint: str = ""
    seconds: int = 10


STATIC = (Local, Wait, Explain)
"""What may stand in a file: it holds no token, no boot id and no time, and asks again where anything may change."""

Decision = Menu | Wait | Install | Rescue | Local | Restart | Introduce | Explain
KINDS = (Menu, Wait, Install, Rescue, Local, Restart, Introduce, Explain)
