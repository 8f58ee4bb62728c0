"""What every YAML form shares."""

from collections.abc import Iterable
from typing import Any

import dagster as dg
from pydantic import BaseModel


class DocumentedModel(dg.Model, dg.Resolvable):
    """A YAML form whose schema keeps what `Field` says of each field."""

    @classmethod
    def model(cls) -> type[BaseModel]:
        """The schema's model; Dagster drops description and examples of optional fields."""
        derived = super().model()
        for name, field in cls.model_fields.items():
            shown = derived.model_fields[name]
            shown.description, shown.examples = field.description, field.examples
        derived.model_rebuild(force=True)
        return derived


def given(model: BaseModel, fields: Iterable[str]) -> dict[str, Any]:
    """What was said, nested forms as their Python declarations; what is None is left out."""
    values = {name: getattr(model, name) for name in fields}
    return {
        name: value.declaration() if hasattr(value, "declaration") else value
        for name, value in values.items()
        if value is not None
    }
