"""perl's own tests, from its source package, by the installed perl: the core's (t/) and those of the modules.

The installed library is laid over the source tree's lib/, where the tests look for what a build would have put there.
"""

import os
import pathlib
import re
import shutil

import debian
from suite import EXIT, Suite, tap

INSTALLED = ("/usr/share/perl/5.36", "/usr/lib/x86_64-linux-gnu/perl/5.36", "/usr/lib/x86_64-linux-gnu/perl-base")
FOLDERS = "base cmd comp io re opbasic op uni mro lib run".split()
# Threads, processes, signals, sockets and what allocates much; then every fifth of the others.
FIRST = r"thread|fork|sig|alarm|kill|wait|exec|pipe|IPC|Socket|/IO/|POSIX|Storable|Time-HiRes|t/op/|t/re/|t/io/"
# Descriptions hold temporary names, process ids and what depends on the random order of hashes: the number is the name.
DESCRIPTION = r"^((?:not )?ok \d+)\b[^#\n]*(.*)$"
LAST = r"uniprops|Unicode-Collate|bigmem"  # nearly all of the time


class Perl(Suite):
    name = "perl"
    about = "perl's own tests (from the source package) by the installed perl (threaded): the core's and the modules'."
    packages = ("perl", "dpkg-dev", "procps")
    source = "perl"
    timeout = 300

    def built(self, tree):
        for library in INSTALLED:
            for directory, _, files in os.walk(library, followlinks=True):
                target = tree / "lib" / pathlib.Path(directory).relative_to(library)
                target.mkdir(parents=True, exist_ok=True)
                for name in files:
                    if not (target / name).exists():
                        shutil.copyfile(os.path.join(directory, name), target / name)
        for link in tree / "perl", tree / "t" / "perl":
            link.symlink_to("/usr/bin/perl")

    def version(self):
        return debian.version("perl")

    def units(self):
        tree = self.tree()
        core = [path for folder in FOLDERS for path in (tree / "t" / folder).glob("*.t")]
        modules = [path for folder in ("lib", "dist", "ext", "cpan") for path in (tree / folder).rglob("*.t")]
        manifest = {line.split()[0] for line in (tree / "MANIFEST").read_text().splitlines() if line.split()}
        names = [str(path.relative_to(tree)) for path in sorted(core) + sorted(modules)]
        names = [name for name in names if name in manifest]
        last = [name for name in names if re.search(LAST, name)]
        first = [name for name in names if re.search(FIRST, name) and name not in last]
        others = [name for name in names if not re.search(f"{FIRST}|{LAST}", name)]
        return first + [name for start in range(5) for name in others[start::5]] + last

    def command(self, unit, directory):
        name = unit.removeprefix("t/") if unit.startswith("t/") else f"../{unit}"
        return ["./perl", "harness", "-v", name], self.tree() / "t", {}

    def outcomes(self, unit, directory, output, status):
        names = tap(re.sub(DESCRIPTION, r"\1\2", output, flags=re.M))
        names[EXIT] = str(status)
        return names
