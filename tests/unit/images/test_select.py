"""What the installer takes from a tree."""

from pathlib import Path

import pytest

from hps.errors import NotFound
from hps.images.select import merged, parse_libraries, programs

LDD = """\
/usr/bin/openssl:
	linux-vdso.so.1 (0x00007ffd)
	libssl.so.3 => /lib/x86_64-linux-gnu/libssl.so.3 (0x00007f1)
	/lib64/ld-linux-x86-64.so.2 (0x00007f2)
/usr/bin/busybox:
	libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f3)
	not a dynamic executable
"""


def test_the_libraries_that_ldd_names() -> None:
    assert parse_libraries(LDD) == ("lib/x86_64-linux-gnu/libc.so.6", "lib/x86_64-linux-gnu/libssl.so.3", "lib64/ld-linux-x86-64.so.2")


@pytest.mark.parametrize(
    ("path", "real"), [("lib/x", "usr/lib/x"), ("lib64/x", "usr/lib64/x"), ("usr/lib/x", "usr/lib/x"), ("etc/x", "etc/x")]
)
def test_a_path_of_the_merged_tree(path: str, real: str) -> None:
    assert merged(path) == real


def test_a_tree_without_a_program_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="busybox"):
        programs(tmp_path)
