/* The settings of a file that is read line by line: variables, INI and properties, Dockerfile, Makefile, Markdown. */
#pragma once

#include "scan/setting.h"

void lines_read(Source *source);
