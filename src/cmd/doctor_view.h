/* What `pgfold doctor` prints, for people and as JSON (docs/json.md). */
#pragma once

#include "doctor/doctor.h"
#include "doctor/where.h"
#include "out/out.h"

/* What failed, what may surprise, and (unless quiet) what is good to know, by place; with --verbose also what is good.
 */
void doctor_show(const Doctor *doctor, Out *out);
json_t *doctor_json(const Doctor *doctor);

void where_show(const Where *where, Out *out);
json_t *where_json(const Where *where);
