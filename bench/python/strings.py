"""text: built piece by piece, formatted in four ways, split, joined, translated, encoded and wrapped"""

import io
import string
import sys
import textwrap

ROUNDS = 150
ROWS = 300

TABLE = str.maketrans({"a": "4", "e": "3", "o": "0", "z": None})
LETTER = string.Template("Dear $name,\nyour order $order of $amount is on its way.\n")


def formatted():
    parts = []
    for i in range(ROWS):
        parts.append(f"{i:>6} {i / 7:8.3f} {i:#x} {i % 2 == 0!r}")
        parts.append("%-10s|%05d|%e" % ("name%d" % i, i, i * 1.5))
        parts.append("{0:*^12} {name!s:<8} {1:,}".format(i, i * 1000, name=i % 13))
        parts.append(LETTER.substitute(name=f"N{i}", order=i * 31, amount=i / 4))
    return "\n".join(parts)


def piecewise(text):
    built = ""
    for line in text.splitlines():
        built += line.strip().upper()[:20]
        built += ";"
    file = io.StringIO()
    for word in built.split(";"):
        file.write(word.replace("0", "o").center(24, "."))
        file.write("\n")
    return file.getvalue()


def template(rows):
    cells = ("".join(f"<td>{row * column}</td>" for column in range(20)) for row in range(rows))
    return "<table>\n" + "\n".join(f"<tr>{row}</tr>" for row in cells) + "\n</table>\n"


def encoded(text):
    raw = (text + "Übergröße €").encode("utf-8")
    return len(raw.decode("utf-8").encode("utf-16")) + len(raw.hex()) + raw.count(b"\n")


def caesar(text, step):
    return "".join(chr((ord(c) - 97 + step) % 26 + 97) if "a" <= c <= "z" else c for c in text)


def main(rounds):
    total = 0
    for number in range(rounds):
        text = formatted()
        total += len(piecewise(text)) + len(template(60)) + encoded(text)
        total += len(text.translate(TABLE)) + len(textwrap.fill(text[:4000], 60))
        total += len(set(caesar(text[:6000].lower(), number % 26).split()))
    return total


if __name__ == "__main__":
    print(main(int(sys.argv[1]) if sys.argv[1:] else ROUNDS))
