"""Operators of a cluster, as the IPS itself makes them: key and certificate in files."""
