"""perl's own tests: the core's t/ and those of the modules in the source tree, with a perl built there, with threads."""

import subprocess

from suite import EXIT, Suite, tap

FOLDERS = "base cmd comp io re opbasic op uni mro lib run".split()


class Perl(Suite):
    name = "perl"
    about = "perl's own tests: the core's (t/) and the modules' (lib, dist, ext, cpan), by a threaded perl built as told."
    packages = ("build-essential", "dpkg-dev", "libdb-dev", "libgdbm-dev", "procps")
    source = "perl"

    def built(self, tree):
        for command in ["sh", "Configure", "-des", "-Dusethreads"], ["make", "-s", "test_prep"]:
            subprocess.run(command, cwd=tree, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def version(self):
        return self.tree().name.removeprefix("perl-")

    def units(self):
        tree = self.tree()
        core = [path for folder in FOLDERS for path in (tree / "t" / folder).glob("*.t")]
        modules = [path for folder in ("lib", "dist", "ext", "cpan") for path in (tree / folder).rglob("*.t")]
        manifest = {line.split()[0] for line in (tree / "MANIFEST").read_text().splitlines() if line.split()}
        names = [str(path.relative_to(tree)) for path in sorted(core) + sorted(modules)]
        return [name for name in names if name in manifest]

    def command(self, unit, directory):
        name = unit.removeprefix("t/") if unit.startswith("t/") else f"../{unit}"
        return ["./perl", "harness", "-v", name], self.tree() / "t", {}

    def outcomes(self, unit, directory, output, status):
        names = tap(output)
        names[EXIT] = str(status)
        return names
