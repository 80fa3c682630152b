# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Runs test programs side by side and counts tests. Used by run-unit, run-e2e, run-fuzz and check.

With EXECWATCH_RESULTS=FILE in the environment, each test is appended to that file, one a line:
KIND, state (passed, failed or skipped) and name, separated by tabs.
"""

import collections
import concurrent.futures
import fnmatch
import os
import pathlib
import signal
import subprocess
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[1]
ALLOWED = TOP / "tests" / "allowed-skips"

Test = collections.namedtuple("Test", "name state")  # state: passed, failed, skipped
Program = collections.namedtuple("Program", "name tests output seconds")


def allowed_skips():
    """[(pattern, condition, reason)] of the list in tests/allowed-skips."""
    lines = ALLOWED.read_text(encoding="utf-8").splitlines()
    fields = [line.split(None, 1) for line in lines if line.strip() and not line.startswith("#")]
    return [(pattern, *[part.strip() for part in rest.rsplit("#", 1)]) for pattern, rest in fields]


def skip_reason(name):
    """Why this test may be skipped on this machine, or None."""
    for pattern, condition, reason in allowed_skips():
        if fnmatch.fnmatchcase(name, pattern) and \
           subprocess.run(["sh", "-c", condition], capture_output=True, check=False).returncode == 0:
            return reason
    return None


def execute(argv, env=None):
    """Runs one program; returns (exit code, all output, seconds). The output goes to a file: a pipe
    would be waited for as long as a process that the program has left behind has it open."""
    began = time.monotonic()
    with tempfile.TemporaryFile() as file:
        code = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=file, cwd=TOP, check=False,
                              stderr=subprocess.STDOUT, env={**os.environ, **(env or {})}).returncode
        file.seek(0)
        output = file.read().decode(errors="replace")
    return code, output, time.monotonic() - began


def ended_with(code):
    """The end of a program, in words."""
    return f"ended with signal {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"


def counts(tests):
    """{"passed": 3, ...}, zero for a state that no test has."""
    found = collections.Counter(test.state for test in tests)
    return {state: found[state] for state in ("passed", "failed", "skipped")}


def in_words(tests):
    """3 passed, 1 skipped"""
    return ", ".join(f"{n} {state}" for state, n in counts(tests).items() if n) or "no tests"


def show(program):
    bad = any(test.state == "failed" for test in program.tests)
    print(f"  {'FAILED' if bad else 'ok':8} {program.name} ({in_words(program.tests)}, {program.seconds:.1f} s)",
          flush=True)


def side_by_side(jobs, items, run):
    """Calls run(item), which returns a Program, for all items, `jobs` at a time, in this order."""
    programs = []
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for done in concurrent.futures.as_completed([pool.submit(run, item) for item in items]):
            programs.append(done.result())
            if programs[-1].tests:  # none: the arguments chose none
                show(programs[-1])
    return programs


def record(kind, tests):
    """Appends tests to the file of results, if there is one."""
    path = os.environ.get("EXECWATCH_RESULTS")
    if path:
        with open(path, "a", encoding="utf-8") as file:
            file.writelines(f"{kind}\t{test.state}\t{test.name}\n" for test in tests)


def conclude(kind, programs):
    """Prints what failed and what was skipped; returns the exit code. A skip that the list of
    allowed skips does not excuse on this machine counts as a failure, and so does a run without
    any test."""
    tests, bad = [], not any(program.tests for program in programs)
    for program in sorted(programs):
        if any(test.state == "failed" for test in program.tests):
            bad = True
            print(f"---- {program.name}:\n{program.output.rstrip()}\n----")
        tests += program.tests
    for test in tests:
        if test.state == "skipped":
            reason = skip_reason(test.name)
            bad = bad or reason is None
            print(f"  skipped  {test.name}: {reason or 'NOT ALLOWED here, see tests/allowed-skips'}")
    record(kind, tests)
    failed = [test.name for test in tests if test.state == "failed"]
    print(f"{kind}: {in_words(tests)}" + (": " + ", ".join(failed) if failed else ""), flush=True)
    return 1 if bad else 0
