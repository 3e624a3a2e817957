"""`python -m hps` and the console script: the exit code is the answer."""

import sys

from hps.cli import run


def main() -> int:
    """Run the command line of this process."""
    return run(sys.argv[1:])


if __name__ == "__main__":
    raise SystemExit(main())
