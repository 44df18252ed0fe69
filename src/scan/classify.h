/* The class of a file, by its path, its content where the path says nothing, and what pgfold.yaml says. */
#pragma once

#include "scan/scan.h"

/* file: relative to folder, which is absolute. config may be NULL. */
ScanClass classify(const Config *config, const char *folder, const char *file, const char *text, gsize length);
/* A compose file of any tool's name. */
bool file_is_compose(const char *file);
