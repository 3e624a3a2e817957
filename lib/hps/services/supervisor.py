"""The configuration of supervisor; each program is one file of `supervisor.d`, so that adding a service is adding a file. Pure."""

from pathlib import Path

from hps.paths import Paths
from hps.services.text import checked_path, checked_socket, joined


def configuration(paths: Paths) -> Path:
    """The configuration file."""
    return paths.services / "supervisord.conf"


def socket(paths: Paths) -> Path:
    """Where supervisor is asked what runs."""
    return paths.run / "supervisor.sock"


def environment(paths: Paths, home: Path, python: Path) -> dict[str, str]:
    """The variables that the files of `supervisor.d` may use as `%(ENV_NAME)s`, and that every program gets."""
    return {"HPS_BASE": checked_path(paths.base), "HPS_HOME": checked_path(home), "HPS_PYTHON": checked_path(python)}


def render(paths: Paths, home: Path) -> str:
    """The configuration: its own socket and logs, and every program of `supervisor.d`."""
    address = checked_socket(socket(paths))
    return joined(
        (
            "; Made by hps; changes made here are lost. Programs are in supervisor.d of the sources.",
            "[unix_http_server]",
            f"file={address}",
            "chmod=0700",
            "[supervisord]",
            "nodaemon=true",
            "user=root",
            "umask=022",
            f"logfile={checked_path(paths.log)}/supervisord.log",
            "logfile_maxbytes=5MB",
            "logfile_backups=2",
            f"pidfile={checked_path(paths.run)}/supervisord.pid",
            f"childlogdir={checked_path(paths.log)}",
            "[rpcinterface:supervisor]",
            "supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface",
            "[supervisorctl]",
            f"serverurl=unix://{address}",
            "[include]",
            f"files={checked_path(home)}/supervisor.d/*.conf",
        )
    )
