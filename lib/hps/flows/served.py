"""Everything that the services need, from what is known: folders, files, configurations and who runs."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import hps
from hps import steps
from hps.network.interfaces import Interface
from hps.paths import Paths
from hps.registry.model import Values
from hps.services import dnsmasq, facts, nginx, supervisor, tftp
from hps.services.plan import Checked, Want


@dataclass(frozen=True)
class Inputs:
    """What the configurations are rendered from."""

    values: Values | None
    ips_name: str
    home: Path
    interface: Interface | None = None
    certificate: str = ""
    serve: bool = True


def home() -> Path:
    """The folder of the sources: where this package lies."""
    return Path(hps.__file__).resolve().parents[2]


def want(paths: Paths, inputs: Inputs, hosts: tuple[steps.Write, ...], scripts: tuple[steps.Write, ...]) -> Want:
    """How the services should be."""
    values = inputs.values
    worker = facts.worker("www-data", paths)
    files = [
        steps.Write(supervisor.configuration(paths), supervisor.render(paths, inputs.home).encode()),
        steps.Write(
            dnsmasq.lease_hook(paths), dnsmasq.render_lease_hook(paths.base, inputs.home, Path(sys.executable)).encode(), mode=0o755
        ),
    ]
    if values is not None and inputs.certificate:
        files.append(steps.Write(nginx.authority_copy(paths), (paths.authority(values["CLUSTER_NAME"]) / "ca.pem").read_bytes()))
    published = values if inputs.certificate else None
    web = nginx.render(published, paths, nginx.Settings(user=worker, certificate=inputs.certificate))
    checked = [Checked("nginx", nginx.configuration(paths), web.encode(), ("nginx", "-q", "-t", "-c"))]
    if values is not None:
        user = facts.worker("dnsmasq", paths)
        test = ("dnsmasq", "--test", "-C")
        text = dnsmasq.render(values, paths, dnsmasq.Settings(inputs.ips_name, user))
        checked.append(Checked("dnsmasq", dnsmasq.configuration(paths), text.encode(), test))
        text = tftp.render(values, paths, user, _advertises(inputs.interface))
        checked.append(Checked("tftp", tftp.configuration(paths), text.encode(), test))
    return Want(
        prepare=(*_folders(paths, worker), *_address(inputs)),
        files=tuple(files),
        checked=tuple(checked),
        hosts=hosts,
        scripts=scripts,
        serve=values is not None and inputs.serve,
    )


def _advertises(interface: Interface | None) -> bool:
    return interface is not None and interface.ipv6_enabled


def _address(inputs: Inputs) -> Iterator[steps.Step]:
    """Our own address of the cluster's local IPv6 prefix: dnsmasq advertises a prefix only where the interface has one."""
    if inputs.values is None or inputs.interface is None or not _advertises(inputs.interface):
        return
    prefix = tftp.local_prefix(inputs.values["CLUSTER_NAME"])
    if not any(own.network == prefix for own in inputs.interface.ipv6):
        yield steps.Run(("ip", "-6", "address", "add", f"{prefix[1]}/64", "dev", inputs.interface.name, "nodad"))


def _folders(paths: Paths, worker: str) -> Iterator[steps.Step]:
    """The folders that are missing. Only root and nginx's workers may enter the one that holds the sockets."""
    group = facts.group_of(worker)
    if not facts.folder_is(paths.run, 0o710, group):
        yield steps.Run(("install", "-d", "-m", "0710", "-o", "root", "-g", group, str(paths.run)))
    private = ((paths.log, 0o750),)
    public = (
        *(
            paths.services,
            dnsmasq.folder(paths),
            dnsmasq.hosts_folder(paths),
            dnsmasq.names_folder(paths),
            nginx.folder(paths),
            paths.scripts,
        ),
        *(paths.resources, paths.boot, paths.images, paths.tftp, paths.config, paths.run / "nginx"),
    )
    for folder, mode in (*private, *((folder, 0o755) for folder in public)):
        if not folder.is_dir():
            yield steps.MakeDirectory(folder, mode)
