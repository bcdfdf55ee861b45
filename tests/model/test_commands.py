"""What is a command, what is a message, and what is said about everything else that begins with a slash."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_client.model import commands as c
from chat_client.model.commands import parse
from chat_core.errors import RefusedError
from chat_core.names import room_name


def problem(text: str) -> str:
    found = parse(text)
    assert isinstance(found, c.Problem)
    return found.text


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("hello", c.Say("hello")),
        ("  hello /join x \n", c.Say("  hello /join x \n")),
        (" /join x", c.Say(" /join x")),
        ("", c.Say("")),
        ("//join x", c.Say("/join x")),
        ("//", c.Say("/")),
        ("///", c.Say("//")),
        ("//usr/bin/x", c.Say("/usr/bin/x")),
        ("/me waves", c.Me("waves")),
        ("/me   waves  /join ", c.Me("waves  /join")),
        ("/ME Waves", c.Me("Waves")),
        ("/join plan", c.Join("plan")),
        ("/join #Plan-2026", c.Join("plan-2026")),
        ("/Join  plan \n", c.Join("plan")),
        ("/leave", c.Leave()),
        ("/leave plan", c.Leave("plan")),
        ("/part", c.Leave()),
        ("/part #plan", c.Leave("plan")),
        ("/create Plan", c.Create("plan")),
        ("/who", c.Who()),
        ("/who #plan", c.Who("plan")),
        ("/quit", c.Quit()),
        ("/quit \n\n", c.Quit()),
        ("/help", c.Help(f"{c.help_text()}\n\n{c.KEYS}")),
        ("/help join", c.Help("/join ROOM: go into a room.")),
        ("/help /Part", c.Help("/leave [ROOM]: go out of this room, or another one. (also /part)")),
    ],
)
def test_what_a_text_asks_for(text: str, command: c.Command) -> None:
    assert parse(text) == command


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("/jion plan", "There is no command /jion. Did you mean /join? To send it as a message, write //jion"),
        ("/HLEP", "There is no command /HLEP. Did you mean /help? To send it as a message, write //HLEP"),
        ("/xyzzy", "There is no command /xyzzy. /help lists them. To send it as a message, write //xyzzy"),
        ("/usr/bin/x is it", "/usr/bin/x is not a command. To send it as a message, write //usr/bin/x"),
        ("/join/plan", "/join/plan is not a command. To send it as a message, write //join/plan"),
        ("/", "A command's name follows the slash, and /help lists them. To send it as a message, write //."),
        ("/ \n", "A command's name follows the slash, and /help lists them. To send it as a message, write //."),
        ("/ join", "A command's name follows the slash, and /help lists them. To send it as a message, write //."),
        ("/me", "/me needs a text. Write it so: /me TEXT"),
        ("/join", "/join needs a room. Write it so: /join ROOM"),
        ("/create ", "/create needs a room. Write it so: /create ROOM"),
        ("/join a b", "/join takes one room, and rooms have no spaces in them. Write it so: /join ROOM"),
        ("/part a b", "/leave takes one room, and rooms have no spaces in them. Write it so: /leave [ROOM]"),
        ("/help a b", "/help takes one command. Write it so: /help [COMMAND]"),
        ("/quit now", "/quit takes nothing behind it. Write it so: /quit"),
        ("/help jion", "There is no command /jion. Did you mean /join?"),
        ("/help xyzzy", "There is no command /xyzzy. /help lists them."),
    ],
)
def test_what_is_wrong_and_what_to_type_instead(text: str, says: str) -> None:
    assert problem(text) == says


@pytest.mark.parametrize("command", ["join", "leave", "create", "who"])
@pytest.mark.parametrize("room", ["a!b", "-plan", "x" * 33, "#"])
def test_a_room_has_a_name_that_rooms_may_have(command: str, room: str) -> None:
    with pytest.raises(RefusedError) as refused:
        room_name(room)
    assert problem(f"/{command} {room}") == str(refused.value)


def test_a_long_word_is_not_repeated_in_full() -> None:
    assert len(problem("/" + "x" * 8000)) < 150
    assert len(problem("/" + "x/" * 4000)) < 150


# ---- several lines ---------------------------------------------------------------------------------------------


def test_one_may_do_something_in_several_lines() -> None:
    assert parse("/me waves\nand goes") == c.Me("waves\nand goes")
    assert parse("/me\nwaves") == c.Me("waves")


@pytest.mark.parametrize(
    "text",
    ["// a comment\nint x;", "/* a comment\n */\n", "/usr/bin\n/usr/lib", "/ a\nb", "/xyzzy\nb", "///\nb", "//\nb"],
)
def test_what_was_pasted_is_a_message_as_it_stands(text: str) -> None:
    assert parse(text) == c.Say(text)


def test_a_command_with_more_lines_is_neither_done_nor_sent() -> None:
    assert problem("/join plan\nhello") == (
        "/join has a line to itself: send it alone, or begin with //join to send it as a message."
    )
    assert problem("/quit\nhello").startswith("/quit has a line to itself")
    assert problem("/jion plan\nhello") == "There is no command /jion. Did you mean /join?"


def test_it_can_be_sent_with_two_slashes() -> None:
    assert parse("//join plan\nhello") == c.Say("/join plan\nhello")


# ---- people and rooms ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/msg Bob: are you there?", c.Do("msg", "Bob", text="are you there?")),
        ("/dm @Bob Lee", c.Do("msg", "Bob Lee")),
        ("/private #Plan", c.Do("private", "plan")),
        ("/nick Ann Lee", c.Do("nick", "Ann Lee")),
        ("/invite Bob Lee", c.Do("invite", "Bob Lee")),
        ("/kick Bob: too loud: really", c.Do("remove", "Bob", text="too loud: really")),
        ("/mute Bob Lee 2h: too loud", c.Do("mute", "Bob Lee", 7200, "too loud")),
        ("/mute Bob", c.Do("mute", "Bob")),
        ("/mute 2h", c.Do("mute", "2h")),  # somebody may be called so
        ("/ban Bob 3d", c.Do("ban", "Bob", 3 * 86400)),
        ("/readonly", c.Do("readonly")),
        ("/readonly off", c.Do("readonly", "off")),
        ("/slow 30s", c.Do("slow", seconds=30)),
        ("/slow off", c.Do("slow")),
        ("/archive", c.Do("archive")),
        ("/delete 12: wrong room", c.Do("delete", "12", text="wrong room")),
        ("/report #7", c.Do("report", "7")),
        ("/approve Bob", c.Do("approve", "Bob")),
    ],
)
def test_what_is_to_be_done_to_people_and_rooms(text: str, command: c.Do) -> None:
    assert parse(text) == command


@pytest.mark.parametrize(
    "text", ["/slow", "/slow now", "/delete it", "/readonly maybe", "/invite", "/mute : why", "/msg @"]
)
def test_a_command_that_is_written_wrongly_says_how_it_is_written(text: str) -> None:
    found = parse(text)
    assert isinstance(found, c.Problem)
    assert "Write it so: /" in found.text


# ---- the table -------------------------------------------------------------------------------------------------


def test_the_help_names_every_command() -> None:
    lines = c.help_text().split("\n")
    for entry in c.TABLE:
        assert f"{entry.usage}\t{entry.what}" in lines
        assert parse(f"/help {entry.name}") == c.Help(c.help_text(entry))


def test_every_command_is_carried_out_under_all_its_names() -> None:
    made = set()
    for word, entry in c.WORDS.items():
        for text in (f"/{word} lobby", f"/{word} help", f"/{word}", f"/{word} 30s", f"/{word} 7"):
            found = parse(text)
            if not isinstance(found, c.Problem):
                assert parse(text.replace(word, entry.name, 1)) == found
                made.add(type(found))
    assert made == {c.Me, c.Join, c.Leave, c.Create, c.Who, c.Do, c.Help, c.Quit}


def test_no_two_commands_have_a_name_in_common() -> None:
    assert len(c.WORDS) == sum(1 + len(entry.aliases) for entry in c.TABLE)


# ---- whatever is typed -----------------------------------------------------------------------------------------

WORDS = st.sampled_from(["/", "//", " ", "\n", *c.WORDS, "jion", "lobby", "#", "x" * 40, "usr/bin", "ı", "\u2028"])


@given(st.lists(WORDS, max_size=6).map("".join) | st.text(max_size=40).map("/".__add__) | st.text(max_size=40))
def test_every_text_is_something(text: str) -> None:
    found = parse(text)
    if not text.startswith("/"):
        assert found == c.Say(text)
    elif isinstance(found, c.Say):
        assert found.text == (text if "\n" in text and found.text == text else text[1:])
    elif isinstance(found, c.Problem):
        assert found.text.strip()
    elif isinstance(found, c.Join | c.Create):
        assert room_name(found.room) == found.room
    elif isinstance(found, c.Me):
        assert found.text == found.text.strip() != ""


@given(st.text(st.characters(exclude_characters="\n"), max_size=40))
def test_any_line_can_be_sent(text: str) -> None:
    assert parse(f"//{text}") == c.Say(f"/{text}")
