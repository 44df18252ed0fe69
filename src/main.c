/* The commands, in the order of `pgfold help`, and what the process needs before any of them runs. */
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/cancel.h"
#include "cmd/command.h"
#ifdef PGFOLD_TESTDB
#include "testdb/testdb.h"
#endif

extern const Command command_help, command_testdb, command_version;

static const CommandEntry commands[] = {
    {"Servers for tests", &command_testdb},
    {"About pgfold", &command_help},
    {NULL, &command_version},
    {NULL, NULL},
};

/* A core dump would hold passwords; it may be allowed again by whoever debugs (the hard limit stays). */
static void forbid_core_dumps(void)
{
    if (getrlimit(RLIMIT_CORE, &command_caller.core) != 0)
        return;
    struct rlimit limit = command_caller.core;
    limit.rlim_cur = 0;
    setrlimit(RLIMIT_CORE, &limit);
}

int main(int argc, char **argv)
{
    forbid_core_dumps();
#ifdef PGFOLD_TESTDB
    if (testdb_keeper_called(argc, argv))
        return testdb_keeper_main(argc, argv);
#endif
    command_caller.umask = umask(077); /* whatever is written may hold rows of a database */
    cancel_init();
    return command_main(argc, argv, commands);
}
