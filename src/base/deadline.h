/*
 * A moment on the monotonic clock until which something may take. Every wait in pgfold has one.
 * Unit: microseconds of g_get_monotonic_time().
 */
#pragma once

#include <glib.h>

typedef gint64 Deadline;

#define DEADLINE_NONE ((Deadline)G_MAXINT64) /* only for work whose length the data decides; cancel still ends it */

static inline Deadline deadline_in_ms(gint64 milliseconds)
{
    return g_get_monotonic_time() + milliseconds * 1000;
}

/* What is left, rounded up, as poll(2) wants it: 0 when passed, -1 for DEADLINE_NONE. */
static inline int deadline_poll_ms(Deadline deadline)
{
    if (deadline == DEADLINE_NONE)
        return -1;
    gint64 left = (deadline - g_get_monotonic_time() + 999) / 1000;
    return (int)CLAMP(left, 0, G_MAXINT);
}
