"""Who may connect: every domain, kind of key and ban, and the bucket of connections of an address."""

import pytest

from chat_broker.admission import BANNED, IN, NOT_LET_IN, NOT_UNDERSTOOD, TOO_MANY, Admission
from chat_broker.batch import Batch
from chat_broker.meters import Buckets
from chat_broker.tables import BanRecord, Tables, User

NOW, MONO = 1_700_000_000_000, 1000.0
ANN, BEN, GUEST, WAITING, BOT, STRANGER, ADMIN_KEY = ("akey", "bkey", "gkey", "wkey", "ckey", "skey", "admins")
HOME = "192.168.1.20"


def tables(*bans: BanRecord) -> Tables:
    """Ann with two machines, Ben, a guest, one who waits and a bot with a scope."""
    found = Tables()
    users = {
        ANN: User("u1", "Ann", NOW),
        BEN: User("u2", "Ben", NOW),
        GUEST: User("u3", "Guest", NOW, role="guest"),
        WAITING: User("u4", "Waiting", NOW, waiting=True),
        BOT: User("u5", "Bot", NOW, role="bot", rooms=["lobby"]),
    }
    for key, user in users.items():
        found.users[user.id] = user
        found.note("keys", key, user.id)
    found.note("keys", "akey2", "u1")
    found.bans = {ban.id: ban for ban in bans}
    return found


def admission(*bans: BanRecord, encrypted: bool = True) -> Admission:
    """As it is with these bans."""
    found = Admission(encrypted, ADMIN_KEY, 0.0, 1)
    found.refresh(tables(*bans), NOW)
    return found


@pytest.mark.parametrize("key", [ANN, "akey2", BEN, GUEST, WAITING, BOT, STRANGER])
def test_posts_takes_every_key_that_is_not_banned(key: str) -> None:
    assert admission().admits("posts", key, HOME, NOW, MONO) == IN


@pytest.mark.parametrize(
    ("key", "fed"),
    [(ANN, True), ("akey2", True), (BEN, True), (GUEST, False), (WAITING, False), (BOT, False), (STRANGER, False)],
)
def test_the_feed_takes_the_keys_of_those_who_may_hear_it(key: str, fed: bool) -> None:
    assert admission().admits("feed", key, HOME, NOW, MONO) == (IN if fed else NOT_LET_IN)


@pytest.mark.parametrize("domain", ["posts", "feed", "admin"])
def test_without_a_key_nobody_comes_where_it_is_encrypted(domain: str) -> None:
    assert admission().admits(domain, "", HOME, NOW, MONO) == NOT_LET_IN


@pytest.mark.parametrize("domain", ["posts", "feed", "door"])
def test_in_open_mode_no_key_is_asked_for(domain: str) -> None:
    assert admission(encrypted=False).admits(domain, "", HOME, NOW, MONO) == IN


@pytest.mark.parametrize("encrypted", [True, False])
@pytest.mark.parametrize(("key", "verdict"), [(ADMIN_KEY, IN), (ANN, NOT_LET_IN), ("", NOT_LET_IN)])
def test_the_admins_socket_takes_the_admins_key_alone(encrypted: bool, key: str, verdict: object) -> None:
    assert admission(encrypted=encrypted).admits("admin", key, HOME, NOW, MONO) == verdict


def test_without_an_admins_key_nobody_is_the_admin() -> None:
    assert Admission(True, "", 0.0, 1).admits("admin", "", HOME, NOW, MONO) == NOT_LET_IN


@pytest.mark.parametrize("domain", ["", "chat", "Posts", "posts\0"])
def test_no_other_domain_is_known(domain: str) -> None:
    assert admission().admits(domain, ANN, HOME, NOW, MONO) == NOT_UNDERSTOOD


@pytest.mark.parametrize("domain", ["posts", "feed"])
@pytest.mark.parametrize(
    ("ban", "keys"),
    [
        ({"user": "u1"}, [ANN, "akey2"]),
        ({"key": ANN}, [ANN]),
        ({"address": HOME}, [ANN, BEN]),
        ({"key": STRANGER}, [STRANGER]),
    ],
)
def test_a_ban_shuts_out_who_is_named_by_it(domain: str, ban: dict[str, str], keys: list[str]) -> None:
    banned = admission(BanRecord("b1", "u0", NOW, **ban))
    for key in keys:
        assert banned.admits(domain, key, HOME, NOW, MONO) == BANNED
    assert banned.admits(domain, BEN, "192.168.1.21", NOW, MONO) == IN


def test_a_ban_from_a_room_shuts_nobody_out_of_the_chat() -> None:
    assert admission(BanRecord("b1", "u0", NOW, user="u1", room="lobby")).admits("feed", ANN, HOME, NOW, MONO) == IN


def test_who_is_banned_may_knock() -> None:
    assert admission(BanRecord("b1", "u0", NOW, address=HOME)).admits("door", "", HOME, NOW, MONO) == IN


def test_in_open_mode_an_address_can_be_banned() -> None:
    banned = admission(BanRecord("b1", "u0", NOW, address=HOME), encrypted=False)
    assert banned.admits("posts", "", HOME, NOW, MONO) == BANNED
    assert banned.admits("feed", "", HOME, NOW, MONO) == BANNED


def test_a_ban_ends_when_it_does_without_a_refresh() -> None:
    banned = admission(BanRecord("b1", "u0", NOW, key=ANN, until=NOW + 1000))
    assert banned.admits("posts", ANN, HOME, NOW + 999, MONO) == BANNED
    assert banned.admits("posts", ANN, HOME, NOW + 1000, MONO) == IN


@pytest.mark.parametrize("untils", [(NOW + 5, 0), (0, NOW + 5), (NOW + 5, NOW + 9), (NOW + 9, NOW + 5)])
def test_of_two_bans_the_longer_one_holds(untils: tuple[int, int]) -> None:
    bans = [BanRecord(f"b{place}", "u0", NOW, key=ANN, until=until) for place, until in enumerate(untils)]
    assert admission(*bans).admits("posts", ANN, HOME, NOW + 8, MONO) == BANNED


@pytest.mark.parametrize("table", ["users", "keys", "bans"])
def test_a_batch_that_touches_keys_users_or_bans_concerns_admission(table: str) -> None:
    batch = Batch(1, NOW)
    batch.puts["members", "lobby u1"] = b""
    assert not admission().concerned(batch)
    batch.puts[table, "x"] = None
    assert admission().concerned(batch)


def test_an_address_that_connects_too_often_is_told_to_try_later_and_others_are_not() -> None:
    limited = Admission(True, ADMIN_KEY, 2.0, 3)
    limited.refresh(tables(), NOW)
    for domain in ("posts", "feed", "door"):
        assert limited.admits(domain, ANN, HOME, NOW, MONO) == IN
    for domain in ("posts", "feed", "door"):
        assert limited.admits(domain, ANN, HOME, NOW, MONO) == TOO_MANY
    assert limited.admits("posts", ANN, "192.168.1.21", NOW, MONO) == IN
    assert limited.admits("admin", ADMIN_KEY, HOME, NOW, MONO) == IN
    assert limited.admits("posts", ANN, HOME, NOW, MONO + 0.5) == IN
    assert limited.admits("posts", ANN, HOME, NOW, MONO + 0.5) == TOO_MANY


# ---- buckets ---------------------------------------------------------------------------------------------------


def test_a_bucket_tells_when_there_will_be_one_more() -> None:
    buckets = Buckets(rate=4.0, burst=2)
    assert [buckets.take("a", 0.0) for _ in range(4)] == [0.0, 0.0, 0.25, 0.25]
    assert buckets.take("a", 0.125) == 0.125
    assert buckets.take("a", 0.25) == 0.0


def test_a_bucket_is_never_fuller_than_its_burst() -> None:
    buckets = Buckets(rate=4.0, burst=2)
    buckets.take("a", 0.0)
    assert [buckets.take("a", 3600.0) for _ in range(3)] == [0.0, 0.0, 0.25]


def test_rate_0_is_no_limit_and_remembers_nobody() -> None:
    buckets = Buckets(rate=0.0, burst=1)
    assert {buckets.take("a", 0.0) for _ in range(100)} == {0.0}
    assert len(buckets) == 0


def test_who_is_quiet_long_enough_is_forgotten() -> None:
    buckets = Buckets(rate=1.0, burst=5)
    for place in range(100):
        buckets.take(str(place), 0.0)
    for _ in range(60):
        buckets.take("x", 5.0)
    assert len(buckets) == 1


def test_however_many_names_come_no_more_than_so_many_are_remembered() -> None:
    buckets = Buckets(rate=1.0, burst=5, most=50)
    for place in range(1000):
        assert buckets.take(str(place), 0.0) == 0.0
        assert len(buckets) <= 50
