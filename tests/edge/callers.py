"""A site with one caller of every kind, each as the headers that nginx would send for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from cryptography.hazmat.primitives.asymmetric import ec

from hps.flows import accounts, enlist, membership, site
from hps.flows.model import OPERATOR, STRANGER, Caller, Site
from tests.sites import mac_of, make_site, write_leases
from tests.unit.security.test_authority import request_of

ADDRESS, STRANGE = "10.77.0.210", "10.77.0.66"
NEW, OWN, OTHER = 9, 1, 2
"""Numbers of the machines: one that boots, the node that asks, and the one whose data it may not reach."""

LOCAL = {"X-Hps-Door": "local"}
PLAIN = {"X-Hps-Door": "plain", "X-Hps-Address": ADDRESS}
UNKNOWN = {"X-Hps-Door": "plain", "X-Hps-Address": STRANGE}


@dataclass(frozen=True)
class Callers:
    """The site, and the headers of each caller by its name."""

    at: Site
    headers: Mapping[str, Mapping[str, str]]


def certified(at: Site, number: int) -> dict[str, str]:
    """A host that is being installed, as its certificate at the TLS door."""
    enlist.configure(at, mac_of(number), "SCH")
    csr = request_of(ec.generate_private_key(ec.SECP256R1()))
    token = site.tokens(at).mint(mac_of(number))
    return at_door(membership.certificate(at, Caller(STRANGER), {"token": token, "csr": csr})["certificate"], f"10.77.0.{number + 1}")


def account(at: Site, name: str, role: str) -> dict[str, str]:
    """An operator or another provisioning server, as its certificate at the TLS door."""
    csr = request_of(ec.generate_private_key(ec.SECP256R1()))
    made = accounts.account_create(at, Caller(OPERATOR, name="local"), {"name": name, "role": role, "csr": csr})
    return at_door(made["certificate"], "10.77.0.99")


def at_door(pem: str, address: str) -> dict[str, str]:
    """What nginx says about a certificate that it verified."""
    return {"X-Hps-Door": "tls", "X-Hps-Verified": "SUCCESS", "X-Hps-Certificate": quote(pem), "X-Hps-Address": address}


def make_callers(base: Path) -> Callers:
    """The site and everybody."""
    at = make_site(base)
    write_leases(at.paths, [(mac_of(NEW), ADDRESS)])
    enlist.first_contact(at, mac_of(NEW), "x86_64")
    return Callers(
        at,
        {
            "stranger": UNKNOWN,
            "booting": PLAIN,
            "node": certified(at, OWN),
            "other node": certified(at, OTHER),
            "operator": LOCAL,
            "operator by certificate": account(at, "anna", "operator"),
            "ips": account(at, "ips-02", "ips"),
        },
    )


def kind_of(caller: str) -> str:
    """The kind of caller that a name of ours stands for."""
    return {"other node": "node", "operator by certificate": "operator"}.get(caller, caller)
