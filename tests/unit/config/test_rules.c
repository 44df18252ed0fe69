/* The rules of a merge: how they are written, which of them holds, and what is no rule. */
#include <string.h>

#include "support.h"

typedef struct RuleCase {
    const char *text;
    ConfigConflict conflict;
    const char *column;
} RuleCase;

static const RuleCase RULES[] = {
    {"stop", CONFIG_CONFLICT_STOP, NULL},
    {"' keep-target '", CONFIG_CONFLICT_KEEP_TARGET, NULL},
    {"take-source", CONFIG_CONFLICT_TAKE_SOURCE, NULL},
    {"rekey", CONFIG_CONFLICT_REKEY, NULL},
    {"newest(updated_at)", CONFIG_CONFLICT_NEWEST, "updated_at"},
    {"newest ( UpdatedAt )", CONFIG_CONFLICT_NEWEST, "UpdatedAt"},
    {"newest(\"Updated At\")", CONFIG_CONFLICT_NEWEST, "Updated At"},
    {"'newest( \"a\"\"b)\" )'", CONFIG_CONFLICT_NEWEST, "a\"b)"},
    {"newest(größe)", CONFIG_CONFLICT_NEWEST, "größe"},
};

static void test_rules(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(RULES); i++) {
        g_autofree char *text = g_strdup_printf(BASE "fold:\n  on_conflict: %s\n", RULES[i].text);
        g_autoptr(Config) config = parse_good(text);
        g_assert_cmpint(config->fold.on_conflict.conflict, ==, RULES[i].conflict);
        g_assert_cmpstr(config->fold.on_conflict.column, ==, RULES[i].column);
    }
}

static ConfigTableRule rule_of(const Config *config, int source, const char *table)
{
    ConfigTableRule rule;
    const ConfigSource *of = source < 0 ? NULL : g_ptr_array_index(config->sources, (guint)source);
    config_table_rule(config, of, "public", table, &rule);
    return rule;
}

static void test_the_most_particular_rule_holds(void)
{
    g_autoptr(Config) config =
        parse_good("version: 1\n"
                   "target: { url: t }\n"
                   "sources:\n"
                   "  - { name: plain, url: a }\n"
                   "  - { name: own, url: b, on_conflict: take-source }\n"
                   "  - name: tables\n"
                   "    url: c\n"
                   "    on_conflict: take-source\n"
                   "    tables: { public.x: { on_conflict: newest(b) }, public.y: { key: [k] } }\n"
                   "fold:\n"
                   "  on_conflict: keep-target\n"
                   "  tables: { public.x: { on_conflict: newest(a) }, other.y: { skip: true } }\n");
    g_assert_cmpstr(rule_of(config, -1, "x").on_conflict->column, ==, "a");
    g_assert_cmpint(rule_of(config, -1, "y").on_conflict->conflict, ==, CONFIG_CONFLICT_KEEP_TARGET);
    g_assert_cmpstr(rule_of(config, 0, "x").on_conflict->column, ==, "a");
    g_assert_cmpint(rule_of(config, 0, "y").on_conflict->conflict, ==, CONFIG_CONFLICT_KEEP_TARGET);
    g_assert_cmpint(rule_of(config, 1, "x").on_conflict->conflict, ==, CONFIG_CONFLICT_TAKE_SOURCE);
    g_assert_cmpint(rule_of(config, 1, "y").on_conflict->conflict, ==, CONFIG_CONFLICT_TAKE_SOURCE);
    g_assert_cmpstr(rule_of(config, 2, "x").on_conflict->column, ==, "b");
    g_assert_cmpint(rule_of(config, 2, "y").on_conflict->conflict, ==, CONFIG_CONFLICT_TAKE_SOURCE);
    g_assert_false(rule_of(config, 2, "y").skip);
}

static void test_a_source_goes_before_the_fold_key_by_key(void)
{
    g_autoptr(Config) config =
        parse_good("version: 1\n"
                   "target: { url: t }\n"
                   "sources:\n"
                   "  - { name: plain, url: a }\n"
                   "  - name: own\n"
                   "    url: b\n"
                   "    tables:\n"
                   "      public.x: { key: [k2], on_match: stop }\n"
                   "      public.y: { skip: true, references: [ { columns: [a, b], table: 's.\"T\"', to: [c, d] } ] }\n"
                   "      public.z: { skip: false }\n"
                   "  - { name: other, url: c, on_conflict: stop }\n"
                   "fold:\n"
                   "  tables:\n"
                   "    public.x: { on_conflict: rekey, key: [k1], match_on: [m, n], on_match: newest(at) }\n"
                   "    public.y: { references: [ { columns: [a], table: public.x, to: [id] } ] }\n"
                   "    public.z: { skip: true }\n");
    ConfigTableRule rule = rule_of(config, 0, "x");
    g_assert_cmpstr(rule.key[0], ==, "k1");
    g_assert_cmpstr(rule.match_on[1], ==, "n");
    g_assert_cmpstr(rule.on_match->column, ==, "at");
    g_assert_null(rule.references);
    rule = rule_of(config, 1, "x");
    g_assert_cmpstr(rule.key[0], ==, "k2");
    g_assert_cmpstr(rule.match_on[0], ==, "m");
    g_assert_cmpint(rule.on_match->conflict, ==, CONFIG_CONFLICT_STOP);
    g_assert_null(rule_of(config, 2, "x").match_on[0]); /* not folded by rekey */

    g_assert_false(rule_of(config, 0, "y").skip);
    g_assert_true(rule_of(config, 1, "y").skip);
    g_assert_true(rule_of(config, 0, "z").skip);
    g_assert_false(rule_of(config, 1, "z").skip);
    const ConfigReference *reference = g_ptr_array_index(rule_of(config, 0, "y").references, 0);
    g_assert_cmpstr(reference->table, ==, "x");
    reference = g_ptr_array_index(rule_of(config, 1, "y").references, 0);
    g_assert_cmpstr(reference->columns[1], ==, "b");
    g_assert_cmpstr(reference->schema, ==, "s");
    g_assert_cmpstr(reference->table, ==, "T");
    g_assert_cmpstr(reference->to[1], ==, "d");
    g_autofree char *where = config_where(config, "sources[1].tables.public.y.references[0].to");
    g_assert_cmpstr(where, ==, "pgfold.yaml:9:84");
}

static void test_a_match_may_serve_a_single_source(void)
{
    g_autoptr(Config) config = parse_good("version: 1\n"
                                          "target: { url: t }\n"
                                          "sources: [ { name: a, url: a }, { name: b, url: b, on_conflict: rekey } ]\n"
                                          "fold: { tables: { public.x: { match_on: [email] } } }\n");
    g_assert_null(rule_of(config, 0, "x").match_on[0]);
    g_assert_cmpstr(rule_of(config, 1, "x").match_on[0], ==, "email");
    g_assert_cmpint(rule_of(config, 1, "x").on_match->conflict, ==, CONFIG_CONFLICT_KEEP_TARGET);
}

static void test_without_a_file(void)
{
    g_autoptr(Config) config = config_new_adhoc("a", "b");
    ConfigTableRule rule = rule_of(config, 0, "x");
    g_assert_false(rule.skip);
    g_assert_cmpint(rule.on_conflict->conflict, ==, CONFIG_CONFLICT_STOP);
    g_assert_null(rule.key[0]);
    g_assert_null(rule.match_on[0]);
    g_assert_cmpint(rule.on_match->conflict, ==, CONFIG_CONFLICT_KEEP_TARGET);
    g_assert_null(rule.references);
    g_assert_cmpint(config->fold.lock_timeout, ==, 10);
}

typedef struct MistakeCase {
    const char *name, *text, *message;
} MistakeCase;

#define ALL "stop, keep-target, take-source, newest(column) or rekey"
#define COLUMN                                                                                                         \
    "name the column that tells which row is newer: newest(updated_at), or newest(\"Updated At\") where it is not a "  \
    "single word"
#define TABLE(entry) BASE "fold: { tables: { a.b: { " entry " } } }\n"

static const MistakeCase MISTAKES[] = {
    {"unknown", BASE "fold: { on_conflict: overwrite }\n",
     "pgfold.yaml:4:22: fold.on_conflict must be " ALL ", this is \"overwrite\""},
    {"misspelt", BASE "fold: { on_conflict: Newst(at) }\n",
     "pgfold.yaml:4:22: fold.on_conflict must be " ALL ", this is \"Newst(at)\"; did you mean newest(column)?"},
    {"with-too-much", BASE "fold: { on_conflict: rekey(id) }\n",
     "pgfold.yaml:4:22: fold.on_conflict must be " ALL ", this is \"rekey(id)\"; did you mean rekey?"},
    {"newest-alone", BASE "fold: { on_conflict: newest }\n",
     "pgfold.yaml:4:22: fold.on_conflict must be " ALL ", this is \"newest\"; " COLUMN},
    {"newest-of-nothing", BASE "fold: { on_conflict: newest( ) }\n",
     "pgfold.yaml:4:22: fold.on_conflict must be " ALL ", this is \"newest( )\"; " COLUMN},
    {"newest-of-two-words", BASE "fold: { on_conflict: newest(a b) }\n",
     "pgfold.yaml:4:22: fold.on_conflict must be " ALL ", this is \"newest(a b)\"; " COLUMN},
    {"newest-not-closed", BASE "fold: { on_conflict: newest(a }\n",
     "pgfold.yaml:4:22: fold.on_conflict must be " ALL ", this is \"newest(a\"; " COLUMN},
    {"newest-quote-not-closed", BASE "fold: { on_conflict: 'newest(\"a)' }\n",
     "pgfold.yaml:4:22: fold.on_conflict must be " ALL ", this is \"newest(\"a)\"; " COLUMN},
    {"of-another-type", BASE "fold: { on_conflict: [stop] }\n",
     "pgfold.yaml:4:22: fold.on_conflict must be a rule, this is a list"},
    {"of-a-source", "version: 1\ntarget: { url: t }\nsources: [ { name: n, url: s, on_conflict: last } ]\n",
     "pgfold.yaml:3:44: sources[0].on_conflict must be " ALL ", this is \"last\""},
    {"rekey-on-match", TABLE("on_conflict: rekey, match_on: [x], on_match: rekey"),
     "pgfold.yaml:4:71: fold.tables.a.b.on_match must be stop, keep-target, take-source or newest(column), this is "
     "\"rekey\"; the row has the target's key by then"},
    {"match-without-rekey", TABLE("match_on: [x]"),
     "pgfold.yaml:4:36: fold.tables.a.b.match_on needs the rule rekey, and the rule of this table is stop; add "
     "\"on_conflict: rekey\" beside it, or take it out"},
    {"match-of-a-source-without-rekey",
     "version: 1\ntarget: { url: t }\n"
     "sources: [ { name: n, url: s, on_conflict: newest(at), tables: { a.b: { match_on: [x] } } } ]\n"
     "fold: { on_conflict: rekey }\n",
     "pgfold.yaml:3:83: sources[0].tables.a.b.match_on needs the rule rekey, and the rule of this table is "
     "newest(column); add \"on_conflict: rekey\" beside it, or take it out"},
    {"match-beside-an-unknown-rule", TABLE("on_conflict: rekye, match_on: [x]"),
     "pgfold.yaml:4:39: fold.tables.a.b.on_conflict must be " ALL ", this is \"rekye\"; did you mean rekey?"},
    {"on-match-alone", TABLE("on_conflict: rekey, on_match: stop"),
     "pgfold.yaml:4:56: fold.tables.a.b.on_match is given without match_on; add match_on: [column], or take it out"},
    {"match-of-another-type", TABLE("on_conflict: rekey, match_on: email"),
     "pgfold.yaml:4:56: fold.tables.a.b.match_on must be a list of columns, this is text; write [one, two], or a line "
     "\"- one\" for each"},
    {"match-of-nothing", TABLE("on_conflict: rekey, match_on: []"),
     "pgfold.yaml:4:56: fold.tables.a.b.match_on names no column; name one, or take the key out"},
    {"column-twice", TABLE("key: [x, y, x]"),
     "pgfold.yaml:4:38: fold.tables.a.b.key names a column twice; name it once"},
    {"references-as-mapping", TABLE("references: { a: b }"),
     "pgfold.yaml:4:38: fold.tables.a.b.references must be a list, this is a mapping; write a line \"- { columns: "
     "[customer_id], table: public.customers, to: [id] }\""},
    {"reference-as-text", TABLE("references: [x]"),
     "pgfold.yaml:4:39: fold.tables.a.b.references[0] must be a mapping, this is text; write \"- { columns: "
     "[customer_id], table: public.customers, to: [id] }\""},
    {"reference-to-nothing", TABLE("references: [ { columns: [x], table: c.d } ]"),
     "pgfold.yaml:4:40: fold.tables.a.b.references[0] has no to; add to: ..."},
    {"reference-without-schema", TABLE("references: [ { columns: [x], table: d, to: [y] } ]"),
     "pgfold.yaml:4:63: fold.tables.a.b.references[0].table must be the name of a table with its schema, this is "
     "\"d\"; "
     "write schema.table, such as public.orders"},
    {"reference-to-too-few", TABLE("references: [ { columns: [x, y], table: c.d, to: [z] } ]"),
     "pgfold.yaml:4:75: fold.tables.a.b.references[0] has 2 columns, and 1 in to; name one for each"},
    {"reference-of-unknown-key", TABLE("references: [ { columns: [x], table: c.d, to: [y], form: x } ]"),
     "pgfold.yaml:4:77: unknown key \"form\" in fold.tables.a.b.references[0]; the keys here are: columns, table, to"},
    {"lock-timeout", BASE "fold: { lock_timeout: 0 }\n",
     "pgfold.yaml:4:23: fold.lock_timeout must be a number from 1 to 3600, this is \"0\""},
};

static void test_mistake(gconstpointer data)
{
    const MistakeCase *one = data;
    g_autofree char *message = parse_bad(one->text);
    g_assert_cmpstr(message, ==, one->message);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/config/rule/is-read", test_rules);
    g_test_add_func("/config/rule/the-most-particular-holds", test_the_most_particular_rule_holds);
    g_test_add_func("/config/rule/a-source-goes-before-the-fold-key-by-key",
                    test_a_source_goes_before_the_fold_key_by_key);
    g_test_add_func("/config/rule/a-match-may-serve-a-single-source", test_a_match_may_serve_a_single_source);
    g_test_add_func("/config/rule/without-a-file-is-stop", test_without_a_file);
    for (gsize i = 0; i < G_N_ELEMENTS(MISTAKES); i++) {
        g_autofree char *name = g_strconcat("/config/rule/mistake-is-told/", MISTAKES[i].name, NULL);
        g_test_add_data_func(name, &MISTAKES[i], test_mistake);
    }
    return g_test_run();
}
