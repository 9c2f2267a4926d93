"""logging: lines below the level, lines that are formatted, records with extras and with a traceback"""

import io
import logging
import sys

ROUNDS = 47
LINES = 400


class Every(logging.Filter):
    """Lets one record of several through."""

    def __init__(self, step):
        super().__init__()
        self.step = step
        self.seen = 0

    def filter(self, record):
        self.seen += 1
        return self.seen % self.step == 0


def handler(stream, text, style="%"):
    made = logging.StreamHandler(stream)
    made.setFormatter(logging.Formatter(text, style=style))
    return made


def failing(number):
    try:
        return 1 // (number % 2)
    except ZeroDivisionError:
        logging.getLogger("bench.errors").exception("no %d", number)
        return 0


def main(rounds):
    stream, other = io.StringIO(), io.StringIO()
    root = logging.getLogger("bench")
    root.setLevel(logging.INFO)
    root.propagate = False
    root.addHandler(handler(stream, "%(levelname)s %(name)s: %(message)s"))
    sparse = handler(other, "{name:>20} {levelno} {request} {message}", "{")
    sparse.addFilter(Every(3))
    requests = logging.getLogger("bench.requests")
    requests.addHandler(sparse)
    adapter = logging.LoggerAdapter(requests, {"request": "r-7"})
    total = 0
    for number in range(rounds):
        for i in range(LINES):
            root.debug("not seen: %s %s", number, i)
            root.info("line %d of round %d: %r", i, number, {"i": i})
            adapter.warning("slow answer: %.3f s", i / 7)
        for i in range(LINES // 20):
            total += failing(i)
        total += stream.getvalue().count("line") + len(other.getvalue())
        for file in (stream, other):
            file.seek(0)
            file.truncate()
    return total


if __name__ == "__main__":
    print(main(int(sys.argv[1]) if sys.argv[1:] else ROUNDS))
