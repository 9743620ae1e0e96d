"""Reads models from files: those that come along, the operator's own, and what the operator adds to existing ones."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib.resources import files as resources
from importlib.resources.abc import Traversable
from itertools import islice
from pathlib import Path

from pydantic import ValidationError

from gateway.documents import Document, Problem, content_of, shape_problems
from gateway.errors import ConfigurationError
from gateway.udm import model_rules
from gateway.udm.drafts import Draft, Origin, own_problems
from gateway.udm.file import Additions, ModelEntry, ModelFile
from gateway.udm.model import Models

_MAX_FINDINGS = 200
"""More than anybody reads at once; finding what was meant instead of a wrong name takes its time."""
_Source = tuple[str, Path | Traversable]
"""What a file is called in messages, and the file."""
_Read = tuple[Document, ModelFile]
"""The same file, read."""


def load_models(files: Sequence[Path] = ()) -> Models:
    """The models that come with the gateway, with those of the files and the fields that these add.

    Raises ConfigurationError with each problem of every file on its own line, as `FILE:LINE: key.path: what is wrong`.
    """
    return _load([(str(file), file) for file in files]) if files else MODELS


@dataclass
class _Reading:
    """What the files say so far, and what is wrong with it."""

    drafts: dict[str, Draft] = field(default_factory=dict)
    documents: list[Document] = field(default_factory=list)
    problems: list[tuple[Document, Problem]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    """Of files that cannot be read at all."""

    def add_problems(self, document: Document, problems: Iterable[Problem]) -> None:
        self.problems += [(document, problem) for problem in problems]

    def refuse(self) -> None:
        """Returns when nothing is wrong; else raises ConfigurationError with all that is."""
        faults = list(self.faults)
        for document in self.documents:
            try:
                document.refuse(problem for origin, problem in self.problems if origin is document)
            except ConfigurationError as error:
                faults.append(error.message)
        if faults:
            raise ConfigurationError("\n".join(faults))


def _load(sources: Sequence[_Source]) -> Models:
    reading = _Reading(documents=[document for document, _ in _BUNDLED])
    read = [*_BUNDLED, *_read_all(sources, reading)]
    for document, file in read:
        for key, entry in file.models.items():
            _add_model(reading, document, key, entry)
    for document, file in read:
        for key, additions in file.extensions.items():
            _extend_model(reading, document, key, additions)
    reading.refuse()
    models = Models(draft.model(key) for key, draft in reading.drafts.items())
    for origin, place, text in islice(model_rules.problems(models, reading.drafts), _MAX_FINDINGS):
        reading.add_problems(origin.document, [((*origin.place, *place), text)])
    reading.refuse()
    return models


def _read_all(sources: Iterable[_Source], reading: _Reading) -> list[_Read]:
    return [found for name, source in sources if (found := _read(name, source, reading)) is not None]


def _read(name: str, source: Path | Traversable, reading: _Reading) -> _Read | None:
    try:
        document = Document.parse(content_of(source, name=name), name=name)
    except ConfigurationError as error:
        reading.faults.append(error.message)
        return None
    reading.documents.append(document)
    if not isinstance(document.value, dict):
        reading.add_problems(document, [((), "a file of models is a mapping that starts with `format: models/v1`")])
        return None
    try:
        return document, ModelFile.model_validate(document.value)
    except ValidationError as error:
        reading.add_problems(document, shape_problems(error, lambda _: "unknown key; see docs/universal-data-models.md"))
        return None


def _add_model(reading: _Reading, document: Document, key: str, entry: ModelEntry) -> None:
    origin = Origin(document=document, place=("models", key))
    if key in reading.drafts:
        other = reading.drafts[key].origins[0][0].document.name
        text = f"{other} has a model {key!r} already; give this one another key, or add fields to that one under `extensions`"
        reading.add_problems(document, [(origin.place, text)])
        return
    reading.add_problems(document, own_problems(origin.place, entry))
    reading.drafts[key] = Draft(entry, [(origin, entry)])


def _extend_model(reading: _Reading, document: Document, key: str, additions: Additions) -> None:
    origin, draft = Origin(document=document, place=("extensions", key)), reading.drafts.get(key)
    if draft is None:
        known = ", ".join(sorted(reading.drafts))
        text = f"there is no universal data model {key[:100]!r} to add fields to; there are {known}"
        reading.add_problems(document, [(origin.place, text)])
        return
    reading.add_problems(document, own_problems(origin.place, additions))
    reading.add_problems(document, [((*origin.place, *place), text) for place, text in draft.clashes(additions)])
    draft.origins.append((origin, additions))


def _bundled() -> list[_Read]:
    reading = _Reading()
    files = sorted(resources("gateway.udm").joinpath("models").iterdir(), key=lambda file: file.name)
    read = _read_all([(f"the gateway's {file.name}", file) for file in files], reading)
    reading.refuse()
    return read


_BUNDLED = _bundled()
MODELS = _load([])
"""The models that come with the gateway."""
