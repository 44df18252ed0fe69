#include "base/wipe.h"

#include <string.h>

void wipe_free(char *text)
{
    if (text != NULL)
        explicit_bzero(text, strlen(text));
    g_free(text);
}

void wipe_strv_free(char **texts)
{
    for (guint i = 0; texts != NULL && texts[i] != NULL; i++)
        wipe_free(texts[i]);
    g_free(texts);
}
