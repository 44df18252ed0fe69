/*
 * A crash in the C code of others (a grammar's) on one file must not hide what other files hold: the program starts
 * itself again, with the same arguments, and that file is left out.
 *
 * Only where guard_enable() was called: by a program that has printed and changed nothing yet.
 */
#pragma once

#include <stdbool.h>

/* Main thread. */
void guard_enable(void);
/* Of each thread that looks at files, first. */
void guard_thread(void);
/* What this thread looks at from here on; NULL: nothing. file must stay. */
void guard_file(const char *file);
/* An earlier start of this program crashed on it. */
bool guard_has_crashed(const char *file);
