/* Whether the target has still what a receipt says, where its rows are not read again. */
#pragma once

#include "cmd/retire_job.h"

/* Every table that had rows is there and is not empty: whoever dropped or emptied one is found. Refuses otherwise. */
bool retire_target_holds(const RetireJob *job, const Ends *ends, GError **error);
