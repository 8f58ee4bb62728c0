"""PySpark for `reading.py`, in an environment of its own (.venv-spark) that lacks everything else.

python benchmarks/reading_spark.py FOLDER FILES

Spark is told the shape, as the other readers of JSON are; numbers and binary stay text. The session
is begun and a small export read before the clock starts. What counts is the JVM's time and memory.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

#: Distinct keys beyond which a map is a Spark map.
MAP_FROM = 25


def main() -> None:
    folder, count = Path(sys.argv[1]), int(sys.argv[2])
    spark = (
        SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.memory", "2g")
        .getOrCreate()
    )
    item = json.loads((folder / "profile.json").read_text())["item"]
    schema = f"Item {fields(item)}"

    def read(files: list[str]) -> None:
        items = spark.read.schema(schema).json(files).select("Item.*")
        items.write.format("noop").mode("overwrite").save()

    pid = spark.sparkContext._gateway.proc.pid
    read([str(f) for f in sorted((folder / "tiny").glob("*.json.gz"))])
    files = sorted(folder.glob("*.json.gz"))[:count]
    cpu, wall = cpu_seconds(pid), time.perf_counter()
    read([str(f) for f in files])
    cpu, wall = cpu_seconds(pid) - cpu, time.perf_counter() - wall
    counts = json.loads((folder / "counts.json").read_text())
    mb = sum(counts["bytes"][f.name] for f in files) / 1e6
    print(json.dumps({"cpu": cpu, "wall": wall, "peak_mb": peak_megabytes(pid), "mb": mb}))


def fields(node: dict[str, Any]) -> str:
    """A Spark type in DDL for a map of the profile."""
    if len(node["fields"]) > MAP_FROM:
        return f"MAP<STRING, {descriptor(next(iter(node['fields'].values())))}>"
    inside = ", ".join(f"`{name}`: {descriptor(each)}" for name, each in node["fields"].items())
    return f"STRUCT<{inside}>"


def descriptor(node: dict[str, Any]) -> str:
    members: list[str] = []
    for code in node["types"]:
        if code == "M":
            opened = f"MAP<STRING, {descriptor(node['values'])}>" if "values" in node else None
            kind = opened or fields(node)
        elif code == "L":
            kind = f"ARRAY<{descriptor(node['element'])}>" if "element" in node else "ARRAY<STRING>"
        elif code in {"BOOL", "NULL"}:
            kind = "BOOLEAN"
        else:
            kind = "ARRAY<STRING>" if len(code) == 2 else "STRING"
        members.append(f"`{code}`: {kind}")
    return f"STRUCT<{', '.join(members)}>"


def cpu_seconds(pid: int) -> float:
    """User and system time of a process, from Linux's accounting."""
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")


def peak_megabytes(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    (line,) = (x for x in status if x.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
