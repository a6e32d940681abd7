/* SPDX-License-Identifier: MIT */
/*
 * desk.h - a directory, a thread in the daemon's place that answers what it is told to, and
 * commands run as main() runs them
 */
#pragma once

#include <json-glib/json-glib.h>

#define REQUEST_SIZE 0x588
#define ID	     "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define TAG	     "000102030405060708090a0b0c0d0e0f"

typedef struct {
	char *directory; /* the current one */
	char *home;	 /* the current one before the test */
	int listener;
	GThread *thread;
	void (*before)(void); /* in that thread, before it answers; NULL: nothing */
	GHashTable *answers;  /* method -> the answer's members behind the id */
	GPtrArray *calls;     /* of JsonNode: what came; read after a command ended */
	guint8 request[REQUEST_SIZE];
} Fixture;
#define SECRET "{\"type\":\"association\",\"name\":\"my secret\",\"id\":\"" ID "\"}"

/* Makes the directory the current one, with the files se.hdr, z16.crt and ca.crt, and answers
 * create_association. tear_down() removes what a test may make; what else is there makes it fail.
 */
void set_up(Fixture *f, gconstpointer data);
void tear_down(Fixture *f, gconstpointer data);

/* From now on @method is answered with these members behind the id. */
void answer(Fixture *f, const char *method, const char *members);

/* The members of a create call's answer; @secret is its own, in JSON. */
char *made(const guint8 *request, gsize size, const char *tag, const char *secret);

void put(const char *path, const void *data, gssize size);

/* Runs a command line. What it writes is in the files out and err. */
gboolean run(const char *line, GError **error);

void assert_file(const char *path, const void *data, gsize size);
void assert_text(const char *path, const char *text);

/* No request, no secret info, nothing half done. */
void assert_no_files(void);

/* The parameters of the call that came last, as text. */
char *last_params(Fixture *f);
