# shellcheck shell=sh
# hps.sh: the bridges from a node's shell to hps, and the verbs of the node itself. Decisions are in Python.
# POSIX sh: dash, busybox sh and bash run it. Sourcing it defines functions and names, and does nothing else.

_n_python=/usr/bin/python3
_n_application=/usr/lib/hps/hps.pyz
_n_identity=/var/lib/hps/identity
# Isolated, and without the site's modules: an interpreter that only asks starts in less time than a bare one.
_n_ask='import sys; sys.path.insert(0, sys.argv.pop(1)); from hps.ask.node import main; sys.exit(main())'

# n_hps GROUP VERB [ARGUMENT...]
#   Run hps with these arguments; its output and its exit code come back unchanged.
n_hps() { "$_n_python" "$_n_application" "$@"; }

# n_ips_command COMMAND [NAME=VALUE...]
#   Ask the IPS for a command, as this node: what it answers is printed, and its exit code comes back.
n_ips_command() { "$_n_python" -I -S -c "$_n_ask" "$_n_application" "$_n_identity" "$@"; }

# n_identity [ARGUMENT...]
#   Give this machine its host name, addresses and membership from the state partition.
n_identity() { n_hps node identity "$@"; }

# n_register [ARGUMENT...]
#   Tell the IPS that this node runs: its audit, its operating system, its slot.
n_register() { n_hps node register "$@"; }

# n_log MESSAGE [--function NAME]
#   Put a line into the log of the IPS.
n_log() { n_hps node say "$@"; }
