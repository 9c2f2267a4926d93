"""CPython's own tests, from Debian's package of them, by the installed interpreter.

Two suites: the modules that are about threads, processes, signals and sockets, and those about the language and its
library that allocate much. Results come from the JUnit file that regrtest writes.
"""

from xml.etree import ElementTree

import debian
from suite import EXIT, FAILED, OK, SKIPPED, Names, Suite

PROCESSES = """
test_fork1 test_threading test_thread test_threadsignals test_threading_local test_threadedtempfile test_queue
test_signal test_subprocess test_os test_posix test_popen test_pty test_wait3 test_wait4 test_select test_poll
test_epoll test_selectors test_socket test_socketserver test_asyncore test_asynchat test_ssl test_mmap test_fcntl
test_resource test_faulthandler test_gc test_ctypes test_concurrent_futures test_asyncio test_multiprocessing_fork
test_multiprocessing_spawn test_multiprocessing_forkserver test_multiprocessing_main_handling
""".split()
LIBRARY = """
test_atexit test_capi test_cmd_line test_cmd_line_script test_exceptions test_generators test_coroutines test_asyncgen
test_contextlib test_weakref test_tracemalloc test_dict test_list test_set test_bytes test_unicode test_str test_re
test_json test_pickle test_io test_fileio test_file test_largefile test_tempfile test_shutil test_glob test_pathlib
test_zlib test_bz2 test_lzma test_zipfile test_tarfile test_gzip test_hashlib test_hmac test_sqlite3 test_dbm
test_dbm_gnu test_dbm_ndbm test_logging test_sys test_sys_settrace test_sys_setprofile test_sysconfig test_site
test_embed test_import test_importlib test_runpy test_venv test_ast test_compile test_dis test_eval test_syntax
test_grammar test_class test_descr test_array test_struct test_memoryview test_buffer test_decimal
test_float test_long test_math test_random test_statistics test_datetime test_time test_zoneinfo test_email
test_xml_etree test_xml_etree_c test_sax test_minidom test_pyexpat test_html test_http_cookies test_httplib
test_httpservers test_urllib test_urllib2 test_ftplib test_smtplib test_poplib test_imaplib test_nntplib test_xmlrpc
test_unittest test_doctest test_pydoc test_trace test_profile test_cprofile test_pdb test_bdb test_readline
test_curses test_locale test_codecs test_codecencodings_jp test_multibytecodec test_itertools test_functools
test_collections test_heapq test_bisect test_copy test_deque test_enum test_dataclasses test_typing test_inspect
test_builtin test_code test_frame test_traceback test_warnings test_support test_regrtest test_stable_abi_ctypes
test_sched test_timeout test_ioctl test_openpty test_getpass test_pwd test_grp test_syslog test_crypt test_uuid
test_ipaddress
""".split()


class Python(Suite):
    name = "python"
    about = "CPython's own tests of threads, processes, signals, sockets (libpython3.11-testsuite), by regrtest."
    modules = PROCESSES
    packages = ("python3.11", "libpython3.11-testsuite", "python3.11-venv")
    timeout = 3600

    def version(self):
        return debian.version("python3.11")

    def units(self):
        return list(dict.fromkeys(self.modules))

    def command(self, unit, directory):
        resources = "all,-network,-urlfetch,-largefile,-audio,-gui,-cpu"
        command = ["/usr/bin/python3.11", "-m", "test", "-u", resources, "--junit-xml", directory / "results.xml"]
        return [*command, unit], directory, {}

    def outcomes(self, unit, directory, output, status):
        names = Names({EXIT: str(status)})
        try:
            cases = ElementTree.parse(directory / "results.xml").iter("testcase")
        except (OSError, ElementTree.ParseError):
            return names
        for case in cases:
            kinds = {child.tag for child in case}
            bad = kinds & {"failure", "error"}
            outcome = FAILED if bad else SKIPPED if "skipped" in kinds or case.get("status") == "notrun" else OK
            names.add(case.get("name"), outcome)
        return names


class PythonLibrary(Python):
    name = "python-library"
    about = "CPython's own tests of the language and its library (libpython3.11-testsuite), by regrtest."
    modules = LIBRARY
