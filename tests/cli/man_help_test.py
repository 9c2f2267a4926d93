#!/usr/bin/env python3
"""Option tables, --help and manual pages say the same: each option stands in each of them, and no other."""
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from cmd_tap import check, finish, need_tool, skip, tool  # noqa: E402

ROOT = os.path.join(HERE, "..", "..")
NO_PAGE = {"help"}  # described in tracesnap(1)

def run(*arguments):
    done = tool(*arguments)
    done.check_returncode()
    return done.stdout


def plain(source):
    source = re.sub(r"\\f[BIRP]", "", source).replace("\\-", "-")
    return source


def page_options(source):
    """{long: short} of the items of the section OPTIONS."""
    section = re.search(r"^\.SH OPTIONS\n(.*?)(?=^\.SH )", source, re.S | re.M)
    found = {}
    for tag in re.findall(r"^\.TP\n\.B[IR]? (.*)", section.group(1) if section else "", re.M):
        words = tag.replace('"', " ").replace("[", " ").replace(",", " ").split()
        long = [word for word in words if word.startswith("--")]
        short = [word for word in words if re.fullmatch(r"-\w", word)]
        if long:
            found[long[0]] = short[0] if short else ""
    return found


def help_options(text):
    found = {}
    for short, long in re.findall(r"^  (-\w)?[, ]+(--[\w-]+)", text, re.M):
        found[long] = short
    return found


def compare(what, expected, found):
    problems = ["%s lacks %s" % (what, name) for name in sorted(expected.keys() - found.keys())]
    problems += ["%s has %s, which is no option" % (what, name)
                 for name in sorted(found.keys() - expected.keys())]
    problems += ["%s says %s for %s, the table %s" % (what, found[name] or "nothing", name,
                                                      expected[name] or "nothing")
                 for name in sorted(expected.keys() & found.keys()) if expected[name] != found[name]]
    return problems


def read_dump():
    commands, options = {}, {}
    for line in run("--dump-options").splitlines():
        fields = line.split("\t")
        if fields[0] == "command":
            commands[fields[1]] = fields[2:]
            options[fields[1]] = []
        else:
            options[fields[1]].append(fields[2:])
    return commands, options


def check_command(name, options):
    table = {long: short for long, short, *_ in options}
    text = run(name, "--help")
    check("%s --help has the options of the table" % name,
          compare("--help", table, help_options(text)))
    check("help %s prints the same" % name, [] if run("help", name) == text else ["they differ"])
    path = os.path.join(ROOT, "man", "tracesnap-%s.1" % name)
    if name in NO_PAGE:
        return
    if not os.path.exists(path):
        check("tracesnap-%s(1) exists" % name, ["write man/tracesnap-%s.1" % name])
        return
    with open(path) as page:
        source = plain(page.read())
    problems = compare("the page", table, page_options(source))
    for long, _, argument, initial, choices in options:
        wanted = [argument] + choices.split(",") if choices else [argument]
        for word in filter(None, wanted + [initial]):
            for part in re.findall(r"\w+", word):
                if not re.search(r"\b%s\b" % re.escape(part), source):
                    problems.append("the page lacks '%s' of %s" % (part, long))
    check("tracesnap-%s(1) has the options of the table" % name, problems)


def check_shim_options():
    source = os.path.join(ROOT, "shim", "options.c")
    with open(os.path.join(ROOT, "man", "tracesnap.7")) as page:
        section = plain(page.read()).split(".B TRACESNAP_OPTIONS\n")[1].split(".RE")[0]
    described = set(re.findall(r"^\.TP\n\.BI? (\w+)=", section, re.M))
    with open(source) as code:
        listed = set(re.findall(r"^    X\((\w+), \d", code.read(), re.M)) | {"session", "python"}
    check("tracesnap(7) has the keys of TRACESNAP_OPTIONS",
          ["only in one of both: " + key for key in sorted(listed ^ described)])


def check_lint():
    if not shutil.which("mandoc"):
        skip("mandoc finds nothing", "no mandoc")
        return
    directory = os.path.join(ROOT, "man")
    pages = [os.path.join(directory, name) for name in sorted(os.listdir(directory))
             if name[-2:] in (".1", ".5", ".7")]
    done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", *pages], capture_output=True,
                          text=True)
    check("mandoc finds nothing", done.stdout + done.stderr)


def main():
    need_tool()
    commands, options = read_dump()
    for name in commands:
        check_command(name, options[name])
    with open(os.path.join(ROOT, "man", "tracesnap.1")) as page:
        overview = plain(page.read())
    listed = re.findall(r"^\.TP\n\.BR? (\S+)", overview.split(".SH COMMANDS")[1].split(".SH OPTIONS")[0],
                        re.M)
    check("tracesnap(1) lists the commands",
          [] if listed == list(commands) else ["page: %s, table: %s" % (listed, list(commands))])
    usage = run("--help")
    check("tracesnap --help lists the commands",
          ["it lacks " + name for name in commands
           if not re.search(r"^  %s +%s$" % (name, re.escape(commands[name][1])), usage, re.M)])
    pages = {entry[len("tracesnap-"):-2] for entry in os.listdir(os.path.join(ROOT, "man"))
             if entry.startswith("tracesnap-") and entry.endswith(".1")}
    check("every page is of a command", ["no command " + name for name in pages - commands.keys()])
    check_shim_options()
    check_lint()
    finish()


if __name__ == "__main__":
    main()
