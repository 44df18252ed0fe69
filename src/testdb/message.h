/*
 * What a keeper and the process that started it say to each other: a line of JSON each way, over a socket pair.
 * Passwords travel here and nowhere else. Internal to this room.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "base/deadline.h"
#include "testdb/owner.h"
#include "testdb/testdb.h"

typedef struct Request {
    TestDbOptions options;
    Owner owner;
    char **settings;  /* what options.settings points to */
    char *strings[4]; /* what the strings of options point to */
} Request;

typedef struct Reply {
    char *url, *folder;
    char **environment;
    int version;
    int keeper; /* process id */
} Reply;

void request_clear(Request *request);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Request, request_clear)
void reply_clear(Reply *reply);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Reply, reply_clear)

/* Starter to keeper: go on without me. The keeper answers by closing its end. */
#define MESSAGE_DETACH "detach"

/* Lines without a newline. Transfer full. NULL where a string is not UTF-8. */
char *request_write(const TestDbOptions *options, const Owner *owner);
bool request_read(const char *line, Request *ret_request, GError **error);
char *reply_write(const Reply *reply);
char *reply_write_error(const GError *failure);
/* An error that the keeper sent becomes *error, with its code and hint. */
bool reply_read(const char *line, Reply *ret_reply, GError **error);

bool message_send(int fd, const char *line, GError **error);
/* NULL with an error; when the other side has closed, PGF_ERROR_INTERNAL. Transfer full, without the newline. */
char *message_receive(int fd, Deadline deadline, GError **error);
