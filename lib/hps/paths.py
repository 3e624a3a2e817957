"""Where things are: one base folder, and every path under it named once."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Paths:
    """The folders of one IPS below its base (`HPS_BASE`, by default /srv/hps)."""

    base: Path = Path("/srv/hps")

    @classmethod
    def from_environment(cls) -> "Paths":
        """The base named by HPS_BASE, or the default one."""
        return cls(Path(os.environ.get("HPS_BASE", "/srv/hps")))

    @property
    def config(self) -> Path:
        """Records, keys and certificates: what a backup must hold."""
        return self.base / "config"

    @property
    def resources(self) -> Path:
        """Images, installer and loaders: what nginx serves."""
        return self.base / "resources"

    @property
    def images(self) -> Path:
        """Published images: `<name>/<sequence>/{manifest,pack,index}`."""
        return self.resources / "images"

    @property
    def boot(self) -> Path:
        """Static boot files served over HTTP: installer kernel and initrd, loaders, scripts."""
        return self.resources / "boot"

    @property
    def tftp(self) -> Path:
        """The TFTP root: first-stage loaders only."""
        return self.resources / "tftp"

    @property
    def services(self) -> Path:
        """Rendered configuration of the services; made again from the records at any time."""
        return self.base / "services"

    @property
    def run(self) -> Path:
        """Sockets, leases and process ids; empty after a restart."""
        return self.base / "run"

    @property
    def log(self) -> Path:
        """Logs and the boot events of every machine."""
        return self.base / "log"

    @property
    def leases(self) -> Path:
        """The lease file of dnsmasq."""
        return self.config / "leases"
