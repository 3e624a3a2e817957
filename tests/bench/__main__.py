"""Run the benchmarks: `python -m tests.bench [NAME...]`; every figure is a ratio within one run."""

import importlib
import sys
from pathlib import Path

ORDER = ("object_write", "set_rate", "start", "first_contacts", "static_script", "decision", "boot_time")


def main(wanted: list[str]) -> int:
    """Run the named benchmarks, or all that there are, in order; 1 when one of them misses its goal."""
    here = Path(__file__).parent
    names = [name for name in ORDER if (here / f"{name}.py").exists()]
    unknown = set(wanted) - set(names)
    if unknown:
        print(f"unknown: {', '.join(sorted(unknown))}; there are: {', '.join(names)}", file=sys.stderr)
        return 2
    missed = 0
    for name in wanted or names:
        print(f"== {name}", flush=True)
        missed |= int(importlib.import_module(f"tests.bench.{name}").main() or 0)
    return missed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
