"""Which permission is missing: action, resource and principal out of AWS's refusal."""

import re

from ddb_assets.aws.subject import Subject
from ddb_assets.errors import AccessDeniedError

# AWS page "Troubleshoot access denied error messages" (IAM User Guide).
_SENTENCE = re.compile(
    r"User: (?P<principal>\S+) is not authorized to perform: (?P<action>[\w-]+:\w+)"
    r"(?: on resource: (?P<resource>\S+))?(?: because (?P<reason>.+))?",
    re.DOTALL,
)

# S3 calls whose IAM action has another name (Service Authorization Reference, Amazon S3).
_S3_ACTIONS = {
    "DeleteObjects": "s3:DeleteObject",
    "GetObject": "s3:GetObject",
    "ListObjectsV2": "s3:ListBucket",
    "PutObject": "s3:PutObject",
}
_SERVICES = {
    "sts": ("AssumeRole",),
    "cloudwatch": ("GetMetricData",),
    "athena": (
        "BatchGetQueryExecution",
        "GetQueryExecution",
        "GetQueryResults",
        "StartQueryExecution",
        "StopQueryExecution",
    ),
    "glue": (
        "CreateDatabase",
        "CreateTable",
        "DeleteTable",
        "GetDatabase",
        "GetTable",
        "GetTableVersions",
        "UpdateTable",
    ),
    "dynamodb": (
        "DescribeContinuousBackups",
        "DescribeExport",
        "DescribeTable",
        "ExportTableToPointInTime",
        "ListExports",
        "ListTables",
        "ListTagsOfResource",
    ),
}
_ACTIONS = _S3_ACTIONS | {
    operation: f"{service}:{operation}"
    for service, operations in _SERVICES.items()
    for operation in operations
}


def access_denied(code: str, message: str, operation: str, subject: Subject) -> AccessDeniedError:
    """The refusal as an error that names the action to allow, and where."""
    sentence = _SENTENCE.search(message)
    found = sentence.groupdict() if sentence else {}
    action = found.get("action") or _ACTIONS.get(operation)
    resource = _clean(found.get("resource")) or _resource_of(action, subject)
    principal = found.get("principal")
    return AccessDeniedError(
        f"{operation} was refused: {message or 'access denied'}",
        table=subject.table,
        code=code,
        remedy=_remedy(message, found.get("reason") or "", action, resource, principal),
        operation=operation,
        action=action,
        resource=resource,
        principal=principal,
    )


def _remedy(
    message: str, reason: str, action: str | None, resource: str | None, principal: str | None
) -> str:
    where = f" on {resource}" if resource else ""
    whom = f" to {principal}" if principal else ""
    if "Lake Formation" in message:
        return f"grant it in Lake Formation{whom}: IAM alone is not enough for this table"
    if action is None:
        return "look at the IAM policies of the identity this runs as"
    if "explicit deny" in reason:
        return f"{reason.strip().rstrip('.')}: lift that deny of {action}{where}; no allow beats it"
    remedy = f"allow {action}{where}{whom}"
    if action == "sts:AssumeRole":
        return f"{remedy}, and let the role's trust policy accept it (external_id included)"
    if action == "s3:GetObject":
        return f"{remedy}; without s3:ListBucket S3 says the same of an object that is not there"
    return remedy


def _clean(resource: str | None) -> str | None:
    return resource.strip('"').rstrip(".,") if resource else None


def _resource_of(action: str | None, subject: Subject) -> str | None:
    if action is None:
        return None
    if action == "s3:ListBucket" and subject.bucket:
        return f"arn:aws:s3:::{subject.bucket}"
    if action.startswith("s3:") and subject.bucket:
        return f"arn:aws:s3:::{subject.bucket}/{subject.key or '*'}"
    if action.startswith("dynamodb:"):
        return subject.arn
    return None
