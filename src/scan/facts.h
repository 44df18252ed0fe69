/* What the query of a language finds in a syntax tree, and what expressions come to. */
#pragma once

#include "scan/language.h"
#include "scan/parents.h"
#include "scan/setting.h"

typedef struct Fact {
    FactKind kind;
    TSNode node, first, second; /* see language.h; first and second may be null nodes */
} Fact;

typedef struct Facts {
    const Source *source;
    GArray *all;         /* of Fact, in the order of the text */
    GHashTable *by_node; /* id of a node -> index + 1 */
    GHashTable *bound;   /* name -> GArray of index: where it is bound */
    Parents *parents;    /* of the nodes of all facts */
    guint *steps;        /* that the value which is asked for has cost so far */
} Facts;

Facts *facts_read(const Source *source);
void facts_free(Facts *facts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Facts, facts_free)

/* What an expression comes to, as far as the file says. */
typedef struct Value {
    char *text;       /* a literal with holes, or the default of variable; NULL: not known */
    char *variable;   /* of the environment, that is read; or NULL */
    char *option;     /* an option or key that is read with this default; or NULL */
    bool fallback;    /* text is the default of variable or option */
    guint start, end; /* of the literal */
    bool several;     /* a name that is given several values */
} Value;

void value_clear(Value *value);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Value, value_clear)

Value facts_value(const Facts *facts, TSNode node);
/* The text of a node without blanks: "os.environ.get". Transfer full. */
char *facts_text(const Facts *facts, TSNode node);
/* The last word of a name as code writes it: "url" of "self.url", "x" of "$x" and "\"x\"". Transfer full. */
char *facts_name(const Facts *facts, TSNode node);
/* What a call calls: "os.environ.get". Transfer full. */
char *facts_function(const Facts *facts, const Fact *call);
/* The variable of the environment that the name of a binding is given elsewhere in the file, or NULL. Transfer full. */
char *facts_variable_elsewhere(const Facts *facts, const Fact *bind);
/* What the one argument of a call comes to; nothing where it has none or several. */
Value facts_argument(const Facts *facts, const Fact *call);
/* NULL when the node is none of the query's. */
const Fact *facts_of(const Facts *facts, TSNode node);
