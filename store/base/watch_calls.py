"""Being told of each call of somebody else's function, for a while."""

import functools
from collections.abc import Callable
from typing import Any


def tell_of_calls(owner: Any, name: str, tell: Callable[..., None]) -> Callable[[], None]:
    """Have *tell* called with the arguments of each call of a function, before it.

    Args:
        owner: The module, class or object that has the function.
        name: The function's name there.
        tell: Must not raise.

    Returns:
        What puts the function back, unless somebody else has wrapped it since.
    """
    original = getattr(owner, name)

    @functools.wraps(original)
    def told(*arguments: Any, **keywords: Any) -> Any:
        tell(*arguments, **keywords)
        return original(*arguments, **keywords)

    def put_back() -> None:
        if getattr(owner, name, None) is told:
            setattr(owner, name, original)

    setattr(owner, name, told)
    return put_back
