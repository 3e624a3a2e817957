"""The configuration of nginx: static content, TLS, and the three doors to hps-api. Pure.

Each door overwrites the headers by which hps-api knows its callers; a client's own never pass.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hps.paths import Paths
from hps.registry.keys import check_values
from hps.services import edge
from hps.services.text import checked_path, checked_socket, joined
from hps.values import checked_address, checked_host_name

TYPES = "text/html html; text/css css; application/javascript js; image/svg+xml svg; text/plain ipxe txt; application/x-pem-file pem"


@dataclass(frozen=True)
class Settings:
    """What the records do not say: the user of the workers, and the digest of the certificate in use."""

    user: str = "www-data"
    certificate: str = ""


def folder(paths: Paths) -> Path:
    """Where everything of nginx is rendered."""
    return paths.services / "nginx"


def configuration(paths: Paths) -> Path:
    """The configuration file."""
    return folder(paths) / "nginx.conf"


def authority_copy(paths: Paths) -> Path:
    """The certificate of the CA where the workers can read it."""
    return folder(paths) / "ca.pem"


def operator_socket(paths: Paths) -> Path:
    """The door of the operator."""
    return paths.run / "operator.sock"


def api_socket(paths: Paths) -> Path:
    """Where gunicorn listens; only nginx may reach it."""
    return paths.run / "hps-api.sock"


def temporary_folders(paths: Paths) -> tuple[Path, ...]:
    """What nginx writes bodies into."""
    return tuple(paths.run / "nginx" / name for name in ("body", "proxy", "fastcgi", "uwsgi", "scgi"))


def render(values: Mapping[str, str] | None, paths: Paths, settings: Settings) -> str:
    """The configuration: the operator's door alone, or with a cluster's values also ports 80 and 443 of its DHCP_IP."""
    servers = [*_operator(paths)]
    if values is not None:
        check_values("cluster", values)
        address = checked_address(values["DHCP_IP"])
        servers += [*_plain(address, paths), *_tls(address, paths, values["CLUSTER_NAME"], settings.certificate)]
    return joined(
        (
            "# Made by hps from the records; changes made here are lost.",
            f"user {checked_host_name(settings.user)};",
            "daemon off;",
            "worker_processes 2;",
            "worker_rlimit_nofile 16384;",
            f"pid {checked_path(paths.run / 'nginx.pid')};",
            # Lesser messages quote the whole request, and whoever asks may have put a secret into it; the access log has its status.
            "error_log stderr alert;",
            "events { worker_connections 4096; }",
            "http {",
            *_indented((*_common(paths), *servers)),
            "}",
        )
    )


def _indented(lines: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"    {line}" for line in lines)


def _common(paths: Paths) -> tuple[str, ...]:
    temporary = (
        f"{path.name if path.name != 'body' else 'client_body'}_temp_path {checked_path(path)};" for path in temporary_folders(paths)
    )
    return (
        f"types {{ {TYPES}; }}",
        "default_type application/octet-stream;",
        *temporary,
        *edge.shared(),
        f"access_log {checked_path(paths.log / 'nginx-access.log')} asked;",
        "server_tokens off;",
        "log_not_found off;",
        "sendfile on;",
        "tcp_nopush on;",
        "keepalive_timeout 75s;",
        "proxy_http_version 1.1;",
        "proxy_connect_timeout 5s;",
        "proxy_read_timeout 120s;",
        f"upstream hps_api {{ server unix:{checked_socket(api_socket(paths))} fail_timeout=0; }}",
    )


def _headers(door: str, verified: str = '""', certificate: str = '""') -> tuple[str, ...]:
    return (
        # With its port: a browser's Origin is compared with it (hps_api.origin).
        "proxy_set_header Host $http_host;",
        'proxy_set_header Connection "";',
        f"proxy_set_header X-Hps-Door {door};",
        "proxy_set_header X-Hps-Address $remote_addr;" if door != "local" else 'proxy_set_header X-Hps-Address "";',
        f"proxy_set_header X-Hps-Verified {verified};",
        f"proxy_set_header X-Hps-Certificate {certificate};",
        'proxy_set_header X-Forwarded-For "";',
    )


def _server(lines: Sequence[str]) -> tuple[str, ...]:
    return ("server {", *_indented(lines), "}")


def _files(names: Mapping[str, Path]) -> tuple[str, ...]:
    """Folders of files: no links are followed below them, and nothing whose name begins with a dot is there."""
    return (
        "location ~ /[.] { return 404; }",
        *(f"location /{name}/ {{ alias {checked_path(root)}/; {_fenced(root)} }}" for name, root in names.items()),
    )


def _fenced(root: Path) -> str:
    return f"disable_symlinks on from={checked_path(root)};"


def _authority(paths: Paths) -> str:
    return f"location = /ca.pem {{ alias {checked_path(authority_copy(paths))}; }}"


def _limited(location: str) -> tuple[str, ...]:
    return (f"location {location} {{", *_indented(edge.limits()), "    proxy_pass http://hps_api;", "}")


def _operator(paths: Paths) -> tuple[str, ...]:
    return _server(
        (
            f"listen unix:{checked_socket(operator_socket(paths))};",
            *_headers("local"),
            *edge.failures(),
            *_files({"boot": paths.boot, "images": paths.images}),
            "location / { proxy_pass http://hps_api; }",
        )
    )


def _plain(address: str, paths: Paths) -> tuple[str, ...]:
    return _server(
        (
            f"listen {address}:80;",
            *_headers("plain"),
            *edge.failures(address),
            *_files({"boot": paths.boot, "images": paths.images}),
            _authority(paths),
            *_script(paths),
            *_limited("/"),
        )
    )


def _script(paths: Paths) -> tuple[str, ...]:
    """The boot script: the file for the address that asks, where its host has one, and nobody else's; else hps-api decides."""
    return (
        "location = /boot/script {",
        f"    alias {checked_path(paths.scripts)}/$remote_addr;",
        f"    {_fenced(paths.scripts)}",
        "    types { }",
        "    default_type text/plain;",
        "    add_header Cache-Control no-store;",
        # Not by try_files, which would look for the file twice. These replace all that the server says of failures.
        *_indented(edge.pages("403 405")),
        "    error_page 404 = @decide;",
        "}",
        "location @decide {",
        "    rewrite ^ /hps-api?cmd=init? break;",
        *_indented(edge.limits()),
        "    proxy_pass http://hps_api;",
        "}",
    )


def _tls(address: str, paths: Paths, cluster: str, digest: str) -> tuple[str, ...]:
    authority = paths.authority(cluster)
    return (
        # The digest makes a renewed certificate a changed configuration, which is what reloads it.
        f"# certificate {checked_host_name(digest) if digest else 'none'}",
        *_server(
            (
                f"listen {address}:443 ssl http2;",
                f"ssl_certificate {checked_path(authority / 'ips.pem')};",
                f"ssl_certificate_key {checked_path(authority / 'ips.key')};",
                f"ssl_client_certificate {checked_path(authority / 'ca.pem')};",
                "ssl_verify_client optional;",
                "ssl_verify_depth 1;",
                "ssl_protocols TLSv1.2 TLSv1.3;",
                "ssl_session_cache shared:hps:2m;",
                "ssl_session_tickets off;",
                *_headers("tls", "$ssl_client_verify", "$ssl_client_escaped_cert"),
                *edge.failures(address),
                *_files({"images": paths.images}),
                _authority(paths),
                *_limited("/"),
            )
        ),
    )
