"""The Python programs that are measured (bench/python), a few rounds of each: traced, they print what they print
untraced, and nothing is dropped; and what measures them works on two of them.
"""

import json
import subprocess
import sys
import types

import real

sys.path.insert(0, str(real.SOURCE / "bench"))

# pylint: disable=wrong-import-position
import case_python  # noqa: E402
import pythons  # noqa: E402
from measure import BenchError, Cost  # noqa: E402

ROUNDS = 2
DEPTH = "depth=1024"  # some recursions have more frames than are kept by default
CHECKSUMS = {
    "asyncio_tree": "104070",
    "chaos": "153438",
    "csv_rows": "316264 ('city 13', [406, 25320.125])",
    "deepcopy": "5396 100",
    "deltablue": "635942",
    "float_points": "18.114851",
    "generators": "344210",
    "graph": "210581",
    "json_text": "469026",
    "logging_lines": "14114",
    "nqueens": "500",
    "pickle_c": "399184",
    "pickle_pure": "19674",
    "raytrace": "462010",
    "regex": "1712983",
    "richards": "1200488",
    "spectral_norm": "2.54841302",
    "sqlite_rows": "3976972",
    "strings": "542594",
    "sudoku": "406321839 36",
    "telco": "77930.12",
    "unpack": "113539442",
    "word_index": "561 14400",
    "xml_tree": "135242",
}


def same_answer(python, name):
    with real.Regions() as regions:
        command = [python, str(pythons.DIRECTORY / f"{name}.py"), str(ROUNDS)]
        for environment in regions.environment(**pythons.VARIABLES), regions.traced(DEPTH, **pythons.VARIABLES):
            with subprocess.Popen(
                command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
            ) as process, real.Watchdog(process.pid):
                printed, said = process.communicate()
            got = (printed.decode(), said.decode(errors="replace"), process.returncode)
            if got != (CHECKSUMS[name] + "\n", "", 0):
                way = "traced" if "LD_PRELOAD" in environment else "untraced"
                raise AssertionError(f"{way}: {got} instead of '{CHECKSUMS[name]}'")
        (region,) = regions.of(process.pid)
        document = regions.stats(region, "--group-by", "object")
        wrong = real.drops(document)
        if document["totals"]["allocated_count"] == 0:
            wrong.append("nothing was allocated: the program was not traced")
        if wrong:
            raise AssertionError("\n".join(wrong))


def all_are_known():
    if pythons.names() != sorted(CHECKSUMS):
        raise AssertionError(f"programs without a checksum, or the reverse: {set(pythons.names()) ^ set(CHECKSUMS)}")


def measured(python):
    """A short run of the benchmark itself; of its figures only that they are there."""
    names = ["nqueens", "telco"]
    with real.Regions() as regions:
        path = regions.scratch / "figures.json"
        command = [sys.executable, real.SOURCE / "bench" / "run.py", "python", "--quick", "--json", path]
        command += ["--programs", ",".join(names), "--tracers", "tracesnap,tracemalloc-1"]
        environment = regions.environment(PYTHON=python, TRACESNAP=real.TOOL, TRACESNAP_LIB=real.SHIM)
        done = subprocess.run(command, env=environment, capture_output=True, timeout=real.TIMEOUT, check=False)
        if done.returncode != 0:
            raise AssertionError(f"status {done.returncode}: {done.stderr.decode(errors='replace')}")
        case = json.loads(path.read_text())["cases"]["python"]
    if sorted(case["programs"]) != names or sorted(case["summary"]) != ["tracemalloc-1", "tracesnap"]:
        raise AssertionError(f"measured {list(case['programs'])} with {list(case['summary'])}")
    for name, found in case["programs"].items():
        runs = {kind: {of: len(figure["values"]) for of, figure in found[kind].items()} for kind in case_python.KINDS}
        expected = dict.fromkeys(case_python.KINDS, {"untraced": 2, "tracesnap": 2, "tracemalloc-1": 2})
        if runs != expected or set(found["drops"]) - {"depth_cut"} or not found["region"] or not found["totals"]["allocated_count"]:
            raise AssertionError(f"{name}: {found}")


def wrong_answer_is_noticed():
    """A tracer under which a program prints something else has no figure."""
    with real.Regions() as regions:
        answers = iter(["1", "a banner\n1", "2"])

        def launch(*_, output, **__):
            with open(output, "w", encoding="ascii") as file:
                file.write(next(answers) + "\n")
            return 1, Cost(1.0, 1.0)

        bench = types.SimpleNamespace(scratch=regions.scratch, launch=launch, finish=lambda *_: 0)
        runner = case_python.Runner(bench, types.SimpleNamespace(name="some"))
        tracer = types.SimpleNamespace(name="other")
        runner.run(tracer)
        runner.run(tracer)
        try:
            runner.run(tracer)
        except BenchError as error:
            if "'2'" in str(error):
                return
            raise
    raise AssertionError("a wrong checksum was taken for a right one")


def checks(tap):
    try:
        python = pythons.interpreter()
    except BenchError as error:
        raise real.Skip(str(error)) from error
    tap.check("every program has a checksum", all_are_known)
    for name in CHECKSUMS:
        tap.check(f"{name}: the answer as untraced, nothing dropped", same_answer, python, name)
    tap.check("a wrong answer is noticed", wrong_answer_is_noticed)
    tap.check("the benchmark measures what it is told to", measured, python)


real.main("Python programs of the benchmark", checks)
