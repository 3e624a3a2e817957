"""Where the files of records are."""

import pytest

from hps.errors import InvalidInput
from hps.registry.layout import PLACES, file_of, listed
from hps.registry.model import HPS, RecordName, account_name, cluster_name, host_name, os_name
from hps.values import Mac

NAMES = (HPS, cluster_name("prod"), host_name("prod", Mac("525400770001")), account_name("prod", "anna"), os_name("x86_64:debian:12"))


def test_each_kind_has_its_place() -> None:
    assert [file_of(name) for name in NAMES] == [
        "hps.conf",
        "clusters/prod/cluster.conf",
        "clusters/prod/hosts/525400770001.conf",
        "clusters/prod/accounts/anna.conf",
        "os/x86_64-debian_12.conf",
    ]
    assert {name.kind for name in NAMES} == set(PLACES)


@pytest.mark.parametrize("name", NAMES, ids=str)
def test_what_is_listed_is_what_was_named(name: RecordName) -> None:
    folder, pattern, below = listed(name.kind, name.parts[:-1])
    entry = file_of(name).removeprefix(f"{folder}/").removesuffix(f"/{below}")
    match = pattern.fullmatch(entry)
    assert match is not None
    assert match[1] == (name.parts[-1] if name.parts else "")


@pytest.mark.parametrize(
    "entry", [".525400770001.conf.previous", ".525400770001.conf.new", "notes.conf", "525400770001.conf~", "525400770001"]
)
def test_other_files_are_no_hosts(entry: str) -> None:
    assert not listed("host", ("prod",))[1].fullmatch(entry)


@pytest.mark.parametrize("parts", [("prod",), ("..", "525400770001"), ("prod", "a/b"), ("prod", ""), ("prod", "525400770001", "x")])
def test_what_is_no_name_is_refused(parts: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput):
        file_of(RecordName("host", parts))


def test_a_folder_needs_its_parents() -> None:
    for kind, parents in (("host", ()), ("host", ("..",)), ("cluster", ("prod",)), ("none", ()), ("hps", ("x",))):
        with pytest.raises(InvalidInput):
            listed(kind, parents)
