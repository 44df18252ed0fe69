#include "docs/docs.h"

#include <string.h>

#include "base/error.h"
#include "config/protect.h"
#include "docs/internal.h"

static void change_free(gpointer data)
{
    DocsChange *change = data;
    g_free(change->path);
    g_free(change->old_text);
    g_free(change->new_text);
    g_free(change);
}

static void mention_free(gpointer data)
{
    DocsMention *mention = data;
    g_free(mention->file);
    g_free(mention->text);
    g_free(mention->about);
    g_free(mention);
}

void docs_free(Docs *docs)
{
    if (docs == NULL)
        return;
    g_ptr_array_unref(docs->changes);
    g_ptr_array_unref(docs->mentions);
    g_ptr_array_unref(docs->notes);
    g_clear_pointer(&docs->sources, g_ptr_array_unref);
    g_free(docs);
}

static bool has_change(const Docs *docs, const char *path)
{
    for (guint i = 0; i < docs->changes->len; i++) {
        const DocsChange *change = docs->changes->pdata[i];
        if (strcmp(change->path, path) == 0)
            return true;
    }
    return false;
}

static void add_note(Docs *docs, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void add_note(Docs *docs, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_ptr_array_add(docs->notes, g_strdup_vprintf(format, args));
    va_end(args);
}

/* What is outside is not ours to write, and is not left out in silence either. */
static bool check_inside(const DocsFile *file, const char *name, GError **error)
{
    if (!file->outside)
        return true;
    pgf_error_set(error, PGF_ERROR_REFUSED, "Make it a file of the project, or take it out.",
                  "%s leads out of the project, by a symbolic link", name);
    return false;
}

/* False where an entry of protect.paths stands before it. */
static bool may_write(const Config *config, const char *path, GError **error)
{
    g_autofree char *whole = g_build_filename(config->folder, path, NULL);
    return config_check_protected_path(config, path, whole, error);
}

static void add_mentions(Docs *docs, const Config *config, const char *file, const DocsText *text, MentionKinds kinds)
{
    g_autoptr(Mentions) mentions = mentions_new(config);
    bool ours = false;
    for (guint i = 0; i < text->lines->len; i++) {
        const char *line = text->lines->pdata[i];
        ours = (ours || g_str_has_prefix(line, "<!-- pgfold:database")) && !g_str_has_prefix(line, "<!-- /pgfold:");
        g_autofree char *about = ours || docs_env_is_ours(line) ? NULL : mentions_about(mentions, line, kinds);
        if (about == NULL)
            continue;
        DocsMention *mention = g_new0(DocsMention, 1);
        mention->file = g_strdup(file);
        mention->line = (int)i + 1;
        mention->text = docs_line_content(line);
        mention->about = g_steal_pointer(&about);
        g_ptr_array_add(docs->mentions, mention);
    }
}

/* Takes what file was and text is now. protected: it is left alone, with a note. */
static bool add_change(Docs *docs, const Config *config, const char *name, DocsFile *file, const DocsText *text,
                       GError **error)
{
    g_autofree char *content = docs_text_join(text);
    if (g_strcmp0(file->content, content) != 0) {
        g_autoptr(GError) protected = NULL;
        if (!check_inside(file, name, error))
            return false;
        if (!may_write(config, file->path, &protected)) {
            add_note(docs, "left alone: %s", protected->message);
            return true;
        }
    }
    DocsChange *change = g_new0(DocsChange, 1);
    change->path = g_strdup(file->path);
    change->old_text = g_steal_pointer(&file->content);
    change->new_text = g_steal_pointer(&content);
    change->mode = file->mode;
    g_ptr_array_add(docs->changes, change);
    return true;
}

static bool add_page(Docs *docs, const DocsFacts *facts, GError **error)
{
    const Config *config = facts->config;
    const char *name = config->docs.page;
    g_auto(DocsFile) file = {0};
    if (!docs_file_read(config, name, &file, error) || !check_inside(&file, name, error) ||
        !may_write(config, file.path, error))
        return false;
    if (file.odd != NULL) {
        pgf_error_set(error, PGF_ERROR_USAGE, "Name another one: docs.page in pgfold.yaml.", "%s %s", name, file.odd);
        return false;
    }
    g_autoptr(DocsText) text = docs_text_new(file.content);
    g_autofree char *block = docs_page_block(facts, docs->notes);
    return docs_page_write(text, name, block, error) && add_change(docs, config, name, &file, text, error);
}

/* The one that is there, by any of its usual names. */
static const char *env_name(const Config *config)
{
    static const char *const NAMES[] = {".env.example", ".env.sample", ".env.template", ".env.dist", "env.example"};
    for (guint i = 0; i < G_N_ELEMENTS(NAMES); i++)
        if (docs_file_exists(config, NAMES[i]))
            return NAMES[i];
    return NAMES[0];
}

static bool add_env(Docs *docs, const DocsFacts *facts, GError **error)
{
    const Config *config = facts->config;
    const char *name = env_name(config);
    g_auto(DocsFile) file = {0};
    if (!docs_file_read(config, name, &file, error))
        return false;
    if (file.odd != NULL) {
        add_note(docs, "left alone: %s %s", name, file.odd);
        return true;
    }
    g_autoptr(DocsText) text = docs_text_new(file.content);
    docs_env_write(text, facts);
    if (!add_change(docs, config, name, &file, text, error))
        return false;
    if (has_change(docs, file.path))
        add_mentions(docs, config, file.path, text, MENTION_FILES_AND_URLS);
    return true;
}

static bool add_entry(Docs *docs, const DocsFacts *facts, const char *name, GError **error)
{
    const Config *config = facts->config;
    g_auto(DocsFile) file = {0};
    if (!docs_file_exists(config, name))
        return true;
    if (!docs_file_read(config, name, &file, error))
        return false;
    if (file.content == NULL || file.odd != NULL || has_change(docs, file.path)) {
        if (file.odd != NULL)
            add_note(docs, "left alone: %s %s", name, file.odd);
        return true; /* a link to one that was seen, or to nothing */
    }
    g_autoptr(DocsText) text = docs_text_new(file.content), before = docs_text_new(file.content);
    guint at = 0, count = 0;
    if (!docs_entry_write(text, name, facts, error) || !docs_block_find(text, name, "database", &at, &count, error))
        return false;
    if (count == 0)
        return true; /* it speaks of something else */
    g_autofree char *path = g_strdup(file.path);
    if (!add_change(docs, config, name, &file, text, error))
        return false;
    add_mentions(docs, config, path, has_change(docs, path) ? text : before, MENTION_ALL);
    return true;
}

Docs *docs_make(const DocsInput *input, GError **error)
{
    static const char *const ENTRIES[] = {"README.md", "AGENTS.md", "CLAUDE.md"};
    g_auto(DocsFacts) facts = {0};
    g_autoptr(Docs) docs = g_new0(Docs, 1);
    docs->changes = g_ptr_array_new_with_free_func(change_free);
    docs->mentions = g_ptr_array_new_with_free_func(mention_free);
    docs->notes = g_ptr_array_new_with_free_func(g_free);
    if (!docs_facts_read(input, &facts, error) || !add_page(docs, &facts, error) || !add_env(docs, &facts, error))
        return NULL;
    for (guint i = 0; i < G_N_ELEMENTS(ENTRIES); i++)
        if (!add_entry(docs, &facts, ENTRIES[i], error))
            return NULL;
    docs->sources = g_steal_pointer(&facts.sources);
    return g_steal_pointer(&docs);
}
