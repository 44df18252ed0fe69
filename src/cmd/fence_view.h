/* How `pgfold fence` shows what it found and did: for people, and as JSON (docs/json.md). */
#pragma once

#include "fence/fence.h"
#include "out/out.h"

typedef struct FenceView { /* one source */
    Out *out;
    const char *name;
    const PgConn *conn;
    const FenceSurvey *survey;
    bool lift, dry_run;
    const char *outcome;         /* "fenced", "lifted", "open" (there was nothing to lift), "ready" (--dry-run) */
    const GPtrArray *statements; /* of char*: what was run, or would be */
    const GPtrArray *ended;      /* of FenceSession*: those that were ended, or would be */
    const GPtrArray *notes;      /* of char* */
} FenceView;

/* Which statements, and who is connected: before anything is asked. */
void fence_show_survey(const FenceView *view);
/* A table of sessions; nothing where there are none. */
void fence_show_sessions(Out *out, const GPtrArray *sessions);
void fence_show_outcome(const FenceView *view);
/* New reference. */
json_t *fence_json(const FenceView *view);
