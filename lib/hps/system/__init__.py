"""The only effects: programs, files, locks, HTTP and the executor of plans."""
