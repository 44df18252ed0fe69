/* What the lines of a shell say, wherever they stand: in a script, a recipe of make, a code block, a step of CI. */
#pragma once

#include "scan/setting.h"

/* "psql -h localhost" and "DB_HOST=localhost ./serve" become settings. Lines that lie in source->comments are left out.
 */
void commands_read(Source *source, guint start, guint end);
