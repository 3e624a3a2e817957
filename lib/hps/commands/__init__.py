"""The one table of commands, and the one way to run one of them."""
