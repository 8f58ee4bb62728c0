"""Synthetic exports for `reading.py`: flat, mixed and nested items, gzip level 6, sixteen files."""

import base64
import gzip
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

FILES = 16
#: Exports beside the one that is measured: to warm up with, and for readers of 1 MB/s.
SMALL = {"tiny": 50_000, "small": 8_000_000}
#: Unpacked bytes that are made item by item; a larger export repeats them.
UNIQUE_BYTES = 24 << 20
#: gzip looks back 32 KB, so repeats this far apart cost and gain it nothing.
LEVEL = 6

Item = dict[str, Any]


def flat(rng: random.Random, number: int) -> Item:
    """Ten scalar attributes, one of them now and then NULL."""
    note = {"S": "a note of some words, nothing special about it"}
    return {
        "id": {"S": f"{number:08d}-{rng.getrandbits(64):016x}"},
        "createdAt": {"N": str(1577804400 + number)},
        "status": {"S": rng.choice(["open", "paid", "sent", "closed"])},
        "amount": _money(rng, 10**7),
        "quantity": {"N": str(rng.randrange(1, 50))},
        "customer": {"S": f"customer-{rng.randrange(10**6)}"},
        "email": {"S": f"user{rng.randrange(10**6)}@example.org"},
        "active": {"BOOL": rng.random() < 0.5},
        "note": {"NULL": True} if rng.random() < 0.2 else note,
        "city": {"S": rng.choice(["Zürich", "London", "Łódź", "Paris"])},
    }


def mixed(rng: random.Random, number: int) -> Item:
    """A nested map, a list of maps, sets, binary, 38 digits, an attribute of two types."""
    return {
        "id": {"S": f"{number:08d}-{rng.getrandbits(64):016x}"},
        "createdAt": {"N": str(1577804400 + number)},
        "amount": _money(rng, 10**7),
        "active": {"BOOL": rng.random() < 0.5},
        "address": {
            "M": {
                "street": {"S": f"{rng.randrange(200)} High Street"},
                "zip": {"S": str(rng.randrange(10**5))},
                "geo": {"M": {"lat": _degrees(rng, 90), "lon": _degrees(rng, 180)}},
            }
        },
        "lines": {"L": [_line(rng) for _ in range(rng.randrange(4))]},
        "tags": {"SS": sorted({rng.choice("abcdefghij") * 5 for _ in range(3)})},
        "scores": {"NS": sorted({str(rng.randrange(1000)) for _ in range(3)})},
        "blob": {"B": base64.b64encode(rng.randbytes(rng.randrange(16, 64))).decode()},
        "big": {"N": str(rng.randrange(10**37, 10**38))},
        "either": {"S": "text"} if rng.random() < 0.5 else {"N": "5"},
    }


def nested(rng: random.Random, number: int) -> Item:
    """Maps and lists in each other, five deep, and a map with open keys."""
    return {
        "PK": {"S": f"ORG#{number % 1000}"},
        "SK": {"S": f"DOC#{number:08d}"},
        "prices": {"M": {f"2026-{rng.randrange(365):03d}": _money(rng, 10**5) for _ in range(4)}},
        "sections": {
            "L": [
                {
                    "M": {
                        "title": {"S": f"Section {rng.randrange(100)}"},
                        "lines": {"L": [_line(rng) for _ in range(rng.randrange(1, 4))]},
                        "author": {"M": {"name": {"S": "A. Person"}, "tags": {"SS": ["x", "y"]}}},
                    }
                }
                for _ in range(rng.randrange(1, 4))
            ]
        },
    }


SHAPES: dict[str, Callable[[random.Random, int], Item]] = {
    "flat": flat,
    "mixed": mixed,
    "nested": nested,
}


def make(folder: Path, shape: str, size: int) -> None:
    """Write the data files, their counts and their unpacked size."""
    rng = random.Random(shape)
    lines: list[bytes] = []
    made = number = 0
    while made < min(size, UNIQUE_BYTES):
        item = {"Item": SHAPES[shape](rng, number)}
        line = json.dumps(item, separators=(",", ":"), ensure_ascii=False)
        lines.append(line.encode() + b"\n")
        made += len(lines[-1])
        number += 1
    _write(folder, lines, size // FILES, FILES)
    for name, small in SMALL.items():
        _write(folder / name, lines, small // 2, 2)


def _write(folder: Path, lines: list[bytes], size: int, files: int) -> None:
    """One file of so many bytes, as often: what is in them differs no more than their repeats."""
    folder.mkdir(parents=True, exist_ok=True)
    first = folder / "00.json.gz"
    written = items = 0
    with gzip.open(first, "wb", LEVEL) as out:
        while written < size:
            line = lines[items % len(lines)]
            out.write(line)
            written += len(line)
            items += 1
    names = [f"{file:02d}.json.gz" for file in range(files)]
    for name in names[1:]:
        shutil.copy(first, folder / name)
    counts = {"items": dict.fromkeys(names, items), "bytes": dict.fromkeys(names, written)}
    (folder / "counts.json").write_text(json.dumps(counts))


def _money(rng: random.Random, most: int) -> dict[str, str]:
    return {"N": f"{rng.randrange(1, most) / 100:.2f}".rstrip("0").rstrip(".")}


def _degrees(rng: random.Random, most: int) -> dict[str, str]:
    return {"N": str(rng.randrange(-most * 10**6, most * 10**6) / 10**6)}


def _line(rng: random.Random) -> Item:
    return {
        "M": {
            "sku": {"S": f"SKU-{rng.randrange(10**5)}"},
            "n": {"N": str(rng.randrange(1, 9))},
            "price": _money(rng, 10**5),
        }
    }
