/* Placeholders with a default: "${X:-default}" of shells and compose becomes "${X:?message}". */
#include <string.h>

#include "scan/classify.h"
#include "scan/fix_template.h"
#include "scan/language.h"
#include "scan/placeholder.h"

bool fix_text(Fix *fix)
{
    return false;
}
