import itertools
from pathlib import Path

import pytest

from hps.errors import Denied, Refused, Unreachable
from hps.flows import install, membership, site
from hps.node.configuration import FILES, parse_files
from hps.registry.model import setting
from tests.sites import IMAGE, OS_ID, mac_of, make_site, node


@pytest.mark.feature("I63")
def test_failure_in_plain_words_with_what_helps_and_when_it_restarts() -> None:
    text = "\n".join(install.failure_words(Refused("the disk is too small", hint="use a larger one"), 300))
    for words in ("HAS FAILED", "\nthe disk is too small\n", "What helps: use a larger one", "Press Enter for a shell", "300 seconds"):
        assert words in text


def test_patience_ends_and_only_silence_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    answers = itertools.chain([Unreachable("silence")] * 3, ["here"])

    def ask() -> str:
        answer = next(answers)
        if isinstance(answer, Unreachable):
            raise answer
        return str(answer)

    assert install.patiently(ask) == "here"

    def silent() -> str:
        raise Unreachable("silence")

    with pytest.raises(Unreachable):
        install.patiently(silent, patience=0)

    def denied() -> str:
        raise Denied("no")

    with pytest.raises(Denied):
        install.patiently(denied)


@pytest.mark.feature("I21")
def test_what_the_ips_gives_is_what_the_installer_reads(tmp_path: Path) -> None:
    at = make_site(tmp_path, OPERATOR_SSH_KEYS="ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHhwc2hwc2hwc2hwc2hwc2hw one\n")
    values = {
        "STATE": "INSTALLING",
        "TYPE": "SCH",
        "OS_ID": OS_ID,
        "HOSTNAME": "sch-001",
        "IP": "10.77.0.2",
        "INSTALL_ID": "2f7c9a54-93a7-4c39-9df2-06a3a4d2b111",
    }
    at.registry.change(site.record_name(at, mac_of(1)), setting(**values), create=True)
    texts = {name: membership.installer_config(at, node(1), {"name": name}).body for name in FILES}
    found = parse_files(texts)
    assert (found.node.machine.hostname, found.node.machine.address, found.node.machine.mac) == ("sch-001", "10.77.0.2", mac_of(1))
    assert (found.image, found.image_server) == (IMAGE, "http://10.77.0.1:80/images")
    assert found.node.hps.install_id == values["INSTALL_ID"]
    assert found.node.hps.tls == "https://10.77.0.1"
    assert len(found.node.hps.ssh_keys) == 1
