"""The brokers that an identity knows: a file that people can read, and whom a program trusts because of it."""

import os
import re
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from chat_client.meeting import OPEN
from chat_client.pins import PINS_FILE, Accept, Pins, Trust
from chat_core import messages as m
from chat_core.address import Address, parse_address
from chat_core.errors import IdentityError, UntrustedError
from chat_core.keys import fingerprint

HERE, THERE = parse_address("192.168.1.20"), parse_address("[fe80::1]:6000")
KEY, OTHER = "k" * 40, "o" * 40
CURVE = m.Answer(1, "the chat", [1], "curve", 5555, 5556, "40e0", KEY)
NO_CURVE = m.Answer(1, "the chat", [1], "open", 5555, 5556, "40e0")


def with_key(key: str, address: Address = HERE) -> Address:
    """The address as a join string has it."""
    return Address(address.host, address.port, key=key)


def test_what_is_kept_is_known_until_it_is_forgotten(tmp_path: Path) -> None:
    pins = Pins(tmp_path)
    assert pins.of(HERE) == ""
    pins.keep(HERE, KEY)
    pins.keep(THERE, OPEN)
    assert (Pins(tmp_path).of(HERE), Pins(tmp_path).of(THERE)) == (KEY, OPEN)
    assert pins.forget(HERE)
    assert not pins.forget(HERE)
    assert (pins.of(HERE), pins.of(THERE)) == ("", OPEN)


def test_another_key_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    pins = Pins(tmp_path)
    pins.keep(HERE, OTHER)
    pins.keep(HERE, KEY)
    assert pins.of(HERE) == KEY
    assert pins.file.read_text().count(HERE.text) == 1


def test_people_can_read_and_mend_the_file(tmp_path: Path) -> None:
    file = tmp_path / PINS_FILE
    file.write_text(f"# my own\n\n  {HERE.text}   {KEY}  # of the office\nhalf a line\n{THERE.text} nonsense")
    pins = Pins(tmp_path)
    assert (pins.of(HERE), pins.of(THERE)) == (KEY, "")
    pins.keep(THERE, OPEN)
    assert "# my own" in file.read_text()
    assert "# of the office" in file.read_text()
    assert (pins.of(HERE), pins.of(THERE)) == (KEY, OPEN)


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_only_its_owner_can_change_whom_they_trust(tmp_path: Path) -> None:
    Pins(tmp_path).keep(HERE, KEY)
    assert stat.S_IMODE((tmp_path / PINS_FILE).stat().st_mode) == 0o600


def test_a_file_that_cannot_be_read_is_not_taken_for_one_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / PINS_FILE).mkdir()
    with pytest.raises(IdentityError, match="known brokers"):
        Pins(tmp_path).of(HERE)


def test_processes_that_keep_at_once_each_keep_theirs(tmp_path: Path) -> None:
    addresses = [Address(f"host{number}") for number in range(20)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda address: Pins(tmp_path).keep(address, KEY), addresses))
    assert [Pins(tmp_path).of(address) for address in addresses] == [KEY] * 20


# ---- whom to trust ----------------------------------------------------------------------------------------------


def test_inproc_is_always_open_and_kept_nowhere(tmp_path: Path) -> None:
    trust = Trust(Address("bench", 0, scheme="inproc"), tmp_path)
    assert trust.pin == OPEN
    trust.keep()
    assert not (tmp_path / PINS_FILE).exists()


def test_a_key_in_the_address_is_trusted_and_kept_when_it_has_held(tmp_path: Path) -> None:
    trust = Trust(with_key(KEY), tmp_path)
    assert trust.pin == KEY
    assert Pins(tmp_path).of(HERE) == ""
    trust.keep()
    assert Trust(HERE, tmp_path).pin == KEY


def test_a_key_in_the_address_that_is_not_the_known_one_is_refused(tmp_path: Path) -> None:
    Pins(tmp_path).keep(HERE, KEY)
    with pytest.raises(UntrustedError) as caught:
        Trust(with_key(OTHER), tmp_path)
    assert caught.value.code == "key_changed"
    for part in (fingerprint(KEY), fingerprint(OTHER), f"forget {HERE.text}"):
        assert part in str(caught.value)
    Pins(tmp_path).forget(HERE)
    assert Trust(with_key(OTHER), tmp_path).pin == OTHER


def test_whoever_started_the_broker_is_sure_of_its_key(tmp_path: Path) -> None:
    Pins(tmp_path).keep(HERE, KEY)
    trust = Trust(with_key(OTHER), tmp_path, sure=True)
    trust.keep()
    assert Pins(tmp_path).of(HERE) == OTHER


def test_a_key_in_the_address_ends_what_was_open(tmp_path: Path) -> None:
    Pins(tmp_path).keep(HERE, OPEN)
    assert Trust(with_key(KEY), tmp_path).pin == KEY


@pytest.mark.parametrize(
    ("accept", "told", "pin"),
    [
        (fingerprint(KEY), CURVE, KEY),
        (fingerprint(KEY).upper().replace("-", " "), CURVE, KEY),
        (lambda answer: True, CURVE, KEY),
        (lambda answer: True, NO_CURVE, OPEN),
        (OPEN, NO_CURVE, OPEN),
    ],
)
def test_who_is_accepted_is_the_pin(tmp_path: Path, accept: Accept, told: m.Answer, pin: str) -> None:
    trust = Trust(HERE, tmp_path, accept)
    assert trust.pin == ""
    assert trust.met(told) == pin
    trust.keep()
    assert Pins(tmp_path).of(HERE) == pin


@pytest.mark.parametrize(
    ("accept", "told"),
    [
        ("", CURVE),
        ("", NO_CURVE),
        (OPEN, CURVE),
        (fingerprint(KEY), NO_CURVE),
        (fingerprint(OTHER), CURVE),
        (lambda answer: False, CURVE),
    ],
)
def test_nobody_else_is(tmp_path: Path, accept: Accept, told: m.Answer) -> None:
    trust = Trust(HERE, tmp_path, accept)
    with pytest.raises(UntrustedError) as caught:
        trust.met(told)
    assert caught.value.code == "unconfirmed"
    assert trust.pin == ""
    if told is CURVE:
        assert re.search(fingerprint(KEY), str(caught.value))
