"""What this machine gives the services, and how their files are now."""

import grp
import pwd
import stat
from collections.abc import Iterable
from pathlib import Path

from hps.paths import Paths
from hps.services import control, dnsmasq
from hps.services.plan import Have


def worker(name: str, paths: Paths) -> str:
    """The user that a service gives its rights up for: `name`, where it exists and can reach our folder, else root.

    A private instance below a folder that only root may enter (a test, a trial) is the second case.
    """
    if not _has_user(name) or any(not _open_to_all(folder) for folder in (paths.base, *paths.base.parents)):
        return "root"
    return name


def _has_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _open_to_all(folder: Path) -> bool:
    try:
        return bool(folder.stat().st_mode & stat.S_IXOTH)
    except FileNotFoundError:
        return True


def group_of(user: str) -> str:
    """The name of a user's first group."""
    return grp.getgrgid(pwd.getpwnam(user).pw_gid).gr_name


def folder_is(folder: Path, mode: int, group: str) -> bool:
    """Whether there is a folder of exactly this mode and group."""
    try:
        found = folder.stat()
    except FileNotFoundError:
        return False
    return stat.S_IMODE(found.st_mode) == mode and grp.getgrgid(found.st_gid).gr_name == group


def have(paths: Paths, wanted: Iterable[Path]) -> Have:
    """The files as they are, and the programs that run."""
    hosts, scripts = host_files(paths), script_files(paths)
    return Have(contents((*wanted, *hosts, *scripts)), hosts, scripts, control.running(control.states(paths)))


def host_files(paths: Paths) -> frozenset[Path]:
    """The files of every host that dnsmasq reads, in both folders; those of a write that is under way are left out."""
    folders = (dnsmasq.hosts_folder(paths), dnsmasq.names_folder(paths))
    return frozenset(path for folder in folders for path in folder.glob("[!.]*"))


def script_files(paths: Paths) -> frozenset[Path]:
    """The boot script of every host that has one."""
    return frozenset(paths.scripts.glob("[!.]*"))


def contents(wanted: Iterable[Path]) -> dict[Path, bytes]:
    """The content of each of these files that is there."""
    return {path: path.read_bytes() for path in wanted if path.is_file()}
