"""For each command parameters that are well formed, so that nothing but authority and state can be in its way."""

from collections.abc import Mapping
from typing import Any

from hps.flows.model import Site
from hps.security import certificates
from tests.edge.callers import OTHER
from tests.sites import OS_ID, mac_of

_, REQUEST = certificates.key_and_request()
HOST = {"host": "sch-002"}
"""The host of the other node."""

EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    "init": {"arch": "x86_64"},
    "process_menu_item": {"menu_item": "show_host"},
    "certificate": {"token": f"{mac_of(OTHER).digits}.guessed", "csr": REQUEST},
    "installer_config": {"name": "config.json"},
    "install_begin": {"disk": "QM00001", "size": "8589934592", "blank": "true"},
    "install_step": {"step": "manifest", "detail": "verified"},
    "install_failed": {"reason": "no disk"},
    "register": {"os": {"ID": "debian", "VERSION_ID": "12", "PRETTY_NAME": "Debian 12"}, "audit": {"HOST_CPUS": "2"}, "slot": "a"},
    "log_message": {"message": "hello", "function": "n_test"},
    "health": {},
    "host_list": {},
    "host_show": HOST,
    "host_timeline": HOST,
    "host_configure": {**HOST, "type": "SCH"},
    "host_arm": HOST,
    "host_reinstall": HOST,
    "host_unconfigure": HOST,
    "host_reboot": HOST,
    "host_rescue": HOST,
    "host_normal": HOST,
    "host_remove": HOST,
    "host_config_get": {**HOST, "key": "STATE"},
    "host_config_set": {**HOST, "key": "DESCRIPTION", "value": "words"},
    "host_config_unset": {**HOST, "key": "DESCRIPTION"},
    "host_config_list": HOST,
    "host_config_exists": {**HOST, "key": "STATE"},
    "cluster_config_get": {"key": "DNS_DOMAIN"},
    "cluster_config_set": {"key": "DESCRIPTION", "value": "words"},
    "cluster_config_unset": {"key": "DESCRIPTION"},
    "cluster_config_list": {},
    "cluster_config_exists": {"key": "DNS_DOMAIN"},
    "hps_config_get": {"key": "ACTIVE_CLUSTER"},
    "hps_config_set": {"key": "LOG_LEVEL", "value": "info"},
    "hps_config_unset": {"key": "LOG_LEVEL"},
    "hps_config_list": {},
    "hps_config_exists": {"key": "ACTIVE_CLUSTER"},
    "records_check": {},
    "records_restore": {"record": f"host lab {mac_of(OTHER).digits}"},
    "registry_search": {"field": "TYPE", "value": "SCH"},
    "host_variable": {"name": "STATE"},
    "cluster_variable": {"name": "DNS_DOMAIN"},
    "os_variable": {"os_id": OS_ID, "name": "ARCH"},
    "host_get_config": {},
    "determine_state": {},
    "set_status": {"status": "INSTALL_FAILED"},
    "host_audit": {"data": "cpus=2|vendor=QEMU"},
    "authenticate": {},
    "renew_certificate": {"csr": REQUEST},
    "certificate_revoke": HOST,
    "account_list": {},
    "account_create": {"name": "berta", "role": "operator", "csr": REQUEST},
    "account_remove": {"name": "anna"},
}


def content(at: Site) -> dict[str, bytes]:
    """Everything that is configured, by its content: records, keys, tokens, leases. Locks hold nothing and do not count."""
    return {str(path): path.read_bytes() for path in at.paths.config.rglob("*") if path.is_file() and not path.name.endswith(".lock")}
