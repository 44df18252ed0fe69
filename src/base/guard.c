#include "base/guard.h"

#include <glib.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VARIABLE "PGFOLD_SCAN_CRASHED" /* paths, each ended by "//", which stands in none of them */
#define LIST_MAX 16384                 /* bytes: then it is not one odd file */
#define STACK_SIZE ((size_t)64 << 10)

/* Not SIGABRT: an assertion of ours is a bug of ours, which main() tells of. */
static const int SIGNALS[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};

static __thread const char *current;
static bool enabled;
static char list[LIST_MAX]; /* "VARIABLE=a//b//" */
static char *arguments_text, **arguments, **environment;
static atomic_flag crashing = ATOMIC_FLAG_INIT;

static void end(int number)
{
    signal(number, SIG_DFL);
    raise(number);
}

/* On a stack of its own; only what POSIX allows in a handler. */
static void on_crash(int number)
{
    size_t had = strlen(list), length = current == NULL ? 0 : strlen(current);
    if (length == 0 || had + length + 3 > sizeof list) {
        end(number);
        return;
    }
    if (atomic_flag_test_and_set(&crashing)) /* another thread is at it */
        for (;;)
            pause();
    stpcpy(stpcpy(list + had, current), "//");
    sigset_t none;
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, NULL);
    execve("/proc/self/exe", arguments, environment);
    end(number);
}

/* argv and the environment of the next start. */
static bool prepare(void)
{
    gsize length;
    if (!g_file_get_contents("/proc/self/cmdline", &arguments_text, &length, NULL))
        return false;
    GPtrArray *words = g_ptr_array_new();
    for (char *at = arguments_text; at < arguments_text + length; at += strlen(at) + 1)
        g_ptr_array_add(words, at);
    g_ptr_array_add(words, NULL);
    arguments = (char **)g_ptr_array_free(words, FALSE);
    const char *before = g_getenv(VARIABLE);
    if (g_snprintf(list, sizeof list, VARIABLE "=%s", before == NULL ? "" : before) >= LIST_MAX)
        return false;
    environment = g_environ_unsetenv(g_get_environ(), VARIABLE);
    guint n = g_strv_length(environment);
    environment = g_renew(char *, environment, n + 2);
    environment[n] = list;
    environment[n + 1] = NULL;
    return true;
}

void guard_enable(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return; /* a sanitizer says more of a crash */
#else
    if (enabled || !prepare())
        return;
    enabled = true;
    struct sigaction action = {.sa_handler = on_crash, .sa_flags = SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    for (guint i = 0; i < G_N_ELEMENTS(SIGNALS); i++)
        sigaction(SIGNALS[i], &action, NULL);
    guard_thread();
#endif
}

void guard_thread(void)
{
    static __thread bool done;
    if (!enabled || done)
        return;
    done = true;
    stack_t stack = {.ss_sp = g_malloc(STACK_SIZE), .ss_size = STACK_SIZE}; /* as long as the program runs */
    sigaltstack(&stack, NULL);
}

void guard_file(const char *file)
{
    current = file;
}

bool guard_has_crashed(const char *file)
{
    const char *at = list[0] == '\0' ? NULL : strchr(list, '=');
    gsize length = strlen(file);
    for (at = at == NULL ? NULL : at + 1; at != NULL && *at != '\0'; at += 2) {
        const char *stop = strstr(at, "//");
        if (stop == NULL)
            return false;
        if ((gsize)(stop - at) == length && memcmp(at, file, length) == 0)
            return true;
        at = stop;
    }
    return false;
}
