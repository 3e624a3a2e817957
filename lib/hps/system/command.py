"""The one module that starts programs: argument lists only, a fixed environment, a clear failure."""

import logging
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO

from hps.errors import CommandFailed, NotFound, Unreachable

log = logging.getLogger(__name__)

ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "HOME": "/root",
}
_TAIL = 2000


def run(
    arguments: Sequence[str],
    stdin: bytes = b"",
    timeout: float = 3600,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Run a program to its end and return its standard output.

    Args:
        arguments: the program and its arguments; never a shell string.
        stdin: bytes for its standard input: the way in for secrets.
        timeout: seconds after which it is killed.
        environment: variables beyond the fixed ones.

    Raises:
        NotFound: the program is not installed.
        CommandFailed: it ended with another code than 0; the hint is the end of its standard error.
        Unreachable: it did not end in time.
    """
    log.debug("+ %s", " ".join(arguments))
    try:
        done = subprocess.run(
            list(arguments), input=stdin, capture_output=True, timeout=timeout, check=False, env={**ENVIRONMENT, **(environment or {})}
        )
    except FileNotFoundError as error:
        raise NotFound(f"the program {arguments[0]} is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise Unreachable(f"{arguments[0]} did not end within {timeout:.0f} seconds") from error
    if done.returncode != 0:
        words = (done.stderr or done.stdout).decode(errors="replace").strip()[-_TAIL:]
        raise CommandFailed(f"{' '.join(arguments[:2])} ended with code {done.returncode}", hint=words)
    return done.stdout.decode(errors="replace")


@contextmanager
def pipe(arguments: Sequence[str], stdin: IO[bytes] | int | None = None) -> Iterator[IO[bytes]]:
    """Start a program and yield its standard output as a stream; it must end with code 0.

    `stdin` is a real file (with a descriptor), `subprocess.PIPE` is not offered: feed large inputs from a file
    or from the read end of `os.pipe()`. Raises CommandFailed when the program fails, NotFound when it is missing.
    """
    log.debug("+ %s |", " ".join(arguments))
    # Standard error goes into memory, not into a pipe: a program that fills a pipe nobody reads would stop.
    with os.fdopen(os.memfd_create("stderr"), "rb") as errors:
        try:
            process = subprocess.Popen(list(arguments), stdin=stdin, stdout=subprocess.PIPE, stderr=errors, env=ENVIRONMENT)
        except FileNotFoundError as error:
            raise NotFound(f"the program {arguments[0]} is not installed") from error
        assert process.stdout is not None
        finished = False
        try:
            yield process.stdout
            finished = process.stdout.read(1) == b""
        finally:
            process.stdout.close()
            if not finished:
                process.kill()
            code = process.wait()
        if finished and code != 0:
            errors.seek(0)
            words = errors.read().decode(errors="replace").strip()[-_TAIL:]
            raise CommandFailed(f"{arguments[0]} ended with code {code}", hint=words)


def replace_process(arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
    """Become another program (exec); returns only by raising NotFound."""
    log.debug("exec %s", " ".join(arguments))
    try:
        os.execvpe(arguments[0], list(arguments), {**ENVIRONMENT, **(environment or {})})  # noqa: S606
    except FileNotFoundError as error:
        raise NotFound(f"the program {arguments[0]} is not installed") from error
