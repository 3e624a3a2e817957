"""Choose how QEMU runs: KVM only where it really starts a kernel here, else in software.

A device /dev/kvm proves nothing: on some machines it opens and the guest hangs. So a kernel is started with it once,
and the answer is kept, by the kernel of this machine.
"""

import os
import tempfile
from functools import cache
from pathlib import Path

from tests.lab import processes

_WORDS = "Linux version"


@cache
def choice() -> str:
    """`kvm` or `tcg`; the first question of a machine boots something for up to 20 seconds."""
    wanted = os.environ.get("HPS_LAB_ACCELERATOR")
    if wanted:
        return wanted
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "tcg"
    kernel = next(iter(sorted(processes.CACHE.glob("lab/resources/*/boot/installer/*/vmlinuz"))), None)
    if kernel is None:
        return "tcg"
    answer = processes.CACHE / "lab" / f"accelerator-{os.uname().release}"
    if not answer.exists():
        answer.parent.mkdir(parents=True, exist_ok=True)
        answer.write_text("kvm" if _boots(kernel) else "tcg")
    return answer.read_text()


def _boots(kernel: Path) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "serial"
        pid = Path(folder) / "pid"
        arguments = [
            "qemu-system-x86_64",
            "-machine",
            "q35,accel=kvm",
            "-m",
            "256",
            "-nodefaults",
            "-display",
            "none",
            "-no-reboot",
            "-daemonize",
        ]
        arguments += ["-pidfile", str(pid), "-serial", f"file:{log}", "-kernel", str(kernel), "-append", "console=ttyS0 panic=-1"]
        if processes.run(arguments, check=False).returncode != 0:
            return False
        try:
            processes.until(lambda: log.exists() and _WORDS in log.read_text(errors="replace"), 20, "a kernel on KVM")
        except processes.Late:
            return False
        finally:
            if pid.exists():
                processes.end([int(pid.read_text())])
    return True
