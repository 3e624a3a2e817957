"""`python -m hps` and the console scripts: the exit code is the answer."""

import sys

from hps.cli import run


def main() -> int:
    """Run the command line of this process."""
    return run(sys.argv[1:])


def host_config() -> int:
    """`host_config VERB …` is `hps host_config VERB …`."""
    return run(["host_config", *sys.argv[1:]])


def cluster_config() -> int:
    """`cluster_config VERB …` is `hps cluster_config VERB …`."""
    return run(["cluster_config", *sys.argv[1:]])


def hps_config() -> int:
    """`hps_config VERB …` is `hps hps_config VERB …`."""
    return run(["hps_config", *sys.argv[1:]])


if __name__ == "__main__":
    raise SystemExit(main())
