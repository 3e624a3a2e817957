"""The hardware audit: what a machine is made of."""
