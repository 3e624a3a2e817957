"""The boot decision: one table of states and what answers each of them. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from hps.boot import menu
from hps.boot.model import Decision, Explain, Install, Introduce, Local, Menu, Request, Rescue, Restart, Wait
from hps.registry.keys import default

Values = Mapping[str, str]

ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "arm64": "aarch64", "aarch64": "aarch64"}
"""What a loader or a person calls an architecture -> what operating systems call it; all others are unknown."""

LOCAL_STATES = ("INSTALLED", "DISK_BOOT", "UNMANAGED")


@dataclass(frozen=True)
class Facts:
    """Everything that a decision is made from."""

    host: Values
    cluster: Values
    systems: Sequence[Values]
    request: Request

    @property
    def arch(self) -> str:
        """The architecture by the request, else by the record."""
        return self.request.arch or self.host.get("ARCH", "")

    @property
    def name(self) -> str:
        """The host's name, or its MAC address while it has none."""
        return self.host.get("HOSTNAME", "") or str(self.request.mac)

    def setting(self, key: str) -> str:
        """A value of the cluster, or its default."""
        return self.cluster.get(key, default("cluster", key))

    @property
    def poll(self) -> int:
        """Seconds between two questions of a waiting machine."""
        return int(self.setting("POLL_INTERVAL"))


def decide(host: Values, cluster: Values, systems: Sequence[Values], request: Request) -> Decision:
    """What this machine is told.

    Args:
        host: the values of its record.
        cluster: the values of the cluster's record.
        systems: the values of every operating system's record.
        request: who asks.
    """
    facts = Facts(host, cluster, systems, request)
    if host.get("RESCUE") == "true":
        answer = _rescue(facts)
    else:
        answer = STATE_TABLE.get(host.get("STATE", ""), _unknown)(facts)
    if host.get("STATUS") == "reboot" and isinstance(answer, Menu | Wait | Explain):
        return Restart()
    return answer


def _unconfigured(facts: Facts) -> Decision:
    if not facts.arch:
        return Introduce()
    arch = ARCHITECTURES.get(facts.arch)
    if arch is None:
        return Explain(f"the architecture {facts.arch} of this machine is unknown", "known are x86_64 and arm64", 60)
    who = f"hps host configure {facts.request.mac} --type SCH"
    if facts.setting("CONFIGURE_AT") == "cli":
        return Wait("waiting to be configured", (f"MAC address {facts.request.mac}", f"on the IPS: {who}"), facts.poll)
    pairs = menu.offers(facts.systems, arch)
    if not pairs:
        lines = (f"no image is published for {arch}", "on the IPS: hps image build", f"MAC address {facts.request.mac}")
        return Wait("waiting for an image", lines, facts.poll)
    title = f"HPS, cluster {facts.cluster.get('CLUSTER_NAME', '')}: what shall {facts.request.mac} become"
    choice = f"boot_{facts.setting('DEFAULT_TYPE')}@{facts.setting('DEFAULT_OS')}"
    seconds = int(facts.setting("MENU_TIMEOUT"))
    if seconds == 0 or (facts.setting("DEFAULT_TYPE"), facts.setting("DEFAULT_OS")) not in pairs:
        choice, seconds = menu.WAIT_ITEM, max(facts.poll, 15)
    return Menu(title, menu.items(pairs), choice, seconds)


def _configured(facts: Facts) -> Decision:
    lines = ("it has a name and an address, but nothing to start yet", f"on the IPS: hps host arm {facts.name}")
    return Wait(f"{facts.name} is configured", lines, facts.poll)


def _network_boot(facts: Facts) -> Decision:
    lines = (
        "a diskless host starts from a volume of a storage host",
        "volumes are not served yet",
        f"on the IPS: hps host show {facts.name}",
    )
    return Wait(f"{facts.name} waits for its volume", lines, facts.poll)


def _installing(facts: Facts) -> Decision:
    system = _system(facts)
    kind = facts.host.get("TYPE", "")
    if system is None:
        return Explain(
            f"the operating system of {facts.name} is not known", f"on the IPS: hps host configure {facts.request.mac} --type SCH --os ID"
        )
    arch = ARCHITECTURES.get(facts.arch, facts.arch)
    if arch and arch != system.get("ARCH"):
        words = f"on the IPS: hps host unconfigure {facts.name}"
        return Explain(f"{facts.name} is {arch}, its operating system is for {system.get('ARCH', '')}", words)
    if not menu.has_image(system, kind):
        return Wait(
            f"{facts.name} waits for an image",
            (f"no image of {facts.host['OS_ID']} for {kind} is published", "on the IPS: hps image build"),
            facts.poll,
        )
    return Install(menu.folder(facts.host["OS_ID"]), facts.request.mac, facts.host.get("HOSTNAME", ""), kind)


def _install_failed(facts: Facts) -> Decision:
    lines = (
        f"reason: {facts.host.get('INSTALL_ERROR', '') or 'not reported'}",
        "nothing is installed again until an operator allows it",
        f"empty disk: hps host arm {facts.name}",
        f"erase what is on the disk: hps host arm {facts.name} --erase",
    )
    return Wait(f"the installation of {facts.name} failed", lines, facts.poll)


def _local(facts: Facts) -> Decision:
    return Local(f"{facts.name} starts from its own disk")


def _unknown(facts: Facts) -> Decision:
    state = facts.host.get("STATE", "")
    message = f"the state {state} of {facts.name} is unknown" if state else f"{facts.name} has no state"
    return Explain(message, f"on the IPS: hps host unconfigure {facts.name}")


def _rescue(facts: Facts) -> Decision:
    system = _system(facts)
    if system is None:
        arch = ARCHITECTURES.get(facts.arch, "x86_64")
        system = next((one for one in facts.systems if one.get("ARCH") == arch and one.get("OS_ID")), None)
    if system is None:
        return Explain(f"there is no rescue system for {facts.name}", "on the IPS: hps image build")
    return Rescue(menu.folder(system["OS_ID"]), facts.request.mac, facts.host.get("HOSTNAME", ""))


def _system(facts: Facts) -> Values | None:
    wanted = facts.host.get("OS_ID", "")
    return next((one for one in facts.systems if wanted and one.get("OS_ID") == wanted), None)


STATE_TABLE: dict[str, Callable[[Facts], Decision]] = {
    "UNCONFIGURED": _unconfigured,
    "REINSTALL": _unconfigured,
    "CONFIGURED": _configured,
    "NETWORK_BOOT": _network_boot,
    "INSTALLING": _installing,
    "INSTALL_FAILED": _install_failed,
    "INSTALLED": _local,
    "DISK_BOOT": _local,
    "UNMANAGED": _local,
}
"""Every state and what answers it; any other value is answered by a screen that names it."""
