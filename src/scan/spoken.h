/* Connections that a test speaks of and does not open: what a parser is tested with, what must be refused. */
#pragma once

#include "scan/setting.h"

bool spoken_of_only(const Source *source, const Setting *setting);
