"""A failure as a machine sees it: real firmware and iPXE show what hps-api says, and ask again."""

import subprocess
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import make_server

from hps.boot import ipxe
from hps.boot.model import Restart
from hps.flows.model import Site
from hps_api import create_app
from tests.edge.callers import ADDRESS, make_callers

pytestmark = pytest.mark.programs
FIRST = "/hps-api?cmd=process_menu_item&menu_item=nonsense"


def as_nginx(at: Site, asked: list[str]) -> Callable[..., Iterable[bytes]]:
    """hps-api as the plain door shows it, on the address that the machine reaches here; from the second question on: restart."""
    app = create_app(at.paths)

    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        asked.append(f"{environ['PATH_INFO']}?{environ['QUERY_STRING']}")
        if len(asked) > 1:
            start("200 OK", [("Content-Type", "text/plain")])
            return [ipxe.render(Restart("the test is over")).encode()]
        environ |= {"HTTP_X_HPS_DOOR": "plain", "HTTP_X_HPS_ADDRESS": ADDRESS}

        def begin(status: str, _headers: object, _failure: object = None) -> Callable[[bytes], object]:
            start(status, [("Content-Type", "text/plain")])
            return lambda _: None

        body = b"".join(app(environ, begin))
        return [body.replace(f"http://{at.values['DHCP_IP']}".encode(), b"")]

    return answer


@pytest.mark.feature("AP8")
def test_a_machine_shows_the_failure_and_asks_again(tmp_path: Path) -> None:
    at, asked, screen = make_callers(tmp_path / "site").at, list[str](), tmp_path / "screen"
    server = make_server("127.0.0.1", 0, as_nginx(at, asked))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    network = f"user,id=n,restrict=off,bootfile=http://10.0.2.2:{server.server_port}{FIRST}"
    words = "qemu-system-x86_64 -m 128 -machine graphics=off -display none -monitor none -no-reboot -boot n -device virtio-net-pci,netdev=n"
    try:
        # Without a graphics card SeaBIOS shows the screen on the serial line; -no-reboot ends the machine when it restarts.
        subprocess.run([*words.split(), "-serial", f"file:{screen}", "-netdev", network], check=True, timeout=150)
    finally:
        server.shutdown()
    shown = screen.read_text(errors="replace")
    assert "cannot go on" in shown
    assert "nonsense" in shown
    assert "what helps" in shown
    assert [question.partition("&wait")[0] for question in asked] == [FIRST, "/hps-api?cmd=init"]
