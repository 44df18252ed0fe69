/*
 * Progress of a pool of jobs over tables (src/pool): a live line for all, and one for each table at work.
 *
 * Hand watch_observe() with the Watch as its data to pool_run(). One Watch may see several pools, one after the other.
 * Main thread only.
 */
#pragma once

#include "out/progress.h"
#include "pool/pool.h"

typedef struct Watch Watch;

/* out must outlive it. */
Watch *watch_new(Out *out);
/* Takes the live lines away. */
void watch_free(Watch *watch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Watch, watch_free)

/* A PoolObserver; user_data: the Watch. A job's weight is taken as its bytes. */
void watch_observe(PoolEvent event, const PoolJob *job, const GError *error, gpointer user_data);
