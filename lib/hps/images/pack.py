"""The index of a pack: where the compressed frame of each distinct content lies in it. Pure.

A pack is one zstd frame (RFC 8878) for each object of the manifest, in its order, one after the other. So the whole pack
through one `zstd -dc` is every object in order, and any part of it is a few byte ranges. The index is text, one line
`<64 hexadecimal digits> <offset> <length>` a frame; it is not signed, since a wrong one can only lead to a wrong digest.
"""

import re
from collections.abc import Collection, Iterable
from typing import NamedTuple

from hps.errors import InvalidInput, NotFound

_LINE = re.compile(r"([0-9a-f]{64}) (0|[1-9][0-9]{0,14}) ([1-9][0-9]{0,14})")


class Frame(NamedTuple):
    """One object in the pack; offset and length are bytes of the compressed frame."""

    digest: str
    offset: int
    length: int


def render_index(frames: Iterable[Frame]) -> bytes:
    """The text of an index."""
    return "".join(f"{frame.digest.removeprefix('sha256:')} {frame.offset} {frame.length}\n" for frame in frames).encode()


def parse_index(content: bytes) -> tuple[Frame, ...]:
    """Read an index; the frames must follow each other without a gap. Raises InvalidInput naming the line."""
    lines = content.decode("ascii", errors="replace").split("\n")
    if lines.pop() != "":
        raise InvalidInput("the last line of the index is cut off", hint="fetch it again")
    frames = []
    end = 0
    for number, line in enumerate(lines, start=1):
        found = _LINE.fullmatch(line)
        if found is None or int(found[2]) != end:
            raise InvalidInput(f"line {number} of the index is not a frame that follows the one before")
        frames.append(Frame(f"sha256:{found[1]}", end, int(found[3])))
        end += int(found[3])
    if len({frame.digest for frame in frames}) != len(frames):
        raise InvalidInput("the index holds a digest twice")
    return tuple(frames)


def ranges(index: Iterable[Frame], wanted: Collection[str]) -> tuple[tuple[int, int], ...]:
    """The fewest byte ranges (offset, length) that hold exactly the wanted objects, in pack order; raises NotFound."""
    missing = set(wanted)
    found: list[tuple[int, int]] = []
    for frame in index:
        if frame.digest not in missing:
            continue
        missing.discard(frame.digest)
        if found and sum(found[-1]) == frame.offset:
            found[-1] = (found[-1][0], found[-1][1] + frame.length)
        else:
            found.append((frame.offset, frame.length))
    if missing:
        raise NotFound(f"the pack does not hold {min(missing)}", hint="the image is not whole; publish it again")
    return tuple(found)
