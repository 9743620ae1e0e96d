"""Python source that is written piece by piece; whatever is not a number stands in it by a name of ours, never by its own text."""

from collections.abc import Callable
from functools import partial
from typing import Any

__all__ = ["Source"]


class Source:
    """Functions in the making, and what their names stand for. `title` is what traces call it."""

    def __init__(self, title: str, **names: Any) -> None:
        self._title = title
        self._names: dict[str, Any] = {**names, "__builtins__": {}}
        self._lines: list[str] = []

    def name(self, value: Any) -> str:
        """A name for a value."""
        name = f"n{len(self._names)}"
        self._names[name] = value
        return name

    def function(self, parameters: str, *lines: str, is_loop: bool = False) -> str:
        """The name of a new function with these lines; one that loops has what is named so far at hand, which is found sooner."""
        if is_loop:
            parameters += "".join(f", {known}={known}" for known in self._names if known != "__builtins__")
        name = self.name(None)
        self._lines += [f"def {name}({parameters}):", *(f"    {line}" for line in lines)]
        return name

    def compiled(self) -> Callable[[str], Callable[..., Any]]:
        """The functions by their names, ready to be called."""
        # No text of anybody's is in it: fields and types stand in it by names such as `n7`.
        exec(compile("\n".join(self._lines), f"<{self._title}>", "exec"), self._names)  # noqa: S102
        return partial(dict.__getitem__, self._names)
