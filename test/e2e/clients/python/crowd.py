"""What the scripts share: more clients than there are connections, and settings that tell them apart."""

import sys

# One time zone for each client of a crowd: no two alike.
ZONES = [
    "Asia/Tokyo",
    "America/New_York",
    "Europe/Berlin",
    "Pacific/Auckland",
    "Africa/Cairo",
    "Asia/Kolkata",
    "America/Sao_Paulo",
    "Australia/Perth",
]
SIZE = len(ZONES)
ROUNDS = 4


def main(scenarios):
    """Runs the scenarios that the last argument names."""
    for name in sys.argv[-1].split(","):
        scenarios[name]()
