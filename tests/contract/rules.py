"""The rules of the architecture as functions over a tree: each returns what breaks it, one line each."""

import ast
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from tests.contract.source import Module, Source

FOUNDATION = ("errors", "values", "steps", "paths", "log")
PURE = (
    "model",
    "plan",
    "render",
    "decision",
    "menu",
    "layout",
    "text",
    "keys",
    "errors",
    "values",
    "steps",
    "manifest",
    "names",
    "table",
    "script",
)
"""A module with one of these names is pure: values in, values or steps out."""

PURE_EXCEPT = {
    "hps.commands.table": "the table names the handlers of the flows",
}
EFFECTS = ("hps.system",)
IMPURE_LIBRARY = (
    "subprocess",
    "socket",
    "http",
    "urllib.request",
    "shutil",
    "tempfile",
    "random",
    "secrets",
    "time",
    "os",
    "fcntl",
    "asyncio",
    "threading",
)
READING = (
    "read_text",
    "read_bytes",
    "exists",
    "is_file",
    "is_dir",
    "iterdir",
    "glob",
    "rglob",
    "stat",
    "lstat",
    "resolve",
    "open",
    "now",
    "today",
)

PROGRAMS = {"hps.system.command": "the one module that starts programs"}
WRITERS = {
    "hps.system.files": "the one module that writes files",
    "hps.system.lock": "a lock is a descriptor on a file that holds nothing",
    "hps.system.tree": "writes a verified tree below one open folder, following no link",
    "hps.system.http": "a download is written as it arrives, and goes on where it stopped",
    "hps.cli": "points a closed standard output at /dev/null",
}
ENVIRONMENT = {
    "hps.ask.operator": "HPS_BASE by the rule of hps.paths, which takes as long to load as the whole question takes",
    "hps.paths": "where everything is, HPS_BASE, is what a program must be told before it can read its settings",
    "hps.timeline.cli": "dnsmasq tells its hook what it knows in variables (dnsmasq(8), --dhcp-script); they are handed on as a mapping",
}
"""All settings of the program itself are keys of its record; these may read the environment."""
SOCKETS = {
    "hps.ask.door": "the question of who types has to start fast: one request without the libraries of HTTP",
    "hps.ask.tls": "the same over mutual TLS",
    "hps.system.http": "the one client of HTTP",
    "hps.system.neighbour": "the kernel is asked for one neighbour over rtnetlink",
    "hps.system.packet": "raw frames, to find a foreign DHCP server",
    "hps.system.rpc": "supervisor is asked over its Unix socket",
}
THIRD_PARTY = {
    "hps.security.authority": ("cryptography",),
    "hps.security.certificates": ("cryptography",),
    "hps.security.signing": ("cryptography",),
    "hps.images.store": ("zstandard",),
}
"""Modules that run on the IPS only and may import more than Python's standard library."""

ASKING = {"os": ("environ", "environb", "getenv", "getenvb"), "posix": ("environ",)}
STARTING = {
    "os": (
        "system",
        "popen",
        "fork",
        "forkpty",
        "posix_spawn",
        "posix_spawnp",
        *(f"exec{end}" for end in ("l", "le", "lp", "lpe", "v", "ve", "vp", "vpe")),
    ),
    "subprocess": ("*",),
    "pty": ("*",),
    "multiprocessing": ("*",),
}
WRITING = {
    "os": (
        *("write", "pwrite", "truncate", "ftruncate", "rename", "replace", "remove", "unlink", "mkdir", "makedirs", "rmdir", "removedirs"),
        *("symlink", "link", "mknod", "mkfifo", "chmod", "fchmod", "chown", "lchown", "fchown", "setxattr", "utime"),
    ),
    "shutil": ("copy", "copy2", "copyfile", "copytree", "copyfileobj", "move", "rmtree", "chown"),
    "tempfile": ("NamedTemporaryFile", "TemporaryFile", "SpooledTemporaryFile", "mkstemp", "mkdtemp", "mktemp"),
}
"""A `TemporaryDirectory` is a place that removes itself; what is put there goes through `files`."""
WRITING_METHODS = ("write_text", "write_bytes", "touch", "mkdir", "rmdir", "unlink", "symlink_to", "hardlink_to", "chmod", "rename")
NETWORK = (
    "socket",
    "_socket",
    "_ssl",
    "socketserver",
    "http.client",
    "http.server",
    "urllib.request",
    "ftplib",
    "smtplib",
    "asyncio",
    "xmlrpc",
)
VAGUE = ("utils", "util", "helpers", "helper", "common", "manager", "misc")
LONGEST_MODULE = 300
LONGEST_FUNCTION = 40


def pure_modules(source: Source) -> Iterator[Module]:
    """The modules that promise to be pure, by their name."""
    for module in source.modules.values():
        if module.name.startswith("hps.") and module.path.stem in PURE and module.name not in PURE_EXCEPT:
            yield module


def pure_reaches_effect(source: Source) -> list[str]:
    """Rule 1: a pure module imports no effect, not even through others, and reads neither files nor clocks."""
    found = []
    for module in pure_modules(source):
        reached = source.reached(module)
        for name in sorted({module.name, *reached}):
            inside = source.modules[name]
            if any(_below(name, effect) for effect in EFFECTS):
                found.append(f"{module.path}: reaches {name} through {reached.get(name, name)}")
            found += [
                f"{module.path}: reaches {library} through {name}"
                for library in IMPURE_LIBRARY
                if _imports(inside, library) and not _harmless(inside, library)
            ]
        found += [f"{module.path}:{line}: {name}() reads the world" for name, line in _method_calls(module, READING)]
    return found


def capabilities(source: Source) -> frozenset[str]:
    """The packages below hps that compose nothing: all but the foundation's, the flows and the command table."""
    packages = {name.split(".")[1] for name in source.modules if name.count(".") >= 2 and name.startswith("hps.")}
    return frozenset(packages - {"system", "registry", "flows", "commands"})


def upward_imports(source: Source) -> list[str]:
    """Rule 3: arrows point down. Capabilities know no sibling, only the doors (`cli.py`) know the flows, hps never knows hps_api."""
    known = capabilities(source)
    found = []
    for module in source.modules.values():
        for name in sorted(source.inside(module) | {name for name in module.imports if name.split(".")[0] in ("hps_api", "flask")}):
            reason = _upward(module, name, known)
            if reason:
                found.append(f"{module.path}: imports {name}: {reason}")
    return found


def _upward(module: Module, imported: str, known: frozenset[str]) -> str:
    parts, door = module.name.split("."), module.path.stem == "cli"
    if parts[0] != "hps":
        return ""
    if imported.split(".")[0] in ("hps_api", "flask"):
        return "hps knows no web framework"
    if len(parts) == 1 or (len(parts) == 2 and parts[1] not in (*FOUNDATION, *known)):
        return ""
    layer, target = parts[1], [*imported.split("."), ""][1]
    if imported.endswith(".cli"):
        return "nothing imports a door; hps.cli loads it by name"
    if not target or target == layer or target in FOUNDATION:
        return ""
    if layer in FOUNDATION:
        return "the foundation rests on nothing"
    if layer == "system":
        return "effects know only the foundation"
    if layer == "registry":
        return "" if target == "system" else "records know only effects and the foundation"
    if layer in ("flows", "commands") or door:
        allowed = {"system", "registry", "flows", "commands"} | (known if layer in ("flows", "commands") else set())
        return "" if target in allowed else "a door opens on its own capability and the flows"
    return "" if target in ("system", "registry") else "capabilities know no sibling; a flow composes them"


def import_cycles(source: Source) -> list[str]:
    """Rule 3: no module reaches itself."""
    found = []
    for module in source.modules.values():
        for name, asker in source.reached(module).items():
            if module.name in source.inside(source.modules[name]):
                found.append(f"{module.path}: is imported by {name}, which it reaches through {asker}")
    return found


def programs_elsewhere(source: Source) -> list[str]:
    """Rule 4: one module starts programs."""
    return _elsewhere(source, PROGRAMS, _starts)


def writes_elsewhere(source: Source) -> list[str]:
    """Rule 4: one module writes files."""
    return _elsewhere(source, WRITERS, _writes)


def sockets_elsewhere(source: Source) -> list[str]:
    """Rule 4: sockets have one home."""
    return _elsewhere(source, SOCKETS, lambda module: [f"imports {name}" for name in NETWORK if _imports(module, name)])


def environment_elsewhere(source: Source) -> list[str]:
    """Rule 4: the environment is read in one place; everything else is a setting of the record `hps`."""
    return _elsewhere(source, ENVIRONMENT, _asks)


def _asks(module: Module) -> list[str]:
    return [f"line {line}: {name}" for name, line in _library_uses(module, ASKING)]


def needless_exceptions(source: Source) -> list[str]:
    """An exception that nothing needs any more is taken off its list."""
    found = []
    for listed, breaks in ((WRITERS, _writes), (PROGRAMS, _starts), (ENVIRONMENT, _asks)):
        found += [
            f"{name}: listed, but needs no exception" for name in listed if name in source.modules and not breaks(source.modules[name])
        ]
    return found


def _elsewhere(source: Source, homes: Iterable[str], breaks: Callable[[Module], list[str]]) -> list[str]:
    return [f"{module.path}: {words}" for module in source.modules.values() if module.name not in homes for words in breaks(module)]


def _starts(module: Module) -> list[str]:
    found = [f"imports {name}" for name in ("subprocess", "pty", "multiprocessing") if _imports(module, name)]
    return found + [f"line {line}: {name}" for name, line in _library_uses(module, STARTING)]


def _writes(module: Module) -> list[str]:
    found = [f"line {line}: {name}" for name, line in _library_uses(module, WRITING)]
    found += [f"line {line}: .{name}()" for name, line in _method_calls(module, WRITING_METHODS)]
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and _called(node) in ("open", "fdopen") and _opens_for_writing(node):
            found.append(f"line {node.lineno}: opens for writing")
    return found


def _opens_for_writing(node: ast.Call) -> bool:
    if any(isinstance(inner, ast.Attribute) and inner.attr in ("O_WRONLY", "O_RDWR", "O_CREAT") for inner in ast.walk(node)):
        return True
    modes = [*node.args[:2], *(word.value for word in node.keywords if word.arg == "mode")]
    words = [mode.value for mode in modes if isinstance(mode, ast.Constant) and isinstance(mode.value, str)]
    return any(set(word) & set("wax+") and set(word) <= set("rwaxbt+") for word in words)


def third_party(source: Source) -> list[str]:
    """A node needs only Python's standard library: nothing else is imported by hps, save where the table says so."""
    found = []
    for module in source.modules.values():
        if not module.name.startswith("hps.") and module.name != "hps":
            continue
        for name in sorted({name.split(".")[0] for name in module.imports} - {"hps", "hps_api", "flask"}):
            if name not in sys.stdlib_module_names and name not in THIRD_PARTY.get(module.name, ()):
                found.append(f"{module.path}: imports {name}")
    return found


def too_long(source: Source) -> list[str]:
    """A module of more than 300 lines, or a function of more than 40 without its docstring, has two homes to find."""
    found = []
    for module in source.modules.values():
        lines = module.text.count("\n")
        if lines > LONGEST_MODULE:
            found.append(f"{module.path}: {lines} lines")
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _length(node) > LONGEST_FUNCTION:
                found.append(f"{module.path}:{node.lineno}: {node.name} has {_length(node)} lines")
    return found


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
    return (node.end_lineno or 0) - first.lineno + 1


def code_in_init(source: Source) -> list[str]:
    """An `__init__` holds a docstring only, so that importing a sibling drags no effect in; hps_api's is its factory."""
    found = []
    for module in source.modules.values():
        if module.path.name == "__init__.py" and module.name != "hps_api":
            found += [f"{module.path}:{node.lineno}: code" for node in module.tree.body if not _is_words(node)]
    return found


def untested(source: Source) -> list[str]:
    """Every pure module has its test file where the mirror of the source puts it; for a `model`, any test beside it will do."""
    found = []
    for module in pure_modules(source):
        folder = source.root / Path("tests/unit", *module.name.split(".")[1:-1])
        if (folder / f"test_{module.path.stem}.py").exists():
            continue
        if module.path.stem != "model" or not any(module.name in path.read_text() for path in folder.glob("test_*.py")):
            found.append(f"{module.path}: has no test_{module.path.stem}.py in {folder.relative_to(source.root)}")
    return found


def vague_names(source: Source) -> list[str]:
    """A module's name says what is in it."""
    return [f"{module.path}: says nothing" for module in source.modules.values() if set(module.name.split(".")) & set(VAGUE)]


def _below(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def _imports(module: Module, library: str) -> bool:
    return any(_below(name, library) for name in module.imports)


def _harmless(module: Module, library: str) -> bool:
    """Of `os`, a pure module may use what only changes text; paths.py reads one variable when it is asked for it."""
    words = {"fsencode", "fsdecode", "environ"} if module.name == "hps.paths" else {"fsencode", "fsdecode"}
    used = {
        node.attr
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "os"
    }
    return library == "os" and "os" in module.imports and not any(name.startswith("os.") for name in module.imports) and used <= words


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id if isinstance(node.func, ast.Name) else ""


def _method_calls(module: Module, names: Iterable[str]) -> Iterator[tuple[str, int]]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and _called(node) in names and (isinstance(node.func, ast.Attribute) or _called(node) == "open"):
            if (
                isinstance(node.func, ast.Attribute)
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id in ("files", "tree", "os")
            ):
                continue
            yield _called(node), node.lineno


def _library_uses(module: Module, table: dict[str, tuple[str, ...]]) -> Iterator[tuple[str, int]]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            names = table.get(node.value.id, ())
            if node.attr in names or "*" in names:
                yield f"{node.value.id}.{node.attr}", node.lineno
        elif isinstance(node, ast.ImportFrom) and node.module in table:
            names = table[node.module]
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names if alias.name in names or "*" in names)


def _is_words(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
