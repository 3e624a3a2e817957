"""Install this machine: everything is fetched and verified before the disk is touched, and the disk is touched only when armed."""

import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from hps.errors import HpsError, NotFound, Unreachable
from hps.flows import install_disk
from hps.images.fetch import fetch_image
from hps.images.unpack import LocalImage
from hps.inventory import facts as inventory
from hps.network import client, links
from hps.node import arguments, clock, configuration, credentials
from hps.node.arguments import InstallArguments
from hps.node.configuration import InstallConfiguration
from hps.node.credentials import Credentials
from hps.node.report import MemoryLog, Report, keep_log
from hps.system import command, executor, files, http

log = logging.getLogger(__name__)

Result = TypeVar("Result")

PATIENCE = 900
"""Seconds for which an IPS that does not answer is asked again; what was downloaded is not downloaded again."""


@dataclass(frozen=True)
class Places:
    """Where the installer works; all in memory but the mount points."""

    run: Path = Path("/run/hps")
    mounts: Path = Path("/mnt")
    command_line: Path = Path("/proc/cmdline")
    built: Path = Path("/build-timestamp")
    keys: Path = Path("/etc/hps/image-keys")


def install(places: Places = Places()) -> int:  # noqa: B008
    """Install this machine and restart it; a failure is told to everybody, waits a bounded time, and restarts it too."""
    kept, report = keep_log(), Report()
    try:
        _phases(places, kept, report)
    except HpsError as error:
        _fail(places, report, error)
        return error.exit_code
    except OSError as error:
        # A device or a file system that breaks is no bug of ours; the person at the console needs the same plain words.
        _fail(places, report, NotFound(f"the machine failed: {error}", hint="check its memory and disks"))
        return 1
    report.finish()
    restart()
    return 0


def _phases(places: Places, kept: MemoryLog, report: Report) -> None:
    given = arguments.parse(files.read_text(places.command_line))
    log.info("HPS installer: %s", given)
    report.plain_url = given.url
    if given.mode != "install":
        raise NotFound("this start is not an install", hint="the installer's init offers the rescue shell")
    answer = find_network(given, places.run / "dhcp")
    report.step("network", f"{answer.interface} {answer.address}/{answer.prefix} from {answer.server}")
    report.step("clock", clock.correct(places.built, given.time))
    identity = Credentials(places.run / "identity")
    found = patiently(lambda: join(given, identity))
    report.connect(given.tls, identity.tls())
    report.step("certificate", f"SHA-256 {found[:16]}")
    texts = {name: patiently(lambda name=name: read_file(given.tls, identity, name)) for name in configuration.FILES}  # type: ignore[misc]
    wanted = configuration.parse_files(texts)
    report.step("configuration", f"{wanted.node.machine.hostname} {wanted.node.machine.address}, image {wanted.image}")
    image = fetch(wanted, places, report)
    log.info("%s", inventory.memory_words())
    install_disk.install_disk(install_disk.Work(given.tls, identity, texts, wanted, image, places.run, places.mounts, kept), report)


def find_network(given: InstallArguments, folder: Path) -> client.Answer:
    """Raise every interface, take the first valid answer, and set address, route and resolver as it says."""
    known = links.read_links()
    executor.apply(links.raise_plan(known))
    log.info("interfaces: %s", ", ".join(f"{link.name} {link.mac} {link.driver}" for link in known) or "none yet")
    answer = client.find_address(given.mac, folder)
    executor.apply(client.address_plan(answer))
    return answer


def join(given: InstallArguments, identity: Credentials) -> str:
    """Get a certificate: check the CA, spend the token."""
    credentials.trust(identity, given.url, given.ca)
    return credentials.request_certificate(identity, given.tls, given.token)


def read_file(url: str, identity: Credentials, name: str) -> str:
    """One of the configuration files, exactly as the IPS has it; raises NotFound, Denied, Unreachable."""
    response = http.request("GET", f"{url}/hps-api?cmd=installer_config&name={name}&format=text", tls=identity.tls(), limit=1 << 20)
    if response.status != 200:
        words = response.body.decode(errors="replace").strip()[:300]
        if response.status >= 500:
            raise Unreachable(f"the IPS did not give {name}: {words}")
        raise NotFound(
            f"the IPS did not give the configuration file {name} (status {response.status}): {words}", hint="on the IPS: hps host list"
        )
    return response.body.decode()


def fetch(wanted: InstallConfiguration, places: Places, report: Report) -> LocalImage:
    """Bring the whole image into memory, verified; an IPS that goes away is waited for, and the download goes on where it was."""
    keys = sorted(places.keys.glob("*.pub"))
    if not keys:
        raise NotFound(f"this installer holds no key to check images with in {places.keys}", hint="on the IPS: hps image build")
    directory = places.run / "image"
    files.make_directory(directory)

    def attempt() -> LocalImage:
        room = os.statvfs(directory)
        here = sum(path.stat().st_size for path in directory.iterdir())
        return fetch_image(wanted.image_server, wanted.image, keys, directory, room.f_bavail * room.f_frsize + here, report.step, retries=2)

    return patiently(attempt)


def patiently(ask: Callable[[], Result], patience: float = PATIENCE) -> Result:
    """Ask again, every few seconds, while the IPS does not answer; raises Unreachable when patience ends."""
    deadline = time.monotonic() + patience
    while True:
        try:
            return ask()
        except Unreachable as error:
            if time.monotonic() >= deadline:
                raise
            log.warning("%s; trying again in 5 seconds", error)
            time.sleep(5)


def restart() -> None:
    """Restart the machine through its firmware (reboot(2))."""
    command.run(("reboot", "-f"), timeout=60)


def _fail(places: Places, report: Report, error: HpsError) -> None:
    """Say what is wrong, to the IPS and on every console, let a person look around, and restart after a bounded wait."""
    report.failed(str(error))
    wait = arguments.failure_wait(files.read_text(places.command_line))
    for line in failure_words(error, wait):
        log.error("%s", line)
    files.write(places.run / "failed", f"{error}\n".encode())
    deadline = time.monotonic() + wait
    while time.monotonic() < deadline or (places.run / "hold").exists():
        time.sleep(1)
    log.info("restarting")
    restart()


def failure_words(error: HpsError, wait: int) -> tuple[str, ...]:
    """What a person at the console reads after a failure. Pure."""
    rule = "#" * 72
    return (
        rule,
        "#  HPS: THE INSTALL OF THIS MACHINE HAS FAILED",
        rule,
        error.message,
        *([f"What helps: {error.hint}"] if error.hint else []),
        f"Press Enter for a shell. The machine restarts in {wait} seconds; `touch /run/hps/hold` holds it.",
    )
