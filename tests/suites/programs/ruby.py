"""ruby's own tests, from its source package, by the installed ruby: fibers, continuations, threads, processes, signals,
garbage collection; its small programs (bootstraptest), each in a process of its own, and its test units.
"""

import re

import debian
from suite import EXIT, FAILED, OK, SKIPPED, Names, Suite

UNITS = """
test/ruby/test_fiber.rb test/ruby/test_continuation.rb test/ruby/test_thread.rb test/ruby/test_process.rb
test/ruby/test_signal.rb test/ruby/test_gc.rb bootstraptest/test_fiber.rb bootstraptest/test_fork.rb
bootstraptest/test_thread.rb bootstraptest/test_exception.rb bootstraptest/test_finalizer.rb bootstraptest/test_gc.rb
bootstraptest/test_io.rb bootstraptest/test_jump.rb test/fiber/test_io.rb test/fiber/test_mutex.rb
test/fiber/test_process.rb test/fiber/test_scheduler.rb test/fiber/test_sleep.rb test/fiber/test_thread.rb
test/fiber/test_timeout.rb test/ruby/test_thread_queue.rb test/ruby/test_thread_cv.rb test/ruby/test_stack.rb
test/ruby/test_enumerator.rb test/ruby/test_lazy_enumerator.rb test/ruby/test_io.rb test/ruby/test_io_nonblock.rb
test/ruby/test_exception.rb test/ruby/test_beginendblock.rb test/ruby/test_system.rb test/ruby/test_sleep.rb
test/ruby/test_objectspace.rb test/ruby/test_gc_compact.rb test/ruby/test_weakmap.rb test/ruby/test_proc.rb
test/ruby/test_array.rb test/ruby/test_hash.rb test/ruby/test_string.rb test/ruby/test_symbol.rb test/ruby/test_m17n.rb
test/ruby/test_regexp.rb test/ruby/test_marshal.rb test/ruby/test_bignum.rb test/ruby/test_module.rb
test/ruby/test_method.rb test/ruby/test_parse.rb test/ruby/test_pattern_matching.rb test/ruby/test_refinement.rb
test/ruby/test_require.rb test/ruby/test_rubyoptions.rb test/ruby/test_settracefunc.rb test/ruby/test_sprintf.rb
test/ruby/test_time.rb test/ruby/test_transcode.rb test/test_timeout.rb test/test_open3.rb test/test_pty.rb
test/test_tempfile.rb test/test_weakref.rb test/monitor/test_monitor.rb test/socket/test_socket.rb
test/socket/test_unix.rb test/socket/test_tcp.rb test/stringio/test_stringio.rb test/zlib/test_zlib.rb
test/ripper/test_parser_events.rb test/json/json_parser_test.rb test/psych/test_psych.rb test/openssl/test_ssl.rb
test/fiddle/test_closure.rb test/fiddle/test_func.rb test/drb/test_drb.rb test/objspace/test_objspace.rb
bootstraptest/test_ractor.rb
""".split()


class Ruby(Suite):
    name = "ruby"
    about = "ruby's own tests (from the source package) by the installed ruby."
    packages = ("ruby", "dpkg-dev", "ruby-test-unit")
    source = "ruby3.1"

    def version(self):
        return debian.version("ruby3.1")

    def units(self):
        return [name for name in UNITS if (self.tree() / name).exists()]

    def command(self, unit, directory):
        if unit.startswith("bootstraptest"):
            return ["ruby", "bootstraptest/runner.rb", "-v", "--ruby=/usr/bin/ruby", unit], self.tree(), {}
        return ["ruby", "test/runner.rb", "-v", "--seed=1", "--test-order=sorted", unit], self.tree(), {}

    def outcomes(self, unit, directory, output, status):
        names = Names({EXIT: str(status)})
        for name, outcome in re.findall(r"^(#\d+ \S+?:\d+):in .*? ([.F]) \d", output, re.M):
            names.add(name, OK if outcome == "." else FAILED)
        for name in re.findall(r"^\[ *\d+/\d+\] (\S+) = ", output, re.M):
            names[name] = OK
        for kind, name in re.findall(r"^ +\d+\) (Failure|Error|Skipped|Timeout):\n(\S+?#[^\s:\[]+)", output, re.M):
            names[name] = SKIPPED if kind == "Skipped" else FAILED
        return names
