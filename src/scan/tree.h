/* The settings of a file that tree-sitter can read. */
#pragma once

#include "scan/language.h"
#include "scan/setting.h"

/* Parses source->text and fills settings and comments. False when it could not be parsed (too long, cancelled). */
bool tree_read(Source *source);
