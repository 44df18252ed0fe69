/* The settings of a file that is read line by line: variables, INI and properties, Dockerfile, Makefile, Markdown. */
#pragma once

#include "scan/setting.h"

void lines_read(Source *source);
/* What a line of a shell says to PostgreSQL's own programs: "psql -h localhost" becomes a setting. Lines that lie in
 * source->comments are left out. */
void lines_read_commands(Source *source, guint start, guint end);
