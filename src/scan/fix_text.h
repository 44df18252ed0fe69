/* "${DATABASE_URL:?message}", for shells and compose. Transfer full. */
#pragma once

#include "scan/fix.h"

char *fix_required(const Fix *fix, const char *variable);
