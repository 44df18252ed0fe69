/* ${NAME} from the environment, and never a default. */
#pragma once

#include "config/mistakes.h"

typedef enum ConfigExpand {
    CONFIG_EXPAND_READ, /* values come from the environment; unset and empty variables are mistakes */
    CONFIG_EXPAND_MARK  /* CONFIG_EXPAND_MARKER stands in for every value; nothing is read */
} ConfigExpand;

#define CONFIG_EXPAND_MARKER '\001'

/* text with every ${NAME} replaced and every $$ made $. What was read is not expanded again. place: of text, for
 * mistakes. NULL when there was one; all of a text are told. Transfer full. */
char *config_expand(const char *text, ConfigExpand mode, ConfigPlace place, ConfigMistakes *mistakes);
