"""Where the shop wants to hear of failed refreshes: a line of JSON per message."""

import json
import os
from dataclasses import asdict
from pathlib import Path

from ddb_assets import FailedRefresh


def post(failure: FailedRefresh) -> None:
    """One message."""
    with Path(os.environ["SHOP_ALERTS"]).open("a") as file:
        file.write(json.dumps({**asdict(failure), "text": failure.text}) + "\n")
