"""DynamoDB's errors as its JSON protocol carries them."""

from moto.core.exceptions import JsonRESTError
from moto.dynamodb.exceptions import ERROR_TYPE_PREFIX


def error(code: str, message: str) -> JsonRESTError:
    """An error that moto's dispatcher answers as DynamoDB does."""
    return JsonRESTError(f"{ERROR_TYPE_PREFIX}{code}", message)


def validation(message: str) -> JsonRESTError:
    """A ValidationException."""
    return error("ValidationException", message)
