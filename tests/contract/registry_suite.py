"""What any registry must do, whatever holds the records: a backend passes by subclassing `RegistrySuite` with a `registry` fixture."""

import contextlib
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hps.errors import InvalidInput, NotFound, Refused
from hps.registry.model import HPS, Record, RecordName, Registry, account_name, cluster_name, host_name, os_name, setting
from hps.values import Mac

HOST = host_name("prod", Mac("525400770001"))
OTHER = host_name("prod", Mac("525400770002"))
CLUSTER = cluster_name("prod")
TEXT = st.text(alphabet=st.characters(codec="utf-8"), max_size=60)
LONG = 60
"""Seconds that a wait which must end by itself is given: only a failing test takes so long."""


def counted(old: Mapping[str, str]) -> Mapping[str, str]:
    """One more INSTALL_TRIES."""
    return {**old, "INSTALL_TRIES": str(int(old.get("INSTALL_TRIES", "0")) + 1)}


def in_background(act: Callable[[], object]) -> threading.Thread:
    """Run it beside the test."""
    thread = threading.Thread(target=act, daemon=True)
    thread.start()
    return thread


class RegistrySuite:
    """Subclass it, and give it a fixture `registry` with an empty store."""

    def test_a_change_can_be_read(self, registry: Registry) -> None:
        made = registry.change(HOST, setting(STATE="INSTALLED", SLOT="a"), create=True)
        assert registry.read(HOST) == made == Record(HOST, {"STATE": "INSTALLED", "SLOT": "a"}, made.revision)
        assert registry.exists(HOST)
        assert not registry.exists(OTHER)

    @pytest.mark.feature("CF7")
    def test_a_key_is_unset_and_the_others_stay(self, registry: Registry) -> None:
        registry.change(HOST, setting(STATE="INSTALLED", SLOT="a", OS_NAME="x"), create=True)
        registry.change(HOST, setting(SLOT=None))
        assert registry.read(HOST).values == {"STATE": "INSTALLED", "OS_NAME": "x"}

    @pytest.mark.feature("CF5")
    def test_any_string_comes_back(self, registry: Registry) -> None:
        @settings(max_examples=60, deadline=None)
        @given(value=TEXT)
        @example("")
        @example(" 'x' \"y\" \\n \\\\ \n\r\0=#\u2028\x85\x1c ")
        @example("# end 7")
        @example("\n# end 7\n")
        def comes_back(value: str) -> None:
            registry.change(HOST, setting(INSTALL_ERROR=value), create=True)
            assert registry.read(HOST).values == {"INSTALL_ERROR": value}

        comes_back()

    def test_what_is_missing_is_not_found(self, registry: Registry) -> None:
        with pytest.raises(NotFound, match="no record host prod 525400770001"):
            registry.read(HOST)
        with pytest.raises(NotFound):
            registry.change(HOST, setting(STATE="INSTALLED"))
        assert not registry.exists(HOST)
        assert registry.revision() == 0

    @pytest.mark.parametrize("name", [RecordName("host", ("..", "525400770001")), RecordName("cluster"), RecordName("nonsense", ("x",))])
    def test_what_names_no_record_is_refused(self, registry: Registry, name: RecordName) -> None:
        for act in (registry.read, registry.exists, registry.remove, lambda name: registry.change(name, setting(), create=True)):
            with pytest.raises(InvalidInput):
                act(name)
        for parents in ((), ("../../etc",), ("prod", "x")):
            with pytest.raises(InvalidInput):
                registry.names("host", *parents)

    def test_what_is_not_allowed_changes_nothing(self, registry: Registry) -> None:
        made = registry.change(HOST, setting(STATE="INSTALLED"), create=True)
        for bad in ({"STATE": "NONSENSE"}, {"NO_SUCH_KEY": "x"}, {"HOSTNAME": "a\nb"}, {"INSTALL_ERROR": "\ud800"}):
            with pytest.raises(InvalidInput):
                registry.change(HOST, setting(**bad))
        assert registry.read(HOST) == made
        assert registry.revision() == made.revision

    def test_an_edit_that_fails_changes_nothing(self, registry: Registry) -> None:
        made = registry.change(HOST, setting(STATE="INSTALLED"), create=True)

        def fail(old: Mapping[str, str]) -> Mapping[str, str]:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            registry.change(HOST, fail)
        assert registry.read(HOST) == made
        assert registry.change(HOST, setting(SLOT="a")).get("SLOT") == "a"

    def test_nobody_changes_what_others_read(self, registry: Registry) -> None:
        registry.change(HOST, setting(STATE="INSTALLED"), create=True)
        for _ in range(2):
            values: Any = registry.read(HOST).values
            # Read-only, or the caller's own.
            with contextlib.suppress(TypeError):
                values["STATE"] = "DISK_BOOT"
        assert registry.read(HOST).get("STATE") == "INSTALLED"

    def test_records_are_listed_by_kind(self, registry: Registry) -> None:
        accounts = (account_name("prod", "anna"), account_name("prod", "ips-02"))
        for name in (OTHER, HOST, CLUSTER, os_name("x86_64:debian:12"), HPS, *accounts):
            registry.change(name, setting(), create=True)
        registry.change(host_name("test", Mac("525400770001")), setting(), create=True)
        assert registry.names("host", "prod") == (HOST, OTHER)
        assert registry.names("account", "prod") == accounts
        assert registry.names("account", "test") == ()
        assert registry.names("cluster") == (CLUSTER,)
        assert registry.names("os") == (os_name("x86_64:debian:12"),)
        assert registry.names("hps") == (HPS,)
        registry.remove(OTHER)
        assert registry.names("host", "prod") == (HOST,)

    def test_a_removed_record_is_gone_and_begins_anew(self, registry: Registry) -> None:
        first = registry.change(HOST, setting(STATE="INSTALLED", SLOT="a"), create=True)
        registry.remove(HOST)
        removed = registry.revision()
        assert removed > first.revision
        registry.remove(HOST)
        assert registry.revision() == removed
        with pytest.raises(NotFound):
            registry.read(HOST)
        again = registry.change(HOST, setting(SLOT="b"), create=True)
        assert again.values == {"SLOT": "b"}
        assert again.revision > removed

    def test_the_revision_grows_with_each_change_and_only_then(self, registry: Registry) -> None:
        assert registry.revision() == 0
        seen = 0
        for number in range(1, 6):
            for name in (HOST, CLUSTER):
                key = "INSTALL_TRIES" if name == HOST else "MENU_TIMEOUT"
                record = registry.change(name, setting(**{key: str(number)}), create=True)
                assert record.revision > seen
                assert registry.revision() >= record.revision
                assert registry.read(name).revision == record.revision
                seen = registry.revision()
        assert registry.change(HOST, setting(INSTALL_TRIES="5")).revision < seen
        registry.read(HOST)
        registry.names("host", "prod")
        assert registry.revision() == seen

    def test_a_change_of_what_another_changed_is_refused(self, registry: Registry) -> None:
        made = registry.change(HOST, setting(STATE="INSTALLED"), create=True, expected=0)
        with pytest.raises(Refused):
            registry.change(HOST, setting(STATE="DISK_BOOT"), create=True, expected=0)
        registry.change(CLUSTER, setting(), create=True)
        mine = registry.change(HOST, setting(SLOT="a"), expected=made.revision)
        with pytest.raises(Refused) as refusal:
            registry.change(HOST, setting(SLOT="b"), expected=made.revision)
        assert refusal.value.hint
        assert registry.read(HOST) == mine

    def test_of_many_that_expect_the_same_one_wins(self, registry: Registry) -> None:
        made = registry.change(HOST, setting(INSTALL_TRIES="0"), create=True)

        def attempt(_: int) -> bool:
            try:
                registry.change(HOST, counted, expected=made.revision)
            except Refused:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(attempt, range(8))) == 1
        assert registry.read(HOST).get("INSTALL_TRIES") == "1"

    @pytest.mark.feature("CF1")
    def test_increments_of_many_threads_are_all_kept(self, registry: Registry) -> None:
        with ThreadPoolExecutor(8) as pool:
            revisions = [record.revision for record in pool.map(lambda _: registry.change(HOST, counted, create=True), range(48))]
        assert registry.read(HOST).get("INSTALL_TRIES") == "48"
        assert len(set(revisions)) == 48

    def test_a_transaction_holds_others_off(self, registry: Registry) -> None:
        inside, order = threading.Event(), []

        def second() -> None:
            inside.wait(LONG)
            with registry.transaction("allocation"):
                order.append("second")

        thread = in_background(second)
        with registry.transaction("allocation"):
            inside.set()
            registry.change(HOST, setting(STATE="INSTALLED"), create=True)
            with registry.transaction("activation"):
                order.append("first")
        thread.join(LONG)
        assert order == ["first", "second"]
        with pytest.raises(InvalidInput), registry.transaction("../x"):
            pass

    def test_a_wait_that_is_already_over_returns_at_once(self, registry: Registry) -> None:
        assert registry.wait(0, 0) == 0
        made = registry.change(HOST, setting(STATE="INSTALLED"), create=True)
        assert registry.wait(0, LONG) >= made.revision
        assert registry.wait(registry.revision(), 0) == registry.revision()
        assert registry.wait(registry.revision(), 0.01) == registry.revision()

    def test_a_wait_ends_when_a_record_is_changed_or_removed(self, registry: Registry) -> None:
        registry.change(HOST, setting(STATE="INSTALLED"), create=True)
        for act in (lambda: registry.change(HOST, setting(SLOT="a")), lambda: registry.remove(HOST)):
            before = registry.revision()
            thread = in_background(act)
            assert registry.wait(before, LONG) > before
            thread.join(LONG)

    def test_whoever_waits_sees_every_change(self, registry: Registry) -> None:
        """Revision first, then the record, then the wait: however writers race, the last value of each is seen."""
        hosts = [host_name("prod", Mac(f"5254007700{number:02x}")) for number in range(4)]

        def write(name: RecordName) -> None:
            for _ in range(20):
                registry.change(name, counted, create=True)

        def finished() -> bool:
            return all(registry.exists(name) and registry.read(name).get("INSTALL_TRIES") == "20" for name in hosts)

        threads = [in_background(lambda name=name: write(name)) for name in hosts]  # type: ignore[misc]
        while True:
            seen = registry.revision()
            if finished():
                break
            assert registry.wait(seen, LONG) > seen, "a change was not told"
        for thread in threads:
            thread.join(LONG)
