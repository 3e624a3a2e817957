"""Hosts: their names and addresses, and the verbs that an operator has for them."""
