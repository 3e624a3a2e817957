"""Mount and unmount file systems, through the system's own programs, and tell what kind one is."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hps.errors import HpsError
from hps.system import command, files


@contextmanager
def mounted(device: Path, target: Path, filesystem: str, options: str = "") -> Iterator[Path]:
    """Mount a device for the body and unmount it afterwards, whatever happens.

    Unmounting writes back what is still in memory. Raises CommandFailed, also when the unmount fails.
    """
    files.make_directory(target)
    command.run(("mount", "-t", filesystem, *(("-o", options) if options else ()), str(device), str(target)))
    try:
        yield target
    finally:
        command.run(("umount", str(target)))


def kind(path: Path, device: int | None = None) -> str:
    """The type of the file system that holds a path, or of this device number, as `tmpfs`; empty where it is not known.

    /proc/self/mountinfo, proc_pid_mountinfo(5): the third field is major:minor, the first after ` - ` the type.
    """
    try:
        number = path.stat().st_dev if device is None else device
        lines = files.read_text(Path("/proc/self/mountinfo")).splitlines()
    except (OSError, HpsError):
        return ""
    wanted = f"{os.major(number)}:{os.minor(number)}"
    found = (line.partition(" - ") for line in lines if line.split(" ", 3)[2] == wanted)
    return next((rest.split(" ", 1)[0] for _, _, rest in found), "")
