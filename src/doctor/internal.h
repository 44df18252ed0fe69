/* Shared by the files of src/doctor only. */
#pragma once

#include "doctor/doctor.h"

#define DOCTOR_MACHINE "this machine"

/* Adds a result without findings. */
DoctorResult *doctor_add(Doctor *doctor, const char *place, const char *id, const char *description);
/* Adds a finding, and raises the verdict. statement, remedy: or NULL; the first remedy stays. */
void doctor_find(DoctorResult *result, DoctorVerdict verdict, const char *finding, const char *statement,
                 const char *remedy);
/* As doctor_find(), the finding being formatted here. */
void doctor_findf(DoctorResult *result, DoctorVerdict verdict, const char *remedy, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

/* ends.c: connects all ends and asks them; adds what they are (doctor_check_identities) and what the queries find.
 * False on cancel. */
bool doctor_ask(Doctor *doctor, GError **error);
/* The end that a source goes to; NULL where the configuration has no target. */
DoctorEnd *doctor_target_of(const Doctor *doctor, const ConfigSource *source);

/* One for each group of checks that are no queries. False on cancel. */
bool doctor_check_machine(Doctor *doctor, GError **error);
void doctor_check_identities(Doctor *doctor);
void doctor_check_rooms(Doctor *doctor);
bool doctor_check_ledger(Doctor *doctor, GError **error);
