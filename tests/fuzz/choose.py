#!/usr/bin/env python3
"""Renews the corpus of a target: choose.py DIRECTORY TARGET ROOM INPUTS... takes over those inputs that are the first
to reach some place of the code, smaller ones first, and of them what reaches most for its size, until ROOM bytes are
full. DIRECTORY holds the built targets. What once failed is kept: its name begins with "failed-"."""

import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import fuzzing  # noqa: E402  pylint: disable=wrong-import-position


def places(program, directories):
    """path -> the places that an input is the first to reach, smaller ones first: libFuzzer's merge tells."""
    reached = {}
    with tempfile.TemporaryDirectory() as scratch:
        control, out = pathlib.Path(scratch) / "control", pathlib.Path(scratch) / "out"
        out.mkdir()
        command = [program, "-merge=1", f"-merge_control_file={control}", "-close_fd_mask=3", "-rss_limit_mb=2048"]
        subprocess.run([*map(str, command), str(out), *map(str, directories)], check=True, capture_output=True)
        lines = control.read_text().splitlines()
    count = int(lines[0])
    names = [pathlib.Path(line) for line in lines[2:2 + count]]
    for line in lines[2 + count:]:
        kind, *numbers = line.split()
        if kind == "COV":
            reached[names[int(numbers[0])]] = set(numbers[1:])
    return reached


def main():
    directory, target, room, *inputs = sys.argv[1:]
    kept = fuzzing.corpus(target)
    kept.mkdir(parents=True, exist_ok=True)
    new = [pathlib.Path(path) for path in inputs]
    found = places(pathlib.Path(directory) / target, [kept, *new])
    chosen = [path for path in kept.iterdir() if path.name.startswith("failed-")]
    size = sum(path.stat().st_size for path in chosen)
    reached, whole = 0, sum(map(len, found.values()))
    for path in sorted(found, key=lambda path: len(found[path]) / (path.stat().st_size + 64), reverse=True):
        if path not in chosen:
            if not found[path] or size + path.stat().st_size > int(room):
                continue
            size += path.stat().st_size
            chosen.append(path)
        reached += len(found[path])
    contents = {path.name: path.read_bytes() for path in chosen}
    shutil.rmtree(kept)
    kept.mkdir()
    for name, content in contents.items():
        (kept / name).write_bytes(content)
    print(f"{target}: {len(chosen)} inputs, {size} bytes, {reached} of {whole} places")


if __name__ == "__main__":
    main()
