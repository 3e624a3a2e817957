# shellcheck shell=sh
# hps.sh: the bridge from a node's shell to hps, and the verbs of the node itself. Decisions are in Python.
# POSIX sh: dash, busybox sh and bash run it. Sourcing it defines functions and does nothing else.

# n_hps GROUP VERB [ARGUMENT...]
#   Run hps with these arguments; its output and its exit code come back unchanged.
n_hps() { "${HPS_PYTHON:-python3}" "${HPS_ZIPAPP:-/usr/lib/hps/hps.pyz}" "$@"; }

# n_identity [ARGUMENT...]
#   Give this machine its host name, addresses and membership from the state partition.
n_identity() { n_hps node identity "$@"; }

# n_register [ARGUMENT...]
#   Tell the IPS that this node runs: its audit, its operating system, its slot.
n_register() { n_hps node register "$@"; }

# n_log MESSAGE [--function NAME]
#   Put a line into the log of the IPS.
n_log() { n_hps node say "$@"; }
