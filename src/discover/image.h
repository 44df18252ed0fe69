/* What the images of PostgreSQL have in common: their names, and the variables that they are started with. */
#pragma once

#include "discover/discover.h"

/* image may be NULL (a service that is built), and environment (name -> value), where it is not known. */
bool image_is_postgres(const char *image, GHashTable *environment);
/* The port that the server listens on in its container. */
int image_port(GHashTable *environment);
/* User, database and password of place->url. */
void image_fill_url(Place *place, GHashTable *environment);
