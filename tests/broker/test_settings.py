"""config.toml, the environment and the command line as settings; and the file that is shipped."""

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chat_broker.settings import Settings, load_settings
from chat_core.errors import SettingsError

SHIPPED = Path(__file__).parents[2] / "config.toml"
EVERY = [
    (section, key) for section in Settings.__struct_fields__ for key in getattr(Settings(), section).__struct_fields__
]

Written = Callable[[str], Path]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """Writes a config.toml."""

    def write(text: str) -> Path:
        file = tmp_path / "config.toml"
        file.write_text(text, encoding="utf-8")
        return file

    return write


def complaint(
    file: Path | None = None, environment: dict[str, str] | None = None, flags: dict[tuple[str, str], Any] | None = None
) -> str:
    """What is said about settings that are wrong."""
    with pytest.raises(SettingsError) as caught:
        load_settings(file, environment, flags)
    return str(caught.value)


# ---- precedence ----------------------------------------------------------------------------------------------------


def test_without_anything_there_are_the_defaults() -> None:
    assert load_settings(None) == Settings()


def test_an_empty_file_changes_nothing(written: Written) -> None:
    assert load_settings(written("")) == Settings()


def test_the_file_beats_the_default(written: Written) -> None:
    settings = load_settings(written("[listen]\nport = 6000\n"))
    assert (settings.listen.port, settings.listen.bind) == (6000, "*")


def test_the_environment_beats_the_file(written: Written) -> None:
    file = written('[listen]\nport = 6000\nbind = "127.0.0.1"\n')
    settings = load_settings(file, {"CHAT_LISTEN__PORT": "6001"})
    assert (settings.listen.port, settings.listen.bind) == (6001, "127.0.0.1")


def test_a_flag_beats_the_environment(written: Written) -> None:
    file = written("[listen]\nport = 6000\n")
    settings = load_settings(file, {"CHAT_LISTEN__PORT": "6001"}, {("listen", "port"): 6002})
    assert settings.listen.port == 6002


def test_a_flag_that_was_not_given_beats_nothing() -> None:
    settings = load_settings(None, {"CHAT_LISTEN__PORT": "6001"}, {("listen", "port"): None})
    assert settings.listen.port == 6001


def test_a_flag_may_be_false(written: Written) -> None:
    assert not load_settings(written("[log]\njson = true\n"), None, {("log", "json"): False}).log.json


def test_a_setting_of_the_file_may_be_given_with_a_dot(written: Written) -> None:
    assert load_settings(written("listen.port = 6000\n")).listen.port == 6000


def test_a_whole_number_is_a_number_of_seconds(written: Written) -> None:
    assert load_settings(written("[timing]\nbeat_seconds = 3\n")).timing.beat_seconds == 3.0


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("CHAT_LISTEN__PORT", "6000", 6000),
        ("CHAT_LISTEN__BIND", "10.0.0.1", "10.0.0.1"),
        ("CHAT_BROKER__NAME", "6000", "6000"),
        ("CHAT_LOG__JSON", "true", True),
        ("CHAT_LOG__JSON", "0", False),
        ("CHAT_LOG__LEVEL", "debug", "debug"),
        ("CHAT_TIMING__BEAT_SECONDS", "2.5", 2.5),
        ("CHAT_TIMING__GONE_SECONDS", "5", 5.0),
        ("CHAT_LIMITS__FEED_QUEUE", "10", 10),
    ],
)
def test_the_environment_is_read_as_the_type_of_the_setting(name: str, text: str, value: object) -> None:
    section, key = name.removeprefix("CHAT_").lower().split("__")
    assert getattr(getattr(load_settings(None, {name: text}), section), key) == value


@pytest.mark.parametrize("name", ["PATH", "CHAT_CONFIG", "CHAT_DATA", "LISTEN__PORT", "XCHAT_LISTEN__PORT"])
def test_other_variables_are_not_ours(name: str) -> None:
    assert load_settings(None, {name: "6000"}) == Settings()


def test_the_environment_is_not_changed() -> None:
    environment = {"CHAT_LISTEN__PORT": "6000"}
    load_settings(None, environment)
    assert environment == {"CHAT_LISTEN__PORT": "6000"}


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Settings().listen.port = 1  # type: ignore[misc]


# ---- what is wrong -------------------------------------------------------------------------------------------------


def test_an_unknown_setting_is_named_with_line_and_nearest(written: Written) -> None:
    file = written("# mine\n[listen]\nbind = '*'\nprot = 6000\n")
    assert complaint(file) == f"{file}, line 4: there is no setting 'listen.prot'; did you mean 'listen.port'?"


def test_an_unknown_setting_is_looked_for_in_its_own_section(written: Written) -> None:
    file = written("[broker]\nname = 'x'\n[log]\nname = 'x'\n")
    assert f"{file}, line 4: there is no setting 'log.name'" in complaint(file)


def test_an_unknown_setting_like_no_other_is_answered_with_all(written: Written) -> None:
    text = complaint(written("[listen]\nqqqqqqqqqqqqqqqqq = 1\n"))
    assert "there are listen.bind, listen.port." in text


def test_an_unknown_section_is_named_with_line_and_nearest(written: Written) -> None:
    file = written("[log]\nlevel = 'info'\n\n[lisen]\nport = 1\n")
    assert complaint(file) == f"{file}, line 4: there is no setting 'lisen'; did you mean 'listen'?"


def test_an_unknown_section_like_no_other_is_answered_with_all(written: Written) -> None:
    assert complaint(written("[zzzzz]\n")).endswith("there are broker, listen, access, log, timing, limits.")


def test_a_section_that_is_a_value_is_named_with_its_line(written: Written) -> None:
    file = written("# mine\nlisten = 6000\n")
    assert complaint(file) == f"{file}, line 2: [listen] is a section, not a value."


@pytest.mark.parametrize(
    ("text", "line", "name"),
    [
        ("[listen]\nport = '6000'\n", 2, "listen.port"),
        ("[listen]\n\nbind = 5\n", 3, "listen.bind"),
        ("[listen]\nport = true\n", 2, "listen.port"),
        ("[listen]\nport = 1.5\n", 2, "listen.port"),
        ("[log]\njson = 'yes'\n", 2, "log.json"),
        ("[timing]\n# beat\nbeat_seconds = '2'\n", 3, "timing.beat_seconds"),
        ("listen.port = '1'\n", 1, "listen.port"),
        ("[ listen ]\n'port' = []\n", 2, "listen.port"),
    ],
)
def test_a_value_of_the_wrong_type_is_named_with_its_line(written: Written, text: str, line: int, name: str) -> None:
    file = written(text)
    said = complaint(file)
    assert said.startswith(f"{file}, line {line}: {name} is not right: ")
    assert "Expected" in said


@pytest.mark.parametrize(
    "text",
    [
        "[listen]\nport = 65534",
        "[listen]\nport = -1",
        "[listen]\nbind = ''",
        "[broker]\nname = ''",
        "[broker]\nname = 'nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn'",
        "[broker]\nsecurity = 'curve25519'",
        "[log]\nlevel = 'loud'",
        "[timing]\nbeat_seconds = 0",
        "[timing]\nbeat_seconds = 3601",
        "[timing]\ngone_seconds = -1.0",
        "[timing]\nbeat_seconds = nan",
        "[timing]\npresence_seconds = inf",
        "[timing]\nlinger_ms = 101",
        "[timing]\nbind_retry_seconds = 61",
        "[limits]\nbatch_requests = 0",
        "[limits]\nbatch_requests = 65537",
        "[limits]\nfeed_queue = 0",
        "[limits]\nreply_queue = 0",
        "[limits]\npages_waiting = 0",
    ],
)
def test_a_value_out_of_range_is_named_with_its_line(written: Written, text: str) -> None:
    file = written(text)
    section, key = re.findall(r"\w+", text)[:2]
    assert complaint(file).startswith(f"{file}, line 2: {section}.{key} is not right: ")


@pytest.mark.parametrize("text", ["[listen]\nport = 65533", "[listen]\nport = 0", "[timing]\nlinger_ms = 0"])
def test_a_value_at_the_edge_of_its_range_is_right(written: Written, text: str) -> None:
    load_settings(written(text))


@pytest.mark.parametrize("text", ["[listen", "[listen]\nport = \n", "port 5", "[listen]\n[listen]\n", "a = 1\na = 2\n"])
def test_broken_toml_is_said_to_be(written: Written, text: str) -> None:
    file = written(text)
    assert complaint(file).startswith(f"{file} is not valid TOML: ")


def test_bytes_that_are_no_text_are_said_to_be_no_toml(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(b"[broker]\nname = '\xff'\n")
    assert complaint(file).startswith(f"{file} is not valid TOML: ")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert complaint(tmp_path / "no.toml").startswith(f"{tmp_path / 'no.toml'} cannot be read (")


def test_an_unknown_variable_is_named_with_its_nearest() -> None:
    text = complaint(environment={"CHAT_LISTEN__PROT": "1"})
    assert (
        text == "The environment has CHAT_LISTEN__PROT, but there is no such setting; did you mean CHAT_LISTEN__PORT?"
    )


def test_a_variable_of_an_unknown_section_is_named() -> None:
    assert "CHAT_QQQ__ZZZ" in complaint(environment={"CHAT_QQQ__ZZZ": "1"})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("CHAT_LISTEN__PORT", "many"),
        ("CHAT_LISTEN__PORT", ""),
        ("CHAT_LISTEN__PORT", "65534"),
        ("CHAT_LOG__JSON", "perhaps"),
        ("CHAT_LOG__LEVEL", "loud"),
        ("CHAT_TIMING__BEAT_SECONDS", "soon"),
        ("CHAT_BROKER__NAME", ""),
    ],
)
def test_a_variable_with_a_wrong_value_is_named(name: str, text: str) -> None:
    section, key = name.removeprefix("CHAT_").lower().split("__")
    assert complaint(environment={name: text}).startswith(f"{name}: {section}.{key} is not right: ")


def test_a_wrong_variable_is_blamed_though_the_file_has_the_setting(written: Written) -> None:
    text = complaint(written("[listen]\nport = 6000\n"), {"CHAT_LISTEN__PORT": "many"})
    assert text.startswith("CHAT_LISTEN__PORT: ")


def test_a_flag_with_a_wrong_value_is_named() -> None:
    assert complaint(flags={("listen", "port"): 70000}).startswith("--port: listen.port is not right: ")


def test_a_flag_is_not_read_as_another_type() -> None:
    assert complaint(flags={("listen", "port"): "6000"}).startswith("--port: ")


# ---- config.toml ---------------------------------------------------------------------------------------------------


def setting_lines() -> list[tuple[str, str, str]]:
    """(section, key, the rest of the line) for every line of the shipped file that sets something."""
    found, section = [], ""
    for line in SHIPPED.read_text(encoding="utf-8").splitlines():
        if header := re.fullmatch(r"\[(\w+)]", line):
            section = header[1]
        elif setting := re.fullmatch(r"(\w+) = (.*)", line):
            found.append((section, setting[1], setting[2]))
        else:
            assert line == "" or line.startswith("#"), line
    return found


def test_the_shipped_file_holds_the_defaults() -> None:
    assert load_settings(SHIPPED) == Settings()


def test_the_shipped_file_gives_every_default_itself() -> None:
    assert tomllib.loads(SHIPPED.read_text(encoding="utf-8")) == msgspec.to_builtins(Settings())


def test_the_shipped_file_has_every_setting_once_and_in_order() -> None:
    assert [(section, key) for section, key, _ in setting_lines()] == EVERY


@pytest.mark.parametrize(("section", "key", "rest"), setting_lines(), ids=lambda part: str(part)[:20])
def test_the_shipped_file_explains_every_setting(section: str, key: str, rest: str) -> None:
    explained = re.fullmatch(r'("[^"]*"|[\w.]+) +# (\S.*)', rest)
    assert explained is not None, f"[{section}] {key} has no comment"
    assert len(explained[2]) > 20


def test_every_setting_can_be_given_in_the_environment() -> None:
    defaults = msgspec.to_builtins(Settings())
    environment = {f"CHAT_{s}__{k}".upper(): str(defaults[s][k]).lower() for s, k in EVERY}
    assert load_settings(None, environment) == Settings()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("# x\n\nport = 5\n", 3),
        ("\n\n[[listen]]\nport = 1\n", 3),
        ("[listen]\n\n[listen.tls]\na = 1\n", 3),
        ("\nlisten.prot = 1\n", 2),
    ],
)
def test_the_line_is_right_however_the_setting_is_written(tmp_path: Path, text: str, line: int) -> None:
    file = tmp_path / "config.toml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=f"line {line}:"):
        load_settings(file)


def test_a_flag_is_called_by_its_name() -> None:
    with pytest.raises(SettingsError, match="--log-level: "):
        load_settings(None, flags={("log", "level"): "loud"})


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("\ufeff[listen]\nport = 6000\n", encoding="utf-8")
    assert load_settings(file).listen.port == 6000
