"""Identity: the certificate authority of the cluster, one-time tokens, leases."""
