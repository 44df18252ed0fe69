#include <stdlib.h>
#include <string.h>

#include "out/out.h"
#include "out/text.h"

json_t *out_json_new(const char *name)
{
    json_t *document = json_object();
    g_autofree char *schema = g_strconcat("pgfold.", name, NULL);
    json_object_set_new(document, "schema", json_string(schema));
    json_object_set_new(document, "version", json_integer(1));
    json_object_set_new(document, "pgfold", json_string(PGFOLD_VERSION));
    return document;
}

json_t *out_json_string(const char *text)
{
    if (text == NULL)
        return json_null();
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    return json_string(valid);
}

/* jansson escapes what JSON demands; this adds what a terminal would act upon. Such characters stand in strings only,
 * where \uXXXX means the same. */
static void print_safely(FILE *stream, const char *text)
{
    const char *from = text;
    for (const char *at = text; *at != '\0'; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);
        if (c < 0x7f || !text_is_control(c))
            continue;
        fwrite(from, 1, (size_t)(at - from), stream);
        if (c < 0x10000)
            fprintf(stream, "\\u%04x", c);
        else
            fprintf(stream, "\\u%04x\\u%04x", 0xd7c0 + (c >> 10), 0xdc00 + (c & 0x3ff));
        from = g_utf8_next_char(at);
    }
    fputs(from, stream);
}

void out_json(Out *out, json_t *document)
{
    char *text = json_dumps(document, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
    if (text == NULL)
        g_error("a JSON document could not be written");
    out_live_erase(out);
    print_safely(out->results, text);
    fputc('\n', out->results);
    out->json_done = true;
    free(text);
    json_decref(document);
}
