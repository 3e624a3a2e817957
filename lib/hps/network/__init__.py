"""The network of a machine: its links, its address, and what the installed node is told about them."""
