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


def main(scenarios, run=lambda scenario: scenario()):
    """Runs the scenarios whose names come by standard input, and prints the name of each that has run."""
    for line in sys.stdin:
        name = line.strip()
        run(scenarios[name])
        print(name, flush=True)
