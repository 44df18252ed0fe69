/* Every kind of mistake, with its line and column, what is said, and what is advised. */
#include <string.h>

#include "base/error.h"
#include "config/mistakes.h"
#include "support.h"

typedef struct MistakeCase {
    const char *name, *text, *message;
} MistakeCase;

/* In these, line 4 is the first behind BASE. */
static const MistakeCase CASES[] = {
    /* keys */
    {"unknown-key", BASE "sauces: 1\n", "pgfold.yaml:4:1: unknown key \"sauces\"; did you mean \"sources\"?"},
    {"unknown-key-below", BASE "fold: { jbos: 2 }\n",
     "pgfold.yaml:4:9: unknown key \"jbos\" in fold; did you mean \"jobs\"?"},
    {"unknown-key-of-another-level", BASE "jobs: 4\n", "pgfold.yaml:4:1: unknown key \"jobs\"; its place is fold.jobs"},
    {"unknown-key-of-two-levels", BASE "on_conflict: stop\n",
     "pgfold.yaml:4:1: unknown key \"on_conflict\"; its place is fold.on_conflict"},
    {"unknown-key-like-no-other", BASE "testdb: { colour: red }\n",
     "pgfold.yaml:4:11: unknown key \"colour\" in testdb; the keys here are: port, database, settings"},
    {"upper-case-key", BASE "Fold: {}\n", "pgfold.yaml:4:1: unknown key \"Fold\"; did you mean \"fold\"?"},
    {"password-key", "version: 1\ntarget: { url: t, password: x }\nsources: [ { name: n, url: s } ]\n",
     "pgfold.yaml:2:19: unknown key \"password\" in target; all of a connection stands in url, and passwords in "
     "PGPASSFILE or a ${NAME} of it"},
    {"duplicate-key", BASE "fold: { jobs: 1 }\n\nfold: { jobs: 2 }\n",
     "pgfold.yaml:6:1: \"fold\" is given twice, first in line 4; remove one of the two"},
    {"duplicate-key-below", BASE "fold:\n  jobs: 1\n  jobs: 2\n",
     "pgfold.yaml:6:3: \"jobs\" is given twice, first in line 5; remove one of the two"},
    {"key-that-is-a-list", BASE "? [a]\n: b\n",
     "pgfold.yaml:4:3: a key must be text, this is a list; write a name and a colon"},
    {"key-that-is-nothing", BASE "~: b\n",
     "pgfold.yaml:4:1: a key must be text, this is nothing; write a name and a colon"},
    {"empty-key", BASE "'': b\n", "pgfold.yaml:4:1: a key is empty; write a name and a colon"},
    /* required */
    {"no-version", "target: { url: t }\nsources: [ { name: n, url: s } ]\n",
     "pgfold.yaml:1:1: the file has no version; add \"version: 1\""},
    {"no-target", "version: 1\nsources: [ { name: n, url: s } ]\n",
     "pgfold.yaml:1:1: the file has no target; add target: ..."},
    {"no-target-url", "version: 1\ntarget:\n  database: a\nsources: [ { name: n, url: s } ]\n",
     "pgfold.yaml:3:3: target has no url; add url: ..."},
    {"no-sources", "version: 1\ntarget: { url: t }\n", "pgfold.yaml:1:1: the file has no sources; add sources: ..."},
    {"no-source-name", "version: 1\ntarget: { url: t }\nsources:\n  - url: s\n",
     "pgfold.yaml:4:5: sources[0] has no name; add name: ..."},
    {"no-source-url", "version: 1\ntarget: { url: t }\nsources:\n  - { name: a, url: s }\n  - name: b\n",
     "pgfold.yaml:5:5: sources[1] has no url; add url: ..."},
    {"empty-sources", "version: 1\ntarget: { url: t }\nsources: []\n",
     "pgfold.yaml:3:10: sources must be a list, this is an empty one; write a line \"- name: ...\" with \"url: ...\" "
     "under it"},
    {"value-of-nothing", "version: 1\ntarget:\n  url:\nsources: [ { name: n, url: s } ]\n",
     "pgfold.yaml:3:7: target.url has no value; give it one, or take the key out"},
    {"value-of-null", BASE "state: null\n", "pgfold.yaml:4:8: state has no value; give it one, or take the key out"},
    {"empty-url", "version: 1\ntarget: { url: ' ' }\nsources: [ { name: n, url: s } ]\n",
     "pgfold.yaml:2:16: target.url is empty"},
    /* containers */
    {"compose-without-service", "version: 1\ntarget: { url: t }\nsources: [ { name: n, url: s, compose: c.yml } ]\n",
     "pgfold.yaml:3:40: sources[0].compose is not a file and a service; write FILE#SERVICE, as "
     "docker-compose.local.yml#db"},
    {"compose-and-container",
     "version: 1\ntarget: { url: t }\nsources: [ { name: n, url: s, compose: c.yml#d, container: c } ]\n",
     "pgfold.yaml:3:60: sources[0].container is given beside compose; keep one of the two"},
    {"unknown-engine", "version: 1\ntarget: { url: t }\nsources: [ { name: n, url: s, container: c, engine: lxc } ]\n",
     "pgfold.yaml:3:53: sources[0].engine is no container engine; write docker, podman or auto"},
    {"engine-alone", "version: 1\ntarget: { url: t }\nsources: [ { name: n, url: s, engine: auto } ]\n",
     "pgfold.yaml:3:39: sources[0].engine is given without compose or container; add one of the two, or take it out"},
    /* types */
    {"mapping-expected", BASE "fold: 4\n",
     "pgfold.yaml:4:7: fold must be a mapping, this is a number; write its keys on lines of their own, indented"},
    {"mapping-expected-for-nothing", BASE "fold:\n",
     "pgfold.yaml:4:6: fold must be a mapping, this is nothing; write its keys on lines of their own, indented"},
    {"sources-as-mapping", "version: 1\ntarget: { url: t }\nsources:\n  name: n\n",
     "pgfold.yaml:4:3: sources must be a list, this is a mapping; write a line \"- name: ...\" with \"url: ...\" under "
     "it"},
    {"source-as-text", "version: 1\ntarget: { url: t }\nsources: [ service=s ]\n",
     "pgfold.yaml:3:12: sources[0] must be a mapping, this is text; write \"- name: ...\" with \"url: ...\" under it"},
    {"list-for-text", BASE "state: [a]\n", "pgfold.yaml:4:8: state must be text, this is a list"},
    {"boolean-for-text", BASE "testdb: { database: yes }\n",
     "pgfold.yaml:4:21: testdb.database must be text, this is a boolean; put it in quotation marks if it is meant"},
    {"mapping-for-url", "version: 1\ntarget: { url: { a: b } }\nsources: [ { name: n, url: s } ]\n",
     "pgfold.yaml:2:16: target.url must be a connection string, this is a mapping"},
    {"text-for-number", BASE "fold: { jobs: four }\n",
     "pgfold.yaml:4:15: fold.jobs must be a number from 1 to 64, this is \"four\""},
    {"quoted-number", BASE "fold: { jobs: '4' }\n",
     "pgfold.yaml:4:15: fold.jobs must be a number, this is text; take the quotation marks away"},
    {"number-too-small", BASE "fold: { jobs: 0 }\n",
     "pgfold.yaml:4:15: fold.jobs must be a number from 1 to 64, this is \"0\""},
    {"number-too-large", BASE "fold: { jobs: 65 }\n",
     "pgfold.yaml:4:15: fold.jobs must be a number from 1 to 64, this is \"65\""},
    {"number-beyond-all-bounds", BASE "testdb: { port: 99999999999999999999 }\n",
     "pgfold.yaml:4:17: testdb.port must be a number from 1 to 65535, this is \"99999999999999999999\""},
    {"fraction-for-number", BASE "fold: { jobs: 1.5 }\n",
     "pgfold.yaml:4:15: fold.jobs must be a number from 1 to 64, this is \"1.5\""},
    {"list-for-number", BASE "fold: { jobs: [4] }\n", "pgfold.yaml:4:15: fold.jobs must be a number, this is a list"},
    {"yes-for-flag", BASE "fold: { backup: yes }\n",
     "pgfold.yaml:4:17: fold.backup must be true or false, this is \"yes\""},
    {"quoted-flag", BASE "fold: { backup: \"true\" }\n",
     "pgfold.yaml:4:17: fold.backup must be true or false, this is text; take the quotation marks away"},
    {"nothing-for-flag", BASE "fold: { backup: }\n",
     "pgfold.yaml:4:17: fold.backup must be true or false, this is nothing; write true or false"},
    {"text-for-list", BASE "protect: { databases: archon }\n",
     "pgfold.yaml:4:23: protect.databases must be a list of text, this is text; write [one, two], or a line \"- one\" "
     "for each"},
    {"list-in-list", BASE "protect: { paths: [a, [b]] }\n",
     "pgfold.yaml:4:23: protect.paths[1] must be text, this is a list"},
    {"nothing-in-list", BASE "protect:\n  roles:\n    - a\n    -\n",
     "pgfold.yaml:7:6: protect.roles[1] has no value; give it one, or take the key out"},
    {"settings-as-list", BASE "testdb: { settings: [a=b] }\n",
     "pgfold.yaml:4:21: testdb.settings must be a mapping of settings, this is a list; write { name: value }, or a "
     "line \"name: value\" for each"},
    {"setting-name", BASE "testdb: { settings: { 'a b': 1 } }\n",
     "pgfold.yaml:4:23: \"a b\" is not the name of a server setting"},
    {"line-break", BASE "state: \"a\\nb\"\n",
     "pgfold.yaml:4:8: state holds a line break or another control character; write it in one line"},
    {"nul-character", BASE "state: \"a\\0b\"\n", "pgfold.yaml:4:8: a value holds a NUL character"},
    /* values */
    {"newer-version", "version: 2\ntarget: { url: t }\nsources: [ { name: n, url: s } ]\n",
     "pgfold.yaml:1:10: version must be 1, this is \"2\"; a file of a newer format needs a newer pgfold"},
    {"identity-with-letters", "version: 1\ntarget: { url: t, identity: '12x' }\nsources: [ { name: n, url: s } ]\n",
     "pgfold.yaml:2:29: target.identity must be the system identifier of a cluster, digits only, this is \"12x\"; psql "
     "shows it: SELECT system_identifier FROM pg_control_system()"},
    {"identity-of-zero", "version: 1\ntarget: { url: t, identity: 0 }\nsources: [ { name: n, url: s } ]\n",
     "pgfold.yaml:2:29: target.identity must be the system identifier of a cluster, digits only, this is \"0\"; psql "
     "shows it: SELECT system_identifier FROM pg_control_system()"},
    {"source-name", "version: 1\ntarget: { url: t }\nsources: [ { name: a/b, url: s } ]\n",
     "pgfold.yaml:3:20: sources[0].name must be up to 40 letters, digits, \".\", \"_\" and \"-\", the first a letter "
     "or digit, this is \"a/b\""},
    {"source-called-target", "version: 1\ntarget: { url: t }\nsources: [ { name: Target, url: s } ]\n",
     "pgfold.yaml:3:20: no source can be called \"target\"; choose another name"},
    {"duplicate-source", "version: 1\ntarget: { url: t }\nsources:\n- { name: a, url: s }\n- { name: A, url: u }\n",
     "pgfold.yaml:5:11: the name \"A\" is taken by another source; names differ in more than upper and lower case"},
    {"size-without-unit", BASE "fold: { split_above: 1000000 }\n",
     "pgfold.yaml:4:22: fold.split_above must be a number with kB, MB, GB or TB, such as 512MB, and 1MB at least, this "
     "is \"1000000\""},
    {"size-too-small", BASE "fold: { split_above: 1023kB }\n",
     "pgfold.yaml:4:22: fold.split_above must be a number with kB, MB, GB or TB, such as 512MB, and 1MB at least, this "
     "is \"1023kB\""},
    {"size-too-large", BASE "fold: { split_above: 9999999TB }\n",
     "pgfold.yaml:4:22: fold.split_above must be a number with kB, MB, GB or TB, such as 512MB, and 1MB at least, this "
     "is \"9999999TB\""},
    {"table-without-schema", BASE "fold: { tables: { orders: { skip: true } } }\n",
     "pgfold.yaml:4:19: \"orders\" is not the name of a table with its schema; write schema.table, such as "
     "public.orders"},
    {"table-of-three-parts", BASE "fold: { tables: { a.b.c: { skip: true } } }\n",
     "pgfold.yaml:4:19: \"a.b.c\" is not the name of a table with its schema; write schema.table, such as "
     "public.orders"},
    {"table-not-closed", BASE "fold: { tables: { 'a.\"b': { skip: true } } }\n",
     "pgfold.yaml:4:19: \"a.\"b\" is not the name of a table with its schema; write schema.table, such as "
     "public.orders"},
    {"table-twice", BASE "fold: { tables: { a.b: { skip: true }, 'a.\"b\"': { skip: true } } }\n",
     "pgfold.yaml:4:40: \"a.\"b\"\" is there under another spelling; keep one of them"},
    {"table-of-nothing", BASE "fold:\n  tables:\n    a.b:\n",
     "pgfold.yaml:6:9: fold.tables.a.b must be a mapping, this is nothing; write { skip: true }, for example"},
    {"tables-as-list", BASE "fold: { tables: [a.b] }\n",
     "pgfold.yaml:4:17: fold.tables must be a mapping, this is a list; write a line \"schema.table: { skip: true }\" "
     "for each"},
    {"unknown-rule", BASE "fold: { on_conflict: keep_target }\n",
     "pgfold.yaml:4:22: fold.on_conflict must be stop, keep-target, take-source, newest(column) or rekey, this is "
     "\"keep_target\"; did you mean keep-target?"},
    {"ssh-with-options", "version: 1\ntarget: { url: t, ssh: me@vps -p 22 }\nsources: [ { name: n, url: s } ]\n",
     "pgfold.yaml:2:24: target.ssh must be what ssh takes as a destination, such as deploy@vps.example.org, this is "
     "\"me@vps -p 22\"; options of ssh belong into ~/.ssh/config, or a file that ssh.config names"},
    {"ssh-without-host",
     "version: 1\ntarget: { url: t, ssh: { compression: yes } }\nsources: [ { name: n, url: s } ]\n",
     "pgfold.yaml:2:24: target.ssh has no host; add host: ..."},
    {"ssh-with-unknown-compression",
     "version: 1\ntarget: { url: t }\nsources: [ { name: n, url: s, ssh: { host: h, compression: fast } } ]\n",
     "pgfold.yaml:3:60: sources[0].ssh.compression must be one of auto, yes, no, this is \"fast\""},
    {"ssh-as-list", "version: 1\ntarget: { url: t, ssh: [h] }\nsources: [ { name: n, url: s } ]\n",
     "pgfold.yaml:2:24: target.ssh must be a host for ssh, or a mapping, this is a list"},
    {"into-from-alone", "version: 1\ntarget: { url: t }\nsources: [ { name: n, url: s, into: { from: x } } ]\n",
     "pgfold.yaml:3:45: sources[0].into.from is given without schema; add schema: NAME beside it, or take it out"},
    {"into-the-same-schema",
     "version: 1\ntarget: { url: t }\nsources: [ { name: n, url: s, into: { schema: public } } ]\n",
     "pgfold.yaml:3:47: sources[0].into.schema is the schema's name already; take it out: schemas keep their names"},
    {"into-a-schema-whose-table-has-a-rule-without-use",
     "version: 1\ntarget: { url: t }\nsources: [ { name: n, url: s, into: { schema: b } } ]\n"
     "fold: { tables: { b.t: { match_on: [c] } } }\n",
     "pgfold.yaml:4:36: fold.tables.b.t.match_on needs the rule rekey, and the rule of this table is stop; add "
     "\"on_conflict: rekey\" beside it, or take it out"},
    {"into-a-system-schema",
     "version: 1\ntarget: { url: t }\nsources: [ { name: n, url: s, into: { schema: pg_x } } ]\n",
     "pgfold.yaml:3:47: sources[0].into.schema is a name of PostgreSQL's own; choose another name"},
    {"into-nothing", "version: 1\ntarget: { url: t }\nsources: [ { name: n, url: s, into: {} } ]\n",
     "pgfold.yaml:3:37: sources[0].into is empty; write the name of a database"},
    {"into-a-list", "version: 1\ntarget: { url: t }\nsources: [ { name: n, url: s, into: [x] } ]\n",
     "pgfold.yaml:3:37: sources[0].into must be text or a mapping, this is a list"},
    {"into-unknown-key", "version: 1\ntarget: { url: t }\nsources: [ { name: n, url: s, into: { databse: x } } ]\n",
     "pgfold.yaml:3:39: unknown key \"databse\" in sources[0].into; did you mean \"database\"?"},
    {"databases-some", "version: 1\ntarget: { url: t }\nsources: [ { name: n, url: s, databases: some } ]\n",
     "pgfold.yaml:3:42: sources[0].databases must be one of all, this is \"some\""},
    {"databases-into", "version: 1\ntarget: { url: t }\nsources: [ { name: n, url: s, databases: all, into: x } ]\n",
     "pgfold.yaml:3:53: sources[0].into does not go with databases; take one of them out: each database goes into one "
     "of "
     "its own name"},
    {"databases-patterns-alone",
     "version: 1\ntarget: { url: t }\nsources: [ { name: n, url: s, exclude: { databases: x } } ]\n",
     "pgfold.yaml:3:53: sources[0].exclude.databases is given without databases; add databases: all, or take it out"},
    {"include-as-list", "version: 1\ntarget: { url: t }\nsources: [ { name: n, url: s, include: [a] } ]\n",
     "pgfold.yaml:3:40: sources[0].include must be a mapping, this is a list; write its keys on lines of their own, "
     "indented"},
    {"exclude-as-map",
     "version: 1\ntarget: { url: t }\nsources: [ { name: n, url: s, exclude: { tables: { a: b } } } ]\n",
     "pgfold.yaml:3:50: sources[0].exclude.tables must be a list of patterns, this is a mapping; write [one, two], or "
     "a "
     "line \"- one\" for each"},
    {"include-empty-pattern",
     "version: 1\ntarget: { url: t }\nsources: [ { name: n, url: s, include: { schemas: '' } } ]\n",
     "pgfold.yaml:3:51: sources[0].include.schemas is empty"},
    /* variables */
    {"unset-variable", BASE "state: ${PGFOLD_TEST_UNSET}\n",
     "pgfold.yaml:4:8: the environment variable PGFOLD_TEST_UNSET is not set; set it before pgfold starts; there is no "
     "default"},
    {"empty-variable", BASE "state: ${PGFOLD_TEST_EMPTY}\n",
     "pgfold.yaml:4:8: the environment variable PGFOLD_TEST_EMPTY is empty; set it before pgfold starts; there is no "
     "default"},
    {"default", BASE "state: ${A:-x}\n",
     "pgfold.yaml:4:8: ${A:-...} is refused: a default is how two databases become one by accident; write ${A}"},
    {"default-if-unset", BASE "state: ${A-x}\n",
     "pgfold.yaml:4:8: ${A-...} is refused: a default is how two databases become one by accident; write ${A}"},
    {"default-assigned", BASE "state: '${A:=x}'\n",
     "pgfold.yaml:4:8: ${A:=...} is refused: a default is how two databases become one by accident; write ${A}"},
    {"error-operator", BASE "state: ${A:?x}\n",
     "pgfold.yaml:4:8: ${A:?...} is refused: a variable that is not set is always an error here; write ${A}"},
    {"alternative", BASE "state: ${A:+x}\n",
     "pgfold.yaml:4:8: ${A:+...} is refused: a value that comes and goes with a variable leads to two different files; "
     "write ${A}"},
    {"other-operator", BASE "state: ${A%x}\n", "pgfold.yaml:4:8: ${A...} has more than a name in it; write ${A}"},
    {"variable-without-name", BASE "state: ${}\n",
     "pgfold.yaml:4:8: ${...} without the name of a variable; names are letters, digits and _, and start with no "
     "digit"},
    {"variable-not-closed", BASE "state: ${A\n",
     "pgfold.yaml:4:8: ${ is not closed; close it with }, or write $$ for a dollar sign"},
    {"lone-dollar", BASE "state: $HOME/x\n",
     "pgfold.yaml:4:8: a lone $; write ${NAME} for a variable, or $$ for a dollar sign"},
    /* YAML */
    {"anchor", BASE "state: &a x\n",
     "pgfold.yaml:4:8: anchors (&a) are not supported; write the value out where it is used"},
    {"alias", "version: 1\ntarget: { url: &a t }\nsources: [ { name: n, url: *a } ]\n",
     "pgfold.yaml has 2 mistakes:\n"
     "  pgfold.yaml:2:16: anchors (&a) are not supported; write the value out where it is used\n"
     "  pgfold.yaml:3:28: aliases (*name) are not supported; write the value out, or put it in quotation marks if it "
     "starts with *"},
    {"pattern-that-is-an-alias", BASE "code: { tests: [*_test.py] }\n",
     "pgfold.yaml:4:23: this is not YAML: did not find expected alphabetic or numeric character; put values that "
     "start with * or & in quotation marks"},
    {"merge-key", BASE "fold:\n  <<: { jobs: 3 }\n",
     "pgfold.yaml:5:3: merge keys (<<) are not supported; write the keys out"},
    {"tag", BASE "state: !!str x\n",
     "pgfold.yaml:4:8: tags (!!str) are not supported; take it out, or put the value in quotation "
     "marks"},
    {"second-document", BASE "---\nversion: 1\n",
     "pgfold.yaml:4:1: a second document starts here; keep one, and remove the \"---\""},
    {"tab", BASE "fold:\n\tjobs: 4\n",
     "pgfold.yaml:5:1: this is not YAML: found character that cannot start any token; indent with spaces, never tabs, "
     "and put values that start with @, ` or % in quotation marks"},
    {"bad-indentation", BASE "fold:\n  jobs: 4\n backup: true\n",
     "pgfold.yaml:6:2: this is not YAML: did not find expected key; check that this line is indented like its "
     "neighbours"},
    {"colon-in-value", BASE "state: a: b\n",
     "pgfold.yaml:4:9: this is not YAML: mapping values are not allowed in this context; a second \": \" in one line: "
     "put the value in quotation marks, or check the indentation"},
    {"open-bracket", BASE "protect: { databases: [a, b }\n",
     "pgfold.yaml:4:29: this is not YAML: did not find expected ',' or ']'; close the list with ]"},
    {"open-quote", BASE "state: 'a\n",
     "pgfold.yaml:5:1: this is not YAML: found unexpected end of stream; a quotation mark is not closed"},
    {"not-utf-8", BASE "# caf\xe9\n", "pgfold.yaml:4:6: the byte 0xe9 is not UTF-8; save the file as UTF-8"},
    {"control-character", BASE "# a\001\n", "pgfold.yaml:4:4: this is not YAML: control characters are not allowed"},
    {"empty-file", "", "pgfold.yaml:1:1: the file is empty; start with \"version: 1\""},
    {"only-comments", "# nothing\n", "pgfold.yaml:1:1: the file is empty; start with \"version: 1\""},
    {"only-a-marker", "---\n", "pgfold.yaml:1:1: the file is empty; start with \"version: 1\""},
    {"list-file", "- version: 1\n",
     "pgfold.yaml:1:1: the file must be a mapping, this is a list; start with \"version: 1\""},
    {"text-file", "hello\n", "pgfold.yaml:1:1: the file must be a mapping, this is text; start with \"version: 1\""},
    {"deep-nesting", BASE "state: [[[[[[[[[[[[[[[[[[x]]]]]]]]]]]]]]]]]]\n",
     "pgfold.yaml:4:23: nested deeper than 16 levels"},
    {"columns-are-characters", BASE "state: 'ü'\ncode: { 'äöü': 1, jobs: 2 }\n",
     "pgfold.yaml has 2 mistakes:\n"
     "  pgfold.yaml:5:9: unknown key \"äöü\" in code; the keys here are: variable, production, tests, docs, "
     "infrastructure, remove, local, skip\n"
     "  pgfold.yaml:5:19: unknown key \"jobs\" in code; its place is fold.jobs"},
};

static void test_mistake(gconstpointer data)
{
    const MistakeCase *one = data;
    g_autofree char *message = parse_bad(one->text);
    g_assert_cmpstr(message, ==, one->message);
}

static void test_all_at_once(void)
{
    g_autofree char *message = parse_bad("target:\n"
                                         "  url: ${PGFOLD_TEST_UNSET}${PGFOLD_TEST_EMPTY}\n"
                                         "  idenity: '1'\n"
                                         "sources:\n"
                                         "  - name: a\n"
                                         "  - { name: a, url: x, skip: 1 }\n"
                                         "fold: { jobs: 100 }\n");
    g_assert_cmpstr(message, ==,
                    "pgfold.yaml has 8 mistakes:\n"
                    "  pgfold.yaml:1:1: the file has no version; add \"version: 1\"\n"
                    "  pgfold.yaml:2:8: the environment variable PGFOLD_TEST_UNSET is not set; set it before pgfold "
                    "starts; there is no default\n"
                    "  pgfold.yaml:2:8: the environment variable PGFOLD_TEST_EMPTY is empty; set it before pgfold "
                    "starts; there is no default\n"
                    "  pgfold.yaml:3:3: unknown key \"idenity\" in target; did you mean \"identity\"?\n"
                    "  pgfold.yaml:5:5: sources[0] has no url; add url: ...\n"
                    "  pgfold.yaml:6:13: the name \"a\" is taken by another source; names differ in more than upper "
                    "and lower case\n"
                    "  pgfold.yaml:6:30: sources[1].skip must be true or false, this is \"1\"\n"
                    "  pgfold.yaml:7:15: fold.jobs must be a number from 1 to 64, this is \"100\"");
}

static void test_long_lists_are_cut(void)
{
    g_autoptr(GString) text = g_string_new(BASE);
    for (int i = 0; i < 100; i++)
        g_string_append_printf(text, "unknown%d: 1\n", i);
    g_autofree char *message = parse_bad(text->str);
    g_assert_true(g_str_has_prefix(message, "pgfold.yaml has 100 mistakes:\n  pgfold.yaml:4:1: "));
    g_assert_true(g_str_has_suffix(message, "\n  and 60 more"));
}

static void test_large_files_are_refused(void)
{
    g_autofree char *text = g_strnfill(((gsize)1 << 20) + 1, '#');
    g_autofree char *message = parse_bad(text);
    g_assert_cmpstr(message, ==, "pgfold.yaml:1:1: the file is larger than 1 MiB; is this the right file?");
}

static void test_errors_say_what_state_things_are_in(void)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(config_parse("x: 1\n", 5, "pgfold.yaml", CONFIG_CONNECTS, &error));
    g_assert_cmpstr(pgf_error_state(error), ==, "no database was connected to");
    g_assert_nonnull(strstr(pgf_error_hint(error), "docs/configuration.md"));
}

static void test_variable_values_are_not_shown(void)
{
    g_setenv("PGFOLD_TEST_SECRET", "hunter2", TRUE);
    g_autofree char *message = parse_bad(BASE "fold: { jobs: '${PGFOLD_TEST_SECRET}' }\n");
    g_assert_cmpstr(message, ==,
                    "pgfold.yaml:4:15: fold.jobs must be a number from 1 to 64, this is \"${PGFOLD_TEST_SECRET}\"");
}

static void test_suggestions(void)
{
    static const char *const WORDS[] = {"sources", "target", "url", NULL};
    g_assert_cmpstr(config_suggest("source", WORDS), ==, "sources");
    g_assert_cmpstr(config_suggest("srouces", WORDS), ==, "sources");
    g_assert_cmpstr(config_suggest("traget", WORDS), ==, "target");
    g_assert_cmpstr(config_suggest("URL", WORDS), ==, "url");
    g_assert_null(config_suggest("database", WORDS));
    g_assert_null(config_suggest("u", WORDS));
}

static void test_quoting(void)
{
    g_autofree char *plain = config_quote("a b");
    g_assert_cmpstr(plain, ==, "\"a b\"");
    g_autofree char *control = config_quote("a\033[1mb");
    g_assert_cmpstr(control, ==, "\"a\\x1b[1mb\"");
    g_autofree char *text = g_strnfill(100, 'x'), *full = g_strnfill(48, 'x');
    g_autofree char *cut = config_quote(text), *expected = g_strdup_printf("\"%s...\"", full);
    g_assert_cmpstr(cut, ==, expected);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_unsetenv("PGFOLD_TEST_UNSET");
    g_setenv("PGFOLD_TEST_EMPTY", "", TRUE);
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autofree char *name = g_strconcat("/config/mistake/is-told/", CASES[i].name, NULL);
        g_test_add_data_func(name, &CASES[i], test_mistake);
    }
    g_test_add_func("/config/mistakes/are-told-all-at-once-in-order", test_all_at_once);
    g_test_add_func("/config/mistakes/long-lists-are-cut", test_long_lists_are_cut);
    g_test_add_func("/config/mistakes/large-files-are-refused", test_large_files_are_refused);
    g_test_add_func("/config/mistakes/say-what-state-things-are-in", test_errors_say_what_state_things_are_in);
    g_test_add_func("/config/mistakes/never-show-the-value-of-a-variable", test_variable_values_are_not_shown);
    g_test_add_func("/config/suggest/finds-the-word-that-was-meant", test_suggestions);
    g_test_add_func("/config/quote/shortens-and-escapes", test_quoting);
    return g_test_run();
}
