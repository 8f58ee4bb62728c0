"""Tables as real users have them: names, kinds of values and habits; the values are made up.

The first three are laid out as the Ministry of Justice's "Use a lasting power of attorney" service
has them (ministryofjustice/opg-use-an-lpa: its data access classes and its Athena DDL): names in
PascalCase, dates as ISO texts in three spellings, a number or a text in `ActorId`, a time to live.
"""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

Item = dict[str, dict[str, Any]]
_START = datetime(2026, 1, 1, tzinfo=UTC)
_ORGANISATIONS = ("Bank of Examples", 'Müller & "Sons"', "Pension, Office\n2nd floor", "Ωmega")


def _when(dice: random.Random) -> datetime:
    return _START + timedelta(
        seconds=dice.randrange(120 * 86_400), microseconds=dice.randrange(10**6)
    )


def lasting_powers() -> dict[str, tuple[dict[str, str], list[Item]]]:
    """Table -> keys and items: viewer_codes, viewer_activity, user_lpa_actor_map."""
    dice = random.Random("lpa")
    actors: list[Item] = []
    for at in range(30):
        added = _when(dice)
        item: Item = {
            "Id": {"S": f"{at:08x}-5b43-49ce-ac66-c670860bf4ee"},
            "UserId": {"S": f"user-{at % 11}"},
            "SiriusUid": {"S": f"7000000{at:05d}"},
            "Added": {"S": added.isoformat(timespec="seconds")},
            "ActorId": {"N": str(700_000_000_000 + at)} if at % 3 else {"S": f"actor-{at}"},
        }
        if at % 4 == 0:
            until = added + timedelta(days=365)
            item["ActivateBy"] = {"N": str(int(until.timestamp()))}
            item["DueBy"] = {"S": until.isoformat(timespec="seconds")}
        if at % 5 == 0:
            item["ActivationCode"] = {"S": f"CODE{at}"}
            item["HasPaperVerificationCode"] = {"BOOL": True}
        if at == 7:
            item["Comment"] = {"NULL": True}
        actors.append(item)
    codes: list[Item] = []
    for at in range(60):
        added = _when(dice)
        item = {
            "ViewerCode": {"S": f"P9H8A6MLD{at:03d}"},
            "SiriusUid": {"S": f"7000000{at % 30:05d}"},
            # PHP writes microseconds; other writers of the table wrote nanoseconds and offsets.
            "Added": {"S": added.strftime("%Y-%m-%dT%H:%M:%S.%f") + ("789Z" if at % 2 else "Z")},
            "Expires": {"S": (added + timedelta(days=30)).strftime("%Y-%m-%dT%H:%M:%S+01:00")},
            "Organisation": {"S": _ORGANISATIONS[at % 4]},
            "UserLpaActor": dice.choice(actors)["Id"],
        }
        if at % 6 == 0:
            item["Cancelled"] = {"S": (added + timedelta(days=3)).isoformat()}
        if at % 10 == 0:
            item["CreatedBy"] = {"N": str(at)}
        codes.append(item)
    activity: list[Item] = []
    for at in range(90):
        code = dice.choice(codes)
        viewed = _when(dice) + timedelta(days=20, milliseconds=at)
        activity.append(
            {
                "ViewerCode": code["ViewerCode"],
                "Viewed": {"S": viewed.strftime("%Y-%m-%dT%H:%M:%S.%fZ")},
                "ViewedBy": code["Organisation"],
            }
        )
    return {
        "viewer_codes": ({"ViewerCode": "S"}, codes),
        "viewer_activity": ({"ViewerCode": "S", "Viewed": "S"}, activity),
        "user_lpa_actor_map": ({"Id": "S"}, actors),
    }


def shop() -> tuple[dict[str, str], list[Item]]:
    """One table with customers, orders and payments; `data` is something else in each."""
    dice = random.Random("shop")
    items: list[Item] = []
    for customer in range(8):
        pk = {"S": f"CUSTOMER#{customer}"}
        items.append(
            {
                "PK": pk,
                "SK": {"S": "PROFILE"},
                "GSI1PK": {"S": f"EMAIL#customer{customer}@example.com"},
                "GSI1SK": {"S": "PROFILE"},
                "Name": {"S": f"Customer {customer}"},
                "Address": {"M": {"street": {"S": "Main St"}, "zip": {"S": f"0{customer}"}}},
                "data": {"S": f"likes {customer}"},
            }
        )
        for at in range(dice.randrange(1, 6)):
            lines = [
                {"M": {"sku": {"S": f"SKU{dice.randrange(5)}"}, "quantity": {"N": str(n + 1)},
                       "price": {"N": f"{dice.randrange(1, 99)}.{dice.randrange(100):02d}"}}}
                for n in range(dice.randrange(4))
            ]  # fmt: skip
            order = f"2026-01-{at + 1:02d}#{at}"
            items.append(
                {
                    "PK": pk,
                    "SK": {"S": f"ORDER#{order}"},
                    "GSI1PK": {"S": f"STATUS#{'open' if at % 2 else 'shipped'}"},
                    "GSI1SK": {"S": order},
                    "total": {"N": f"{dice.randrange(10**6)}.{dice.randrange(100):02d}"},
                    "lines": {"L": lines},
                    "data": {"M": {"gift": {"BOOL": at % 3 == 0}, "note": {"S": "“thanks”"}}},
                }
            )
            items.append(
                {
                    "PK": pk,
                    "SK": {"S": f"PAYMENT#{order}"},
                    "data": {"N": f"{dice.randrange(1, 10**4)}.5"},
                    "ttl": {"N": "1798761600"},
                }
            )
    return {"PK": "S", "SK": "S"}, items


def attendance() -> tuple[dict[str, str], list[Item]]:
    """Rooms with maps by person and by day: keys nobody can declare."""
    dice = random.Random("attendance")
    items: list[Item] = []
    for room in range(60):
        people = {
            f"{dice.randrange(200):03d}-é": {
                "M": {"in": {"S": "09:00"}, "minutes": {"N": str(dice.randrange(480))}}
            }
            for _ in range(dice.randrange(1, 5))
        }
        prices = {
            f"2026-{dice.randrange(1, 4):02d}-{dice.randrange(1, 29):02d}": {
                "N": f"{dice.randrange(10, 40)}.{dice.randrange(10)}"
            }
            for _ in range(4)
        }
        if room % 5 == 0:
            prices["2026-01-07"] = {"N": f"{room}.25"}
        items.append({"Room": {"S": f"R{room}"}, "people": {"M": people}, "prices": {"M": prices}})
    items.append({"Room": {"S": "R-empty"}, "people": {"M": {}}, "prices": {"M": {}}})
    return {"Room": "S"}, items
