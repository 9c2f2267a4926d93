"""The table of suites; each is a class of a file in programs/."""

from programs import bash, git, installed, jq, perl, python, redis, ruby, sqlite, systemd, tcl

SUITES = [
    python.Python,
    python.PythonLibrary,
    redis.Redis,
    git.Git,
    perl.Perl,
    ruby.Ruby,
    sqlite.Sqlite,
    tcl.Tcl,
    installed.Glib,
    installed.Gjs,
    systemd.Systemd,
    bash.Bash,
    jq.Jq,
]
