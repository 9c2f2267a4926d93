"""re: matching, searching, splitting and replacing in a log, in prose and in source text; some patterns are
compiled anew"""

import re
import sys

ROUNDS = 105
LINES = 400

LOG = re.compile(
    r"(?P<host>\d+\.\d+\.\d+\.\d+) - (?P<user>\S+) \[(?P<day>\d+)/(?P<month>\w+)/(?P<year>\d{4})[^\]]*\]"
    r' "(?P<method>[A-Z]+) (?P<path>[^ "]+)[^"]*" (?P<status>\d{3}) (?P<size>\d+|-)'
)
TOKEN = re.compile(r"\s*(?:(\d+\.?\d*)|([A-Za-z_]\w*)|(\"(?:[^\"\\]|\\.)*\")|(.))")
ADDRESS = re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b")


def log():
    for i in range(LINES):
        yield (
            f'10.0.{i % 7}.{i % 251} - user{i % 31} [{i % 28 + 1}/Nov/2021:10:00:{i % 60:02} +0000]'
            f' "{("GET", "POST", "PUT")[i % 3]} /path/{i * 31 % 97}?q={i} HTTP/1.1" {200 + i % 5 * 100} {i * 17}'
        )


def prose():
    words = "the quick brown fox, who wrote to fox@example.com; jumps over a lazy dog. ".split(" ")
    return " ".join(words[i * 7 % len(words)] + (f" <b>{i}</b>" if i % 9 == 0 else "") for i in range(3000))


SOURCE = "\n".join(f'value_{i} = call(other{i % 9}, "text \\"{i}\\"", {i}.5) + {i} * (x - 1)' for i in range(120))


def requests(lines):
    found = {}
    for line in lines:
        match = LOG.match(line)
        if match and int(match["status"]) < 500:
            key = (match["method"], match["path"].partition("?")[0])
            found[key] = found.get(key, 0) + int(match["size"])
    return len(found) + sum(found.values())


def tokens(text):
    kinds = [0] * 4
    for match in TOKEN.finditer(text):
        kinds[match.lastindex - 1] += len(match.group(match.lastindex))
    return kinds


def rewritten(text):
    text = re.sub(r"<b>(\d+)</b>", lambda match: f"*{int(match[1]) * 2}*", text)
    text = re.sub(r"\b(\w+) (\w+)\b", r"\2 \1", text)
    return len(text) + len(ADDRESS.findall(text)) + len(re.split(r"[.;,]\s*|\s+", text))


def compiled(number):
    re.purge()
    names = "|".join(f"name{i}" for i in range(number % 5, 12))
    pattern = re.compile(rf"^(?:{names})(?:\[(\d+)\])?\s*[:=]\s*(.*?)\s*$", re.MULTILINE)
    text = "\n".join(f"name{i % 14}[{i}] : value {i}" for i in range(60))
    return sum(len(match[2]) for match in pattern.finditer(text))


def main(rounds):
    total = 0
    lines, text = list(log()), prose()
    for number in range(rounds):
        total += requests(lines) + sum(tokens(SOURCE)) + rewritten(text) + compiled(number)
    return total


if __name__ == "__main__":
    print(main(int(sys.argv[1]) if sys.argv[1:] else ROUNDS))
