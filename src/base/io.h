/* Reading and writing whole buffers. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* All of it, also where the kernel takes it in pieces. False with errno set. */
bool io_write_all(int fd, const void *data, gsize length);
