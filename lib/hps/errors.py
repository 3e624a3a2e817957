"""The failures that HPS knows, each with its exit code, its HTTP status and a hint that says what to do."""


class HpsError(Exception):
    """A failure that is an answer, not a bug.

    Args:
        message: what is wrong, in one sentence, without secrets.
        hint: what the reader can do about it; may be empty.
    """

    exit_code = 1
    status = 500
    word = "error"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class Usage(HpsError):
    """The arguments do not fit the command."""

    exit_code, status, word = 2, 400, "usage"


class InvalidInput(HpsError):
    """A name, size, value or file is not well formed."""

    exit_code, status, word = 3, 400, "invalid input"


class Refused(HpsError):
    """Well formed, but unsafe now; the hint says what would allow it."""

    exit_code, status, word = 4, 409, "refused"


class CommandFailed(HpsError):
    """A program said no; the hint is the end of its standard error."""

    exit_code, status, word = 5, 502, "command failed"


class Unreachable(HpsError):
    """No answer in time; a retry may help."""

    exit_code, status, word = 6, 503, "unreachable"


class NotFound(HpsError):
    """There is no such thing."""

    exit_code, status, word = 7, 404, "not found"


class Denied(HpsError):
    """The caller is unknown, or may not do this."""

    exit_code, status, word = 8, 403, "denied"


KINDS: tuple[type[HpsError], ...] = (Usage, InvalidInput, Refused, CommandFailed, Unreachable, NotFound, Denied)
"""Every class of failure; the documents and the tests walk this table."""
