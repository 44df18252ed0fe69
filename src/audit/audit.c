#include "audit/audit.h"

#include <string.h>

#include "audit/drift.h"
#include "audit/views.h"
#include "base/error.h"
#include "catalog/lock.h"
#include "pool/at_once.h"

/* lo_get() reads under the snapshot and needs no more than SELECT on the object. */
static const char LARGE_OBJECTS_SQL[] =
    "SELECT count(*), coalesce(sum(pg_catalog.hash_array_extended(ARRAY[pg_catalog.lo_get(oid)], "
    "oid::pg_catalog.int8)), 0)::text "
    "FROM pg_catalog.pg_largeobject_metadata";

/* One job: a relation's digests on both sides. Each job writes only into its own AuditRelation. */
typedef struct DigestJob {
    AuditRelation *relation; /* NULL: large objects */
    Audit *audit;
} DigestJob;

static void relation_free(gpointer data)
{
    AuditRelation *r = data;
    reconcile_scan_free(r->scan);
    g_ptr_array_unref(r->drift);
    g_free(r->obstacle);
    g_free(r->text_columns);
    g_free(r);
}

void audit_pair_free(gpointer data)
{
    AuditPair *pair = data;
    g_free(pair->name);
    g_free(pair);
}

void audit_free(Audit *audit)
{
    if (audit == NULL)
        return;
    g_ptr_array_unref(audit->relations);
    g_ptr_array_unref(audit->sequences);
    g_ptr_array_unref(audit->extensions);
    g_ptr_array_unref(audit->properties);
    g_ptr_array_unref(audit->counts);
    g_ptr_array_unref(audit->views);
    g_ptr_array_unref(audit->view_texts);
    catalog_free(audit->source);
    catalog_free(audit->target);
    g_free(audit);
}

static char *text_columns_of(const CatalogRelation *relation, DigestText text)
{
    g_assert(relation != NULL);
    g_autoptr(GString) names = g_string_new(NULL);
    for (guint i = 0; i < relation->columns->len; i++) {
        const CatalogColumn *column = relation->columns->pdata[i];
        if (!column->is_virtual && g_str_equal(digest_method(column, text), "text"))
            g_string_append_printf(names, "%s%s (%s)", names->len > 0 ? ", " : "", column->name, column->type);
    }
    return names->len == 0 ? NULL : g_strdup(names->str);
}

static AuditRelation *pair_relation(Audit *audit, const CatalogRelation *source, const CatalogRelation *target)
{
    AuditRelation *r = g_new0(AuditRelation, 1);
    r->source = source;
    r->target = target;
    if (source != NULL && target != NULL) {
        r->drift = drift_find(source, target);
        r->obstacle = reconcile_obstacle(source, target);
        r->verdict = r->drift->len > 0 ? AUDIT_DRIFT : AUDIT_SAME;
    } else {
        r->drift = g_ptr_array_new_with_free_func(g_free);
        r->verdict = source != NULL ? AUDIT_SOURCE_ONLY : AUDIT_TARGET_ONLY;
    }
    r->text_columns = text_columns_of(source != NULL ? source : target, audit->text);
    g_ptr_array_add(audit->relations, r);
    return r;
}

static int by_name(gconstpointer a, gconstpointer b)
{
    const AuditRelation *x = *(AuditRelation *const *)a;
    const AuditRelation *y = *(AuditRelation *const *)b;
    const CatalogRelation *p = x->source != NULL ? x->source : x->target;
    const CatalogRelation *q = y->source != NULL ? y->source : y->target;
    int order = strcmp(p->schema, q->schema);
    return order != 0 ? order : strcmp(p->name, q->name);
}

static void pair_relations(Audit *audit, const AuditSpec *spec)
{
    for (guint i = 0; i < audit->source->relations->len; i++) {
        const CatalogRelation *s = audit->source->relations->pdata[i];
        AuditRelation *r =
            pair_relation(audit, s, audit->target == NULL ? NULL : catalog_find(audit->target, s->schema, s->name));
        if (s->left_out || (spec->skip != NULL && spec->skip(s->schema, s->name, spec->skip_data)))
            r->verdict = AUDIT_SKIPPED;
    }
    for (guint i = 0; audit->target != NULL && i < audit->target->relations->len; i++) {
        const CatalogRelation *t = audit->target->relations->pdata[i];
        if (catalog_find(audit->source, t->schema, t->name) == NULL)
            pair_relation(audit, NULL, t);
    }
    g_ptr_array_sort(audit->relations, by_name);
}

static const CatalogSequence *find_sequence(const Catalog *catalog, const CatalogSequence *wanted)
{
    return catalog == NULL ? NULL : g_hash_table_lookup(catalog->sequences_by_name, wanted->quoted);
}

/* The next value that nextval() gives lies at or beyond the source's next value, in the direction of the increment. */
static bool has_reached(const CatalogSequence *s, const CatalogSequence *t)
{
    if (s->last_value == t->last_value)
        return !s->is_called || t->is_called;
    return s->increment > 0 ? t->last_value > s->last_value : t->last_value < s->last_value;
}

bool audit_sequence_reached(const CatalogSequence *source, const Catalog *target)
{
    const CatalogSequence *there = find_sequence(target, source);
    return there != NULL && has_reached(source, there);
}

static void pair_sequence(Audit *audit, const CatalogSequence *s, const CatalogSequence *t)
{
    AuditSequence *pair = g_new0(AuditSequence, 1);
    pair->source = s;
    pair->target = t;
    pair->reached = s == NULL || (t != NULL && has_reached(s, t));
    pair->same = s != NULL && t != NULL && s->last_value == t->last_value && s->is_called == t->is_called &&
                 s->increment == t->increment;
    g_ptr_array_add(audit->sequences, pair);
}

static void pair_sequences(Audit *audit)
{
    for (guint i = 0; i < audit->source->sequences->len; i++) {
        const CatalogSequence *s = audit->source->sequences->pdata[i];
        pair_sequence(audit, s, find_sequence(audit->target, s));
    }
    for (guint i = 0; audit->target != NULL && i < audit->target->sequences->len; i++) {
        const CatalogSequence *t = audit->target->sequences->pdata[i];
        if (find_sequence(audit->source, t) == NULL)
            pair_sequence(audit, NULL, t);
    }
}

static const CatalogPair *find_pair(const GPtrArray *pairs, const char *name)
{
    for (guint i = 0; pairs != NULL && i < pairs->len; i++) {
        const CatalogPair *pair = pairs->pdata[i];
        if (g_str_equal(pair->name, name))
            return pair;
    }
    return NULL;
}

static void add_pair(GPtrArray *to, const char *name, const char *source, const char *target)
{
    AuditPair *pair = g_new0(AuditPair, 1);
    pair->name = g_strdup(name);
    pair->source = source;
    pair->target = target;
    pair->same = g_strcmp0(source, target) == 0;
    g_ptr_array_add(to, pair);
}

static GPtrArray *pair_lists(const GPtrArray *source, const GPtrArray *target)
{
    GPtrArray *pairs = g_ptr_array_new_with_free_func(audit_pair_free);
    for (guint i = 0; i < source->len; i++) {
        const CatalogPair *s = source->pdata[i];
        const CatalogPair *t = find_pair(target, s->name);
        add_pair(pairs, s->name, s->value, t == NULL ? NULL : t->value);
    }
    for (guint i = 0; target != NULL && i < target->len; i++) {
        const CatalogPair *t = target->pdata[i];
        if (find_pair(source, t->name) == NULL)
            add_pair(pairs, t->name, NULL, t->value);
    }
    return pairs;
}

static bool digest_one(PgConn *conn, const char *sql, Digest *ret_digest, GError **error)
{
    g_autoptr(PgResult) r = pg_query(conn, sql, DEADLINE_NONE, error);
    return r != NULL && digest_from_row(r, 0, 0, ret_digest, error);
}

bool audit_large_objects(PgConn *conn, Digest *ret_digest, GError **error)
{
    if (digest_one(conn, LARGE_OBJECTS_SQL, ret_digest, error))
        return true;
    g_prefix_error(error, "large objects: ");
    return false;
}

static bool digest_large_objects(PoolWorker *worker, Audit *audit, GError **error)
{
    audit->large_objects_digested = true;
    return audit_large_objects(worker->source, &audit->source_large_objects, error) &&
           (worker->target == NULL || audit_large_objects(worker->target, &audit->target_large_objects, error));
}

static bool digest_alone(PgConn *conn, const CatalogRelation *relation, DigestText text, Digest *ret_digest,
                         GError **error)
{
    g_assert(relation != NULL);
    g_autofree char *sql = digest_relation_sql(relation, NULL, text);
    if (digest_one(conn, sql, ret_digest, error))
        return true;
    g_prefix_error(error, "%s: ", relation->label);
    return false;
}

/* What is needed to go down to the rows is kept only where they differ. */
static bool scan_both(const PoolWorker *worker, AuditRelation *r, DigestText text, GError **error)
{
    ReconcileSide source = {.conn = worker->source, .relation = r->source};
    ReconcileSide target = {.conn = worker->target, .relation = r->target};
    g_autoptr(ReconcileScan) scan = reconcile_scan(&source, &target, text, error);
    if (scan == NULL)
        return false;
    r->source_digest = *reconcile_scan_source_digest(scan);
    r->target_digest = *reconcile_scan_target_digest(scan);
    if (digest_equal(&r->source_digest, &r->target_digest))
        return true;
    if (!reconcile_prove_key(scan, &source, &target, &r->obstacle, error))
        return false;
    if (r->obstacle == NULL)
        r->scan = g_steal_pointer(&scan);
    return true;
}

static bool run_digest(PoolWorker *worker, gpointer data, GError **error)
{
    DigestJob *job = data;
    AuditRelation *r = job->relation;
    DigestText text = job->audit->text;
    if (r == NULL)
        return digest_large_objects(worker, job->audit, error);
    if (views_wanted(r))
        return views_digest(worker, r, text, error);
    r->source_digested = r->source != NULL;
    r->target_digested = r->target != NULL && r->obstacle == NULL;
    if (!r->source_digested)
        return digest_alone(worker->target, r->target, text, &r->target_digest, error);
    if (!r->target_digested)
        return digest_alone(worker->source, r->source, text, &r->source_digest, error);
    return scan_both(worker, r, text, error);
}

static bool wants_digest(const AuditRelation *r, const AuditSpec *spec)
{
    const CatalogRelation *relation = r->source != NULL ? r->source : r->target;
    bool rows = catalog_has_rows(relation) && (r->source != NULL || spec->everything);
    return r->verdict != AUDIT_SKIPPED && (rows || views_wanted(r));
}

static bool digest_all(Audit *audit, const AuditSpec *spec, GError **error)
{
    g_autoptr(Pool) pool = pool_new(spec->sources->len, (PgConn *const *)spec->sources->pdata,
                                    spec->targets == NULL ? NULL : (PgConn *const *)spec->targets->pdata);
    pool_reads(pool);
    g_autofree DigestJob *jobs = g_new0(DigestJob, audit->relations->len + 1);
    for (guint i = 0; i < audit->relations->len; i++) {
        AuditRelation *r = audit->relations->pdata[i];
        const CatalogRelation *relation = r->source != NULL ? r->source : r->target;
        jobs[i] = (DigestJob){.relation = r, .audit = audit};
        if (wants_digest(r, spec))
            pool_add(pool, "digest", relation->label, relation->bytes, run_digest, &jobs[i]);
    }
    bool without = spec->definitions_only || (spec->filter != NULL && spec->filter->named_only);
    if (!without && (audit->source->large_objects > 0 || (audit->target != NULL && audit->target->large_objects > 0))) {
        DigestJob *job = &jobs[audit->relations->len];
        *job = (DigestJob){.audit = audit};
        pool_add(pool, "digest", "large objects", 0, run_digest, job);
    }
    return pool_run(pool, spec->observer, spec->observer_data, error);
}

static void judge(Audit *audit)
{
    bool empty = audit->source->large_objects == 0;
    for (guint i = 0; i < audit->relations->len; i++) {
        AuditRelation *r = audit->relations->pdata[i];
        if (r->source_digested && r->source_digest.rows > 0)
            empty = false;
        if (r->source == NULL || r->target == NULL || r->verdict == AUDIT_SKIPPED)
            continue;
        if (catalog_has_rows(r->source) && r->obstacle != NULL)
            r->verdict = AUDIT_INCOMPARABLE;
        else if ((r->target_digested && !digest_equal(&r->source_digest, &r->target_digest)) || audit_view_differs(r))
            r->verdict = AUDIT_DIFFERENT;
    }
    audit->empty_source = empty;
}

static bool bound_waits(guint i, gpointer data, GError **error)
{
    PgConn *conn = g_ptr_array_index((const GPtrArray *)data, i);
    return !pg_conn_in_transaction(conn) || catalog_bound_waits(conn, error);
}

/* Reads a side's catalog and, where its connections share a snapshot, keeps that readable until they let go. */
static Catalog *read_side(PgConn *holder, const GPtrArray *workers, const Filter *filter, const Hidden *hidden,
                          GError **error)
{
    bool locks = pg_conn_in_transaction(holder);
    g_autoptr(GPtrArray) conns = g_ptr_array_new();
    g_ptr_array_add(conns, holder);
    for (guint i = 0; workers != NULL && i < workers->len; i++)
        g_ptr_array_add(conns, workers->pdata[i]);
    if (!pool_at_once(conns->len, bound_waits, conns, error))
        return NULL;
    g_autoptr(Catalog) catalog = catalog_read(holder, filter, error);
    if (catalog == NULL && error != NULL && g_str_equal(pg_conn_sqlstate(holder), "55P03"))
        pgf_error_set_code(*error, PGF_ERROR_REFUSED); /* sizes and definitions wait for the table too */
    if (catalog != NULL && hidden != NULL)
        catalog_hide(catalog, hidden);
    if (catalog == NULL || (locks && !catalog_lock(holder, catalog, error)))
        return NULL;
    return g_steal_pointer(&catalog);
}

typedef struct Reading {
    Audit *audit;
    const AuditSpec *spec;
} Reading;

/* What is of no account is as if it were not there. */
static void narrow(Catalog *source, const AuditSpec *spec)
{
    if (spec->definitions_only) {
        g_hash_table_remove_all(source->sequences_by_name);
        g_ptr_array_set_size(source->sequences, 0);
        source->large_objects = 0;
        for (guint i = source->counts->len; i-- > 0;)
            if (g_str_equal(((const CatalogPair *)source->counts->pdata[i])->name, "large object"))
                g_ptr_array_remove_index(source->counts, i);
    }
    if (spec->rows_only)
        g_ptr_array_set_size(source->counts, 0);
}

static bool read_end(guint i, gpointer data, GError **error)
{
    const Reading *reading = data;
    const AuditSpec *spec = reading->spec;
    Catalog **to = i == 0 ? &reading->audit->source : &reading->audit->target;
    *to = i == 0 ? read_side(spec->source, spec->sources, spec->filter, NULL, error)
                 : read_side(spec->target, spec->targets, NULL, spec->hidden, error);
    if (i == 0 && *to != NULL)
        narrow(*to, spec);
    bool renames = i == 0 && spec->rename != NULL;
    return *to != NULL && (!renames || spec->rename(*to, spec->rename_data, error));
}

/* A view that is left out need not be in the target, nor be the same there. */
static void drop_left_out_views(GPtrArray *views, const Filter *filter)
{
    for (guint i = 0; filter != NULL && i < filter->relations->len; i++) {
        const FilterRelation *r = filter->relations->pdata[i];
        g_autofree char *label = g_strconcat(r->schema, ".", r->name, NULL);
        for (guint k = r->kind == 'v' || r->kind == 'm' ? views->len : 0; k-- > 0;)
            if (g_str_equal(((const AuditPair *)views->pdata[k])->name, label))
                g_ptr_array_remove_index(views, k);
    }
}

/* Views are compared by their text, in which a renamed schema has its old name. */
static bool compare_views(Audit *audit, const AuditSpec *spec, GError **error)
{
    GPtrArray *views = spec->target == NULL || spec->rename != NULL
                           ? NULL
                           : views_compare(spec->source, spec->target, audit->view_texts, error);
    if (views == NULL)
        return spec->target == NULL || spec->rename != NULL;
    drop_left_out_views(views, spec->filter);
    g_ptr_array_unref(audit->views);
    audit->views = views;
    return true;
}

/* Keys that the configuration gives. One that the source's table has no such column for is a mistake there; the target
 * may lack it, as it may lack any. */
static bool give_keys(const Audit *audit, const AuditSpec *spec, GError **error)
{
    for (guint i = 0; spec->key != NULL && i < audit->source->relations->len; i++) {
        CatalogRelation *s = audit->source->relations->pdata[i];
        CatalogRelation *t = audit->target == NULL ? NULL : catalog_find(audit->target, s->schema, s->name);
        const char *unknown = NULL;
        g_autofree char *where = NULL;
        const char *const *key = spec->key(s->schema, s->name, &where, spec->key_data);
        if (key == NULL)
            continue;
        if (!catalog_give_key(s, key, &unknown)) {
            pgf_error_set(error, PGF_ERROR_USAGE, "Name columns of the table.", "%s: table %s has no column \"%s\"",
                          where, s->label, unknown);
            return false;
        }
        if (t != NULL)
            (void)catalog_give_key(t, key, &unknown);
    }
    return true;
}

Audit *audit_run(const AuditSpec *spec, GError **error)
{
    g_autoptr(Audit) audit = g_new0(Audit, 1);
    audit->relations = g_ptr_array_new_with_free_func(relation_free);
    audit->sequences = g_ptr_array_new_with_free_func(g_free);
    audit->extensions = g_ptr_array_new_with_free_func(audit_pair_free);
    audit->properties = g_ptr_array_new_with_free_func(audit_pair_free);
    audit->counts = g_ptr_array_new_with_free_func(audit_pair_free);
    audit->views = g_ptr_array_new_with_free_func(audit_pair_free);
    audit->view_texts = g_ptr_array_new_with_free_func(g_free);
    audit->text = spec->target == NULL
                      ? DIGEST_TEXT_NATIVE
                      : reconcile_text_mode(pg_conn_identity(spec->source), pg_conn_identity(spec->target));
    Reading reading = {.audit = audit, .spec = spec};
    if (!pool_at_once(spec->target == NULL ? 1 : 2, read_end, &reading, error))
        return NULL;
    if (!give_keys(audit, spec, error))
        return NULL;
    pair_relations(audit, spec);
    pair_sequences(audit);
    g_ptr_array_unref(audit->extensions);
    g_ptr_array_unref(audit->properties);
    g_ptr_array_unref(audit->counts);
    audit->extensions = pair_lists(audit->source->extensions, audit->target == NULL ? NULL : audit->target->extensions);
    audit->properties = pair_lists(audit->source->properties, audit->target == NULL ? NULL : audit->target->properties);
    audit->counts = pair_lists(audit->source->counts, audit->target == NULL ? NULL : audit->target->counts);
    if (!compare_views(audit, spec, error) || !digest_all(audit, spec, error))
        return NULL;
    judge(audit);
    return g_steal_pointer(&audit);
}
