#include "base/error.h"

typedef struct PgfErrorPrivate {
    char *hint;
    char *state;
} PgfErrorPrivate;

static void pgf_error_private_init(PgfErrorPrivate *priv)
{
    priv->hint = NULL;
    priv->state = NULL;
}

static void pgf_error_private_copy(const PgfErrorPrivate *src, PgfErrorPrivate *dest)
{
    dest->hint = g_strdup(src->hint);
    dest->state = g_strdup(src->state);
}

static void pgf_error_private_clear(PgfErrorPrivate *priv)
{
    g_free(priv->hint);
    g_free(priv->state);
}

G_DEFINE_EXTENDED_ERROR(PgfError, pgf_error)

static PgfErrorPrivate *private_of(const GError *error)
{
    if (error == NULL || error->domain != PGF_ERROR)
        return NULL;
    return pgf_error_get_private(error);
}

static G_GNUC_PRINTF(4, 0) void set_with_hint(GError **error, PgfErrorCode code, char *hint, const char *format,
                                              va_list args)
{
    if (error == NULL) {
        g_free(hint);
        return;
    }
    g_warn_if_fail(*error == NULL);
    *error = g_error_new_valist(PGF_ERROR, (int)code, format, args);
    private_of(*error)->hint = hint;
}

void pgf_error_set(GError **error, PgfErrorCode code, const char *hint, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set_with_hint(error, code, g_strdup(hint), format, args);
    va_end(args);
}

void pgf_error_take_hint(GError **error, PgfErrorCode code, char *hint, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set_with_hint(error, code, hint, format, args);
    va_end(args);
}

void pgf_error_set_hint(GError *error, const char *hint)
{
    PgfErrorPrivate *priv = private_of(error);
    if (priv == NULL)
        return;
    char *copy = g_strdup(hint);
    g_free(priv->hint);
    priv->hint = copy;
}

void pgf_error_set_state(GError *error, const char *format, ...)
{
    PgfErrorPrivate *priv = private_of(error);
    if (priv == NULL)
        return;
    va_list args;
    va_start(args, format);
    char *state = g_strdup_vprintf(format, args);
    va_end(args);
    g_free(priv->state);
    priv->state = state;
}

void pgf_error_set_code(GError *error, PgfErrorCode code)
{
    if (private_of(error) != NULL)
        error->code = (int)code;
}

const char *pgf_error_hint(const GError *error)
{
    const PgfErrorPrivate *priv = private_of(error);
    return priv == NULL ? NULL : priv->hint;
}

const char *pgf_error_state(const GError *error)
{
    const PgfErrorPrivate *priv = private_of(error);
    return priv == NULL ? NULL : priv->state;
}

int pgf_error_exit_status(const GError *error)
{
    if (error == NULL)
        return 0;
    return error->domain == PGF_ERROR ? error->code : PGF_ERROR_INTERNAL;
}
