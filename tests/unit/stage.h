/* SPDX-License-Identifier: MIT */
/*
 * stage.h - the real front in a test's own process, with everything around it played by the test
 *
 * The monitor's, trust's and the vault's ends of the channels and the clients' ends of the
 * connections are all in one main loop, so stage_settle() comes back when nobody has anything left
 * to do: what did not happen by then does not happen. Trust and the vault answer at once with
 * something that makes sense, unless they are told to wait.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "daemon/channel.h"
#include "protocol/bodies.h"
#include "protocol/error.h"

#define STAGE_PID 4711 /* every client's, as the monitor says */

/* A question that was not answered yet. */
typedef struct {
	PvsMessageType type;
	guint64 call;
} StageQuestion;

/* Trust or the vault. */
typedef struct {
	PvsChannel *channel; /* NULL: dead */
	gboolean waits;	     /* keeps questions for stage_answer() */
	GQueue questions;    /* of StageQuestion */
	PvsError refuses;    /* with this row, at param; 0 (the first row): does not */
	const char *param;
} StagePeer;

/* What the front said, and how it is answered. */
typedef struct {
	PvsFrontStart start;
	const char *access;  /* of uid 1000 (rules.h); NULL: the monitor has not said it yet */
	PvsChannel *monitor; /* the monitor's end */
	PvsChannel *front;   /* the front's */
	StagePeer trust, vault;
	PvsError denies; /* the vault does, whatever it is to judge; 0: it allows all */
	const char *denies_param;
	gboolean monitor_waits; /* does not answer WORKERS */
	guint held;
	guint closed;	       /* connections, as the front told the monitor */
	guint closed_messages; /* in so many messages */
	guint judges, verifies, examines, stores, builds, ccks, counters, workers;
	guint most_asked; /* questions on their way at one time */

	gint64 until;  /* of the next grant; seconds since the epoch */
	guint expired; /* so many BUILDs are answered with "expired" */
	guint keys;    /* of the last VERIFY */
	guint certs, crls;
	guint slot;	/* of the last BUILD */
	PvsBuild build; /* the last, but for what it points to */
	char *name;	/* of it, or of the last JUDGE; and so the next two */
	char *cck;
	char *image;
	guint8 value[64];
	guint8 document[32]; /* the start of the last VERIFY's first, or of EXAMINE's */
	gsize document_size;
	GString *order; /* of every VERIFY the first document, with a space behind it */
	char *host_key; /* its name */
} Stage;

/* What every stage starts with; change members before stage_open(). */
void stage_init(Stage *stage);
void stage_open(Stage *stage);	/* loads the front */
void stage_peers(Stage *stage); /* a new pair, in place of the one there is */
void stage_close(Stage *stage);
/* The monitor says what the identity may do; stage_open() does, where stage->access is set. */
void stage_access(Stage *stage, const char *rules);

void stage_hold(Stage *stage);
/* The pair dies; the front sees it with the next stage_settle(). */
void stage_kill(Stage *stage);

/* Answers the question that has waited longest. */
void stage_answer(Stage *stage, StagePeer *peer);
/* CHECK is answered at once, counted with the EXAMINEs. */
gboolean stage_on_check(PvsChannel *channel, PvsMessage *message, gpointer stage);
/* A message of the peer's own making. */
void stage_say(StagePeer *peer, PvsMessageType type, guint64 call, const PvsField *fields,
	       gconstpointer body);

/* Runs the loop until nobody has anything to do any more. */
void stage_settle(void);
/* Runs the loop until @done; fails after 20 s. */
void stage_until(gboolean (*done)(gpointer user), gpointer user);

typedef struct {
	int fd;
	gboolean deaf; /* reads nothing */
	GString *in;
	gboolean ended;
	guint source;
} Client;

Client *client_new(Stage *stage);
void client_free(Client *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Client, client_free)

void client_send(Client *client, const char *text); /* waits where the socket is full */
void client_bytes(Client *client, const void *data, gsize size);
void client_finish(Client *client); /* sends no more */
void client_listen(Client *client); /* a deaf one reads on */

/* The next line, without its line feed; NULL if there is none now. Fails if anything but a line is
 * there. */
char *client_line(Client *client);
/* The next line as an object (an array is a failure). */
JsonObject *client_answer(Client *client);
/* There is nothing more, and the stream has ended (or not). */
gboolean client_over(Client *client);
gboolean client_silent(Client *client);

/* Fails unless the next answer is an error of this row with this id (JSON text) and parameter
 * (NULL: none). */
void client_expect_error(Client *client, const char *id, PvsError code, const char *param);
/* Fails unless the next answer is a result with this id. Returns it, or NULL if it is {}. */
JsonObject *client_expect_result(Client *client, const char *id);
/* A ping is answered: all is well. */
void client_expect_ping(Client *client);

/* A create_association call. @id is JSON text; NULL: a notification. @document is any text; @more
 * is further parameters as JSON text with a comma before each. */
char *text_create(const char *id, const char *document, const char *more);
/* The base64 of an SE header. */
const char *text_header(void);
