"""The tree keeps the rules, and each rule notices a planted violation."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.contract import rules
from tests.contract.source import Source

ROOT = Path(__file__).resolve().parents[2]
Rule = Callable[[Source], list[str]]

RULES: tuple[Rule, ...] = (
    rules.pure_reaches_effect,
    rules.upward_imports,
    rules.import_cycles,
    rules.programs_elsewhere,
    rules.writes_elsewhere,
    rules.sockets_elsewhere,
    rules.environment_elsewhere,
    rules.needless_exceptions,
    rules.third_party,
    rules.too_long,
    rules.code_in_init,
    rules.untested,
    rules.vague_names,
)


@pytest.fixture(scope="module")
def source() -> Source:
    return Source(ROOT)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_tree_keeps_the_rule(rule: Rule, source: Source) -> None:
    assert rule(source) == []


@pytest.mark.feature("SV5")
def test_no_variable_of_the_environment_is_a_setting(source: Source) -> None:
    """Who may read it at all reads `HPS_BASE` alone; the hook of dnsmasq hands on what it was told."""
    assert rules.environment_elsewhere(source) == []
    for name in rules.ENVIRONMENT:
        used = re.findall(r"os\.environ\b(.{0,16})", source.modules[name].text)
        assert used
        assert name == "hps.timeline.cli" or all(words.startswith('.get("HPS_BASE"') for words in used)


def test_the_tree_was_read(source: Source) -> None:
    assert {"hps.errors", "hps.system.command", "hps.registry.keys"} <= set(source.modules)
    assert "hps.registry.keys" in {module.name for module in rules.pure_modules(source)}


PLANTED: list[tuple[Rule, str, dict[str, str]]] = [
    (rules.pure_reaches_effect, "imports an effect", {"lib/hps/boot/plan.py": "from hps.system import command\n"}),
    (
        rules.pure_reaches_effect,
        "imports an effect indirectly",
        {"lib/hps/boot/plan.py": "from hps.boot import facts\n", "lib/hps/boot/facts.py": "import hps.system.files\n"},
    ),
    (
        rules.pure_reaches_effect,
        "imports an effect in a function",
        {"lib/hps/boot/render.py": "def f():\n    from hps.system import files\n"},
    ),
    (rules.pure_reaches_effect, "asks the clock", {"lib/hps/boot/decision.py": "import time\n"}),
    (rules.pure_reaches_effect, "asks the date", {"lib/hps/boot/decision.py": "from datetime import datetime\nx = datetime.now()\n"}),
    (
        rules.pure_reaches_effect,
        "reads a file",
        {"lib/hps/disks/model.py": "from pathlib import Path\nx = Path('/proc/cmdline').read_text()\n"},
    ),
    (rules.pure_reaches_effect, "opens a file", {"lib/hps/disks/model.py": "x = open('/proc/cmdline')\n"}),
    (rules.upward_imports, "a sibling", {"lib/hps/boot/facts.py": "from hps.disks import facts\n", "lib/hps/disks/facts.py": ""}),
    (
        rules.upward_imports,
        "a sibling, relatively",
        {"lib/hps/boot/facts.py": "from ..disks.facts import x\n", "lib/hps/disks/facts.py": ""},
    ),
    (rules.upward_imports, "a flow", {"lib/hps/boot/facts.py": "from hps.flows import install\n", "lib/hps/flows/install.py": ""}),
    (
        rules.upward_imports,
        "a door opens on a sibling",
        {"lib/hps/boot/cli.py": "from hps.disks import facts\n", "lib/hps/disks/facts.py": ""},
    ),
    (rules.upward_imports, "a flow imports a door", {"lib/hps/flows/install.py": "from hps.boot import cli\n", "lib/hps/boot/cli.py": ""}),
    (
        rules.upward_imports,
        "effects import records",
        {"lib/hps/system/files.py": "from hps.registry import model\n", "lib/hps/registry/model.py": ""},
    ),
    (
        rules.upward_imports,
        "the foundation imports effects",
        {"lib/hps/values.py": "from hps.system import files\n", "lib/hps/system/files.py": ""},
    ),
    (rules.upward_imports, "hps imports hps_api", {"lib/hps/flows/install.py": "import hps_api.caller\n"}),
    (rules.upward_imports, "hps imports Flask", {"lib/hps/flows/install.py": "from flask import request\n"}),
    (rules.import_cycles, "two modules", {"lib/hps/boot/a.py": "import hps.boot.b\n", "lib/hps/boot/b.py": "from hps.boot import a\n"}),
    (
        rules.import_cycles,
        "three modules",
        {
            "lib/hps/boot/a.py": "import hps.boot.b\n",
            "lib/hps/boot/b.py": "import hps.boot.c\n",
            "lib/hps/boot/c.py": "import hps.boot.a\n",
        },
    ),
    (rules.programs_elsewhere, "subprocess", {"lib/hps/boot/facts.py": "import subprocess\n"}),
    (rules.programs_elsewhere, "from subprocess", {"hps-api/hps_api/caller.py": "from subprocess import run\n"}),
    (rules.programs_elsewhere, "os.system", {"lib/hps/boot/facts.py": "import os\nos.system('ls')\n"}),
    (rules.programs_elsewhere, "os.execv", {"lib/hps/boot/facts.py": "import os\nos.execv('/bin/ls', ['ls'])\n"}),
    (rules.programs_elsewhere, "from os import popen", {"lib/hps/boot/facts.py": "from os import popen\n"}),
    (rules.writes_elsewhere, "open w", {"lib/hps/boot/facts.py": "open('/tmp/x', 'w')\n"}),
    (rules.writes_elsewhere, "open mode=ab", {"lib/hps/boot/facts.py": "open('/tmp/x', mode='ab')\n"}),
    (rules.writes_elsewhere, "path.open r+b", {"lib/hps/boot/facts.py": "path.open('r+b')\n"}),
    (rules.writes_elsewhere, "write_text", {"hps-api/hps_api/caller.py": "path.write_text('x')\n"}),
    (rules.writes_elsewhere, "os.open", {"lib/hps/boot/facts.py": "import os\nos.open('/tmp/x', os.O_WRONLY | os.O_CREAT)\n"}),
    (rules.writes_elsewhere, "os.fdopen", {"lib/hps/boot/facts.py": "import os\nos.fdopen(3, 'wb')\n"}),
    (rules.writes_elsewhere, "os.rename", {"lib/hps/boot/facts.py": "import os\nos.rename('a', 'b')\n"}),
    (rules.writes_elsewhere, "shutil", {"lib/hps/boot/facts.py": "import shutil\nshutil.rmtree('a')\n"}),
    (rules.sockets_elsewhere, "socket", {"lib/hps/boot/facts.py": "import socket\n"}),
    (rules.sockets_elsewhere, "urllib", {"lib/hps/boot/facts.py": "from urllib import request\n"}),
    (rules.environment_elsewhere, "os.environ", {"lib/hps/boot/facts.py": "import os\nx = os.environ.get('HPS_CACHE')\n"}),
    (rules.environment_elsewhere, "os.getenv", {"hps-api/hps_api/caller.py": "import os\nx = os.getenv('HPS_BASE')\n"}),
    (rules.environment_elsewhere, "from os import environ", {"lib/hps/boot/facts.py": "from os import environ\n"}),
    (rules.needless_exceptions, "nothing asked", {"lib/hps/timeline/cli.py": "x = 1\n"}),
    (rules.needless_exceptions, "nothing written", {"lib/hps/system/files.py": "x = 1\n"}),
    (rules.third_party, "a package", {"lib/hps/boot/facts.py": "import requests\n"}),
    (rules.third_party, "cryptography elsewhere", {"lib/hps/security/render.py": "from cryptography import x509\n"}),
    (rules.too_long, "a module", {"lib/hps/boot/facts.py": "x = 1\n" * 301}),
    (rules.too_long, "a function", {"lib/hps/boot/facts.py": "def f():\n" + "    x = 1\n" * 41}),
    (rules.code_in_init, "an import", {"lib/hps/boot/__init__.py": '"""Boot."""\nfrom hps import errors\n'}),
    (rules.untested, "a decision", {"lib/hps/boot/decision.py": "x = 1\n"}),
    (rules.untested, "a model", {"lib/hps/boot/model.py": "x = 1\n"}),
    (rules.vague_names, "utils", {"lib/hps/boot/utils.py": ""}),
]


@pytest.mark.parametrize(
    ("rule", "files"), [(rule, files) for rule, _, files in PLANTED], ids=[f"{rule.__name__}: {words}" for rule, words, _ in PLANTED]
)
def test_a_planted_violation_is_found(rule: Rule, files: dict[str, str], tmp_path: Path) -> None:
    for name in ("lib/hps/__init__.py", "lib/hps/system/__init__.py", "lib/hps/system/command.py", "lib/hps/system/files.py"):
        _plant(tmp_path, name, "")
    assert [words for words in rule(Source(tmp_path)) if rule is not rules.needless_exceptions] == []
    for name, text in files.items():
        _plant(tmp_path, name, text)
    assert rule(Source(tmp_path)) != []


def test_every_rule_has_a_planted_violation() -> None:
    assert {rule for rule, _, _ in PLANTED} == set(RULES)


def _plant(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
