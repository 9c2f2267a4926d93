#!/usr/bin/env python3
"""Makes inputs of the region and snapshot targets of files: pack.py OUT FILE..., and with -u the files of inputs.

The format is sparse.h's."""
import os
import struct
import sys

GAP = 24  # zeros that are worth a piece of their own
PIECE_MAX = 512


def runs(content):
    """The stretches of a file that are not zeros: (offset, bytes)."""
    at = 0
    while True:
        while at < len(content) and content[at] == 0:
            at += 1
        if at == len(content):
            return
        begin = at - at % 8
        end = at
        while end < len(content) and end - begin < PIECE_MAX:
            gap = content.find(bytes(GAP), end, end + PIECE_MAX)
            if gap == end:
                break
            end = min(gap if gap >= 0 else len(content), begin + PIECE_MAX)
        yield begin, content[begin:end].rstrip(b"\0")
        at = end


def read(path):
    """A file without the hole at the end of a region, of a gigabyte; whole slabs of 16 KiB are left."""
    with open(path, "rb", buffering=0) as file:
        size = end = os.fstat(file.fileno()).st_size
        if size > 1 << 24:
            at = end = 0
            while at < size:
                try:
                    at = os.lseek(file.fileno(), at, os.SEEK_DATA)
                    at = end = os.lseek(file.fileno(), at, os.SEEK_HOLE)
                except OSError:
                    break
            end = (end + 0x3fff) & ~0x3fff
        return os.pread(file.fileno(), end, 0)


def pack(content):
    packed = struct.pack("<I", len(content))
    for offset, piece in runs(content):
        packed += struct.pack("<IH", offset, len(piece)) + piece
    return packed


def unpack(packed):
    size, = struct.unpack_from("<I", packed)
    content = bytearray(size)
    at = 4
    while at + 6 < len(packed):
        offset, length = struct.unpack_from("<IH", packed, at)
        piece = packed[at + 6:at + 6 + length]
        if offset < size:
            content[offset:offset + len(piece)] = piece[:size - offset]
        at += 6 + length
    return bytes(content[:size])


def main():
    arguments = sys.argv[1:]
    change = pack
    if arguments[:1] == ["-u"]:
        change = unpack
        arguments.pop(0)
    out, *files = arguments
    os.makedirs(out, exist_ok=True)
    for path in files:
        content = change(read(path))
        with open(os.path.join(out, os.path.basename(path)), "wb") as file:
            file.write(content)


if __name__ == "__main__":
    main()
