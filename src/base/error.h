/*
 * Errors of pgfold: a GError whose code is the exit status it leads to, and which carries, besides what
 * happened, the state that things are in and what to type next (docs/errors.md).
 *
 * Library code sets one of these and returns false or NULL; it never prints and never exits. On the way
 * up, callers put what they were doing in front with g_prefix_error(). Only src/cmd prints.
 *
 * Ownership is GError's: g_autoptr(GError), g_propagate_error(), g_steal_pointer().
 */
#pragma once

#include <glib.h>

typedef enum PgfErrorCode {
    PGF_ERROR_DIFFERS = 1,    /* something differs or was found */
    PGF_ERROR_USAGE = 2,      /* command line or configuration */
    PGF_ERROR_CONNECT = 3,    /* cannot connect, or a wrong identity */
    PGF_ERROR_REFUSED = 4,    /* a safety gate holds back; nothing was changed */
    PGF_ERROR_MIDWAY = 5,     /* failed midway; the state says what is where */
    PGF_ERROR_INTERNAL = 70,  /* a bug of ours, or the machine (memory, pipes) failed */
    PGF_ERROR_CANCELLED = 130 /* Ctrl-C or SIGTERM, while nothing had been changed */
} PgfErrorCode;

#define PGF_ERROR (pgf_error_quark())
GQuark pgf_error_quark(void);

/* Sets *error (which may be NULL: then nothing happens). hint: what the user can do or type next, or NULL. */
void pgf_error_set(GError **error, PgfErrorCode code, const char *hint, const char *format, ...) G_GNUC_PRINTF(4, 5);

/* As pgf_error_set(), with a hint that is formatted by the caller and taken over (freed here). */
void pgf_error_take_hint(GError **error, PgfErrorCode code, char *hint, const char *format, ...) G_GNUC_PRINTF(4, 5);

/* Replaces the hint of an error of ours; one of another domain is left alone. */
void pgf_error_set_hint(GError *error, const char *hint);

/* Adds in which state source, target and files were left ("nothing was changed"). Replaces an earlier one. */
void pgf_error_set_state(GError *error, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Turns the code of an error of ours into another (a connection lost in the middle of a fold is MIDWAY). */
void pgf_error_set_code(GError *error, PgfErrorCode code);

/* NULL where there is none, or the error is of another domain. Owned by the error. */
const char *pgf_error_hint(const GError *error);
const char *pgf_error_state(const GError *error);

/* The exit status that an error leads to; PGF_ERROR_INTERNAL for other domains. */
int pgf_error_exit_status(const GError *error);
