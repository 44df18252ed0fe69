/* A program that the user named, run by a command of ours (testdb, tunnel) with the limits that it would have without
 * us. Main thread only. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "base/spawn.h"

bool program_exists(const char *program, GError **error);
/* words: the program and its arguments; environment as SpawnSpec.setenv. It has our terminal. */
Child *program_start(const char *const *words, const char *const *environment, GError **error);
/* A signal that was sent to us goes on to it, unless the terminal has sent it to both. Call after a cancel. */
void program_pass_signal(const Child *child);
/* Waits to the end, whatever signals come: the program decides what they mean, and some (psql) live on. Its status. */
int program_wait(Child *child);
