"""Choose what the installer takes from a root tree: programs with their libraries, Python's library, kernel modules."""

import re
import stat
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from hps.errors import NotFound
from hps.images import cpio, modules
from hps.images.cpio import Member
from hps.system import command, files

PROGRAMS = (
    *("usr/bin/busybox", "usr/bin/kmod", "usr/bin/openssl", "usr/bin/zstd", "usr/sbin/sfdisk", "usr/sbin/mke2fs", "usr/sbin/mkfs.fat"),
    *(
        "usr/sbin/blkid",
        "usr/sbin/e2fsck",
        "usr/sbin/dumpe2fs",
        "usr/sbin/wipefs",
        "usr/sbin/blockdev",
        "usr/sbin/blkdiscard",
        "usr/bin/ip",
    ),
)
LINKS = {
    **{f"usr/sbin/{name}": "../bin/kmod" for name in ("modprobe", "insmod", "rmmod", "depmod")},
    "usr/bin/lsmod": "kmod",
    "usr/sbin/mkfs.ext4": "mke2fs",
    "usr/sbin/mkfs.vfat": "mkfs.fat",
}
FILES = ("etc/mke2fs.conf", "etc/ssl/openssl.cnf", "etc/nsswitch.conf", "usr/lib/os-release")
_LIBRARY = re.compile(r"(?:=> )?(/\S+) \(0x[0-9a-f]+\)")
_PYTHON_LEFT_OUT = frozenset(
    (
        *("test", "tests", "idlelib", "lib2to3", "ensurepip", "distutils", "tkinter", "turtledemo", "pydoc_data", "unittest", "sqlite3"),
        *("curses", "dbm", "venv", "wsgiref", "xmlrpc", "pdb.py", "doctest.py", "turtle.py", "pydoc.py", "_pydecimal.py", "lib-tk"),
        *("antigravity.py", "mailbox.py", "smtpd.py", "smtplib.py", "imaplib.py", "nntplib.py", "telnetlib.py", "ftplib.py", "cgi.py"),
    )
)
_ENCODINGS = re.compile(r"(__init__|aliases|utf_8|ascii|latin_1|idna|punycode|cp437|utf_16|utf_16_le|cp1252|hex_codec|base64_codec)\.py")
_EXTENSIONS_LEFT_OUT = re.compile(
    r"(_test|_codecs_|_sqlite3|_curses|_dbm|_xx|_tkinter|xxlimited|_ctypes_test|audioop|ossaudiodev|nis|_lsprof)"
)


def parse_libraries(text: str) -> tuple[str, ...]:
    """The libraries and the loader that `ldd` names, sorted, as paths without the leading slash."""
    return tuple(sorted({name.lstrip("/") for name in _LIBRARY.findall(text)}))


def merged(path: str) -> str:
    """The path below usr/ that a path of the merged tree means: `lib/x` is `usr/lib/x`."""
    return f"usr/{path}" if path.split("/", 1)[0] in {"bin", "sbin", "lib", "lib64"} else path


def programs(tree: Path, wanted: Iterable[str] = PROGRAMS) -> dict[str, Member]:
    """Programs, the libraries they need, and links for the names of busybox that nothing better has; raises NotFound."""
    wanted = tuple(wanted)
    for path in wanted:
        if not (tree / path).exists():
            raise NotFound(f"the tree has no /{path}", hint="add the package that brings it to the profile's packages.list")
    members = {name: cpio.link(f"usr/{name}") for name in ("bin", "sbin", "lib", "lib64")}
    members |= _with_links(tree, (*wanted, *_libraries(tree, wanted)))
    members |= {path: cpio.link(target) for path, target in LINKS.items()}
    for applet in command.run(["chroot", str(tree), "busybox", "--list"]).split():
        if f"usr/bin/{applet}" not in members and f"usr/sbin/{applet}" not in members:
            members[f"usr/bin/{applet}"] = cpio.link("busybox")
    return members


def _libraries(tree: Path, wanted: Iterable[str]) -> tuple[str, ...]:
    listed = command.run(["chroot", str(tree), "ldd", *(f"/{path}" for path in wanted)])
    return tuple(merged(path) for path in parse_libraries(listed))


def _with_links(tree: Path, paths: Iterable[str]) -> dict[str, Member]:
    """These paths, and where they are links, what they lead to within their folder."""
    members = {}
    for path in paths:
        name = path
        while (tree / name).is_symlink():
            target = str((tree / name).readlink())
            members[name] = cpio.link(target)
            name = merged(target.lstrip("/")) if target.startswith("/") else f"{name.rpartition('/')[0]}/{target}"
        members[name] = _file(tree / name)
    return members


def _file(path: Path) -> Member:
    return cpio.file(path.read_bytes(), stat.S_IMODE(path.stat().st_mode) & 0o755)


def python(tree: Path) -> dict[str, Member]:
    """The interpreter, and of its library what an installer may need, compiled; sources stay behind."""
    interpreter = (tree / "usr/bin/python3").readlink().name
    library = tree / "usr/lib" / interpreter
    members = {}
    extensions = []
    for path in sorted(library.rglob("*")):
        inner = path.relative_to(library)
        if set(inner.parts) & _PYTHON_LEFT_OUT or inner.parts[0].startswith("config-") or path.is_symlink():
            continue
        if path.suffix == ".so" and not _EXTENSIONS_LEFT_OUT.match(path.name):
            extensions.append(str(path.relative_to(tree)))
        elif path.suffix == ".py" and (inner.parts[0] != "encodings" or _ENCODINGS.fullmatch(path.name)):
            compiled = next((path.parent / "__pycache__").glob(f"{path.stem}.cpython-*[0-9].pyc"), None)
            if compiled is not None:
                members[f"{path.relative_to(tree)}c"] = cpio.file(compiled.read_bytes())
    members |= _with_links(tree, ("usr/bin/python3", *extensions, *_libraries(tree, (f"usr/bin/{interpreter}", *extensions))))
    return members


def kernel_modules(tree: Path) -> dict[str, Member]:
    """The modules that an installer may need, with the tables of modprobe made for exactly these."""
    folder = next((tree / "usr/lib/modules").iterdir())
    text = files.read_text(folder / "modules.dep")
    chosen = modules.choose(modules.parse_dependencies(text), modules.INSTALLER, modules.LEFT_OUT)
    base = f"usr/lib/modules/{folder.name}"
    members = {f"{base}/{name}": _file(folder / name) for name in chosen}
    with tempfile.TemporaryDirectory(prefix="hps-depmod-") as work:
        tables = (f"{base}/{name}" for name in ("modules.order", "modules.builtin", "modules.builtin.modinfo"))
        command.run(["env", "-C", str(tree), "cp", "--parents", "-t", work, *members, *tables])
        files.link(Path(work, "lib"), "usr/lib")
        command.run(["depmod", "-b", work, folder.name])
        for table in sorted(Path(work, base).glob("modules.*")):
            if table.suffix == ".bin" or table.name in {"modules.dep", "modules.softdep"}:
                members[f"{base}/{table.name}"] = _file(table)
    return members


def settings(tree: Path) -> Mapping[str, Member]:
    """The few files below /etc that the programs read; raises NotFound."""
    members = {path: cpio.file(files.read_text(tree / path).encode()) for path in FILES}
    members["usr/lib/ssl/openssl.cnf"] = cpio.link("/etc/ssl/openssl.cnf")
    members["etc/passwd"] = cpio.file(b"root:x:0:0:root:/root:/bin/sh\n")
    members["etc/group"] = cpio.file(b"root:x:0:\n")
    return members
