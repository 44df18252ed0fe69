#include "scan/fix.h"

#include <string.h>

void scan_add_fixes(const ScanOptions *options, const Source *source, GPtrArray *findings)
{
    for (guint i = 0; i < findings->len; i++) {
        ScanFinding *finding = findings->pdata[i];
        finding->no_fix = g_strdup("change it by hand");
    }
}

char *scan_fixed(const char *file, const char *text, gsize length, const GPtrArray *findings, gsize *ret_length)
{
    return NULL;
}
