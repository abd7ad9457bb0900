"""Finds and runs test functions: `test_*` in the modules `test_*.py` of a folder, in the order of their writing."""

import argparse
import importlib.util
import inspect
import os
import shutil
import sys
import tempfile
import time
import traceback
from pathlib import Path


class Skip(Exception):
    """What is missing for this test."""


def need(condition, what):
    if not condition:
        raise Skip(what)


def need_program(*names):
    for name in names:
        need(shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin"), f"{name} is not installed")


def load(folder):
    tests = []
    for file in sorted(Path(folder).glob("test_*.py")):
        spec = importlib.util.spec_from_file_location(file.stem, file)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        found = [(name, f) for name, f in vars(module).items() if name.startswith("test_") and inspect.isfunction(f)]
        found.sort(key=lambda pair: pair[1].__code__.co_firstlineno)
        tests += [(f"{file.stem.removeprefix('test_')}::{name.removeprefix('test_')}", f) for name, f in found]
    return tests


def main(folder, summary):
    parser = argparse.ArgumentParser(description=summary)
    parser.add_argument("only", nargs="*", help="run the tests whose name holds one of these")
    parser.add_argument("--list", action="store_true", help="name the tests")
    parser.add_argument("--keep", action="store_true", help="leave the servers' directories for a look")
    parser.add_argument("--dir", default=os.environ.get("POSTROAD_TEST_DIR", "/var/tmp"), help="where they are made; a real disk")
    arguments = parser.parse_args()
    tests = [t for t in load(folder) if not arguments.only or any(word in t[0] for word in arguments.only)]
    if arguments.list:
        print("\n".join(name for name, _ in tests))
        return 0
    passed = failed = skipped = 0
    for name, test in tests:
        # Short: socket paths in it have a bound of 108 bytes.
        directory = Path(tempfile.mkdtemp(prefix="pr-", dir=arguments.dir))
        directory.chmod(0o755)
        begun = time.monotonic()
        try:
            said = test(directory)
            passed += 1
            print(f"ok    {name} ({time.monotonic() - begun:.1f} s){': ' + said if said else ''}", flush=True)
        except Skip as what:
            skipped += 1
            print(f"skip  {name}: {what}", flush=True)
        except Exception:
            failed += 1
            print(f"FAIL  {name} ({time.monotonic() - begun:.1f} s)\n{traceback.format_exc()}", flush=True)
        finally:
            if not arguments.keep:
                shutil.rmtree(directory, ignore_errors=True)
            else:
                print(f"      kept {directory}")
    print(f"{passed} passed, {failed} failed, {skipped} skipped", flush=True)
    return 1 if failed else 0
