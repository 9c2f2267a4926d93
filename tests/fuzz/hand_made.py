"""ELF libraries made by hand, byte by byte: what no linker writes, and the loader takes all the same. The one function
in them calls the allocator that it is given: `void *call(void *(*allocate)(size_t), size_t size)`."""

import struct

PAGE = 0x1000
LOAD, DYNAMIC, NOTE, EH_FRAME = 1, 2, 4, 0x6474E550
X, W, R = 1, 2, 4

# push rbp; mov rbp, rsp; mov rax, rdi; mov rdi, rsi; call rax; pop rbp; ret
CODE = bytes.fromhex("55 48 89 e5 48 89 f8 48 89 f7 ff d0 5d c3")

BUILD_ID = bytes(range(1, 21))


class Segment:
    """A program header. `size` is what it says of the file, `memory` what it says of the mapping."""

    def __init__(self, kind, flags, address, offset, size, memory=None):
        self.kind, self.flags, self.address, self.offset, self.size = kind, flags, address, offset, size
        self.memory = size if memory is None else memory

    def packed(self):
        align = PAGE if self.kind == LOAD else 4
        numbers = (self.offset, self.address, self.address, self.size, self.memory, align)
        return struct.pack("<IIQQQQQQ", self.kind, self.flags, *numbers)


def note(description=BUILD_ID, name_size=4, size=None):
    size = len(description) if size is None else size
    return struct.pack("<III", name_size, size, 3) + b"GNU\0" + description


def unwind_tables(address, code, frames_at):
    """.eh_frame_hdr at `address` and .eh_frame at `frames_at`, for the function at `code`."""
    cie = struct.pack("<IB", 0, 1) + b"zR\0" + bytes([1, 0x78, 16, 1, 0x1B, 0x0C, 7, 8, 0x90, 1, 0, 0])
    cie = struct.pack("<I", len(cie)) + cie
    fde_at = frames_at + len(cie)
    fde = struct.pack("<IiI", len(cie) + 4, code - (fde_at + 8), len(CODE))
    fde += bytes([0, 0x41, 0x0E, 16, 0x86, 2, 0x43, 0x0D, 6, 0, 0, 0])
    fde = struct.pack("<I", len(fde)) + fde
    header = bytes([1, 0x1B, 3, 0x3B]) + struct.pack("<iI", frames_at - (address + 4), 1)
    header += struct.pack("<ii", code - address, fde_at - address)
    return header, cie + fde + bytes(4)


def dynamic(address):
    """A dynamic section without a symbol, with what it must name, and its size."""
    tags = ((4, address + 0x200), (5, address + 0x300), (6, address + 0x240), (10, 1), (11, 24), (0, 0))
    section = b"".join(struct.pack("<QQ", *tag) for tag in tags)
    hash_table = struct.pack("<IIII", 1, 1, 0, 0)
    return section.ljust(0x200, b"\0") + hash_table.ljust(0x120, b"\0"), len(section)


class Library:
    """Headers, text, data, and at the end of the file a segment with the note and the unwind tables. `gap`: bytes that
    the file has behind its first page."""

    def __init__(self, base=0, text=0x1000, tables=0x3000, data=0x9000, gap=0, tables_size=None, **more):
        tables_room = more.get("tables_room", 0x800)
        self.base, self.text, self.tables, self.data = base, base + text, base + tables, base + data
        self.notes = self.tables
        self.code = self.text + 0x700
        self.header_count = None
        self.text_at, self.data_at, self.tables_at = PAGE + gap, 2 * PAGE + gap, 3 * PAGE + gap
        section, section_size = dynamic(self.data)
        self.content = bytearray(self.tables_at + tables_room)
        self.put(self.text_at + 0x700, CODE)
        self.put(self.data_at, section)
        self.put(self.tables_at, more.get("note", note()))
        self.text_segment = Segment(LOAD, R | X, self.text, self.text_at, 0x800)
        self.tables_segment = Segment(LOAD, R, self.tables, self.tables_at, tables_size or tables_room)
        self.note_segment = Segment(NOTE, R, self.notes, self.tables_at, 0x24)
        self.header_segment = Segment(EH_FRAME, R, self.tables + 0x100, self.tables_at + 0x100, 20)
        self.segments = [
            Segment(LOAD, R, base, 0, PAGE),
            self.text_segment,
            self.tables_segment,
            Segment(LOAD, R | W, self.data, self.data_at, len(section)),
            Segment(DYNAMIC, R | W, self.data, self.data_at, section_size),
            self.note_segment,
            self.header_segment,
        ]
        self.unwind(self.tables + 0x200)

    def put(self, at, content):
        self.content[at : at + len(content)] = content

    def unwind(self, frames_at, frames=True):
        """Says that .eh_frame is at the address; without `frames` it is not there."""
        header, content = unwind_tables(self.tables + 0x100, self.code, frames_at)
        self.put(self.tables_at + 0x100, header)
        if frames:
            self.put(self.tables_at + frames_at - self.tables, content)

    def patch_header(self, at, word):
        """Changes a word of .eh_frame_hdr."""
        self.put(self.tables_at + 0x100 + at, struct.pack("<I", word))

    def hide_notes(self):
        """Moves the note to a page of its own."""
        self.notes = self.data - 2 * PAGE
        at = len(self.content) + PAGE - len(self.content) % PAGE
        self.content.extend(bytes(at + 0x100 - len(self.content)))
        self.put(at, note())
        self.note_segment.address, self.note_segment.offset = self.notes, at
        self.segments.insert(3, Segment(LOAD, R, self.notes, at, 0x100))

    def cover(self, address):
        """A page that cannot be read, mapped over what is there."""
        self.segments.insert(3, Segment(LOAD, 0, address, self.tables_at, 0, PAGE))

    def file(self):
        headers = b"".join(segment.packed() for segment in self.segments)
        count = self.header_count or len(self.segments)
        elf = b"\x7fELF\2\1\1" + bytes(9)
        elf += struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, 0, 0, 64, 56, count, 64, 0, 0)
        self.put(0, elf + headers)
        return bytes(self.content)
