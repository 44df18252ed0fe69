/* Which of pg_dump's entries a run makes, and when. */
#include "fold/internal.h"

bool fold_makes(const Fold *fold, const PlanEntry *entry)
{
    return entry->action == PLAN_NEW && *entry->entry->sql != '\0' && fold_presence(fold, entry->entry) != PLAN_THERE;
}

PlanPresence fold_presence(const Fold *fold, const DumpEntry *entry)
{
    return fold->there == NULL ? PLAN_ABSENT : (PlanPresence)GPOINTER_TO_UINT(g_hash_table_lookup(fold->there, entry));
}

bool fold_is_final(const DumpEntry *entry)
{
    static const char *const KINDS[] = {"PUBLICATION", "EVENT TRIGGER"};
    bool of_another = g_str_equal(entry->type, "COMMENT") || g_str_equal(entry->type, "SECURITY LABEL");
    for (gsize i = 0; i < G_N_ELEMENTS(KINDS); i++) {
        g_autofree char *prefix = g_strconcat(KINDS[i], " ", NULL);
        if (g_str_has_prefix(entry->type, KINDS[i]) || (of_another && g_str_has_prefix(entry->name, prefix)))
            return true;
    }
    return false;
}
