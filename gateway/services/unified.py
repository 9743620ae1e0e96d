"""Universal data models of records: which one is meant, how it translates, and where records of another one are."""

from gateway.models import Principal
from gateway.runtime import Runtime
from gateway.services.record_places import RecordPlace
from gateway.udm import Translation


def translation_of(runtime: Runtime, place: RecordPlace, udm: str | None = None) -> Translation:
    """How a place's records translate into a model: `udm`, else the data source's, else the collection's only one.

    Asks nobody. Raises NotFoundError for an unknown model, InvalidError where the model must be named, and UnsupportedError,
    which names the models that can be, where the collection's records cannot be read as this one.
    """
    raise NotImplementedError


async def model_place(runtime: Runtime, principal: Principal, *, place: RecordPlace, model: str) -> RecordPlace:
    """Where the records of a model are that records at `place` refer to: in the same connection.

    The default instance of a data source of that model, the oldest first; else a definition's collection; else the
    connector's default for the model. Raises UnsupportedError when there is none, or none whose records can be read as the model.
    """
    raise NotImplementedError
