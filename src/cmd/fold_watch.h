/* Progress of a fold: copies with their rows and bytes, indexes and the rest by name. Main thread only. */
#pragma once

#include "out/progress.h"
#include "pool/pool.h"

typedef struct FoldProgress FoldProgress;

/* bytes_total: of the tables to copy. out must outlive it. */
FoldProgress *fold_progress_new(Out *out, guint64 bytes_total);
void fold_progress_free(FoldProgress *progress);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FoldProgress, fold_progress_free)

/* For FoldWatch: a phase begins; a PoolObserver. data: the FoldProgress. */
void fold_progress_phase(const char *name, gpointer data);
void fold_progress_observe(PoolEvent event, const PoolJob *job, const GError *error, gpointer data);
