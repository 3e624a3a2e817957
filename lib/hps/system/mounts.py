"""Mount and unmount file systems, through the system's own programs."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
