"""An asset downstream of the exported tables: it only knows their keys."""

import time

import boto3
import dagster as dg

REVENUE = """
SELECT u.item.country.s AS country, sum(CAST(o.item.total.n AS DECIMAL(10, 2))) AS revenue
FROM raw.orders o JOIN raw.users u ON o.item.userid.s = u.item.userid.s
GROUP BY 1 ORDER BY 1
"""


@dg.asset(
    deps=[["athena", "raw", "orders"], ["athena", "raw", "users"]],
    group_name="reports",
    kinds={"athena"},
)
def revenue_by_country() -> dg.MaterializeResult:
    """Revenue by country, as of the newest exports."""
    rows = ask_athena(REVENUE)
    table = [dg.TableRecord({"country": c, "revenue": float(r)}) for c, r in rows]
    return dg.MaterializeResult(
        metadata={"dagster/row_count": len(rows), "revenue": dg.MetadataValue.table(table)}
    )


def ask_athena(sql: str) -> list[list[str]]:
    """The rows of a query, without the header."""
    athena = boto3.client("athena")
    query = athena.start_query_execution(
        QueryString=sql, ResultConfiguration={"OutputLocation": "s3://shop-exports/results/"}
    )["QueryExecutionId"]
    while True:
        status = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]
        if status["State"] == "SUCCEEDED":
            break
        if status["State"] in {"FAILED", "CANCELLED"}:
            raise dg.Failure(status.get("StateChangeReason", status["State"]))
        time.sleep(0.1)
    pages = athena.get_paginator("get_query_results").paginate(QueryExecutionId=query)
    rows = [row["Data"] for page in pages for row in page["ResultSet"]["Rows"]]
    return [[cell["VarCharValue"] for cell in row] for row in rows[1:]]
