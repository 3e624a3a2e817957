"""The manual pages of the programs, in man(7)."""

import tomllib

from hps.cli import GROUPS
from hps.errors import KINDS
from hps.registry.keys import HPS, TABLE, Key
from tests.generate import verbs
from tests.generate.pages import ROOT, sentence

VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
NOTE = '.\\" Made by `python -m tests.reference`; change the source, not this page.\n'

RECORDS = {"host_config": "host", "cluster_config": "cluster", "hps_config": "hps"}
"""Program -> the kind of record that it is for."""

EXAMPLES = {
    "hps": (
        ("hps host list --unconfigured", "the machines that wait to be told what they are"),
        ("hps host configure 52:54:00:77:00:01 --type SCH", "tell one"),
        ("hps --ips ips.cluster.example host timeline sch-001", "look at a boot from elsewhere, with the certificate in ~/.ssl"),
    ),
    "host_config": (
        ("host_config set sch-001 DESCRIPTION 'second shelf'", "set a key"),
        ("host_config set sch-001 DESCRIPTION -- --top--", "set it to what looks like an option"),
        ("host_config set sch-001 BMC_PASSWORD - <password", "set a secret key"),
    ),
    "cluster_config": (
        ("cluster_config set NTP_LOCAL_SERVER 10.77.0.9", "set a key of the active cluster"),
        ("cluster_config unset NTP_LOCAL_SERVER", "and take it back"),
    ),
    "hps_config": (
        ("hps_config set LOG_LEVEL debug", "let every program say more"),
        ("hps_config set RESOURCES /data/hps", "serve images from another folder"),
    ),
}


def hps() -> str:
    """The page of `hps`."""
    parts = [
        _head("hps", "the Host Provisioning System"),
        _section("SYNOPSIS", _synopsis("hps", "GROUP VERB", "...") + _synopsis("hps", "--ips NAME [--cluster NAME] GROUP VERB", "...")),
        _section("DESCRIPTION", _paragraphs(*_DESCRIPTION)),
        _section("OPTIONS", "".join(_item(*row) for row in _OPTIONS)),
        _section("VERBS", "".join(f".SS hps {text(group)}\n{text(sentence(words))}\n" + _verbs(group) for group, words in _groups())),
        _common("hps"),
    ]
    return "".join(parts)


def program(name: str) -> str:
    """The page of `host_config`, `cluster_config` or `hps_config`."""
    kind = RECORDS[name]
    keys = "".join(_item(key.name, _key(key)) for key in TABLE if key.kind == kind)
    words = (f"{name} is the same as hps {name}: see hps(1).", *_DESCRIPTION[1:])
    parts = [
        _head(name, verbs.groups()[name]),
        _section("SYNOPSIS", "".join(_synopsis(name, *verb.usage.split()[2:]) for verb in verbs.verbs(name))),
        _section("DESCRIPTION", _paragraphs(*words)),
        _section("VERBS", _verbs(name)),
        _section("KEYS", keys),
        _common(name),
    ]
    return "".join(parts)


_DESCRIPTION = (
    f"The groups {', '.join(GROUPS)} work on this machine itself. All others ask hps-api: on the provisioning server as root through "
    "its socket, or in the same process where no services run.",
    "Verbs that ask hps-api take --json for the answer as JSON, and --help.",
    "The word - stands for what is on standard input, less one newline at its end. That is the only way to give a secret, because "
    "every user can read the arguments of a program. After -- every word is only itself, also - and what begins with it.",
)
_OPTIONS = (
    ("--ips NAME[:PORT]", "Ask this provisioning server, over mutual TLS. Comes first."),
    ("--cluster NAME", "With --ips: the cluster whose certificate is shown, where there are several."),
    ("--help", "What a group or a verb takes."),
)


def _key(key: Key) -> str:
    notes = ("It is secret." if key.secret else "", "HPS itself writes it." if key.writer == HPS else "")
    return " ".join(part for part in (sentence(f"{key.help}: {key.type.words}"), *notes) if part)


def _groups() -> list[tuple[str, str]]:
    return sorted(verbs.groups().items())


def _verbs(group: str) -> str:
    return "".join(_item(verb.usage.removeprefix("hps "), sentence(verb.help)) for verb in verbs.verbs(group))


def _common(name: str) -> str:
    codes = [("0", "Done, or already so."), ("1", "A bug.")]
    codes += [(str(kind.exit_code), (kind.__doc__ or "").splitlines()[0]) for kind in KINDS]
    files = (
        ("$HPS_BASE/run/operator.sock", "The socket of the operator; HPS_BASE is /srv/hps by default."),
        ("~/.ssl/hps-CLUSTER.pem", "Key and certificate of an operator."),
        ("~/.ssl/hps-CLUSTER-ca.pem", "The authority that vouches for the provisioning servers of the cluster."),
    )
    others = [f"{other}(1)" for other in ("hps", *RECORDS) if other != name]
    examples = "".join(f".TP\n{text(words)}:\n.EX\n{text(typed)}\n.EE\n" for typed, words in EXAMPLES[name])
    return (
        _section("EXIT STATUS", "".join(_item(*row) for row in codes))
        + _section("ENVIRONMENT", _item("HPS_BASE", "The folder in which everything of the provisioning server is."))
        + _section("FILES", "".join(_item(*row) for row in files))
        + _section("EXAMPLES", examples)
        + _section("SEE ALSO", f"{text(', '.join(others))}\n")
    )


def _head(name: str, words: str) -> str:
    return f'{NOTE}.TH {name.upper()} 1 "" "HPS {VERSION}" "HPS"\n.SH NAME\n{text(name)} \\- {text(words)}\n'


def _section(name: str, content: str) -> str:
    return f".SH {name}\n{content}"


def _synopsis(name: str, *words: str) -> str:
    return f".B {text(name)}\n{text(' '.join(words))}\n.br\n"


def _paragraphs(*texts: str) -> str:
    return ".PP\n".join(f"{text(each)}\n" for each in texts)


def _item(term: str, words: str) -> str:
    return f".TP\n.B {text(term)}\n{text(words)}\n"


def text(words: str) -> str:
    """Text that is printed as it is (groff_char(7)): no escape, no request at the beginning, plain minus signs and quotes."""
    for character, name in (("\\", "\\e"), ("-", "\\-"), ("'", "\\(aq"), ("`", "\\(ga"), ("^", "\\(ha"), ("~", "\\(ti"), ('"', "\\(dq")):
        words = words.replace(character, name)
    return f"\\&{words}" if words.startswith(".") else words
