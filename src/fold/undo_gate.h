/* Whether an undo would touch something protected (config/protect.h). */
#pragma once

#include "fold/undo.h"
#include "pg/conn.h"

/* By what the receipt says; connects to nothing. False with PGF_ERROR_REFUSED. */
bool undo_gate_known(const UndoSpec *spec, GError **error);
/* By what the fold has left in the target, before anything is changed there. */
bool undo_gate_target(const UndoSpec *spec, PgConn *conn, GError **error);
