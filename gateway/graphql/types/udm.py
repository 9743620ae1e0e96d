"""Universal data models in the schema."""

import strawberry
from strawberry.scalars import JSON

from gateway import udm


@strawberry.type(description="One vocabulary for the same thing in many apps, such as a task.")
class UniversalDataModel:
    key: str = strawberry.field(description="The name that data sources use, such as `tasks`.")
    name: str = strawberry.field(description="What one of them is called.")
    plural_name: str = strawberry.field(description="What several of them are called.")
    description: str | None = strawberry.field(description="What it stands for.")
    categories: list[str] = strawberry.field(description="The kinds of apps that have it.")
    fields_schema: JSON = strawberry.field(description="JSON Schema of its fields; no field is required, because no app has them all.")


def named(models: udm.Models, keys: tuple[str, ...]) -> list[udm.UniversalDataModel]:
    """The models of those keys that this gateway knows, in the order of the keys."""
    return [models[key] for key in keys if key in models]
