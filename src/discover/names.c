/* Host names that files mention may be of another network, and a resolver may take many seconds to say so: all are
 * asked at once, and those without an answer in time are not connected to. */
#include <netdb.h>
#include <string.h>

#include "discover/internal.h"
#include "pg/url.h"

/* The host of a place that would have to be resolved, or NULL. */
static const char *name_of(const Place *place)
{
    const char *host = pg_url_get(place->url, "host");
    bool asks = place->state == PLACE_UNASKED && host != NULL && pg_url_get(place->url, "hostaddr") == NULL;
    return asks && place_loopback(place) == NULL && strpbrk(host, "/@,:") == NULL ? host : NULL;
}

#ifdef __GLIBC__

/* A request that is still being worked on when time is up stays the resolver's for as long as the program lives. */
static void take_answer(Place *place, struct gaicb *request)
{
    int result = gai_error(request);
    if (result == EAI_INPROGRESS && gai_cancel(request) == EAI_NOTCANCELED) {
        place->state = PLACE_SILENT;
        place->reason = g_strdup("its host name was not resolved in time");
        return;
    }
    if (result != 0) {
        place->state = PLACE_SILENT;
        place->reason = g_strdup_printf("host %s: %s", request->ar_name, gai_strerror(result));
    }
    if (request->ar_result != NULL)
        freeaddrinfo(request->ar_result);
    g_free((char *)request->ar_name);
    g_free(request);
}

static bool is_in_progress(struct gaicb *const *requests, guint n)
{
    for (guint i = 0; i < n; i++)
        if (gai_error(requests[i]) == EAI_INPROGRESS)
            return true;
    return false;
}

void check_names(GPtrArray *places, Deadline deadline)
{
    g_autoptr(GPtrArray) asked = g_ptr_array_new();
    g_autoptr(GPtrArray) requests = g_ptr_array_new();
    for (guint i = 0; i < places->len; i++) {
        if (name_of(places->pdata[i]) == NULL)
            continue;
        struct gaicb *request = g_new0(struct gaicb, 1);
        request->ar_name = g_strdup(name_of(places->pdata[i]));
        g_ptr_array_add(asked, places->pdata[i]);
        g_ptr_array_add(requests, request);
    }
    struct gaicb **list = (struct gaicb **)requests->pdata;
    if (requests->len == 0 || getaddrinfo_a(GAI_NOWAIT, list, (int)requests->len, NULL) != 0)
        return;
    int left = deadline_poll_ms(deadline);
    while (left > 0 && is_in_progress(list, requests->len)) {
        struct timespec timeout = {.tv_sec = left / 1000, .tv_nsec = (long)(left % 1000) * 1000000};
        int result = gai_suspend((const struct gaicb *const *)list, (int)requests->len, &timeout);
        left = result == EAI_INTR ? 0 : deadline_poll_ms(deadline);
    }
    for (guint i = 0; i < requests->len; i++)
        take_answer(asked->pdata[i], list[i]);
}

#else

void check_names(GPtrArray *places, Deadline deadline)
{
    (void)places;
    (void)deadline;
    (void)name_of;
}

#endif
