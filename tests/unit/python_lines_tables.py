"""Run by each interpreter: python_lines_tables.py MODULES RANDOM SEED prints line tables and what this interpreter
says of them, for python_lines_driver.c. Those of all functions of MODULES modules of its standard library, and
RANDOM tables that no compiler made.

    KIND FIRST-LINE TABLE LINES    the table in hexadecimal, "-" if empty; lines as LINE*INSTRUCTIONS,...
"""

import ctypes
import os
import random
import sys
import sysconfig
import types

VERSION = sys.version_info[:2]
KIND = 1 if VERSION < (3, 10) else 2 if VERSION < (3, 11) else 3
ADDRESS_TO_LINE = ctypes.pythonapi.PyCode_Addr2Line  # from where tracebacks and tracemalloc have their lines
ADDRESS_TO_LINE.argtypes = [ctypes.py_object, ctypes.c_int]
ASKED = 24  # instructions of each function that are asked for one by one: that is slow


def shown(line):
    """As tracemalloc has it: no line is 0, and so is one below it."""
    return max(line or 0, 0)


def lines_of(code, count):
    """The line of each instruction, by the interpreter's own reader of tables."""
    if VERSION < (3, 10):  # it has none that yields all of them
        return [shown(ADDRESS_TO_LINE(code, 2 * i)) for i in range(count)]
    lines = [0] * count
    for start, end, line in code.co_lines():
        for i in range(start // 2, min(end // 2, count)):
            lines[i] = shown(line)
    for i in range(0, count, max(1, count // ASKED)):
        if 2 * i < len(code.co_code):
            assert lines[i] == shown(ADDRESS_TO_LINE(code, 2 * i)), (code, i)
    return lines


def runs(lines):
    """Equal lines that follow one another, together."""
    text, i = [], 0
    while i < len(lines):
        j = i
        while j < len(lines) and lines[j] == lines[i]:
            j += 1
        text.append("%d*%d" % (lines[i], j - i))
        i = j
    return ",".join(text)


def print_code(code):
    table = code.co_lnotab if KIND == 1 else code.co_linetable
    lines = lines_of(code, len(code.co_code) // 2)
    print(KIND, code.co_firstlineno, table.hex() or "-", runs(lines) or "-")


def print_all(code):
    print_code(code)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            print_all(constant)


def modules(count):
    """Files of the standard library, the same on each run, small and large."""
    library = sysconfig.get_paths()["stdlib"]
    found = []
    for directory, names, files in os.walk(library):
        names[:] = sorted(n for n in names if n not in ("test", "tests", "site-packages", "dist-packages"))
        found += [os.path.join(directory, name) for name in sorted(files) if name.endswith(".py")]
    random.Random(1).shuffle(found)
    return sorted(found[:count])


def varint(number):
    text = []
    while number >= 64:
        text.append(64 | number & 63)
        number >>= 6
    return bytes(text + [number])


def signed(number):
    return varint(-number << 1 | 1 if number < 0 else number << 1)


def random_table(chance):
    """Steps as the format allows them, which a compiler would not make."""
    table = b""
    for _ in range(chance.randrange(60)):
        if KIND < 3:
            table += bytes([chance.choice([0, 2, 2, 4, 254, 2 * chance.randrange(128)]),
                            chance.choice([0, 1, 128, 127, 129, chance.randrange(256)])])
            continue
        kind, delta = chance.randrange(16), chance.choice([0, 1, -1, chance.randint(-2000, 100000)])
        table += bytes([0x80 | kind << 3 | chance.randrange(8)])
        if kind < 10:
            table += bytes([chance.randrange(128)])
        elif kind < 13:
            table += bytes([chance.randrange(128), chance.randrange(128)])
        elif kind < 15:
            table += signed(delta)
        if kind == 14:
            table += varint(chance.randrange(200)) + varint(chance.randrange(9000)) + varint(chance.randrange(200))
    return table + b"\2\1" if KIND == 2 else table  # 3.10 reads on behind a last range without length


def print_random(chance):
    code = compile("x = 1", "<random>", "exec")
    name = "co_lnotab" if KIND == 1 else "co_linetable"
    code = code.replace(**{name: random_table(chance), "co_firstlineno": chance.choice([1, 7, 100000])})
    print(KIND, code.co_firstlineno, getattr(code, name).hex() or "-", runs(lines_of(code, 500)))


def main():
    chosen, tables, seed = map(int, sys.argv[1:])
    for path in modules(chosen):
        with open(path, "rb") as source:
            try:
                code = compile(source.read(), path, "exec", dont_inherit=True)
            except (SyntaxError, ValueError):
                continue  # some are bad on purpose
        print("#", path)
        print_all(code)
    print("# a table that no compiler made")
    chance = random.Random(seed)
    for _ in range(tables):
        print_random(chance)


main()
