#!/usr/bin/env python3
"""Libraries that no linker made: whatever their headers, notes and unwind tables say, the program that loads them
lives, and what it allocates is counted to the byte."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "faults"))

# pylint: disable=wrong-import-position
import fault  # noqa: E402
from hand_made import BUILD_ID, Library, note  # noqa: E402
from tracesnap import BUILD, Regions, drops, json  # noqa: E402

# Without the tables of a library its caller is not known, or guessed by the frame pointer.
LESS = ("no_unwind", "verify_mismatch")


def run(name, library, hide=None, may_drop=LESS):
    """(functions in the stacks that lead through the library, its entry in the region)"""
    path = BUILD / "tests" / "faults" / "programs" / f"hand-made-{name}.so"
    program = fault.build("../fuzz/hand_made.c", "-ldl", "-fno-omit-frame-pointer")
    path.write_bytes(library.file())
    with Regions() as regions:
        hidden = [] if hide is None else [hex(hide)]
        fault.run([program, path, hex(library.code), *hidden], regions.traced())
        source, = regions.all()
        stats = regions.stats(source, "--group-by", "stack")
        wrong = drops(stats, (), may_drop)
        if wrong:
            raise AssertionError("\n".join(wrong))
        whole = json.loads(regions.tool("export", "--format", "json", source))
    entry, = (module for module in whole["modules"] if module["path"] == str(path))
    stacks = [row["frames"] for row in stats["stats"] if any(f["object"] == str(path) for f in row["frames"])]
    if not stacks:
        raise AssertionError("no stack leads through the library")
    return {frame["function"] for stack in stacks for frame in stack}, entry


def run_known(name, library):
    """Everything about the library must be known."""
    functions, entry = run(name, library, may_drop=())
    if "main" not in functions:
        raise AssertionError(f"the stacks end in the library: {functions}")
    fault.equal("build-id", entry["build_id"], BUILD_ID.hex())
    fault.equal("size", entry["size"], library.data + 0x320 - library.base)


def intact():
    """A library made by hand is as good as any."""
    run_known("intact", Library())


def linked_elsewhere():
    """Its first segment is not linked at 0."""
    run_known("elsewhere", Library(base=0x400000))


def headers_over_a_hole():
    """Its program headers begin and end in memory of its own, with a hole in between."""
    library = Library(text=0x101000, tables=0x103000, data=0x109000, gap=0x100000)
    library.header_count = (0x101200 - 64) // 56
    run("headers-over-a-hole", library)


def notes_behind_the_end():
    """Its notes are where its file has ended."""
    library = Library(tables_size=0x3000)
    library.note_segment.address = library.tables + 0x1800
    run("notes-behind-the-end", library)


def note_without_end():
    """Its note says to be longer than the address space."""
    run("note-without-end", Library(note=note(size=0xFFFFFFFF)))
    run("name-without-end", Library(note=note(name_size=0xFFFFFFFF)))
    run("note-longer-than-its-segment", Library(note=note(size=0x1000)))


def notes_hidden():
    """The program has taken away the page with its notes, before the first block."""
    library = Library()
    library.hide_notes()
    run("notes-hidden", library, hide=library.notes)


def headers_hidden():
    """The program has taken away the page with its headers."""
    run("headers-hidden", Library(), hide=0)


def tables_behind_the_end():
    """The functions' entries in its unwind tables are where its file has ended."""
    library = Library(tables_size=0x3000)
    library.unwind(frames_at=library.tables + 0x1800, frames=False)
    run("tables-behind-the-end", library)


def tables_under_another():
    """A segment that cannot be read lies upon its unwind tables."""
    library = Library(tables_size=0x3000, tables_room=0x3000)
    library.unwind(frames_at=library.tables + 0x1000)
    library.cover(library.tables + 0x1000)
    run("tables-under-another", library)


def sizes_without_end():
    """Its segments say to be larger than the address space."""
    library = Library()
    library.text_segment.memory = 2**64 - 0x1000
    _, entry = run("sizes-without-end", library)
    fault.equal("size", entry["size"], library.data + 0x320)


def rows_without_end():
    """Its table of functions says to have more of them than there are bytes, or leads anywhere."""
    wrong = (("rows", 8, 0xFFFFFFFF), ("rows-fit", 8, 0x80), ("behind", 16, 0x7FFFFFFF), ("before", 16, 0x80000000))
    for name, at, word in wrong:
        library = Library()
        library.patch_header(at, word)
        run(name, library)


fault.main(
    intact,
    linked_elsewhere,
    headers_over_a_hole,
    notes_behind_the_end,
    note_without_end,
    notes_hidden,
    headers_hidden,
    tables_behind_the_end,
    tables_under_another,
    sizes_without_end,
    rows_without_end,
)
