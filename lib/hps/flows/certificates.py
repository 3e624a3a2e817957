"""Certificates of members: which one speaks, how one is renewed, and how one is taken back at once.

A record names the one certificate of its owner by its digest. While a renewed one is not used yet the record names both: an
answer that was lost on the way locks nobody out. The first use of the new one withdraws the old one.
"""

import hmac
import logging
import time
from collections.abc import Mapping

from hps.errors import Denied, HpsError, NotFound
from hps.flows import site
from hps.flows.model import NODE, OPERATOR, Caller, Site
from hps.registry.model import RecordName, Values, account_name, host_name, setting
from hps.security import certificates
from hps.security.certificates import Issued, Owner
from hps.values import Mac

log = logging.getLogger(__name__)

OPERATOR_DAYS = 365
_END = {"host": "CERTIFICATE_EXPIRES", "account": "EXPIRES"}
"""The key that holds the end of the certificate in each kind of record."""


def record_of(at: Site, kind: str, name: str) -> RecordName:
    """The record that says which certificate speaks for this owner: a host's, or an account's."""
    return host_name(at.cluster, Mac(name)) if kind == NODE else account_name(at.cluster, name)


def accept(at: Site, owner: Owner) -> bool:
    """Whether this certificate speaks for its owner now; the first use of a renewed one makes it the only one.

    Raises NotFound where the owner has no record, InvalidInput where that is damaged.
    """
    name = record_of(at, owner.kind, owner.name)
    values = at.registry.read(name).values
    if owner.kind != NODE and values.get("ROLE") != owner.kind:
        return False
    if _same(values.get("CERTIFICATE", ""), owner.digest):
        return True
    if not _same(values.get("CERTIFICATE_NEXT", ""), owner.digest):
        return False
    return _settle(at, name, owner)


def change_for(kind: str, issued: Issued) -> Mapping[str, str | None]:
    """The values of a record whose owner has this certificate and no other."""
    return {"CERTIFICATE": issued.digest, "CERTIFICATE_NEXT": None, _END[kind]: timestamp(issued.expires)}


def renew_certificate(at: Site, caller: Caller, parameters: Mapping[str, str]) -> Mapping[str, str]:
    """A new certificate for whoever shows a good one; the old one speaks until the new one is used for the first time.

    Raises:
        Denied: the caller showed no certificate, or it was withdrawn meanwhile.
        InvalidInput: the request is not well formed.
        Refused: the authority is locked.
    """
    kind, owner = caller.kind, caller.mac.digits if caller.mac is not None else caller.name
    if kind == OPERATOR and not caller.address:
        raise Denied("there is no certificate to renew at this door", hint="hps operator create NAME makes one")
    name = record_of(at, kind, owner)
    host = at.registry.read(name).get("HOSTNAME") if kind == NODE else ""
    issued = certificates.issue(at.authority, parameters["csr"], kind, owner, lifetime(at, kind), host)

    def edit(old: Values) -> Values:
        if not old.get("CERTIFICATE"):
            raise Denied("the certificate was withdrawn")
        return {**old, "CERTIFICATE_NEXT": issued.digest}

    at.registry.change(name, edit)
    log.info("%s %s may use the certificate %s next", kind, host or owner, issued.digest)
    return {"certificate": issued.pem}


def certificate_revoke(at: Site, _caller: Caller, parameters: Mapping[str, str]) -> Mapping[str, str]:
    """Withdraw the certificate of a host: from now on its node is a stranger. Raises NotFound for an unknown host."""
    host = site.find(at, parameters["host"])
    had = bool(host.values.get("CERTIFICATE"))
    at.registry.change(site.record_name(at, host.mac), setting(CERTIFICATE=None, CERTIFICATE_NEXT=None, **{_END["host"]: None}))
    site.tokens(at).void(host.mac)
    log.info("the certificate of %s was withdrawn", host.name)
    return {"host": host.name, "revoked": "yes" if had else "it had none"}


def lifetime(at: Site, kind: str) -> int:
    """Days for which a certificate of such an owner is good."""
    return OPERATOR_DAYS if kind == OPERATOR else int(at.setting("CERTIFICATE_DAYS"))


def timestamp(moment: float) -> str:
    """A time in epoch seconds as RFC 3339, UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))


def _settle(at: Site, name: RecordName, owner: Owner) -> bool:
    """Make the renewed certificate the only one. One that cannot be written down now speaks all the same: it is ours."""
    taken = True

    def edit(old: Values) -> Values:
        nonlocal taken
        if not _same(old.get("CERTIFICATE_NEXT", ""), owner.digest):
            taken = _same(old.get("CERTIFICATE", ""), owner.digest)
            return old
        kept = {key: value for key, value in old.items() if key != "CERTIFICATE_NEXT"}
        return {**kept, "CERTIFICATE": owner.digest, _END[name.kind]: timestamp(owner.expires)}

    try:
        at.registry.change(name, edit)
    except NotFound:
        return False
    except HpsError as error:
        log.warning("the renewed certificate of %s could not be written down: %s", name, error)
    return taken


def _same(known: str, shown: str) -> bool:
    return bool(known) and bool(shown) and hmac.compare_digest(known.encode(), shown.encode())
