"""Files whose names are no UTF-8, beyond the BMP, very long; code with a line table that is none."""
import os
import signal
import sys

kept = []
SOURCE = "\nkept.append(bytes(100 + SIZE))"
NAMES = ["plain", "caf\u00e9", "\u4e2d\u6587", "\U0001f600", "bad\udcff", "long" * 2000, "", "new\nline"]
for size, name in enumerate(NAMES):
    code = compile(SOURCE.replace("SIZE", str(size)), name, "exec")
    for _ in range(10):
        exec(code)
if sys.version_info >= (3, 10):
    for size, table in enumerate([b"", b"\xff" * 50, b"\x00" * 50, b"\x80", bytes(range(256)), b"\xf8" * 3]):
        code = compile(SOURCE.replace("SIZE", str(20 + size)), f"broken{size}", "exec")
        exec(code.replace(co_linetable=table))
os.kill(os.getpid(), signal.SIGKILL)
