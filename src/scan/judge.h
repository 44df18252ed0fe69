/*
 * What of a file's settings leads to a local database: the same for all languages.
 */
#pragma once

#include "scan/scan.h"
#include "scan/setting.h"

/* A service of a compose file that runs PostgreSQL. */
typedef struct ScanService {
    char *name;
    char *file;
    char **ports; /* published on the host: "5434" */
    bool test;    /* of a file of class test: the ephemeral database */
} ScanService;

/* What is known of the whole code base before its files are judged. Read by all threads. */
typedef struct ScanContext {
    const ScanOptions *options;
    GPtrArray *services; /* of ScanService* */
    GPtrArray *obsolete; /* of char*: files that are to be removed, relative to the folder */
} ScanContext;

/* Findings of one file, sorted. Transfer full (of ScanFinding*). */
GPtrArray *judge(const ScanContext *context, const Source *source, ScanClass class);

ScanFinding *scan_finding_new(const ScanRule *rule, const Source *source, ScanClass class, guint start, guint end);
/* The place is a password: its line shows "***" there. */
void scan_finding_hide(ScanFinding *finding);
void scan_finding_free(gpointer finding);
ScanPlace scan_place(const Source *source, guint start, guint end);
