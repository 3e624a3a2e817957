import os
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hps.errors import InvalidInput
from hps.images import manifest as manifests
from hps.images.manifest import EMPTY, Entry, Manifest, encode, parse_manifest, render_manifest

A = "sha256:" + "a" * 64
B = "sha256:" + "b" * 64
ROOT = Entry(".", "directory", 0o755, 0, 0, 100)
TREE = (
    ROOT,
    Entry("bin", "symlink", 0o777, 0, 0, 100, target="usr/bin"),
    Entry("dev", "directory", 0o755, 0, 0, 100),
    Entry("dev/null", "char", 0o666, 0, 0, 100, device=(1, 3)),
    Entry("dev/sda", "block", 0o660, 0, 6, 100, device=(8, 0)),
    Entry("dev/wait", "fifo", 0o600, 0, 0, 100),
    Entry("usr", "directory", 0o2755, 0, 50, 100, xattrs=(("system.posix_acl_default", "02"), ("user.a,b=c", ""))),
    Entry("usr/a b%ü\n", "file", 0o644, 1000, 1000, 99, 5000, A),
    Entry("usr/ping", "file", 0o4755, 0, 0, 100, 10, B, xattrs=(("security.capability", "0100"),)),
    Entry("usr/ping6", "hardlink", 0o4755, 0, 0, 100, target="usr/ping"),
    Entry("usr/same", "file", 0o600, 0, 0, 100, 5000, A),
    Entry("usr/void", "file", 0o600, 0, 0, 100, 0, EMPTY),
)
SAMPLE = Manifest("x86_64-debian_12-SCH", 3, "x86_64", "6.1.0-56-amd64", 100, TREE, 77, B)


def with_entries(*entries: Entry) -> bytes:
    return render_manifest(replace(SAMPLE, entries=entries))


def test_what_is_written_is_read_back() -> None:
    text = render_manifest(SAMPLE)
    assert parse_manifest(text) == SAMPLE
    assert render_manifest(parse_manifest(text)) == text
    assert b"f 0644 1000 1000 99 5000 " + A.encode() + b" usr/a%20b%25%C3%BC%0A -\n" in text


def test_sums_and_objects() -> None:
    assert SAMPLE.objects == ((A, 5000), (B, 10))
    assert SAMPLE.inodes == 11
    assert SAMPLE.size_bytes == 4096 * (3 + 2 + 1 + 2)
    assert SAMPLE.reference == "x86_64-debian_12-SCH/3"


def file(path: str, size: int = 10, digest: str = B) -> Entry:
    return Entry(path, "file", 0o644, 0, 0, 100, size, digest)


ETC = Entry("etc", "directory", 0o755, 0, 0, 100)
LINK = Entry("etc", "symlink", 0o777, 0, 0, 100, target="/")


@pytest.mark.feature("S7")
@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ((ROOT, file("/etc")), "not below a directory"),
        ((ROOT, file("/")), "not a path"),
        ((ROOT, file("..")), "not a path"),
        ((ROOT, ETC, file("etc/..")), "not a path"),
        ((ROOT, ETC, file("etc/../passwd")), "not below a directory"),
        ((ROOT, ETC, file("etc/.")), "not a path"),
        ((ROOT, ETC, file("etc//a")), "not below a directory"),
        ((ROOT, ETC, file("etc/")), "not a path"),
        ((ROOT, file(".")), "not a path"),
        ((ROOT, file("a\0b")), "canonical"),
        ((ROOT, file("a" * 256)), "not a path"),
        ((ROOT, file("ü" * 128)), "not a path"),
        ((ROOT, LINK, file("etc/passwd")), "not below a directory"),
        ((ROOT, file("etc"), file("etc/passwd")), "not below a directory"),
        ((ROOT, file("etc/passwd")), "not below a directory"),
        ((ROOT, file("a"), file("a")), "not sorted, or there twice"),
        ((ROOT, file("b"), file("a")), "not sorted, or there twice"),
        ((ROOT, ROOT), "not a path"),
        ((file("a"),), "the first entry"),
        ((ROOT, file("a", 10), file("b", 11)), "digest"),
        ((ROOT, file("a", 0)), "digest"),
        ((ROOT, file("a", 5, EMPTY)), "digest"),
        ((ROOT, file("a", manifests.MAXIMUM_FILE + 1)), "larger"),
        ((ROOT, file("a", 10, "sha1:abc")), "digest"),
        ((ROOT, Entry("a", "hardlink", 0o644, 0, 0, 100, target="b"), file("b")), "hard link"),
        ((ROOT, file("a"), Entry("b", "hardlink", 0o644, 0, 0, 100, target="../x")), "hard link"),
        ((ROOT, file("a"), Entry("b", "hardlink", 0o4755, 0, 0, 100, target="a")), "hard link"),
        ((ROOT, ETC._replace(xattrs=(("b", "00"), ("a", "00")))), "sorted"),
        ((ROOT, ETC._replace(xattrs=(("a", "0"),))), "name=hex"),
        ((ROOT, LINK._replace(target="x" * 4096)), "too long"),
        ((ROOT, ETC._replace(size=1)), "only a file"),
    ],
)
def test_an_image_that_could_leave_its_folder_or_lies_is_refused(entries: tuple[Entry, ...], words: str) -> None:
    with pytest.raises(InvalidInput, match=r"^line [0-9]+ of the manifest") as found:
        parse_manifest(with_entries(*entries))
    assert words in found.value.message
    assert f"line {len(SAMPLE_HEADER) + len(entries)} " in found.value.message or words in ("hard link", "the first entry")


SAMPLE_HEADER = with_entries().splitlines()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"hps-image 1\n", b"hps-image 2\n"),
        (b"sequence 3\n", b"sequence 03\n"),
        (b"sequence 3\n", b""),
        (b"created 100\n", b"created -1\n"),
        (b"name x86_64-debian_12-SCH", b"name ../../etc"),
        (b"inodes 11", b"inodes 12"),
        (b"size_bytes 32768", b"size_bytes 1"),
        (b"entries\n", b"entries \n"),
        (b"d 0755 0 0 100 0 - dev -", b"d 0755 0 0 100 0 x dev -"),
        (b"d 0755 0 0 100 0 - dev -", b"d 755 0 0 100 0 - dev -"),
        (b"d 0755 0 0 100 0 - dev -", b"D 0755 0 0 100 0 - dev -"),
        (b"d 0755 0 0 100 0 - dev -", b"d 0755 0 0 -1 0 - dev -"),
        (b"d 0755 0 0 100 0 - dev -", b"d 0755 0 0 100 0 - dev  -"),
        (b"1:3", b"1"),
        (b"%20", b"%2"),
        (b"%20", b"%61"),
        (b"%C3", b"%c3"),
        (b"usr/void -\n", b"usr/void -"),
        (b"usr/void -\n", b"usr/void -\r\n"),
        (b"usr/void", b"usr/v\xc3\xbcid"),
    ],
)
def test_a_malformed_line_is_refused(old: bytes, new: bytes) -> None:
    text = render_manifest(SAMPLE)
    assert old in text
    with pytest.raises(InvalidInput):
        parse_manifest(text.replace(old, new, 1))


def test_every_cut_is_refused() -> None:
    text = render_manifest(SAMPLE)
    for end in range(len(text)):
        with pytest.raises(InvalidInput):
            parse_manifest(text[:end])


def test_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifests, "MAXIMUM_ENTRIES", len(TREE) - 1)
    with pytest.raises(InvalidInput, match="more than"):
        parse_manifest(render_manifest(SAMPLE))
    monkeypatch.setattr(manifests, "MAXIMUM_BYTES", 100)
    with pytest.raises(InvalidInput, match="larger than"):
        parse_manifest(render_manifest(SAMPLE))


@given(st.binary(min_size=1, max_size=80).filter(lambda raw: not {0, 47} & set(raw) and raw not in (b".", b"..")))
@settings(max_examples=100, deadline=None)
def test_any_file_name_survives(raw: bytes) -> None:
    name = os.fsdecode(raw)
    assert parse_manifest(with_entries(ROOT, file(name))).entries[1].path == name
    assert encode(name).isascii()


@given(st.binary(max_size=400))
@settings(max_examples=100, deadline=None)
def test_garbage_never_does_worse_than_invalid_input(raw: bytes) -> None:
    for text in (raw, b"\n".join(SAMPLE_HEADER) + b"\n" + raw, with_entries(ROOT) + raw):
        try:
            parse_manifest(text)
        except InvalidInput:
            continue
        assert text == with_entries(ROOT)
