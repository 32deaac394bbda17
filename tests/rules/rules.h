/* SPDX-License-Identifier: MIT */
/* What every rule test includes, in the order that cmocka asks for. */
#ifndef TCPTRIAGE_TESTS_RULES_H
#define TCPTRIAGE_TESTS_RULES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "fixture.h"
#include "flows_fixture.h"
#include "probes_fixture.h"

#endif
