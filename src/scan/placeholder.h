/*
 * Placeholders with a default within a text: "${DB_HOST:-localhost}" of shells and compose, "${db.host:localhost}" of
 * Spring, "<%= ENV.fetch('DB_HOST', 'localhost') %>" of ERB, "{{ env.host | default('localhost') }}" of templates,
 * `env:"DB_HOST" envDefault:"localhost"` of Go's tags. Which of them count is said by the language's rules.
 */
#pragma once

#include "scan/setting.h"

/* Adds a setting of kind DEFAULT for each placeholder in bytes [start, end) of the source. */
void placeholder_read(Source *source, guint start, guint end);
