"""Disks of a node: what is there, how a boot drive is laid out, and the steps that make it so."""
