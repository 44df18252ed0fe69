/* Conflicts of a merge, both sides beside each other. */
#pragma once

#include "merge/merge.h"
#include "out/out.h"

/* Those that were described (MergeSpec.max_conflicts), as a table; nothing where there are none. */
void merge_show_conflicts(Out *out, const Merge *merge);
