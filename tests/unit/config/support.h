/* What the tests of this room share. */
#pragma once

#include "config/config.h"

/* Parses text as "pgfold.yaml"; an error fails the test. */
Config *parse_good(const char *text);

/* Parses text as "pgfold.yaml", which must fail with PGF_ERROR_USAGE. The message; transfer full. */
char *parse_bad(const char *text);

/* A file with the required keys, to put others behind. */
#define BASE                                                                                                           \
    "version: 1\n"                                                                                                     \
    "target: { url: service=target }\n"                                                                                \
    "sources: [ { name: laptop, url: service=laptop } ]\n"
