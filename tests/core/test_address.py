"""What people type for a broker, and the join string that is handed out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_core.address import DEFAULT_PORT, Address, parse_address
from chat_core.errors import AddressError

KEY = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
QUOTED = "rq%3ArM%3E%7DU%3F%40Lns47E1%25kR.o%40n%25FcmmsL%2F%40%7BH8%5Dyf7"


@pytest.mark.parametrize(
    ("typed", "host", "port"),
    [
        ("192.168.1.20", "192.168.1.20", DEFAULT_PORT),
        ("192.168.1.20:6000", "192.168.1.20", 6000),
        ("chat-server", "chat-server", DEFAULT_PORT),
        ("chat.example.org:1", "chat.example.org", 1),
        ("CHAT.example.org", "chat.example.org", DEFAULT_PORT),
        ("host:65535", "host", 65535),
        ("host:", "host", DEFAULT_PORT),
        ("  host:6000\n", "host", 6000),
        ("tcp://host:6000", "host", 6000),
        ("tcp://host", "host", DEFAULT_PORT),
        ("chat://host:6000", "host", 6000),
        ("chat://host:6000/", "host", 6000),
        ("[::1]", "::1", DEFAULT_PORT),
        ("[::1]:6000", "::1", 6000),
        ("::1", "::1", DEFAULT_PORT),
        ("fe80::1%eth0", "fe80::1%eth0", DEFAULT_PORT),
        ("tcp://[2001:db8::5]:6000", "2001:db8::5", 6000),
        ("tcp://2001:db8::5", "2001:db8::5", DEFAULT_PORT),
    ],
)
def test_an_address_is_read_in_every_form_that_people_type(typed: str, host: str, port: int) -> None:
    assert parse_address(typed) == Address(host, port)


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("chat://host/lobby", Address("host", DEFAULT_PORT, "lobby")),
        ("chat://host:6000/lobby", Address("host", 6000, "lobby")),
        ("host:6000/lobby", Address("host", 6000, "lobby")),
        ("chat://host/caf%C3%A9", Address("host", DEFAULT_PORT, "café")),
        ("chat://host/café", Address("host", DEFAULT_PORT, "café")),
        ("chat://host/%23plan", Address("host", DEFAULT_PORT, "#plan")),
        (f"chat://host/lobby?key={QUOTED}", Address("host", DEFAULT_PORT, "lobby", KEY)),
        (f"chat://host?key={QUOTED}", Address("host", DEFAULT_PORT, "", KEY)),
        (f"chat://host/lobby?from=ann&key={QUOTED}", Address("host", DEFAULT_PORT, "lobby", KEY)),
        (f"chat://host/lobby?key={QUOTED}&invite=k3vq7xma", Address("host", DEFAULT_PORT, "lobby", KEY, "k3vq7xma")),
        ("chat://host?invite=k3vq7xma", Address("host", DEFAULT_PORT, "", "", "k3vq7xma")),
        ("chat://host/lobby?key=", Address("host", DEFAULT_PORT, "lobby")),
        (f"chat://[::1]:6000/lobby?key={QUOTED}", Address("::1", 6000, "lobby", KEY)),
    ],
)
def test_a_join_string_says_room_and_key_too(typed: str, address: Address) -> None:
    assert parse_address(typed) == address


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "   ",
        "://",
        "tcp://",
        "chat://",
        "inproc://",
        "chat:///lobby",
        ":5555",
        "host:0",
        "host:65536",
        "host:-1",
        "host:five",
        "host:５",
        "host:5555:5556",
        "http://host",
        "ipc:///tmp/chat",
        "udp://host",
        "a b",
        "*",
        "tcp://*:5555",
        "ann@host",
        "chat://ann:secret@host",
        "[::1",
        "host\0",
        "host,other",
        "host℀",
    ],
)
def test_what_is_no_address_is_refused_with_an_example(typed: str) -> None:
    with pytest.raises(AddressError, match=r"is not an address: write it like .*chat://host:5555/lobby\.") as caught:
        parse_address(typed)
    assert repr(typed) in str(caught.value)


def test_half_a_key_is_refused() -> None:
    with pytest.raises(AddressError, match="not whole"):
        parse_address(f"chat://host/lobby?key={QUOTED[:-3]}")


@pytest.mark.parametrize("typed", ["chat://:5555/?invite=k3vq7xma", "chat://host/?key=abc&invite=k3vq7xma"])
def test_an_invitation_is_not_shown_to_whoever_looks_on(typed: str) -> None:
    with pytest.raises(AddressError) as caught:
        parse_address(typed)
    assert "k3vq7xma" not in str(caught.value)
    assert "k3vq7xma" not in repr(parse_address("chat://host?invite=k3vq7xma"))


@given(st.text() | st.text("[]:/?#@%.a5 \0"))
def test_any_text_is_an_address_or_refused(typed: str) -> None:
    try:
        address = parse_address(typed)
    except AddressError:
        return
    assert address.host
    assert address.scheme in ("tcp", "inproc")
    assert 0 < address.port < 65536 or address.scheme == "inproc"


HOSTS = (
    st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?(\.[a-z0-9]{1,10}){0,3}", fullmatch=True)
    | st.ip_addresses(v=4).map(str)
    | st.ip_addresses(v=6).map(str)
)
Z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"


@given(HOSTS, st.integers(1, 65535))
def test_the_short_form_is_read_back(host: str, port: int) -> None:
    address = Address(host, port)
    assert parse_address(address.text) == address
    assert parse_address(address.posts) == address


@given(
    HOSTS,
    st.integers(1, 65535),
    st.text(st.characters(categories=["L", "Nd"], include_characters="-_."), max_size=32),
    st.text(Z85, min_size=40, max_size=40) | st.just(""),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=32),
)
def test_a_join_string_is_read_back(host: str, port: int, room: str, key: str, invite: str) -> None:
    address = Address(host, port, room, key, invite)
    assert parse_address(address.join) == address
    assert address.join.isascii()


@pytest.mark.parametrize(
    ("address", "posts", "door", "text", "join"),
    [
        (
            Address("192.168.1.20"),
            "tcp://192.168.1.20:5555",
            "tcp://192.168.1.20:5557",
            "192.168.1.20:5555",
            "chat://192.168.1.20:5555",
        ),
        (
            Address("::1", 6000, "plan", "a:b"),
            "tcp://[::1]:6000",
            "tcp://[::1]:5557",
            "[::1]:6000",
            "chat://[::1]:6000/plan?key=a%3Ab",
        ),
    ],
)
def test_an_address_is_written_as_endpoint_text_and_join_string(
    address: Address, posts: str, door: str, text: str, join: str
) -> None:
    assert (address.posts, address.endpoint(5557), address.text, address.join) == (posts, door, text, join)


def test_over_inproc_there_are_names_instead_of_ports() -> None:
    address = parse_address("inproc://test")
    assert address == Address("test", 0, scheme="inproc")
    assert (address.posts, address.endpoint(1)) == ("inproc://test-0", "inproc://test-1")
    assert parse_address(address.text) == address
