#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "ledger/receipt_internal.h"

static json_t *text_to_json(const char *text)
{
    if (text == NULL)
        return json_null();
    if (g_utf8_validate(text, -1, NULL))
        return json_string_nocheck(text);
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    return json_string_nocheck(valid);
}

static json_t *time_to_json(gint64 at)
{
    time_t seconds = (time_t)(at / G_USEC_PER_SEC);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    char date[64];
    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &parts);
    return json_sprintf("%s.%06dZ", date, (int)(at % G_USEC_PER_SEC));
}

static json_t *value_to_json(const Field *field, const void *at)
{
    switch (field->type) {
    case FIELD_TEXT:
    case FIELD_TEXT_NULL:
    case FIELD_SHA256:
    case FIELD_SHA256_NULL:
        return text_to_json(*(char *const *)at);
    case FIELD_INT:
        return json_integer(*(const gint64 *)at);
    case FIELD_COUNT:
        return *(const gint64 *)at == RECEIPT_UNKNOWN ? json_null() : json_integer(*(const gint64 *)at);
    case FIELD_VALUE: {
        const ReceiptValue *value = at;
        return value->used ? json_integer(value->value) : json_null();
    }
    case FIELD_BOOL:
        return json_boolean(*(const bool *)at);
    case FIELD_TIME:
        return time_to_json(*(const gint64 *)at);
    case FIELD_ACTION:
        return json_string(receipt_action_text(*(const ReceiptAction *)at));
    case FIELD_VERDICT:
        return json_string(receipt_verdict_text(*(const ReceiptVerdict *)at));
    }
    g_assert_not_reached();
}

json_t *fields_to_json(const Field *fields, const void *base)
{
    json_t *object = json_object();
    for (const Field *field = fields; field->name != NULL; field++)
        json_object_set_new(object, field->name, value_to_json(field, (const char *)base + field->offset));
    return object;
}

bool fields_bad(GError **error, const char *where, const char *problem)
{
    pgf_error_set(error, PGF_ERROR_USAGE, "docs/receipt.md describes what a receipt looks like",
                  "not a receipt of version %d: %s %s", RECEIPT_VERSION, where, problem);
    return false;
}

static bool parse_time(const char *text, gint64 *ret_at)
{
    struct tm parts = {0};
    int micros, used = 0;
    if (text == NULL || strlen(text) != strlen("2026-01-31T09:30:00.000000Z") ||
        sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%6dZ%n", &parts.tm_year, &parts.tm_mon, &parts.tm_mday, &parts.tm_hour,
               &parts.tm_min, &parts.tm_sec, &micros, &used) != 7 ||
        text[used] != '\0')
        return false;
    parts.tm_year -= 1900;
    parts.tm_mon -= 1;
    *ret_at = (gint64)timegm(&parts) * G_USEC_PER_SEC + micros;
    /* What is not written the way we write it (month 13, negative parts) is not a time. */
    json_t *again = time_to_json(*ret_at);
    bool same = g_strcmp0(json_string_value(again), text) == 0;
    json_decref(again);
    return same;
}

static bool is_sha256(const char *text)
{
    return text != NULL && strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

static bool parse_action(const char *text, ReceiptAction *ret_action)
{
    for (ReceiptAction action = RECEIPT_NEW; action <= RECEIPT_SKIP; action++) {
        if (g_strcmp0(text, receipt_action_text(action)) == 0) {
            *ret_action = action;
            return true;
        }
    }
    return false;
}

static bool parse_verdict(const char *text, ReceiptVerdict *ret_verdict)
{
    for (ReceiptVerdict verdict = RECEIPT_CONTAINED; verdict <= RECEIPT_DIFFERENT; verdict++) {
        if (g_strcmp0(text, receipt_verdict_text(verdict)) == 0) {
            *ret_verdict = verdict;
            return true;
        }
    }
    return false;
}

static bool parse_integer(json_t *value, gint64 least, gint64 *ret_integer)
{
    if (!json_is_integer(value) || json_integer_value(value) < least)
        return false;
    *ret_integer = json_integer_value(value);
    return true;
}

static bool value_from_json(const Field *field, void *at, json_t *value)
{
    const char *text = json_string_value(value);
    switch (field->type) {
    case FIELD_TEXT:
    case FIELD_TEXT_NULL:
        receipt_text(at, text);
        return text != NULL || (json_is_null(value) && field->type == FIELD_TEXT_NULL);
    case FIELD_SHA256:
        receipt_text(at, text);
        return is_sha256(text);
    case FIELD_SHA256_NULL:
        receipt_text(at, text);
        return json_is_null(value) || is_sha256(text);
    case FIELD_INT:
        return parse_integer(value, G_MININT64, at);
    case FIELD_COUNT:
        *(gint64 *)at = RECEIPT_UNKNOWN;
        return json_is_null(value) || parse_integer(value, 0, at);
    case FIELD_VALUE: {
        ReceiptValue *result = at;
        result->used = !json_is_null(value);
        return !result->used || parse_integer(value, G_MININT64, &result->value);
    }
    case FIELD_BOOL:
        *(bool *)at = json_is_true(value);
        return json_is_boolean(value);
    case FIELD_TIME:
        return parse_time(text, at);
    case FIELD_ACTION:
        return parse_action(text, at);
    case FIELD_VERDICT:
        return parse_verdict(text, at);
    }
    g_assert_not_reached();
}

static bool find_unknown(const Field *fields, json_t *object, const char *where, GError **error)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        const Field *field = fields;
        while (field->name != NULL && strcmp(field->name, key) != 0)
            field++;
        if (field->name == NULL) {
            g_autofree char *place = g_strdup_printf("%s.%s", where, key);
            return fields_bad(error, place, "is unknown");
        }
    }
    return true;
}

bool fields_from_json(const Field *fields, void *base, json_t *object, const char *where, GError **error)
{
    if (!json_is_object(object))
        return fields_bad(error, where, "is missing, or not an object");
    for (const Field *field = fields; field->name != NULL; field++) {
        json_t *value = json_object_get(object, field->name);
        if (value == NULL || !value_from_json(field, (char *)base + field->offset, value)) {
            g_autofree char *place = g_strdup_printf("%s.%s", where, field->name);
            return fields_bad(error, place, value == NULL ? "is missing" : "has a value that cannot stand there");
        }
    }
    return find_unknown(fields, object, where, error);
}
