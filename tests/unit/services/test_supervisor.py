"""Supervisor's own configuration, and every program that is shipped."""

import configparser
from pathlib import Path

import pytest

from hps.errors import InvalidInput
from hps.paths import Paths
from hps.services import supervisor

ROOT = Path(__file__).resolve().parents[3]
PATHS = Paths(Path("/srv/hps"))


def test_the_socket_is_private_and_every_file_of_the_folder_is_a_program() -> None:
    parser = configparser.RawConfigParser()
    parser.read_string(supervisor.render(PATHS, Path("/opt/hps")))
    assert parser["unix_http_server"]["file"] == "/srv/hps/run/supervisor.sock"
    assert parser["unix_http_server"]["chmod"] == "0700"
    assert parser["include"]["files"] == "/opt/hps/supervisor.d/*.conf"


@pytest.mark.parametrize("file", sorted(ROOT.glob("supervisor.d/*.conf")), ids=lambda path: path.stem)
def test_one_program_a_file_named_as_the_file(file: Path) -> None:
    parser = configparser.RawConfigParser()
    parser.read(file)
    assert parser.sections() == [f"program:{file.stem}"]
    program = parser[f"program:{file.stem}"]
    assert "%(ENV_HPS_BASE)s/log/" in program["stdout_logfile"]
    assert not program["command"].startswith(("sh", "/bin/sh", "bash"))


@pytest.mark.feature("QS10")
def test_dnsmasq_never_starts_by_itself() -> None:
    parser = configparser.RawConfigParser()
    parser.read(ROOT / "supervisor.d" / "dnsmasq.conf")
    assert parser["program:dnsmasq"]["autostart"] == "false"


def test_the_variables_are_those_that_the_programs_use() -> None:
    known = supervisor.environment(PATHS, Path("/opt/hps"), Path("/opt/venv/bin/python"))
    for file in ROOT.glob("supervisor.d/*.conf"):
        text = file.read_text()
        for name in {word.split(")")[0] for word in text.split("%(ENV_")[1:]}:
            assert name in known


def test_a_home_that_supervisor_would_expand_is_refused() -> None:
    with pytest.raises(InvalidInput):
        supervisor.render(PATHS, Path("/opt/%(ENV_HOME)s"))
