/* SPDX-License-Identifier: MIT */
/*
 * vault-process.h - the vault as a process, with its siblings in the test's hand
 *
 * The vault is the test program executed anew with --vault, as the daemon does it. The test is its
 * monitor, its trust and its fronts.
 */
#pragma once

#include "daemon/role.h"
#include "protocol/bodies.h"
#include "protocol/error.h"
#include "tests/unit/request-case.h"

/* One end of a channel to the vault. */
typedef struct {
	PvsChannel *channel;
	GQueue got; /* of messages */
	gboolean closed;
	guint served;  /* of the monitor's end: SERVED is not among the messages, nor is ACCUSED */
	guint accused; /* fronts */
	guint32 last_accused;
} End;

void vault_end_free(End *end); /* NULL is allowed; closes */
End *vault_end_new(int fd, PvsRole self);
End *vault_end_new_to(int fd, PvsRole self, PvsRole peer); /* of another worker's channel */

/* The other end of a new channel, to give away; *@mine is to keep. */
int vault_channel_pair(int *mine);

/* @fields NULL: no body. @fd -1: none. */
void vault_say(End *end, PvsMessageType type, guint64 call, const PvsField *fields,
	       gconstpointer body, int fd);

/* The next message, which must be of @type: its call, and its body as a struct. */
guint64 vault_hear(End *end, PvsMessageType type, const PvsField *fields, gpointer body);
void vault_hear_close(End *end);
void vault_hear_accused(End *monitor, guint n); /* waits until so many were */
void vault_hear_refused(End *end, guint64 call, PvsError code, const char *param, const char *name);

/* The process and its files. */
typedef struct {
	char *root, *keys, *trust_directory, *images, *log, *audit;
	const char *access; /* rules.h; NULL: RULE_ALL */
	pid_t pid;
	End *monitor, *trust;
	EVP_PKEY *signer, *host;
	guint8 cck[32], master[32];
} Vault;

/* For g_test_add(). The second ends the process as the monitor does, and looks into the log: it has
 * nothing of a call or a key. */
void vault_set_up(Vault *v, gconstpointer data);
void vault_tear_down(Vault *v, gconstpointer data);
#define VAULT_TEST(path, data, function) \
	g_test_add("/vault" path, Vault, data, vault_set_up, function, vault_tear_down)

/* A file in a directory, mode 0600. */
void vault_put(const char *directory, const char *name, const void *data, gsize size);

/* Starts the process and sends START (with the master, if there is a file master in v->root); also
 * gives it trust and waits until it is ready. */
void vault_start(Vault *v);
void vault_start_ready(Vault *v);

/* What vault_start_ready() does besides: the audit log's file. */
void vault_give_log(Vault *v);

int vault_wait_end(Vault *v); /* its exit status */
char *vault_log_of(const Vault *v);

/* The vault has read what the monitor said before. */
void vault_sync_monitor(Vault *v);

/* A front of uid 1000 + @number. */
End *vault_add_front(Vault *v, guint number);

/* A document of @host, signed by the installed key. */
void vault_add_key(const Vault *v, PvsSignedKey *key, EVP_PKEY *host);

/* Grants @n keys, all v->host; the first demands success and lasts an hour. */
void vault_grant(Vault *v, guint front, guint slot, guint n);
PvsGranted vault_grant_until(Vault *v, guint front, guint slot, guint n, gint64 until,
			     gboolean forged);

extern const guint8 vault_given[32]; /* the secret of vault_association() */
PvsBuild vault_association(guint slot);

void vault_ask(End *front, guint64 call, const PvsBuild *build);
void vault_ask_and_open(Vault *v, End *front, const PvsBuild *build, Opened *opened);

/* Asks for vault_association(): does the vault say that the grant is none? */
gboolean vault_is_expired(End *front, guint slot);

PvsCountersAre vault_counters(End *front);
