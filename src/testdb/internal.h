/* What testdb.c and named.c share. Internal to this room. */
#pragma once

#include "base/spawn.h"
#include "testdb/message.h"
#include "testdb/testdb.h"

struct TestDb {
    Child *keeper;
    int fd; /* our end of the socket: its closing is what the keeper waits for */
    Reply reply;
};

/* From now on the cluster lives without us. db is still to be closed, which then only frees it. */
bool testdb_detach(TestDb *db, GError **error);
