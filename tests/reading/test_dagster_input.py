"""A downstream asset gets the exported table as Arrow, from the place that was published."""

from typing import Any

import dagster as dg
import pytest

from ddb_assets.core.ports import Gateways
from ddb_assets.errors import DeclarationError
from ddb_assets.orchestration.inputs import LOCATION_KEY, load_export
from ddb_assets.orchestration.resources import AwsResource

KEY = dg.AssetKey(["athena", "ddb", "article"])


class InMemory(AwsResource):
    """The AWS of one export."""

    def gateways(self, **options: Any) -> Gateways:
        """Those of the export of this test."""
        return STORED[-1].gateways


STORED: list[Any] = []


@pytest.fixture
def context(exports):
    """An asset's context over an instance of its own; the export is the newest in STORED."""
    STORED.append(exports.stored([{"id": {"N": str(n)}} for n in range(7)]))
    with dg.DagsterInstance.ephemeral() as instance:
        yield dg.build_asset_context(instance=instance)
    STORED.pop()


def test_the_published_export_is_read(context):
    """By the location in the latest materialization's metadata, not an earlier one's."""
    for location in ("s3://elsewhere/AWSDynamoDB/x/data/", STORED[-1].location):
        context.instance.report_runless_asset_event(
            dg.AssetMaterialization(KEY, metadata={LOCATION_KEY: location})
        )
    table = load_export(context, KEY.path, InMemory(), columns={"id": "N"}).read_all()
    assert sorted(table["id"].to_pylist()) == list(range(7))


def test_an_upstream_that_was_never_materialized_is_an_error(context):
    """It says what to do."""
    with pytest.raises(DeclarationError, match="athena/ddb/article was never materialized"):
        load_export(context, KEY, InMemory())


def test_an_upstream_that_is_no_export_is_an_error(context):
    """Somebody else's asset has no location of ours."""
    context.instance.report_runless_asset_event(dg.AssetMaterialization(KEY))
    with pytest.raises(DeclarationError, match="says no location"):
        load_export(context, KEY, InMemory())
