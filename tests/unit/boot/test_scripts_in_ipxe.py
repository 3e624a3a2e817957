"""Our scripts in the iPXE that QEMU's network card carries: it asks a server here, and the questions tell what it did."""

import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from hps.boot import ipxe, menu
from hps.boot.model import Explain, Install, Introduce, Menu, Restart, Wait
from hps.values import Mac

INSTALL = Install("x86_64-debian_12", Mac.parse("525400770001"), "sch-001", "SCH", "ab" * 32, "525400770001.token", "a1b2c3", 1795)
STORY = (
    ("/hps-api?cmd=init", Introduce()),
    ("/hps-api?cmd=init&arch=x86_64", Menu("HPS", menu.items([("SCH", "x86_64:debian:12")]), "boot_SCH@x86_64:debian:12", 1)),
    ("/hps-api?cmd=process_menu_item&menu_item=boot_SCH%40x86_64%3Adebian%3A12", Wait("waiting", ("a line",), 1)),
    ("/hps-api?cmd=init", Explain("something is wrong", "mend it", 1)),
    ("/hps-api?cmd=init", INSTALL),
    ("/boot/installer/x86_64-debian_12/vmlinuz", None),
    ("/hps-api?cmd=init", Restart()),
)
"""What the machine asks, and what it is told; the kernel is missing, and that is no dead end."""


@pytest.mark.programs
@pytest.mark.feature("AP4")
def test_a_machine_without_a_keyboard_goes_through_every_script() -> None:
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = STORY[len(asked)][1] if len(asked) < len(STORY) else Restart()
            asked.append(self.path)
            body = b"" if answer is None else ipxe.render(answer, "", "console=ttyS0").encode()
            self.send_response(404 if answer is None else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    network = f"user,id=n,restrict=off,bootfile=http://10.0.2.2:{server.server_port}/hps-api?cmd=init"
    words = "qemu-system-x86_64 -m 128 -display none -serial none -monitor none -no-reboot -boot n -device virtio-net-pci,netdev=n -netdev"
    try:
        # -no-reboot makes the machine end when the last script restarts it.
        subprocess.run([*words.split(), network], check=True, timeout=150)
    finally:
        server.shutdown()
    assert asked == [path for path, _ in STORY]
