#include "doctor/doctor.h"

#include <stdarg.h>
#include <string.h>

#include "doctor/internal.h"

static void result_free(gpointer data)
{
    DoctorResult *result = data;
    g_free(result->place);
    g_ptr_array_unref(result->findings);
    g_ptr_array_unref(result->statements);
    g_free(result->remedy);
    g_free(result);
}

static void end_free(gpointer data)
{
    DoctorEnd *end = data;
    g_free(end->place);
    pg_conn_close(end->conn);
    g_free(end->missing);
    g_clear_error(&end->error);
    g_free(end);
}

void doctor_free(Doctor *doctor)
{
    if (doctor == NULL)
        return;
    g_ptr_array_unref(doctor->ends);
    g_ptr_array_unref(doctor->results);
    g_free(doctor);
}

const char *doctor_verdict_text(DoctorVerdict verdict)
{
    static const char *const TEXTS[] = {"good", "note", "warning", "failed"};
    return TEXTS[verdict];
}

int doctor_status(const Doctor *doctor)
{
    int status = 0;
    for (guint i = 0; i < doctor->results->len; i++) {
        const DoctorResult *result = doctor->results->pdata[i];
        if (result->verdict == DOCTOR_FAILED)
            status = MAX(status, result->status);
    }
    return status;
}

DoctorResult *doctor_add(Doctor *doctor, const char *place, const char *id, const char *description)
{
    DoctorResult *result = g_new0(DoctorResult, 1);
    result->id = id;
    result->description = description;
    result->place = g_strdup(place);
    result->findings = g_ptr_array_new_with_free_func(g_free);
    result->statements = g_ptr_array_new_with_free_func(g_free);
    result->status = 1;
    g_ptr_array_add(doctor->results, result);
    return result;
}

static void add_statement(DoctorResult *result, const char *statement)
{
    char *whole = g_str_has_suffix(statement, ";") ? g_strdup(statement) : g_strconcat(statement, ";", NULL);
    if (g_ptr_array_find_with_equal_func(result->statements, whole, g_str_equal, NULL))
        g_free(whole);
    else
        g_ptr_array_add(result->statements, whole);
}

void doctor_find(DoctorResult *result, DoctorVerdict verdict, const char *finding, const char *statement,
                 const char *remedy)
{
    g_ptr_array_add(result->findings, g_strdup(finding));
    if (statement != NULL)
        add_statement(result, statement);
    if (result->remedy == NULL)
        result->remedy = g_strdup(remedy);
    result->verdict = MAX(result->verdict, verdict);
}

void doctor_findf(DoctorResult *result, DoctorVerdict verdict, const char *remedy, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *finding = g_strdup_vprintf(format, args);
    va_end(args);
    doctor_find(result, verdict, finding, NULL, remedy);
}

DoctorEnd *doctor_target_of(const Doctor *doctor, const ConfigSource *source)
{
    for (guint i = 0; i < doctor->ends->len; i++) {
        DoctorEnd *end = doctor->ends->pdata[i];
        if (end->source == NULL && g_strcmp0(end->into, source->into_database) == 0)
            return end;
    }
    return NULL;
}

static void add_end(Doctor *doctor, const ConfigSource *source, const char *into, char *place)
{
    DoctorEnd *end = g_new0(DoctorEnd, 1);
    end->source = source;
    end->into = into;
    end->place = place;
    g_ptr_array_add(doctor->ends, end);
}

static bool has_target(const Doctor *doctor, const char *into)
{
    for (guint i = 0; i < doctor->ends->len; i++)
        if (g_strcmp0(((const DoctorEnd *)doctor->ends->pdata[i])->into, into) == 0)
            return true;
    return false;
}

/* Targets first: the target itself, where a source goes there, and each other database that a source names. */
static void list_ends(Doctor *doctor, const GPtrArray *sources)
{
    for (guint i = 0; doctor->config->target.url != NULL && i < sources->len; i++) {
        const char *into = ((const ConfigSource *)sources->pdata[i])->into_database;
        if (!has_target(doctor, into))
            add_end(doctor, NULL, into, into == NULL ? g_strdup("target") : g_strdup_printf("target %s", into));
    }
    for (guint i = 0; i < sources->len; i++) {
        const ConfigSource *source = sources->pdata[i];
        bool only = strcmp(source->name, "source") == 0;
        add_end(doctor, source, NULL, only ? g_strdup("source") : g_strdup_printf("source %s", source->name));
    }
}

static int place_rank(const Doctor *doctor, const char *place)
{
    for (guint i = 0; i < doctor->ends->len; i++)
        if (strcmp(((const DoctorEnd *)doctor->ends->pdata[i])->place, place) == 0)
            return (int)i + 1;
    return 0;
}

static int by_place(gconstpointer a, gconstpointer b, gpointer data)
{
    const DoctorResult *x = *(DoctorResult *const *)a;
    const DoctorResult *y = *(DoctorResult *const *)b;
    return place_rank(data, x->place) - place_rank(data, y->place);
}

Doctor *doctor_run(const DoctorSpec *spec, GError **error)
{
    gint64 began = g_get_monotonic_time();
    g_autoptr(Doctor) doctor = g_new0(Doctor, 1);
    doctor->config = spec->config;
    doctor->no_owner = spec->no_owner;
    doctor->no_privileges = spec->no_privileges;
    doctor->ends = g_ptr_array_new_with_free_func(end_free);
    doctor->results = g_ptr_array_new_with_free_func(result_free);
    list_ends(doctor, spec->sources);
    if (!doctor_ask(doctor, error))
        return NULL;
    doctor_check_rooms(doctor);
    if (!doctor_check_machine(doctor, error) || !doctor_check_ledger(doctor, error))
        return NULL;
    g_ptr_array_sort_with_data(doctor->results, by_place, doctor);
    doctor->seconds = (double)(g_get_monotonic_time() - began) / G_USEC_PER_SEC;
    return g_steal_pointer(&doctor);
}
