"""The real programs that are measured, and the work that each is given: the same bytes on every machine."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass

from measure import BenchError
from places import first_line, version

CUSTOMERS = 40000
RECORDS = 40000

JQ_FILTER = (
    "map(select(.active) | {name: (.name | ascii_upcase), tag: .tags[0]}"
    " + {total: ([.orders[].price] | add)})"
    " | group_by(.tag) | map({tag: .[0].tag, n: length, total: (map(.total) | add)})"
)

HEADERS = (
    "algorithm chrono deque fstream functional future iomanip iostream list map memory numeric"
    " random regex set sstream string thread tuple unordered_map vector"
)

CXX_BODY = r"""
int main(int argc, char **argv)
{
    std::map<std::string, std::vector<int>> lines;
    std::unordered_map<int, std::set<std::string>> words;
    std::regex word("([a-z]+)-([0-9]+)");
    for (int i = 1; i < argc; i++) {
        std::smatch match;
        std::string text(argv[i]);
        if (std::regex_match(text, match, word)) {
            lines[match[1]].push_back(std::stoi(match[2]));
            words[i % 7].insert(match[1]);
        }
    }
    for (auto &entry : lines) {
        std::sort(entry.second.begin(), entry.second.end(), std::greater<int>());
        std::cout << entry.first << std::setw(8) << std::accumulate(entry.second.begin(), entry.second.end(), 0);
    }
    std::mt19937 source(42);
    std::list<std::function<int(int)>> calls;
    calls.push_back([&](int x) { return x + static_cast<int>(source()); });
    auto later = std::async(std::launch::async, [&] { return calls.front()(argc); });
    return later.get() == static_cast<int>(words.size());
}
"""


@dataclass(frozen=True)
class Program:
    name: str
    what: str  # version and work, for the reader; no path of this machine
    command: list
    stdin: str = os.devnull


@dataclass(frozen=True)
class Missing:
    name: str
    how: str  # to get it


def _write_sql(file):
    file.write(
        "CREATE TABLE customer(id INTEGER PRIMARY KEY, name TEXT, city TEXT);\n"
        "CREATE TABLE orders(id INTEGER PRIMARY KEY, customer INT, item TEXT, price REAL);\n"
        "BEGIN;\n"
    )
    for i in range(CUSTOMERS):
        name = i * 7919 % CUSTOMERS
        file.write(f"INSERT INTO customer VALUES({i}, 'customer {name}', 'city {i % 211}');\n")
    for i in range(3 * CUSTOMERS):
        row = f"{i}, {i * 31 % CUSTOMERS}, 'item {i * 17 % 997}', {i % 1000 / 7:.2f}"
        file.write(f"INSERT INTO orders VALUES({row});\n")
    file.write(
        "COMMIT;\n"
        "CREATE INDEX by_customer ON orders(customer);\n"
        "CREATE INDEX by_city ON customer(city, name);\n"
    )
    for price in range(3):
        file.write(
            "SELECT city, count(*), sum(price), group_concat(item) FROM customer"
            f" JOIN orders ON orders.customer = customer.id WHERE price > {price}"
            " GROUP BY city ORDER BY 3 DESC;\n"
        )
    file.write("SELECT item, avg(price) FROM orders GROUP BY item ORDER BY upper(item);\n")
    for i in range(0, CUSTOMERS, 2):
        total = f"(SELECT sum(price) FROM orders WHERE customer = {i})"
        file.write(f"SELECT name, {total} FROM customer WHERE id = {i};\n")


def _write_json(file):
    separator = "["
    for i in range(RECORDS):
        orders = [{"item": f"item {j * i % 997}", "price": j * i % 1000 / 8} for j in range(i % 6 + 1)]
        record = {
            "id": i,
            "name": f"name {i * 7919 % RECORDS}",
            "active": i % 3 != 0,
            "tags": [f"tag{i % 7}", f"tag{i % 11}"],
            "orders": orders,
        }
        file.write(f"{separator}\n{json.dumps(record)}")
        separator = ","
    file.write("\n]\n")


def _sqlite(directory):
    program = shutil.which("sqlite3")
    if not program:
        return Missing("sqlite3", "apt install sqlite3")
    script = os.path.join(directory, "orders.sql")
    with open(script, "w", encoding="ascii") as file:
        _write_sql(file)
    number = version(program, "--version").split(" ")[0]
    what = (
        f"sqlite3 {number}, in memory: {4 * CUSTOMERS} INSERT statements, two indexes, four joins and"
        f" groups, {CUSTOMERS // 2} small SELECT statements"
    )
    return Program("sqlite3", what, [program, ":memory:"], script)


def _compiler(directory):
    """The compiler proper: the driver's child is out of reach for heaptrack, which does not follow."""
    driver = shutil.which("g++")
    proper = version(driver, "-print-prog-name=cc1plus") if driver else ""
    if not os.path.isabs(proper):
        return Missing("cc1plus", "apt install g++")
    source = os.path.join(directory, "words.cc")
    with open(source, "w", encoding="ascii") as file:
        file.writelines(f"#include <{header}>\n" for header in HEADERS.split())
        file.write(CXX_BODY)
    preprocessed = os.path.join(directory, "words.ii")
    command = [driver, "-std=c++17", "-E", source, "-o", preprocessed]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        cause = first_line(done.stderr)
        raise BenchError(f"cannot preprocess: 'words.cc': {cause}; install the C++ library's headers")
    options = ["-quiet", "-std=c++17", "-O0", "-fpreprocessed"]
    what = (
        f"cc1plus of {version(driver, '--version')}, {' '.join(options)}: {len(HEADERS.split())} headers of"
        " the C++ library and a short program, preprocessed before"
    )
    return Program("cc1plus", what, [proper, *options, preprocessed, "-o", os.devnull])


def _jq(directory):
    program = shutil.which("jq")
    if not program:
        return Missing("jq", "apt install jq")
    records = os.path.join(directory, "records.json")
    with open(records, "w", encoding="ascii") as file:
        _write_json(file)
    size = os.path.getsize(records) / 1e6
    what = f"{version(program, '--version')}: {size:.1f} MB of JSON selected, mapped and grouped"
    return Program("jq", what, [program, "-c", JQ_FILTER, records])


def prepare(directory):
    """Writes what the programs need into a directory; returns ([Program], [Missing])."""
    found = [make(directory) for make in (_sqlite, _compiler, _jq)]
    programs = [entry for entry in found if isinstance(entry, Program)]
    return programs, [entry for entry in found if isinstance(entry, Missing)]
