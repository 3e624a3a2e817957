"""Every backend of the registry keeps the one contract."""

from pathlib import Path

import pytest

from hps.registry.model import Registry
from hps.registry.store import FileRegistry
from tests.contract.memory_registry import MemoryRegistry
from tests.contract.registry_suite import RegistrySuite


class TestFiles(RegistrySuite):
    """The store that is delivered."""

    @pytest.fixture
    def registry(self, tmp_path: Path) -> Registry:
        return FileRegistry(tmp_path / "config")


class TestMemory(RegistrySuite):
    """A second one, so that the suite asks for nothing that only files have."""

    @pytest.fixture
    def registry(self) -> Registry:
        return MemoryRegistry()
