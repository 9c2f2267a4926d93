"""Imports of packages, reloading, code that is compiled and executed, modules made by hand."""

import ast
import importlib
import types

import argparse
import configparser
import difflib
import logging
import urllib.parse

importlib.reload(difflib)
module = types.ModuleType("made")
exec(compile("def f(n):\n    return [str(i) for i in range(n)]\nx = f(50)\n", "<made>", "exec"), module.__dict__)
trees = [ast.parse(f"def f{i}(a, b):\n    return a + b * {i}\n") for i in range(20)]
evaluated = [eval(f"[{i}] * {i}") for i in range(50)]
functions = []
for i in range(30):
    space = {}
    exec(f"def made(n):\n    return [n + {i}] * 3\n", space)
    functions.append(space["made"])
results = [function(1000) for function in functions]
parser = argparse.ArgumentParser(description="example")
for i in range(10):
    parser.add_argument(f"--option{i}", type=int, default=i)
options = parser.parse_args(["--option3", "7"])
config = configparser.ConfigParser()
config.read_string("\n".join(f"[s{i}]\nkey = value{i}" for i in range(20)))
urls = [urllib.parse.urlsplit(f"http://h{i}/p?q={i}#f") for i in range(50)]
log = logging.getLogger("example")
