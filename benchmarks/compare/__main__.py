"""How much work a request is for the gateway, for other GraphQL gateways and servers, and for proxies that do nothing else.

    python benchmarks/compare [--warm-up 10] [--seconds 3] [--rounds 3] [--concurrency 1 16 64] [--only typed yoga ...]

One run prints two Markdown tables; README.md beside this file says what is compared and how. Linux only.
"""

import argparse
import sys
import tempfile
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path

import report
from comparison import Comparison
from contenders import PROXIES, Contender
from load import MOST_SECONDS, Figures
from servers import OTHERS
from tools import install_peers

_WARM_UP_CONCURRENCY = 16
_SETTLING_SECONDS = 0.2
"""Before each measurement, with its own concurrency."""


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--warm-up", type=duration, default=10.0, help="seconds for each before the first round, at most 60")
    parser.add_argument("--seconds", type=duration, default=3.0, help="of one measurement, at most 60")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--concurrency", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--only", nargs="+", metavar="KEY", help=f"some of: typed fields own trivial shared {' '.join(OTHERS)}")
    given = parser.parse_args()
    install_peers()
    with ExitStack() as stack:
        comparison = Comparison(Path(stack.enter_context(tempfile.TemporaryDirectory())), stack)
        contenders = started(comparison, given.only)
        # What compiles itself while it runs takes some thousands of requests for it.
        for contender in contenders:
            comparison.measure(contender, concurrency=_WARM_UP_CONCURRENCY, seconds=given.warm_up)
        measured = rounds(comparison, contenders, count=given.rounds, concurrencies=given.concurrency, seconds=given.seconds)
        print(report.printed(contenders, measured, given.concurrency))


def duration(text: str) -> float:
    """A time that a measurement may take. Raises ValueError for others, which makes argparse tell of it."""
    number = float(text)
    if not 0 < number <= MOST_SECONDS:
        raise ValueError
    return number


def started(comparison: Comparison, only: list[str] | None) -> list[Contender]:
    """The rows of the table, their servers running."""
    others = [comparison.start_other(key) for key in OTHERS if only is None or key in only]
    own = [each for each in comparison.start_ours() if only is None or each.key in only]
    proxies = [each for each in others if each.key in PROXIES]
    return [*proxies, *own, *(each for each in others if each not in proxies)]


def rounds(
    comparison: Comparison, contenders: list[Contender], *, count: int, concurrencies: list[int], seconds: float
) -> dict[tuple[str, int], list[Figures]]:
    """Each measurement so many times, all taking turns."""
    measured: dict[tuple[str, int], list[Figures]] = defaultdict(list)
    for number in range(count):
        for concurrency in concurrencies:
            for contender in contenders:
                comparison.measure(contender, concurrency=concurrency, seconds=_SETTLING_SECONDS)
                figures = comparison.measure(contender, concurrency=concurrency, seconds=seconds)
                measured[contender.key, concurrency].append(figures)
                print(f"round {number + 1}, {concurrency:>2} at once, {contender.key}: {figures.cpu_ms:.2f} ms", file=sys.stderr)
    return measured


if __name__ == "__main__":
    main()
