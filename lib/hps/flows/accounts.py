"""A cluster is founded with its authority; operators and other provisioning servers get accounts, each with one certificate."""

import logging
import os
import pwd
import time
from collections.abc import Mapping
from pathlib import Path

from hps.errors import HpsError, InvalidInput, NotFound, Refused
from hps.flows.certificates import change_for, lifetime, timestamp
from hps.flows.model import OPERATOR, Caller, Site
from hps.paths import Paths
from hps.registry.model import Registry, Values, account_name, cluster_name, setting
from hps.security import authority, certificates
from hps.system import files
from hps.values import checked_name

log = logging.getLogger(__name__)

ROLES = (certificates.OPERATOR, certificates.IPS)
LOCAL = "local"
"""The name of whoever comes through the operator's socket: no account may have it."""
OPERATOR_FOLDER = ".ssl"
"""Where an operator's certificate lies, below the home folder."""


def found_cluster(paths: Paths, cluster: str) -> bool:
    """Make the authority of a cluster; True where it was made, False where it is there. Raises Refused where half of it is there."""
    return authority.ensure_authority(paths.authority(checked_name(cluster, "cluster name")), cluster)


def authenticate(at: Site, caller: Caller, _parameters: Mapping[str, str]) -> Mapping[str, str]:
    """For whom the IPS takes the caller."""
    name = str(caller.mac) if caller.mac is not None else caller.name
    return {"caller": caller.kind, "name": name, "cluster": at.cluster}


def account_list(at: Site, _caller: Caller, _parameters: Mapping[str, str]) -> Mapping[str, list[dict[str, str]]]:
    """Every account with its role, when it was made, and when its certificate ends."""
    keys = ("ROLE", "CREATED", "EXPIRES", "CERTIFICATE")
    found = []
    for name in at.registry.names("account", at.cluster):
        try:
            values = at.registry.read(name).values
        except NotFound:
            continue
        found.append({"NAME": name.parts[1], **{key: values.get(key, "") for key in keys}})
    return {"accounts": found}


def account_create(at: Site, _caller: Caller, parameters: Mapping[str, str]) -> Mapping[str, str]:
    """Make an account and its certificate, for a request whose key stays with its sender.

    Raises:
        InvalidInput: the name, the role or the request is not well formed.
        Refused: the name is taken, or the authority is locked.
    """
    name, role = checked_account(parameters["name"]), parameters["role"]
    if role not in ROLES:
        raise InvalidInput(f"{role[:20]!r} is no role", hint="use one of: " + ", ".join(ROLES))
    issued = certificates.issue(at.authority, parameters["csr"], role, name, lifetime(at, role))
    change = setting(ROLE=role, CREATED=timestamp(time.time()), **change_for("account", issued))

    def edit(old: Values) -> Values:
        if old:
            raise Refused(f"there is an account {name} already", hint="choose another name, or: hps account remove NAME")
        return change(old)

    at.registry.change(account_name(at.cluster, name), edit, create=True)
    log.info("the account %s (%s) was made", name, role)
    return {
        "name": name,
        "certificate": issued.pem,
        "authority": files.read_text(at.authority / "ca.pem"),
        "expires": timestamp(issued.expires),
    }


def account_remove(at: Site, _caller: Caller, parameters: Mapping[str, str]) -> Mapping[str, str]:
    """Remove an account: whoever shows its certificate is a stranger from now on. Raises NotFound."""
    name = account_name(at.cluster, parameters["name"])
    if not at.registry.exists(name):
        raise NotFound(f"there is no account {name.parts[1]}", hint="hps account list names them all")
    at.registry.remove(name)
    log.info("the account %s was removed", name.parts[1])
    return {"name": name.parts[1]}


def checked_account(name: str) -> str:
    """A name that an account may have; raises InvalidInput."""
    if checked_name(name, "account name") == LOCAL:
        raise InvalidInput(f"{LOCAL} is who comes through the operator's socket", hint="choose another name")
    return name


def create_operator(at: Site, name: str, folder: Path, browser_password: str = "") -> tuple[Path, ...]:
    """Make an operator's account with a key made here, and write its files.

    Args:
        at: the site.
        name: of the account.
        folder: where `hps-<cluster>.pem` (key and certificate, 0600) and `hps-<cluster>-ca.pem` go.
        browser_password: encrypts `hps-<cluster>.p12`, for browsers; without it there is none.

    Returns:
        The files.

    Raises:
        Refused: the files are there already, the name is taken, or the authority is locked; no account is made then.
    """
    bundle, trusted, browser = (folder / f"hps-{at.cluster}{end}" for end in (".pem", "-ca.pem", ".p12"))
    for path in (bundle, browser):
        if path.exists():
            raise Refused(f"{path} is there already", hint="it may be another cluster's: move it away, or name a --folder")
    own = files.read_text(at.authority / "ca.pem")
    if trusted.exists() and files.read_text(trusted) != own:
        raise Refused(f"{trusted} is the authority of another cluster of this name", hint="move it away, or name a --folder")
    key, request = certificates.key_and_request()
    made = account_create(at, Caller(OPERATOR, name=LOCAL), {"name": name, "role": certificates.OPERATOR, "csr": request})
    try:
        if not folder.is_dir():
            files.make_directory(folder, mode=0o700)
        files.write(trusted, own.encode())
        files.write(bundle, (key + made["certificate"]).encode(), mode=0o600)
        if browser_password:
            title = f"{name} of {at.cluster}"
            files.write(browser, certificates.browser_bundle(key, made["certificate"], title, browser_password), mode=0o600)
    except (HpsError, OSError) as error:
        at.registry.remove(account_name(at.cluster, name))
        raise Refused(f"the certificate cannot be written into {folder}: {error}", hint="name another --folder") from error
    return (bundle, trusted, browser) if browser_password else (bundle, trusted)


def first_operator(paths: Paths, registry: Registry, cluster: str, folder: Path) -> str:
    """Give whoever made a cluster its first operator's certificate; returns what to tell them, empty where there is an operator.

    What is in the folder already stays as it is: that is said, and is no failure.
    """
    at = Site(paths, registry, cluster, registry.read(cluster_name(cluster)).values)
    if registry.names("account", cluster):
        return ""
    name = pwd.getpwuid(os.getuid()).pw_name
    try:
        bundle, *_ = create_operator(at, name, folder)
    except HpsError as error:
        return f"no operator's certificate was made: {error.message}; make one with: hps operator create NAME --folder FOLDER"
    return f"operator {name}: the certificate is {bundle}"
