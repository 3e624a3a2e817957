"""What every flow is given: the site it works on, and who asks. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hps.errors import Denied
from hps.paths import Paths
from hps.registry.keys import default
from hps.registry.model import Registry
from hps.values import Mac

STRANGER, BOOTING, NODE, OPERATOR, IPS = "stranger", "booting", "node", "operator", "ips"
CALLER_KINDS = (STRANGER, BOOTING, NODE, OPERATOR, IPS)
MEMBERS = (NODE, OPERATOR, IPS)
"""The members of the cluster: whoever shows a certificate of its authority, and the operator at the IPS itself."""


@dataclass(frozen=True)
class Caller:
    """Who asks: a kind, for machines the MAC address that was proven, never one that was claimed, and the name of an account."""

    kind: str
    mac: Mac | None = None
    address: str = ""
    name: str = ""

    @property
    def machine(self) -> Mac:
        """The MAC address of a machine; raises Denied for callers that are none."""
        if self.mac is None:
            raise Denied("the caller is not a machine of this cluster")
        return self.mac


@dataclass(frozen=True)
class Text:
    """An answer that is a file: its body exactly as it is, and its media type."""

    body: str
    media: str = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Site:
    """One IPS with its active cluster: paths, records, and the values of the cluster."""

    paths: Paths
    registry: Registry
    cluster: str
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def authority(self) -> Path:
        """The folder of the cluster's certificate authority."""
        return self.paths.authority(self.cluster)

    def setting(self, key: str) -> str:
        """A value of the cluster, or its default."""
        return self.values.get(key, "") or default("cluster", key)
