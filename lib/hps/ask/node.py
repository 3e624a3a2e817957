"""A node asks the IPS for one command, over mutual TLS with its own certificate: what every `n_` function comes down to.

Parameters are data: they are quoted into the body of a request, and nothing of them is ever a word of a program.
"""

import sys

from hps.ask import door, tls
from hps.errors import Denied, HpsError, InvalidInput, NotFound, Usage

AUTHORITY, PAIR = "ca.pem", "node.pem"
"""Files of an identity (hps.node.credentials): the authority's certificate; key and certificate of the node."""

_ADDRESS = '"Address"'


def main() -> int:
    """`FOLDER COMMAND [:NAME,... VALUE...] [NAME=VALUE...]`: ask as the node whose identity is in the folder; returns the exit code.

    After the first word that begins with a colon come as many values as it names parameters, or fewer.
    """
    folder, *words = sys.argv[1:]
    try:
        target, body = question(words)
        address = ips_address(folder)
        channel = tls.connect(address, tls.PORT, f"{folder}/{AUTHORITY}", f"{folder}/{PAIR}", f"{folder}/{PAIR}")
        return door.ask(channel, target, body).show()
    except HpsError as error:
        sys.stderr.write(door.failure(error))
        return error.exit_code


def question(words: list[str]) -> tuple[str, bytes]:
    """Where the question goes, and its parameters as JSON; raises Usage, InvalidInput. Pure."""
    command, *rest = words or [""]
    if not (command.isascii() and command.isidentifier()):
        raise Usage("name a command", hint="n_ips_command COMMAND [NAME=VALUE...]")
    pairs: list[tuple[str, str]] = []
    if rest and rest[0].startswith(":"):
        names = rest[0][1:].split(",")
        pairs += zip(names, rest[1:], strict=False)
        rest = rest[1 + len(names) :]
    for each in rest:
        name, given, value = each.partition("=")
        if not given:
            raise Usage(f"{each[:40]!r} is not NAME=VALUE", hint=f"docs/reference/commands.md says what {command} takes")
        pairs.append((name, value))
    members = ",".join(f"{door.quoted(door.word(name))}:{door.quoted(door.word(value))}" for name, value in pairs)
    return f"/terminal/{command}", f"{{{members}}}".encode()


def ips_address(folder: str) -> str:
    """The address of the IPS as the node's configuration says it; raises NotFound, Denied, InvalidInput."""
    place = f"{folder}/config.json"
    try:
        with open(place, encoding="utf-8") as stream:  # noqa: PTH123
            text = stream.read()
    except FileNotFoundError as error:
        raise NotFound(
            f"this machine is no node: {place} does not exist", hint="these functions are for nodes; on the IPS: hps --help"
        ) from error
    except PermissionError as error:
        raise Denied(f"you may not read {place}", hint="ask as root") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{place} cannot be read") from error
    address = address_in(text)
    if not address:
        raise InvalidInput(f"{place} names no IPS", hint="install this node again")
    return address


def address_in(text: str) -> str:
    """The one `"Address": "…"` in `config.json` of a node, empty where there is none. Pure.

    It is searched, not parsed: the JSON library takes as long to load as everything else here together.
    """
    _, found, rest = text.partition(_ADDRESS)
    colon, _, rest = rest.partition('"')
    address = rest.partition('"')[0]
    numbers = address.split(".")
    right = len(numbers) == 4 and all(number.isascii() and number.isdecimal() and int(number) < 256 for number in numbers)
    return address if found and colon.strip() == ":" and _ADDRESS not in rest and right else ""
