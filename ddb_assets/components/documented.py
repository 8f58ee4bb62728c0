"""What every YAML form shares."""

import ast
from collections.abc import Iterable, Mapping
from typing import Any, Self, cast

import dagster as dg
from pydantic import BaseModel, ConfigDict


class DocumentedModel(dg.Model, dg.Resolvable):
    """A YAML form whose schema keeps what `Field` says of each field, and whose text stays text."""

    # A template that renders an account id gives a number; a number in YAML is refused before.
    model_config = ConfigDict(coerce_numbers_to_str=True)

    @classmethod
    def resolve_from_model(cls, context: dg.ResolutionContext, model: BaseModel) -> Self:
        """Render what is templated, and nothing else.

        Dagster renders every string with Jinja's native types, which turn "123456789012" into a
        number and the table name "1e5" into 100000.0.
        """
        written = {name: _literally(getattr(model, name)) for name in model.model_fields_set}
        return super().resolve_from_model(context, model.model_copy(update=written))

    @classmethod
    def model(cls) -> type[BaseModel]:
        """The schema's model; Dagster drops description and examples of optional fields."""
        derived = super().model()
        for name, field in cls.model_fields.items():
            shown = derived.model_fields[name]
            shown.description, shown.examples = field.description, field.examples
        derived.model_rebuild(force=True)
        return derived


def _literally(value: Any) -> Any:
    """The value so that Jinja renders plain text to itself; forms inside do it themselves."""
    if isinstance(value, str):
        return repr(value) if "{" not in value and _is_literal(value) else value
    if isinstance(value, list):
        return [_literally(one) for one in cast("list[Any]", value)]
    if isinstance(value, Mapping):
        return {name: _literally(one) for name, one in cast("Mapping[Any, Any]", value).items()}
    return value


def _is_literal(text: str) -> bool:
    try:
        ast.literal_eval(text)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def given(model: BaseModel, fields: Iterable[str]) -> dict[str, Any]:
    """What was said, nested forms as their Python declarations; what is None is left out."""
    values = {name: getattr(model, name) for name in fields}
    return {
        name: value.declaration() if hasattr(value, "declaration") else value
        for name, value in values.items()
        if value is not None
    }
