"""What is left to the search for garbage."""

import gc
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any


def leave_all_else_aside() -> None:
    """Exempts whatever there is now from every search for garbage, and from `gc.get_objects`: to look through it is most of their work.

    For good: to end it would end it for what all tests share too, which `conftest.py` exempts.
    """
    gc.freeze()


async def garbage_of(work: Callable[[], Awaitable[Any]], *modules: str) -> Counter[str]:
    """How many objects of each class of the modules something leaves that hold each other; what it makes only once is made before."""
    await work()
    leave_all_else_aside()
    gc.disable()
    try:
        await work()
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        return Counter(type(each).__qualname__ for each in gc.garbage if type(each).__module__.startswith(modules))
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
