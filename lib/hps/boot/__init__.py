"""The boot decision: what a machine that asks over the network is told to do, and the script that says it."""
