/* Functions and names that speak of a value instead of using it: messages, help, comparisons, examples. */
#pragma once

#include <stdbool.h>

/* function: as code calls it, "logger.info". */
bool function_talks(const char *function);
/* Names of a default's argument or method: "default", "fallback", "orElse". */
bool name_is_default(const char *name);
/* The name of a text that people read: "help", "EXAMPLE_URL". */
bool name_is_prose(const char *name);
