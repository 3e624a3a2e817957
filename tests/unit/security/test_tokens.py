import multiprocessing
from pathlib import Path

import pytest

from hps.security.tokens import LIFETIME, Fault, TokenDenied, TokenStore
from hps.values import Mac

MAC = Mac.parse("525400770001")
OTHER = Mac.parse("525400770002")


def fault(store: TokenStore, token: str, now: float | None = None) -> Fault:
    with pytest.raises(TokenDenied) as caught:
        store.spend(token, now)
    return caught.value.fault


def test_a_token_is_good_once(tmp_path: Path) -> None:
    store = TokenStore(tmp_path)
    token = store.mint(MAC)
    assert store.spend(token) == MAC
    assert fault(store, token) is Fault.USED


def test_a_token_lives_a_quarter_of_an_hour(tmp_path: Path) -> None:
    store = TokenStore(tmp_path)
    assert store.spend(store.mint(MAC, 1000), 1000 + LIFETIME - 1) == MAC
    assert fault(store, store.mint(MAC, 1000), 1000 + LIFETIME) is Fault.EXPIRED


@pytest.mark.parametrize(
    "change",
    [lambda token: token[:-1] + "!", lambda token: token.replace("01.", "02.", 1), lambda _: "", lambda _: "x.y", lambda _: "../../x"],
)
def test_a_wrong_token_is_refused(tmp_path: Path, change: object) -> None:
    store = TokenStore(tmp_path)
    token = store.mint(MAC)
    assert callable(change)
    assert fault(store, change(token)) is Fault.UNKNOWN
    assert store.spend(token) == MAC


def test_a_new_token_voids_the_one_before(tmp_path: Path) -> None:
    store = TokenStore(tmp_path)
    first, second = store.mint(MAC), store.mint(MAC)
    other = store.mint(OTHER)
    assert fault(store, first) is Fault.UNKNOWN
    assert store.spend(second) == MAC
    assert store.spend(other) == OTHER
    third = store.mint(MAC)
    store.void(MAC)
    assert fault(store, third) is Fault.UNKNOWN


def test_the_secret_is_not_stored(tmp_path: Path) -> None:
    token = TokenStore(tmp_path).mint(MAC)
    stored = tmp_path / MAC.digits
    assert stored.stat().st_mode & 0o777 == 0o600
    assert token.partition(".")[2] not in stored.read_text()


def _spend(folder: Path, token: str, barrier: "multiprocessing.synchronize.Barrier", answers: "multiprocessing.Queue[str]") -> None:
    barrier.wait()
    try:
        TokenStore(folder).spend(token)
    except TokenDenied as error:
        answers.put(error.fault.name)
    else:
        answers.put("good")


@pytest.mark.programs
def test_of_eight_uses_at_once_one_succeeds(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    token = TokenStore(tmp_path).mint(MAC)
    barrier, answers = context.Barrier(8), context.Queue()
    processes = [context.Process(target=_spend, args=(tmp_path, token, barrier, answers)) for _ in range(8)]
    for process in processes:
        process.start()
    found = sorted(answers.get(timeout=30) for _ in processes)
    for process in processes:
        process.join()
    assert found == ["USED"] * 7 + ["good"]
