/* What is said of something protected. */
#pragma once

#include "ledger/receipt.h"

/* "database archon (target) unchanged (12 tables, 3,021 rows)". Transfer full. */
char *protected_text(const ReceiptProtected *item);
