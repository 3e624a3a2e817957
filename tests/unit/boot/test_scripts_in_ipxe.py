"""Our scripts in the iPXE that QEMU's network card carries: it asks a server here, and the questions tell what it did."""

import subprocess
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from hps.boot import ipxe, menu
from hps.boot.model import Explain, Install, Introduce, Menu, Restart, Wait
from hps.values import Mac

INSTALL = Install("x86_64-debian_12", Mac.parse("525400770001"), "sch-001", "SCH", "ab" * 32, "525400770001.token", "a1b2c3", 1795)
STORY = (
    ("/boot/script", Introduce()),
    ("/hps-api?cmd=init&arch=x86_64", Menu("HPS", menu.items([("SCH", "x86_64:debian:12")]), "boot_SCH@x86_64:debian:12", 1)),
    ("/hps-api?cmd=process_menu_item&menu_item=boot_SCH%40x86_64%3Adebian%3A12", Wait("waiting", ("a line",), 1)),
    ("/hps-api?cmd=init&wait=50", Explain("something is wrong", "mend it", 1)),
    ("/hps-api?cmd=init&wait=50", INSTALL),
    ("/boot/installer/x86_64-debian_12/vmlinuz", None),
    ("/hps-api?cmd=init", Restart()),
)
"""What the machine asks, and what it is told; the kernel is missing, and that is no dead end."""


def boot(answer: Callable[[int], bytes | None]) -> list[str]:
    """Start a machine whose questions are answered by their number, None for 404, until it restarts; what it asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            body = answer(len(asked) - 1)
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    network = f"user,id=n,restrict=off,bootfile=http://10.0.2.2:{server.server_port}/boot/script"
    words = "qemu-system-x86_64 -m 128 -display none -serial none -monitor none -no-reboot -boot n -device virtio-net-pci,netdev=n -netdev"
    try:
        # -no-reboot makes the machine end when the last script restarts it.
        subprocess.run([*words.split(), network], check=True, timeout=150)
    finally:
        server.shutdown()
    return asked


@pytest.mark.programs
@pytest.mark.feature("AP4")
def test_a_machine_without_a_keyboard_goes_through_every_script() -> None:
    def answer(number: int) -> bytes | None:
        decision = STORY[number][1] if number < len(STORY) else Restart()
        return None if decision is None else ipxe.render(decision, "", "console=ttyS0").encode()

    assert boot(answer) == [path for path, _ in STORY]


@pytest.mark.programs
@pytest.mark.feature("BT6")
def test_a_waiting_machine_whose_question_nobody_answers_asks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ipxe, "HOLD", -8)
    asked_again = threading.Event()

    def answer(number: int) -> bytes:
        if number == 1:
            assert asked_again.wait(120)
        elif number == 2:
            asked_again.set()
        return ipxe.render(Wait("waiting for nobody", (), 1) if number < 2 else Restart(), "").encode()

    assert boot(answer) == ["/boot/script", *["/hps-api?cmd=init&wait=-8"] * 2]
