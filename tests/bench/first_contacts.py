"""20 and 200 first contacts at once against a real gunicorn: every machine gets a name and an address of its own.

Each contact is what a new machine asks: `init` twice (the second time with its architecture), then a choice in the menu.
Run: python -m tests.bench.first_contacts
"""

import http.client
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode

from hps.flows import site
from hps.paths import Paths
from tests.sites import mac_of, make_site, write_leases
from tests.web.serving import serving

WORKERS, THREADS, CLIENTS = 2, 8, 40


def address_of(number: int) -> str:
    """The leased address of the machine with this number."""
    return f"10.77.{200 + number // 250}.{number % 250 + 1}"


def contact(port: int, number: int) -> float:
    """One machine meets the IPS for the first time; returns the seconds of its slowest answer."""
    slowest = 0.0
    headers = {"X-Hps-Door": "plain", "X-Hps-Address": address_of(number), "User-Agent": "iPXE/1.0.0"}
    for query, wanted in (
        ({"cmd": "init"}, "cpuid"),
        ({"cmd": "init", "arch": "x86_64"}, "choose"),
        ({"cmd": "process_menu_item", "menu_item": "boot_SCH@x86_64:debian:12"}, "hps.token="),
    ):
        start = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", f"/hps-api?{urlencode(query)}", headers=headers)
        text = connection.getresponse().read().decode()
        connection.close()
        slowest = max(slowest, time.monotonic() - start)
        if wanted not in text:
            raise AssertionError(f"{number}: {text}")
    return slowest


def measure(count: int) -> dict[str, float]:
    """First contacts of this many machines at once, on a site of their own; raises AssertionError where two share anything."""
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        at = make_site(base, NETWORK_CIDR="10.77.0.0/16", DHCP_RANGESIZE="20000")
        machines = range(1, count + 1)
        write_leases(at.paths, [(mac_of(number), address_of(number)) for number in machines])
        with serving(base, WORKERS, THREADS) as port, ThreadPoolExecutor(min(count, CLIENTS)) as pool:
            start = time.monotonic()
            slowest = max(pool.map(lambda number: contact(port, number), machines))
            seconds = time.monotonic() - start
        values = [site.host_values(site.open_site(Paths(base)), mac_of(number)) for number in machines]
    for key in ("HOSTNAME", "IP", "INSTALL_ID"):
        if len({one[key] for one in values}) != count:
            raise AssertionError(f"two of {count} hosts share their {key}")
    return {
        "machines": count,
        "seconds": round(seconds, 2),
        "requests_a_second": round(3 * count / seconds, 1),
        "slowest_answer": round(slowest, 2),
    }


def main() -> None:
    """Measure and print one line for each number of machines."""
    for count in (20, 200):
        found = measure(count)
        sys.stdout.write("first contacts: " + ", ".join(f"{key} {value}" for key, value in found.items()) + "\n")


if __name__ == "__main__":
    main()
