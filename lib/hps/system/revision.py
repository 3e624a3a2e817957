"""A number that grows with each change of a store, never goes back, and can be waited for.

It stands in one short file, `<boot id> <taken> <published> <CRC-32>`, which is overwritten in place without a flush: as
long as the kernel runs, every process sees it. A power cut may bring an older number back; therefore the first who reads
it after another boot adds STEP, more than the kernel can have kept unwritten, and flushes that.
"""

import functools
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hps.errors import InvalidInput, NotFound, Refused
from hps.log import warning
from hps.system import files, lock, watch

STEP = 1_000_000
"""What is added after a restart of the machine, or where the file was lost: more than changes can stay unwritten."""

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class _Numbers:
    """The content of the file: the last number that a writer took, and the last one that readers may see."""

    boot: str
    taken: int
    published: int

    def line(self) -> bytes:
        text = f"{self.boot} {self.taken:018d} {self.published:018d}"
        return f"{text} {zlib.crc32(text.encode()):08x}\n".encode()


class Revisions:
    """The revision of one store.

    Args:
        path: the file of the number; its lock stands beside it.
        floor: the highest number that anything in the store carries: asked only where the file is missing or damaged.
    """

    def __init__(self, path: Path, floor: Callable[[], int] = lambda: 0) -> None:
        self.path = path
        self._floor = floor

    def now(self) -> int:
        """The revision: every change up to it can be read. Writes only after a restart of the machine, or where the file was lost."""
        try:
            numbers = self._read()
            if numbers.boot == boot_id():
                return numbers.published
        except NotFound:
            if not self.path.parent.is_dir() or not self._floor():
                return 0
        except InvalidInput:
            # Read in the middle of a write, or damaged: under the lock it is one or the other.
            pass
        try:
            return self._change(lambda numbers: numbers).published
        except Refused:
            return self._advanced().published

    def take(self) -> int:
        """A number for a change that is about to be made; nobody is told yet."""
        return self._change(lambda numbers: _Numbers(numbers.boot, numbers.taken + 1, numbers.published)).taken

    def publish(self, taken: int) -> int:
        """Tell that the change of this number can be read; returns the revision, which is at least that number.

        Whoever saw the revision before must see it grow: where a later number was told meanwhile, a new one is told.
        """
        return self._change(lambda numbers: _published(numbers, taken)).published

    def bump(self) -> int:
        """Tell a change that carries no number; returns the revision."""
        return self._change(lambda numbers: _Numbers(numbers.boot, numbers.taken + 1, numbers.taken + 1)).published

    def _change(self, edit: Callable[[_Numbers], _Numbers]) -> _Numbers:
        with lock.exclusive(self.path.with_name(f"{self.path.name}.lock")):
            try:
                old: _Numbers | None = self._read()
            except NotFound:
                old = None
            except InvalidInput as error:
                old = None
                warning("revision-damaged", error.message, file=self.path)
            if old is None or old.boot != boot_id():
                new = edit(self._advanced())
                files.write(self.path, new.line(), mode=0o640)
                return new
            new = edit(old)
            if new != old:
                self._overwrite(new)
            return new

    def _read(self) -> _Numbers:
        return _parsed(files.read_text(self.path), self.path)

    def _advanced(self) -> _Numbers:
        """The numbers to go on with where those of the file cannot be relied on."""
        try:
            number = self._read().taken + STEP
        except InvalidInput:
            number = self._floor() + STEP
        except NotFound:
            highest = self._floor()
            number = highest + STEP if highest else 0
        return _Numbers(boot_id(), number, number)

    def _overwrite(self, numbers: _Numbers) -> None:
        try:
            files.overwrite(self.path, 0, numbers.line(), flush=False)
        except OSError as error:
            raise Refused(f"{self.path} cannot be written: {error.strerror}", hint="look at the disk and the permissions") from error


def wait_any(known: Sequence[tuple[Revisions, int]], timeout: float) -> tuple[int, ...]:
    """Block until one of these stores has a greater revision than the known one, or until the timeout; the revisions then.

    Args:
        known: stores with the revision that the caller knows of each; the folders of the stores exist.
        timeout: seconds; 0 only asks.

    Raises:
        Refused: a folder is missing, or the kernel grants no watch (fs.inotify.max_user_instances).
    """
    found: tuple[int, ...] = ()

    def grown() -> bool:
        nonlocal found
        found = tuple(store.now() for store, _ in known)
        return any(now > number for now, (_, number) in zip(found, known, strict=True))

    if not grown() and timeout > 0:
        watch.wait_until([store.path for store, _ in known], grown, timeout)
    return found


@functools.cache
def boot_id() -> str:
    """The identity of this start of the kernel (random(4)); a container shares it with its host."""
    return files.read_text(_BOOT_ID).strip()


def _published(numbers: _Numbers, taken: int) -> _Numbers:
    if taken > numbers.published:
        return _Numbers(numbers.boot, max(numbers.taken, taken), taken)
    return _Numbers(numbers.boot, numbers.taken + 1, numbers.taken + 1)


def _parsed(text: str, path: Path) -> _Numbers:
    words = text.split()
    if len(words) == 4 and f"{zlib.crc32(text.rpartition(' ')[0].encode()):08x}" == words[3]:
        return _Numbers(words[0], int(words[1]), int(words[2]))
    raise InvalidInput(f"{path} is damaged", hint="it is made again; the revision goes on above every one that was seen")
