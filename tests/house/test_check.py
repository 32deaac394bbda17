#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The house check notices each breach: small trees that break one rule each. usage: test_check.py      TAP on stdout"""
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import check  # noqa: E402

SPDX = "/* SPDX-License-Identifier: MIT */\n"
GOOD = SPDX + "#ifndef TCPTRIAGE_MODEL_X_H\n#define TCPTRIAGE_MODEL_X_H\n#include <stdint.h>\n/** x_get() - a number. */\nuint32_t x_get(void);\n#endif\n"
HEADER = "include/tcptriage/model/x.h"
COMPILER = sys.argv[1:] or ["cc"]

# what is broken: (check, file, its text, a word of the complaint)
BREACHES = {
    "include__downstream_room__noticed": (check.check_arrow, "src/model/x.c", SPDX + '#include "tcptriage/render/rows.h"\n', "downstream"),
    "include__private_header_of_another_room__noticed": (check.check_arrow, "src/render/x.c", SPDX + '#include "model/inner.h"\n', "private"),
    "include__unknown_room__noticed": (check.check_arrow, "src/attic/x.c", SPDX, "no room"),
    "header__needs_another__noticed": (lambda root: check.check_alone(root, COMPILER), HEADER, GOOD.replace("#include <stdint.h>\n", ""), "alone"),
    "extern__function_without_docstring__noticed": (check.check_documented, HEADER, GOOD.replace("/** x_get() - a number. */\n", ""), "x_get"),
    "extern__pointer_function_without_docstring__noticed": (check.check_documented, HEADER, GOOD.replace("#endif", "char *x_name(int a);\n#endif"), "x_name"),
    "extern__variable_without_docstring__noticed": (check.check_documented, HEADER, GOOD.replace("#endif", "extern const int x_rows[3];\n#endif"), "x_rows"),
    "guard__other_name__noticed": (check.check_guards, HEADER, GOOD.replace("MODEL_X_H", "X_H"), "guard"),
    "header__too_long__noticed": (check.check_length, HEADER, GOOD + "\n" * check.HEADER_LINES_MAX, "lines"),
    "file__without_licence__noticed": (check.check_licence, "src/model/x.c", "int x;\n", "SPDX"),
    "file__with_loose_end__noticed": (check.check_loose_ends, "src/model/x.c", SPDX + "/* TO" + "DO later */\n", "later"),
}


def complaints(run, name, text):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        (root / name).parent.mkdir(parents=True)
        (root / name).write_text(text)
        return list(run(root))


def main():
    bad = 0
    outcomes = [(name, any(word in line for line in complaints(run, file, text))) for name, (run, file, text, word) in BREACHES.items()]
    for run in (check.check_arrow, check.check_documented, check.check_guards, check.check_length, check.check_licence, check.check_loose_ends,
                lambda root: check.check_alone(root, COMPILER)):
        outcomes.append((f"good_header__{getattr(run, '__name__', 'check_alone').strip('<>')}__silent", not complaints(run, HEADER, GOOD)))
    for number, (name, fine) in enumerate(outcomes, 1):
        bad += not fine
        print(f"{'ok' if fine else 'not ok'} {number} - {name}")
    print(f"1..{len(outcomes)}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
