import argparse

import pytest

from hps.node import cli


def parse(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    cli.add_verbs(parser)
    return parser.parse_args(words)


@pytest.mark.parametrize("verb", ["install", "identity", "register"])
def test_verbs_need_no_arguments(verb: str) -> None:
    assert callable(parse(verb).function)


def test_who_says_something_does_not_hide_what_is_called() -> None:
    options = parse("say", "hello", "--function", "n_log")
    assert callable(options.function)
    assert (options.message, options.sayer) == ("hello", "n_log")
