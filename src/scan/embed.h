/* Files within a file: the code blocks of Markdown, and what a shell writes into a file ("cat > .env <<EOF"). Their
 * settings become settings of the source, at their places in it. */
#pragma once

#include "scan/setting.h"

/* The block of Markdown that starts at start, after its fence; info: what the fence says ("```yaml"). False: it is of
 * no language that is known, or not well-formed, and is to be read line by line. */
bool embed_block(Source *source, const char *info, gsize info_length, guint start, guint end);
void embed_heredocs(Source *source);
