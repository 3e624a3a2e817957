"""What nginx is told: accepted by nginx itself, silent without a cluster, and no header of a caller passes."""

import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings

from hps.errors import InvalidInput
from hps.paths import Paths
from hps.security import authority
from hps.services import nginx
from tests.unit.services.clusters import CLUSTER, clusters

PATHS = Paths(Path("/srv/hps"))


def listens(text: str) -> list[str]:
    return re.findall(r"listen ([^;]*);", text)


def test_without_a_cluster_only_the_operator_is_served() -> None:
    assert listens(nginx.render(None, PATHS, nginx.Settings())) == ["unix:/srv/hps/run/operator.sock"]


def test_with_a_cluster_only_its_address_is_served_besides() -> None:
    found = listens(nginx.render(CLUSTER, PATHS, nginx.Settings(certificate="ab")))
    assert found == ["unix:/srv/hps/run/operator.sock", "10.77.0.1:80", "10.77.0.1:443 ssl http2"]


def test_every_door_overwrites_every_header_that_names_a_caller() -> None:
    servers = nginx.render(CLUSTER, PATHS, nginx.Settings()).split("server {")[1:]
    doors = [server for server in servers if "listen" in server]
    assert len(doors) == 3
    for server in doors:
        for header in ("X-Hps-Door", "X-Hps-Address", "X-Hps-Verified", "X-Hps-Certificate", "X-Forwarded-For"):
            assert server.count(f"proxy_set_header {header} ") == 1
        # A location with a header of its own would inherit none of these.
        assert not re.search(r"location[^{]*\{[^}]*proxy_set_header", server)


def test_a_new_certificate_is_a_new_configuration() -> None:
    assert nginx.render(CLUSTER, PATHS, nginx.Settings(certificate="ab")) != nginx.render(CLUSTER, PATHS, nginx.Settings(certificate="cd"))


def test_a_value_that_would_end_a_directive_is_refused() -> None:
    with pytest.raises(InvalidInput):
        nginx.render(CLUSTER | {"DHCP_IP": "10.77.0.1; listen 80"}, PATHS, nginx.Settings())


def test_a_base_that_is_too_deep_for_a_socket_is_refused() -> None:
    with pytest.raises(InvalidInput, match="too long for a socket"):
        nginx.render(None, Paths(Path("/" + "d" * 90)), nginx.Settings())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("n")
    paths = Paths(base)
    for path in (paths.run / "nginx", paths.log):
        path.mkdir(parents=True)
    return base


@pytest.mark.programs
@pytest.mark.root
@settings(max_examples=10, deadline=None)
@given(values=clusters())
def test_nginx_accepts_every_cluster(folder: Path, values: dict[str, str]) -> None:
    file, certificates = folder / "nginx.conf", Paths(folder).authority(values["CLUSTER_NAME"])
    authority.ensure_authority(certificates, "lab")
    authority.ensure_server_certificate(certificates, ("ips",), ("10.77.0.1",))
    # Nothing is listened on in a test of the text: the address is not one of this machine's.
    text = nginx.render(values, Paths(folder), nginx.Settings(user="root", certificate="ab"))
    file.write_text(text.replace(f"listen {values['DHCP_IP']}:", "listen 127.0.0.1:1"))
    done = subprocess.run(["nginx", "-q", "-t", "-c", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
