/* Who runs the server: never root. Internal to this room. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

typedef struct Owner {
    uid_t uid;
    gid_t gid;
    bool drop; /* we are root and become this one */
} Owner;

/* Ourselves; as root the user of that name, or $SUDO_UID, else postgres, else nobody. */
bool owner_find(const char *user, Owner *ret_owner, GError **error);

/* For good: user, group, no supplementary groups. */
bool owner_become(const Owner *owner, GError **error);

/* Leaves what a server and its tools need, and nothing that is meant for us or would change them: no secrets of the
 * caller, no libpq variables, and a HOME that fits. */
void owner_clean_environment(const Owner *owner);
