/* The checks that are queries, from both tables in one form. Internal to this room. */
#pragma once

#include "doctor/doctor.h"

typedef struct DoctorQuery {
    DoctorCheck check;
    bool of_audit;      /* its rows: finding, schema and table that it is about (audit/checks.h) */
    bool is_statements; /* its findings are statements that mend it */
    bool takes_jobs;    /* $1 (text) is the number of workers */
} DoctorQuery;

/* All of them, in the order of results. Array of DoctorQuery. Transfer full. */
GArray *doctor_queries(void);

bool doctor_query_applies(const DoctorQuery *query, const Doctor *doctor, const DoctorEnd *end);
/* Reads the rows of one check into result; those about tables that source leaves out are none. */
void doctor_query_read(const DoctorQuery *query, const PgResult *rows, const Config *config, const ConfigSource *source,
                       DoctorResult *result);
