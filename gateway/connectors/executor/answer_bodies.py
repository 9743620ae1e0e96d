"""The body of an app's answer, read once somebody looks at it."""

import re

from gateway.connectors.http import AppResponse, JsonPage, PageShape, counted_json, decode_json, read_page
from gateway.errors import UpstreamResponseError
from gateway.models import JsonValue

_MEDIA_TYPE = re.compile(r"[\w.+-]{1,60}/[\w.+-]{1,60}")
_BYTES_OF_A_VALUE = 120
_TEXT_OF_A_VALUE = 8
"""How many bytes of JSON most values take at least, with their names and commas."""


class Body:
    """What a body says. One that is wanted as a page of a shape is read no further than that, if it is one, and not before it is looked at.

    So each of many answers that come at once is read by its reader, who goes on with it at once. Read as they come, all of them
    would be in memory before the first reader has its turn, and out of the processor's cache by then.
    """

    def __init__(self, response: AppResponse, *, app: str, shape: PageShape | None = None) -> None:
        self._text = response.body
        self._length = len(response.body)
        self._media_type = response.headers.get("content-type", "")
        self._app = app
        self._shape = shape
        self._page: JsonPage | None = None
        self._whole: JsonValue = None
        self._fault: str | None = None
        self._values = self._length // _TEXT_OF_A_VALUE
        self.is_unread = shape is not None
        """Whether it still waits for somebody to look."""
        if not self.is_unread:
            self._read_whole()

    @property
    def whole(self) -> JsonValue:
        """The JSON; null for an empty body, and for one that is no JSON. It is not kept where only a page was to be read."""
        if self.is_unread:
            self._read()
        return self._whole if self._page is None else decode_json(self._text)

    @property
    def fault(self) -> str | None:
        """Why the body is no JSON."""
        if self.is_unread:
            self._read()
        return self._fault

    @property
    def weight(self) -> int:
        """How many bytes of memory it takes, by estimate: a text two bytes a character, and a value what an object of two takes.

        How many values it is made of is known of one that was read whole.
        """
        return 2 * self._length + _BYTES_OF_A_VALUE * self._values

    def page(self, shape: PageShape) -> JsonPage | None:
        """The body as a page of the shape; null where all of it was read, or has to be."""
        if self.is_unread:
            self._read()
        return self._page if self._page is None or shape == self._shape else read_page(self._text, shape)

    def _read(self) -> None:
        self.is_unread = False
        self._page = read_page(self._text, self._shape) if self._shape is not None else None
        if self._page is None:
            self._read_whole()

    def _read_whole(self) -> None:
        text, self._text, self._values = self._text, b"", 0
        if not text.strip():
            return
        try:
            self._whole, self._values = counted_json(text)
        except UpstreamResponseError as error:
            self._fault = self._why(error)

    def _why(self, error: UpstreamResponseError) -> str:
        media_type = _MEDIA_TYPE.match(self._media_type.strip())
        if media_type is not None and not media_type[0].lower().endswith("json"):
            return f"{self._app} answered {media_type[0]} where JSON was expected. Check the address of the app in the connection."
        return f"{self._app} answered what is no JSON: {error.message}"
