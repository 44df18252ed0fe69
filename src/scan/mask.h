/* What of a source line must not be shown: passwords, however they are written. Too much is better than too little. */
#pragma once

#include <glib.h>

/* Bytes [start, end) of a line. */
typedef struct MaskRange {
    gsize start, end;
} MaskRange;

/* line: UTF-8. Of MaskRange, sorted, none overlapping. Transfer full. */
GArray *mask_ranges(const char *line);
