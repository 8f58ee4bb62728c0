"""Makes the simulation importable: it is too large for fixtures."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
