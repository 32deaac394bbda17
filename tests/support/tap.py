# SPDX-License-Identifier: MIT
"""Runs the cases of a Python test and prints TAP: every function of the caller whose name holds "__" between its words is a case."""
import inspect


class Skip(Exception):
    """A case that cannot run here; the text says why and must stand in tests/skips.txt."""


def commented(error):
    return f"# {type(error).__name__}: {error}".replace("\n", "\n# ")


def main():
    """Return: 1 when a case failed. Whatever a case raises is its failure: a missing key is no reason to skip."""
    names = inspect.currentframe().f_back.f_globals
    cases = [case for name, case in names.items() if "__" in name and not name.startswith("__") and callable(case)]
    failed = 0
    print(f"1..{len(cases)}")
    for number, case in enumerate(cases, 1):
        try:
            case()
            print(f"ok {number} - {case.__name__}")
        except Skip as reason:
            print(f"ok {number} - {case.__name__} # SKIP {reason}")
        except Exception as error:  # pylint: disable=broad-except
            failed += 1
            print(f"not ok {number} - {case.__name__}")
            print(commented(error))
    return 1 if failed else 0
