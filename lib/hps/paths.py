"""Where things are: one base folder, and every path under it named once."""

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path


@dataclass(frozen=True)
class Paths:
    """The folders of one IPS below its base (`HPS_BASE`, by default /srv/hps); resources may be moved elsewhere."""

    base: Path = Path("/srv/hps")
    resources_folder: Path | None = None

    @classmethod
    def from_environment(cls) -> "Paths":
        """The base named by HPS_BASE, or the default one; `hps.registry.settings.open_paths` knows the other folders too."""
        return cls(Path(os.environ.get("HPS_BASE", "/srv/hps")))

    @cached_property
    def config(self) -> Path:
        """Records, keys and certificates: what a backup must hold."""
        return self.base / "config"

    def authority(self, cluster: str) -> Path:
        """The certificate authority of a cluster: its certificate, its key, and the certificate of this IPS."""
        return self.config / "clusters" / cluster / "ca"

    @cached_property
    def resources(self) -> Path:
        """Images, installer and loaders: what nginx serves."""
        return self.resources_folder or self.base / "resources"

    @cached_property
    def images(self) -> Path:
        """Published images: `<name>/<sequence>/{manifest,pack,index}`."""
        return self.resources / "images"

    @cached_property
    def boot(self) -> Path:
        """Static boot files served over HTTP: installer kernel and initrd, loaders, scripts."""
        return self.resources / "boot"

    @cached_property
    def tftp(self) -> Path:
        """The TFTP root: first-stage loaders only."""
        return self.resources / "tftp"

    @cached_property
    def services(self) -> Path:
        """Rendered configuration of the services; made again from the records at any time."""
        return self.base / "services"

    @cached_property
    def scripts(self) -> Path:
        """Boot scripts of known hosts, one file for each address: what nginx serves to that address alone."""
        return self.services / "scripts"

    @cached_property
    def run(self) -> Path:
        """Sockets, leases and process ids; empty after a restart."""
        return self.base / "run"

    @cached_property
    def log(self) -> Path:
        """Logs and the boot events of every machine."""
        return self.base / "log"

    @cached_property
    def leases(self) -> Path:
        """The lease file of dnsmasq."""
        return self.config / "leases"
