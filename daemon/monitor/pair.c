/* SPDX-License-Identifier: MIT */
/*
 * pair.c - trust and the vault, which come and go together
 */
#include "daemon/monitor/pair.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/log.h"
#include "daemon/monitor/audit-log.h"
#include "daemon/monitor/marks-file.h"
#include "protocol/bodies.h"
#include "protocol/error.h"

typedef struct {
	guint number;
	PvsWorker *trust;
	PvsWorker *vault;
	gboolean trust_served; /* it has answered a call */
	gboolean vault_served;
	GString *complaints; /* what the two said that is wrong, a line each */
	PvsPairFault fault;
} Pair;

static const PvsPairEvents *events;
static Pair *current, *next;
static GList *stopping; /* of Pair: those whose processes have not ended yet */
static guint last_number;
static gboolean retiring; /* retired() is owed */
static guint overdue;	  /* while it is: its time */

static void on_ready(PvsWorker *worker, gpointer user);
static void on_failed(PvsWorker *worker, const char *text, gboolean config, gpointer user);
static void on_died(PvsWorker *worker, int status, gpointer user);

static gboolean on_served(PvsChannel *channel, PvsMessage *message, gpointer user);
static gboolean on_accused(PvsChannel *channel, PvsMessage *message, gpointer user);

static gboolean loaded(const Pair *pair);

static const PvsHandlerRow rows[] = {
	{PVS_MESSAGE_SERVED, on_served},
	{PVS_MESSAGE_ACCUSED, on_accused},
	{0, NULL},
};

static const PvsWorkerEvents worker_events = {on_ready, on_failed, on_died, rows};

void pvs_pair_init(const PvsPairEvents *pair_events)
{
	events = pair_events;
}

static void stop(Pair *pair)
{
	stopping = g_list_prepend(stopping, pair);
	if (pair->trust)
		pvs_worker_stop(pair->trust);
	if (pair->vault)
		pvs_worker_stop(pair->vault);
}

static gboolean on_all_retired(gpointer data G_GNUC_UNUSED)
{
	if (retiring && !stopping) {
		retiring = FALSE;
		g_clear_handle_id(&overdue, g_source_remove);
		events->retired();
	}
	return G_SOURCE_REMOVE;
}

static void pair_free(Pair *pair)
{
	g_string_free(pair->complaints, TRUE);
	g_free(pair);
}

/* The owner calls back into this file, so it is told from the main loop, not from within. */
static void tell_if_retired(void)
{
	if (retiring && !stopping)
		g_idle_add_full(G_PRIORITY_DEFAULT, on_all_retired, NULL, NULL);
}

/* Forgets a pair that was stopped, once both its processes have ended; they may have before. */
static void drop_if_ended(Pair *pair)
{
	if (pair->trust || pair->vault || !g_list_find(stopping, pair))
		return;
	stopping = g_list_remove(stopping, pair);
	pair_free(pair);
	tell_if_retired();
}

static PvsWorker *start_trust(const PvsConfig *config, Pair *pair, GError **error)
{
	PvsTrustStart start = {
		.root_ca = config->root_ca,
		.trust_directory = config->trust_directory,
		.crl_directory = config->crl_directory,
		.host_key_directory = config->host_key_directory,
		.crl_size = config->crl_size,
		.crl_entries = config->crl_entries,
		.max_host_keys = config->max_host_keys,
		.issuer_by_key_id = (guint8)config->issuer_by_key_id,
		.check = (guint8)config->check,
		.rules = {.items = config->rules->data, .n = config->rules->len},
		.calls = config->calls,
		.calls_per_user = config->calls_per_user,
	};

	return pvs_worker_new(PVS_ROLE_TRUST, pvs_trust_start_fields, &start, &worker_events, pair,
			      error);
}

static PvsWorker *start_vault(const PvsConfig *config, Pair *pair, GError **error)
{
	PvsVaultStart start = {
		.cck_directory = config->cck_directory,
		.credentials_directory = (char *)g_getenv("CREDENTIALS_DIRECTORY"),
		.trust_directory = config->trust_directory,
		.image_directory = config->image_directory,
		.extension_secret_directory = config->extension_secret_directory,
		.sign_key_directory = config->sign_key_directory,
		.association_master = config->association_master,
		.rules = {.items = config->rules->data, .n = config->rules->len},
		.audit_always = (guint8)config->audit_always,
		.calls = config->calls,
		.calls_per_user = config->calls_per_user,
	};

	return pvs_worker_new(PVS_ROLE_VAULT, pvs_vault_start_fields, &start, &worker_events, pair,
			      error);
}

/* pvs_worker_send() did not. */
static gboolean not_handed_over(GError **error)
{
	g_set_error_literal(error, PVS_ERROR, PVS_ERROR_SYSTEM,
			    "cannot hand over a channel: as many descriptors are on their way to "
			    "processes as LimitNOFILE= allows");
	return FALSE;
}

static gboolean link_the_two(Pair *pair, GError **error)
{
	gboolean sent;
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0) {
		g_set_error(error, PVS_ERROR, PVS_ERROR_SYSTEM, "cannot make a channel: %s",
			    g_strerror(errno));
		return FALSE;
	}
	sent = pvs_worker_send(pair->trust, PVS_MESSAGE_LINK, NULL, NULL, &ends[0]) &&
	       pvs_worker_send(pair->vault, PVS_MESSAGE_LINK, NULL, NULL, &ends[1]);
	close(ends[0]);
	close(ends[1]);
	return sent || not_handed_over(error);
}

gboolean pvs_pair_load(const PvsConfig *config, GError **error)
{
	Pair *pair = g_new0(Pair, 1);

	g_assert(!next);
	pair->number = ++last_number;
	pair->complaints = g_string_new(NULL);
	pair->trust = start_trust(config, pair, error);
	if (pair->trust)
		pair->vault = start_vault(config, pair, error);
	if (!pair->vault || !link_the_two(pair, error)) {
		if (pair->trust)
			stop(pair);
		else
			pair_free(pair);
		return FALSE;
	}
	next = pair;
	return TRUE;
}

gboolean pvs_pair_is_loading(void)
{
	return next != NULL;
}

gboolean pvs_pair_is_loaded(void)
{
	return next && loaded(next);
}

gboolean pvs_pair_exists(void)
{
	return current != NULL;
}

guint pvs_pair_generation(void)
{
	return current ? current->number : 0;
}

static gboolean loaded(const Pair *pair)
{
	return pair->trust && pair->vault && pvs_worker_is_ready(pair->trust) &&
	       pvs_worker_is_ready(pair->vault);
}

/* Waits for the other's verdict too: whoever mends files wants to know all that is wrong at once.
 * The pair is dropped when both have said something. */
static void judge(Pair *pair)
{
	gboolean trust_said =
		!pair->trust || pvs_worker_is_ready(pair->trust) || pvs_worker_failed(pair->trust);
	gboolean vault_said =
		!pair->vault || pvs_worker_is_ready(pair->vault) || pvs_worker_failed(pair->vault);
	PvsPairFault fault = pair->fault;
	g_autofree char *text = NULL;

	if (pair != next || !trust_said || !vault_said || loaded(pair))
		return;
	next = NULL;
	text = g_strdup(pair->complaints->str);
	stop(pair);
	drop_if_ended(pair);
	events->refused(text, fault);
}

static void on_ready(PvsWorker *worker G_GNUC_UNUSED, gpointer user)
{
	Pair *pair = user;

	if (pair != next)
		return;
	if (loaded(pair))
		events->loaded();
	else
		judge(pair);
}

/* Both read the certificates, and say the same of one that they cannot read: it is told once. */
static void complain(Pair *pair, const char *text)
{
	g_auto(GStrv) said = g_strsplit(pair->complaints->str, "\n", -1);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (char **line = lines; *line; line++) {
		if (g_strv_contains((const char *const *)said, *line))
			continue;
		if (pair->complaints->len > 0)
			g_string_append_c(pair->complaints, '\n');
		g_string_append(pair->complaints, *line);
	}
}

static void on_failed(PvsWorker *worker G_GNUC_UNUSED, const char *text, gboolean config,
		      gpointer user)
{
	Pair *pair = user;

	pair->fault = MAX(pair->fault, config ? PVS_FAULT_CONFIG : PVS_FAULT_SYSTEM);
	complain(pair, text);
	judge(pair);
}

static gboolean on_served(PvsChannel *channel G_GNUC_UNUSED, PvsMessage *message, gpointer user)
{
	Pair *pair = pvs_worker_user(user);
	gboolean *said = pair->trust == user ? &pair->trust_served : &pair->vault_served;

	if (!pvs_reader_end(&message->body) || !pvs_worker_is_ready(user) || *said)
		return FALSE;
	*said = TRUE;
	return TRUE;
}

/* Trust or the vault that was taken over could so have every front killed, and no more than that:
 * it could refuse every call just as well. */
static gboolean on_accused(PvsChannel *channel G_GNUC_UNUSED, PvsMessage *message, gpointer user)
{
	const Pair *pair = pvs_worker_user(user);
	PvsAccused body = {0};

	if (!pvs_body_get(&message->body, pvs_accused_fields, &body))
		return FALSE;
	/* Fronts have other numbers with the next pair, and with this one none yet. */
	if (pair == current)
		events->accused(pvs_worker_role(user), body.front);
	return TRUE;
}

/* Which of the two brought the other down the monitor cannot tell: the first that it sees end need
 * not be the first that did. So what counts is what either has said. */
static gboolean has_served(Pair *pair)
{
	if (pair->trust)
		pvs_worker_hear(pair->trust);
	if (pair->vault)
		pvs_worker_hear(pair->vault);
	return pair->trust_served || pair->vault_served;
}

static gboolean judge_later(gpointer data)
{
	if (data == next)
		judge(data);
	return G_SOURCE_REMOVE;
}

static void on_died(PvsWorker *worker, int status, gpointer user)
{
	Pair *pair = user;
	PvsRole role = pvs_worker_role(worker);
	gboolean was_ready = pvs_worker_is_ready(worker), was_of_use;

	if (pair->trust == worker)
		pair->trust = NULL;
	else
		pair->vault = NULL;

	if (pair == current) {
		g_autofree char *end = pvs_worker_end(status);

		pvs_warning("%s died (%s); both it and its partner are replaced",
			    pvs_role_name(role), end);
		current = NULL;
		was_of_use = has_served(pair);
		stop(pair);
		events->lost(was_of_use);
	} else if (pair == next) {
		/* One ends when its partner has failed and gone: that is no news. */
		if (!pvs_worker_failed(worker) && pair->complaints->len == 0)
			complain(pair, role == PVS_ROLE_TRUST
					       ? "trust died while it was loading"
					       : "the vault died while it was loading");
		/* A pair that had loaded waits for pvs_pair_promote(): it must not get it. */
		if (was_ready || !pvs_worker_failed(worker))
			g_idle_add_full(G_PRIORITY_DEFAULT, judge_later, pair, NULL);
	}
	pvs_worker_free(worker);

	drop_if_ended(pair);
}

void pvs_pair_discard(void)
{
	Pair *pair = next;

	next = NULL;
	if (pair) {
		stop(pair);
		drop_if_ended(pair);
	}
}

/* Clients are waiting for the next pair. */
static gboolean on_overdue(gpointer data G_GNUC_UNUSED)
{
	for (GList *l = stopping; l; l = l->next) {
		Pair *pair = l->data;

		if (pair->trust)
			pvs_worker_condemn(pair->trust, "does not end");
		if (pair->vault)
			pvs_worker_condemn(pair->vault, "does not end");
	}
	return G_SOURCE_CONTINUE;
}

void pvs_pair_retire(void)
{
	Pair *pair = current;

	retiring = TRUE;
	current = NULL;
	if (pair)
		stop(pair);
	if (!overdue)
		overdue = g_timeout_add(PVS_PAIR_END_MS, on_overdue, NULL);
	tell_if_retired();
}

gboolean pvs_pair_is_retiring(void)
{
	return retiring;
}

void pvs_pair_promote(void)
{
	PvsAuditFile body = {.has_previous = FALSE};
	int fds[2], marks;

	g_assert(!current && !retiring && next && loaded(next));
	current = next;
	next = NULL;
	/* Before any front: the old vault has ended, and let go of the log. */
	body.has_previous = (guint8)pvs_audit_log_descriptors(fds);
	if (!pvs_worker_send(current->vault, PVS_MESSAGE_AUDIT, pvs_audit_file_fields, &body, fds))
		pvs_worker_condemn(current->vault, "cannot be given the audit log");
	/* Likewise: the old trust writes no more, so the new one reads all that there is. */
	marks = pvs_marks_file();
	if (marks >= 0 && !pvs_worker_send(current->trust, PVS_MESSAGE_MARKS, NULL, NULL, &marks))
		pvs_worker_condemn(current->trust, "cannot be given the CRLs' marks");
}

/* Takes @fd. */
static gboolean add_front(PvsWorker *worker, const PvsAddFront *body, int fd)
{
	gboolean sent =
		pvs_worker_send(worker, PVS_MESSAGE_ADD_FRONT, pvs_add_front_fields, body, &fd);

	close(fd);
	return sent;
}

gboolean pvs_pair_connect(guint front, const PvsIdentity *identity, int *trust, int *vault,
			  GError **error)
{
	PvsAddFront body = {
		.front = front,
		.uid = identity->uid,
		.gid = identity->gid,
		.groups = {.items = identity->groups, .n = identity->n_groups},
	};
	int to_trust[2], to_vault[2];
	gboolean sent;

	G_STATIC_ASSERT(sizeof(PvsGroup) == sizeof *identity->groups);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, to_trust) < 0)
		goto failed;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, to_vault) < 0) {
		close(to_trust[0]);
		close(to_trust[1]);
		goto failed;
	}
	/* The channel and whose it is arrive as one message: there is no moment at which trust or
	 * the vault could serve a channel without an identity. */
	sent = add_front(current->trust, &body, to_trust[0]);
	sent = add_front(current->vault, &body, to_vault[0]) && sent;
	if (!sent) {
		close(to_trust[1]);
		close(to_vault[1]);
		return not_handed_over(error);
	}
	*trust = to_trust[1];
	*vault = to_vault[1];
	return TRUE;

failed:
	g_set_error(error, PVS_ERROR, PVS_ERROR_SYSTEM, "cannot make a channel: %s",
		    g_strerror(errno));
	return FALSE;
}
