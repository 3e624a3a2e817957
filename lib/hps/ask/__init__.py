"""Questions to hps-api from callers that have to start fast: the program `hps`, and the `n_` functions of a node."""
