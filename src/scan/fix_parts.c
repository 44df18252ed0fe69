/* Parts that one expression puts together: the expression becomes the one variable. */
#include "scan/fix.h"

bool fix_parts(Fix *fix)
{
    return false;
}
