"""The table of suites: one line for each file of programs/."""

from programs import bash, git, glib, jq, perl, python, redis, sqlite, systemd, tcl

SUITES = [
    python.Python,
    python.PythonLibrary,
    redis.Redis,
    git.Git,
    perl.Perl,
    sqlite.Sqlite,
    tcl.Tcl,
    glib.Glib,
    systemd.Systemd,
    bash.Bash,
    jq.Jq,
]
