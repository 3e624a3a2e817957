"""Profiles: the folders that say what a kind of node is made of."""
