/* The parts of facts_value(): what an expression comes to. For facts.c, value.c and call.c only. */
#pragma once

#include <string.h>

#include "scan/facts.h"

#define VALUE_DEPTH_MAX 12        /* expressions within expressions that are followed */
#define VALUE_STEPS_MAX 5000      /* expressions for one value: names may refer to each other */
#define VALUE_TEXT_MAX (1u << 16) /* no text that matters is longer */

Value value_of(const Facts *facts, TSNode node, int depth);
Value call_value(const Facts *facts, const Fact *fact, int depth);
/* The default of value becomes what node comes to. inside: or the first literal within it, as in a lambda. */
void value_take_default(const Facts *facts, Value *value, TSNode node, bool inside, int depth);
/* The name of a kind of node has this word in it. */
static inline bool kind_says(const char *kind, const char *word)
{
    return strstr(kind, word) != NULL;
}
/* text is in the list, or ends as an entry that starts with "*" does. */
bool value_is_listed(char **list, const char *text);
/* Under which name a binding is found again: an attribute ("self.url") is not the parameter "url". Transfer full. */
char *value_bound_name(const Facts *facts, TSNode node);
/* Bytes of the file without blanks. Transfer full. */
char *value_plain_text(const Source *source, guint start, guint end);
