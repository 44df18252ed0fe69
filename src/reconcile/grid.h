/*
 * The grid: into which groups a relation is scanned (shared by the files of src/reconcile).
 *
 * group = range * split + (hash of the key, modulo split). Ranges follow the order of the key's first column; their
 * bounds come from a few thousand blocks of both sides, with interpolation between the keys found there. A bad sample
 * costs time, never exactness.
 */
#pragma once

#include "reconcile/key.h"

enum { LEAF_SHARES = 16 }; /* into so many shares a group that differs is divided */

typedef struct Grid {
    guint ranges;      /* 1: the whole relation */
    guint split;       /* a power of two; 1: ranges only */
    bool even;         /* bounds are low + i * step */
    gint64 low, high;  /* of an even grid: keys beyond are taken for these */
    gint64 step;       /* of an even grid */
    GPtrArray *bounds; /* of an uneven grid: ranges - 1 literals in order; else NULL */
    char *group_sql;   /* int4 expression */
    char *scan_sql;    /* the same, cheaper: keys beyond the grid have numbers beyond it; or NULL */
    char *share_sql; /* of an even grid that an index serves: int4, in which of LEAF_SHARES shares of its range; or NULL
                      */
    const KeyPlan *key; /* not owned */
} Grid;

/* One group; group_sql is NULL. */
Grid grid_whole(const KeyPlan *key);
bool grid_make(Grid *grid, const KeyPlan *key, const ReconcileSide *source, const ReconcileSide *target,
               GError **error);
guint grid_groups(const Grid *grid);
/* Text of the lower bound of a range from 1 on: a value of key->bound_type. Transfer full. */
char *grid_bound(const Grid *grid, guint range);
/* The lower bound of a share of a range, where there is a share_sql; share LEAF_SHARES is the end. Transfer full. */
char *grid_share_bound(const Grid *grid, guint range, guint share);
/* A condition for rows of the ranges first..last. Transfer full. */
char *grid_where(const Grid *grid, guint first, guint last);
void grid_clear(Grid *grid);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Grid, grid_clear)

/* A literal of an array of texts or numbers: '{"a","b"}', quoted for SQL. Transfer full. */
char *grid_array(const GPtrArray *texts);
