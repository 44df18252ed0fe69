/* Whether a file that was parsed has anything that may lead to a finding: most have not, and evaluating all their
 * expressions costs more than parsing them. */
#pragma once

#include "scan/facts.h"

/* True where in doubt. */
bool worth_reading(const Facts *facts);
/* The same, asked of the text alone: where this is false the file need not be parsed. */
bool worth_parsing(const Source *source);
