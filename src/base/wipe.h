/* Texts that may hold a password are overwritten before they are freed. */
#pragma once

#include <glib.h>

/* NULL is fine. */
void wipe_free(char *text);
/* All of a NULL-terminated list, and the list; NULL is fine. */
void wipe_strv_free(char **texts);

/* For g_auto(WipedStrv), as GStrv: the environment of a child, the words of a command line. */
typedef char **WipedStrv;
G_DEFINE_AUTO_CLEANUP_FREE_FUNC(WipedStrv, wipe_strv_free, NULL)
