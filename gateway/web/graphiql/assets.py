"""The bundled files, kept compressed: `source/build.mjs` makes them."""

import gzip
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources

__all__ = ["Asset", "Assets"]

_MEDIA_TYPES: Mapping[str, str] = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "ttf": "font/ttf",
}


@dataclass(frozen=True, kw_only=True)
class Asset:
    """One file as it goes to the browser."""

    media_type: str
    compressed: bytes

    def plain(self) -> bytes:
        """The bytes for the rare client that does not take gzip."""
        return gzip.decompress(self.compressed)


class Assets:
    """The files by name, and a digest of them all: addresses hold it, so that browsers may keep what they have for ever."""

    def __init__(self, files: Mapping[str, Asset]) -> None:
        self._files = files
        content = hashlib.sha256()
        for name in sorted(files):
            content.update(name.encode() + b"\0" + files[name].compressed)
        self.digest = content.hexdigest()[:16]

    @classmethod
    def bundled(cls) -> "Assets":
        """What ships inside the package."""
        folder = resources.files(__package__) / "static"
        packed = [(entry.name.removesuffix(".gz"), entry) for entry in folder.iterdir() if entry.name.endswith(".gz")]
        return cls({name: Asset(media_type=_MEDIA_TYPES[name.rpartition(".")[2]], compressed=entry.read_bytes()) for name, entry in packed})

    def get(self, name: str) -> Asset | None:
        """The file of that name."""
        return self._files.get(name)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._files))
