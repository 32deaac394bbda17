# SPDX-License-Identifier: MIT
"""The table of cases: what each file case_<rule>.py declares with @case."""
import collections
import importlib
import pathlib

Case = collections.namedtuple("Case", "name rule kind family waits run beside")
CASES = []


def case(rule, kind, families=(4, 6), waits=5, beside=None):
    """Declares a case. kind: "fault", "twin" (must stay silent), "healthy" (traffic that no rule may warn of) or "view"; "capture-fault", "probe-fault" and so on: the same in packets, and by active probes.
    waits: seconds until it measures. beside: findings of other rules that are right to appear beside a fault, each with the reason; any other is an error."""
    def declare(function):
        for family in families:
            prefix = next((evidence for evidence in ("capture-", "probe-") if kind.startswith(evidence) and not rule.startswith(evidence)), "")
            name = f"{prefix}{rule}/{function.__name__.replace('_', '-')}/v{family}"
            CASES.append(Case(name, rule, kind, family, waits, function, beside or {}))
        return function
    return declare


def load():
    for path in sorted(pathlib.Path(__file__).parent.glob("case_*.py")):
        importlib.import_module(path.stem)
    return CASES
