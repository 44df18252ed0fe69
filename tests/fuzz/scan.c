/*
 * libFuzzer harness for the scanner: the first byte says which language, the rest is the file.
 *
 *   GRAMMARS_CC='clang -fsanitize=address,fuzzer-no-link' tools/grammars        prints a FOLDER
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -std=gnu17 -Isrc -Ibuild/src/scan -isystem
 * FOLDER/include \
 *       tests/fuzz/scan.c build/src/scan/scan_rules.c src/scan/[a-z]*.c src/config/[a-z]*.c src/base/[a-z]*.c
 * FOLDER/libgrammars.a \
 *       $(pkg-config --cflags --libs glib-2.0 gio-2.0 yaml-0.1) -o fuzz-scan
 *   tests/fuzz/scan-corpus corpus && ./fuzz-scan -max_len=4096 -timeout=30 corpus
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "scan/judge.h"
#include "scan/language.h"
#include "scan/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A file of this language: its first pattern, with something for the star. */
static char *file_of(const Language *language)
{
    const char *pattern = language->files[0] == NULL ? "x" : language->files[0];
    GString *file = g_string_new(NULL);
    for (const char *at = pattern; *at != '\0'; at++)
        g_string_append(file, *at == '*' ? "docker-compose" : (char[]){*at, '\0'});
    return g_string_free(file, FALSE);
}

static void check(const ScanFinding *finding, size_t length)
{
    if (finding->place.start > finding->place.end || finding->place.end > length || finding->place.line < 1 ||
        finding->place.end_line < finding->place.line || finding->message == NULL || finding->remedy == NULL ||
        finding->line_text == NULL || !g_utf8_validate(finding->line_text, -1, NULL) || finding->whole_end > length)
        abort();
    for (guint i = 0; finding->edits != NULL && i < finding->edits->len; i++) {
        const ScanEdit *edit = finding->edits->pdata[i];
        if (edit->start > edit->end || edit->end > length)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    guint n;
    const Language *const *known = languages(&n);
    g_autofree char *file = file_of(known[data[0] % n]);
    g_autofree char *text = g_malloc(size); /* with the NUL that readers count on, and not a byte more */
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    ScanOptions options = {.folder = "/nowhere", .want_fixes = true};
    g_autoptr(GPtrArray) findings = scan_text(&options, file, text, size - 1);
    for (guint i = 0; i < findings->len; i++)
        check(findings->pdata[i], size - 1);
    gsize length;
    g_autofree char *fixed = scan_fixed(file, text, size - 1, findings, &length);
    return 0;
}
