"""A parent whose child is this module again: it prints what the child says as JSON and then waits,
until a test kills it and sees whether the child ends too.
"""

import json
import sys
import time

from engine import processes

if __name__ == "__main__":
    if sys.argv[1:] == ["child"]:
        processes.end_with_parent(lambda line: processes.report(heard=line))
        time.sleep(600)
    child = processes.start("tests.engine.orphan", "child", pipe=True)
    assert child.stdin is not None and child.stdout is not None
    child.stdin.write("hello\n")
    child.stdin.flush()
    said = json.loads(processes.read_lines(child.stdout).get() or "{}")
    processes.report(pid=child.pid, **said)
    time.sleep(600)
