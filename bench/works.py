"""The inputs of the real programs: the same bytes on every machine for the same scale."""

import json

JQ_FILTER = (
    "map(select(.active) | {name: (.name | ascii_upcase), tag: .tags[0]}"
    " + {total: ([.orders[].price] | add)})"
    " | group_by(.tag) | map({tag: .[0].tag, n: length, total: (map(.total) | add)})"
)

HEADERS = (
    "algorithm chrono deque fstream functional future iomanip iostream list map memory numeric"
    " random regex set sstream string thread tuple unordered_map vector"
).split()

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

PERL = r"""
my ($n, %seen, @lines) = (shift);
for my $i (0 .. $n - 1) {
    my $line = join " ", map { "word" . ($i * $_ * 31 % 4099) } 1 .. 8;
    $seen{$_}++ for split / /, $line;
    push @lines, { number => $i, words => [split / /, $line], text => $line };
}
for my $line (@lines) { $line->{text} =~ s/word(\d+)/"<" . ($1 * 7 % 101) . ">"/ge; }
my @order = sort { $a->{text} cmp $b->{text} || $a->{number} <=> $b->{number} } @lines;
print scalar(keys %seen), " ", $order[0]{text}, "\n";
"""

PYTHON = r"""
import collections, json, re, sys
rows = int(sys.argv[1])
records = [{"id": i, "text": " ".join(f"word{i * j * 31 % 4099}" for j in range(60))} for i in range(rows)]
text = json.dumps(records)
count = collections.Counter()
for record in json.loads(text):
    count.update(re.findall(r"word(\d+)", record["text"]))
    record["pad"] = record["text"].encode() * 2
grid = [bytearray(600 + i % 3000) for i in range(rows * 4)]
print(len(text), count.most_common(3), sum(map(len, grid)))
"""


def sql(file, customers):
    file.write(
        "CREATE TABLE customer(id INTEGER PRIMARY KEY, name TEXT, city TEXT);\n"
        "CREATE TABLE orders(id INTEGER PRIMARY KEY, customer INT, item TEXT, price REAL);\n"
        "BEGIN;\n"
    )
    for i in range(customers):
        name = i * 7919 % customers
        file.write(f"INSERT INTO customer VALUES({i}, 'customer {name}', 'city {i % 211}');\n")
    for i in range(3 * customers):
        row = f"{i}, {i * 31 % customers}, 'item {i * 17 % 997}', {i % 1000 / 7:.2f}"
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
    for i in range(0, customers, 2):
        total = f"(SELECT sum(price) FROM orders WHERE customer = {i})"
        file.write(f"SELECT name, {total} FROM customer WHERE id = {i};\n")


def records(file, count):
    separator = "["
    for i in range(count):
        orders = [{"item": f"item {j * i % 997}", "price": j * i % 1000 / 8} for j in range(i % 6 + 1)]
        record = {
            "id": i,
            "name": f"name {i * 7919 % count}",
            "active": i % 3 != 0,
            "tags": [f"tag{i % 7}", f"tag{i % 11}"],
            "orders": orders,
        }
        file.write(f"{separator}\n{json.dumps(record)}")
        separator = ","
    file.write("\n]\n")


def cxx(file, headers):
    """So many headers, and the program if that is all of them."""
    file.writelines(f"#include <{header}>\n" for header in HEADERS[:headers])
    file.write(CXX_BODY if headers >= len(HEADERS) else "int main()\n{\n}\n")


def history(file, commits, files=40, lines=250):
    """A repository's history in the format of git fast-import: every commit changes lines of four files."""
    texts = [[f"line {n} of file {f}: {n * f * 7919 % 10007}\n" for n in range(lines)] for f in range(files)]
    for number in range(commits):
        changed = sorted({(number * 7 + k * 11) % files for k in range(4)}) if number else range(files)
        message = f"Change {number}\n"
        file.write(
            f"commit refs/heads/main\ncommitter A U Thor <author@example.com> {1600000000 + number} +0000\n"
            f"data {len(message)}\n{message}"
        )
        for f in changed:
            for k in range(6):
                texts[f][(number * 13 + k * 37) % lines] = f"commit {number} wrote {number * k * 31 % 997}\n"
            text = "".join(texts[f])
            file.write(f"M 100644 inline dir{f % 5}/file{f}.txt\ndata {len(text)}\n{text}\n")


def prose(file, lines):
    """Text that compresses about as well as a log file does."""
    state = 1
    for i in range(lines):
        state = state * 1103515245 + 12345 & 0x7FFFFFFF
        file.write(f"{i:08d} worker-{state % 17} served request {state % 9973} in {state >> 12 & 1023} us\n")
