"""HPS goes into a tree without touching the tree it came from, and a tree with an identity is refused."""

from pathlib import Path

import pytest

from hps.errors import Refused
from hps.images import layer


def make_tree(root: Path) -> Path:
    tree = root / "base"
    for name, content in {"boot/vmlinuz-6": "kernel", "boot/initrd.img-6": "initrd", "etc/machine-id": "", "usr/bin/python3": "x"}.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(content)
    (tree / "boot/vmlinuz").symlink_to("vmlinuz-6")
    (tree / "boot/initrd.img").symlink_to("initrd.img-6")
    (root / "image.pub").write_text("public")
    return tree


def content(tree: Path) -> dict[str, str]:
    return {str(path.relative_to(tree)): path.read_text() for path in tree.rglob("*") if path.is_file()}


@pytest.mark.programs
def test_the_layer_is_added_to_a_copy(tmp_path: Path) -> None:
    base = make_tree(tmp_path)
    before = content(base)
    target = tmp_path / "copy"
    layer.copy_tree(base, target)
    layer.add_layer(target, b"#!application", {"core.img": b"core", "grub.cfg": b"# grub"}, tmp_path / "image.pub")
    assert content(base) == before
    assert (target / "usr/bin/hps").read_bytes() == b"#!application"
    assert (target / "usr/lib/hps/loader/core.img").read_bytes() == b"core"
    for name in ("hps.sh", "api.sh"):
        assert (target / "usr/lib/hps" / name).read_bytes() == (layer.FUNCTIONS / name).read_bytes()
    assert (target / "etc/hps/image-keys/image.pub").read_text() == "public"
    assert "  vmlinuz\n" in (target / "boot/SUMS").read_text()
    for name, wanted_by in layer.UNITS.items():
        unit = (target / "usr/lib/systemd/system" / name).read_text()
        if wanted_by:
            link = target / f"etc/systemd/system/{wanted_by}.wants" / name
            assert str(link.readlink()) == f"/usr/lib/systemd/system/{name}"
        assert (
            (f"WantedBy={wanted_by}" in unit)
            if wanted_by
            else ("[Install]" not in unit and name.replace("service", "timer") in layer.UNITS)
        )


@pytest.mark.programs
@pytest.mark.parametrize(
    "name",
    [
        "etc/ssh/ssh_host_ed25519_key",
        "etc/hostname",
        "etc/machine-id",
        "etc/iscsi/initiatorname.iscsi",
        "var/lib/hps/identity",
        "root/.ssh/id",
    ],
)
def test_an_identity_is_refused(tmp_path: Path, name: str) -> None:
    base = make_tree(tmp_path)
    (base / name).parent.mkdir(parents=True, exist_ok=True)
    (base / name).write_text("one machine")
    target = tmp_path / "copy"
    layer.copy_tree(base, target)
    with pytest.raises(Refused, match=name):
        layer.add_layer(target, b"", {}, tmp_path / "image.pub")


@pytest.mark.programs
def test_a_node_without_its_functions_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = make_tree(tmp_path)
    layer.copy_tree(base, tmp_path / "copy")
    monkeypatch.setattr(layer, "FUNCTIONS", tmp_path)
    with pytest.raises(Refused, match="functions"):
        layer.add_layer(tmp_path / "copy", b"", {}, tmp_path / "image.pub")
