#include <glib.h>
#include <string.h>

#include "out/out.h"

char *out_bytes(guint64 bytes)
{
    static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
    if (bytes < 1000)
        return g_strdup_printf("%" G_GUINT64_FORMAT " B", bytes);
    double value = (double)bytes / 1000;
    guint unit = 0;
    /* 999.95 would be printed as "1000.0" */
    while (value >= 999.95 && unit + 1 < G_N_ELEMENTS(units)) {
        value /= 1000;
        unit++;
    }
    return g_strdup_printf("%.1f %s", value, units[unit]);
}

char *out_count(guint64 count)
{
    g_autofree char *digits = g_strdup_printf("%" G_GUINT64_FORMAT, count);
    size_t length = strlen(digits);
    GString *text = g_string_new(NULL);
    for (size_t i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            g_string_append_c(text, ',');
        g_string_append_c(text, digits[i]);
    }
    return g_string_free(text, FALSE);
}

char *out_duration(double seconds)
{
    if (!(seconds > 0)) /* NaN too */
        seconds = 0;
    if (seconds < 0.9995)
        return g_strdup_printf("%.0f ms", seconds * 1000);
    if (seconds < 59.95)
        return g_strdup_printf("%.1f s", seconds);
    guint64 whole = seconds < 1e15 ? (guint64)(seconds + 0.5) : (guint64)1e15;
    if (whole < 3600)
        return g_strdup_printf("%" G_GUINT64_FORMAT " min %02d s", whole / 60, (int)(whole % 60));
    return g_strdup_printf("%" G_GUINT64_FORMAT " h %02d min", whole / 3600, (int)(whole % 3600 / 60));
}
