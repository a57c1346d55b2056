"""Keeping secrets out of what is recorded of a command line.

Only names tell: of an option, of a variable, of a key in an argument. A secret that stands
alone, or in a file, cannot be known from other words.
"""

import re
from collections.abc import Sequence
from itertools import pairwise

HIDDEN = "***"
"""What is recorded in a secret's place."""

_ALWAYS = frozenset(
    "password passwd passphrase passcode pwd secret secrets credential credentials apikey"
    " authorization bearer".split()
)
"""Words that a secret's name may have anywhere."""

_LAST = frozenset({"token", "auth", "cookie"})
"""Words that a secret's name ends in."""

_KEYS = frozenset(
    "access account api auth client deploy encryption license master private secret"
    " service shared signing ssh storage".split()
)
"""Words before "key" in a secret's name."""

_NO_SECRETS = frozenset(
    "bos class cls end eos image mask pad padding sep special start stop unk".split()
)
"""Words before "token" that make it a text model's."""

_ELSEWHERE = frozenset(
    "dir directory env file filename folder length method mode name path type".split()
)
"""Last words of the name of what says where a secret is, or of which kind."""

# Compiled where an argument needs them: few do, and it takes some tenths of a millisecond.
_WORDS = r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+"
_OPTION = r"--?[A-Za-z][\w.-]*"
_NAME = r"""([\w.-]+)["']?\s*[=:]\s*"""
_VALUE = r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|[^\s"',;&)}\]]+"""
_BEGIN = r"[\w./@=:~+-]*"  # before the name of what the whole argument sets
_USER_OF_URL = r"(\w+)://([^/\s@:]*)(:[^/\s@]*)?@"


def without_secrets(arguments: Sequence[str]) -> list[str]:
    """A command's arguments, with `***` in place of values whose names call them secret.

    What follows an option of such a name is hidden even where it looks like an option: some
    parsers take it for the value, and it is better to hide too much.
    """
    shown: list[str] = []
    is_value = False
    for argument in arguments:
        shown.append(HIDDEN if is_value else _without(argument))
        names_secret = _is_secret(argument) and bool(re.fullmatch(_OPTION, argument))
        # Other parsers see no value in these, and take the next argument.
        is_value = names_secret or (is_value and argument == "--")
    return shown


def _without(argument: str) -> str:
    if "://" in argument:
        argument = re.sub(_USER_OF_URL, _user, argument)
    if not _may_be_secret(argument):
        return argument
    shown, at = "", 0
    for found in re.finditer(_NAME, argument):
        if found.start() < at or not _is_secret(found[1]):
            continue
        shown += argument[at : found.end()]
        if re.fullmatch(_BEGIN, argument[: found.start()]):
            return shown + HIDDEN
        value = re.match(_VALUE, argument[found.end() :])
        at = found.end() + (value.end() if value else 0)
        quote = value[1][0] if value and value[1] else ""
        shown += f"{quote}{HIDDEN}{quote}"
    return shown + argument[at:]


def _user(found: re.Match[str]) -> str:
    scheme, user, password = found.groups()
    if password is not None:
        return f"{scheme}://{user}:{HIDDEN}@"
    return f"{scheme}://{HIDDEN}@" if scheme in {"http", "https"} else found[0]


def _is_secret(name: str) -> bool:
    if not _may_be_secret(name):
        return False
    words = [word.lower() for word in re.findall(_WORDS, name)]
    if not words or words[-1] in _ELSEWHERE:
        return False
    before = words[-2] if len(words) > 1 else ""
    return (
        not _ALWAYS.isdisjoint(words)
        or (words[-1] in _LAST and before not in _NO_SECRETS)
        or any(pair[0] in _KEYS and pair[1] == "key" for pair in pairwise(words))
    )


def _may_be_secret(text: str) -> bool:
    """Whether a text has letters of a word that a secret's name has."""
    lowered = text.lower()
    return any(word in lowered for word in (*_ALWAYS, *_LAST, "key"))
