"""The first lines of a boot script that stands in a file: what it says, and whose it is. Pure.

The lease hook reads them, so that the timeline holds what a machine was told although no program was asked.
"""

import re

from hps.values import Mac

FIRST = "#!ipxe"
_SAFE = re.compile(r"[^A-Za-z0-9 ,.:/_+@=%-]")


def shown(text: str) -> str:
    """Words for the screen: every character that a script could take for something else becomes a space; at most 160."""
    return _SAFE.sub(" ", text)[:160].strip()


def marked(script: str, words: str, mac: Mac) -> str:
    """A script with two comments after its first line: what it says, and for which machine it is."""
    rest = script.removeprefix(f"{FIRST}\n")
    return f"{FIRST}\n# {shown(words)}\n# for {Mac.parse(mac.digits)}\n{rest}"


def words_of(text: str) -> str:
    """What a script from a file says, as `local: its own disk`; empty where it has no such line."""
    lines = text.split("\n", 3)
    return lines[1][2:] if len(lines) > 2 and lines[0] == FIRST and lines[1].startswith("# ") and lines[2].startswith("# for ") else ""


def owner_of(text: str) -> str:
    """The MAC address of the machine that a script from a file is for; empty where it does not say so."""
    lines = text.split("\n", 3)
    return lines[2][6:] if words_of(text) else ""
