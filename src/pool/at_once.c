#include "pool/at_once.h"

#include <pthread.h>

typedef struct Call {
    pthread_t thread;
    guint i;
    AtOnceFunc func;
    gpointer data;
    GError *error;
    bool good;
} Call;

static void *call_main(void *data)
{
    Call *call = data;
    call->good = call->func(call->i, call->data, &call->error);
    return NULL;
}

bool pool_at_once(guint n, AtOnceFunc func, gpointer data, GError **error)
{
    g_autofree Call *calls = g_new0(Call, n);
    bool good = true;
    for (guint i = 0; i < n; i++)
        calls[i] = (Call){.i = i, .func = func, .data = data};
    for (guint i = 1; i < n; i++) {
        int failed = pthread_create(&calls[i].thread, NULL, call_main, &calls[i]);
        g_assert(failed == 0);
    }
    if (n > 0)
        (void)call_main(&calls[0]);
    for (guint i = 1; i < n; i++)
        pthread_join(calls[i].thread, NULL);
    for (guint i = 0; i < n; i++) {
        if (calls[i].good)
            continue;
        if (good)
            g_propagate_error(error, g_steal_pointer(&calls[i].error));
        g_clear_error(&calls[i].error);
        good = false;
    }
    return good;
}
