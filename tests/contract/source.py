"""The Python sources of the project as parsed modules, and who imports whom."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

FOLDERS = ("lib", "hps-api")


@dataclass(frozen=True)
class Module:
    """One source file."""

    name: str
    path: Path
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax tree."""
        return ast.parse(self.text)

    @cached_property
    def imports(self) -> frozenset[str]:
        """Every dotted name that it imports, wherever the import stands; `from a import b` counts as `a` and `a.b`."""
        found = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                base = self._absolute(node)
                found |= {base} | {f"{base}.{alias.name}" for alias in node.names}
        return frozenset(found)

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        package = self.name.split(".") if self.path.name == "__init__.py" else self.name.split(".")[:-1]
        return ".".join([*package[: len(package) - node.level + 1], *([node.module] if node.module else [])])


class Source:
    """All modules below `lib` and `hps-api` of a tree."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.modules = {module.name: module for module in _read(root)}

    def inside(self, module: Module) -> frozenset[str]:
        """The modules of this tree that it imports; a package's own folder stands for its `__init__`."""
        return frozenset(name for name in module.imports if name in self.modules and name != module.name)

    def reached(self, module: Module) -> dict[str, str]:
        """Every module that importing this one loads -> the module that asks for it."""
        asked: dict[str, str] = {}
        waiting = [module.name]
        while waiting:
            current = waiting.pop()
            for name in self.inside(self.modules[current]):
                if name not in asked and name != module.name:
                    asked[name] = current
                    waiting.append(name)
        return asked


def _read(root: Path) -> Iterator[Module]:
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.py")):
            relative = path.relative_to(root / folder)
            if "__pycache__" in relative.parts:
                continue
            parts = relative.parent.parts if path.name == "__init__.py" else (*relative.parent.parts, path.stem)
            yield Module(".".join(parts), path.relative_to(root), path.read_text())
