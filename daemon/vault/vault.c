/* SPDX-License-Identifier: MIT */
/*
 * vault.c - the process that holds the keys
 *
 * Everything but the building itself happens in the main loop: messages, grants, fronts. A job is
 * given what it needs (points that nobody changes, keys that live as long as the process, its own
 * copy of the secret), so the threads share nothing with the loop but the queue.
 *
 * Whose a channel is, the monitor says when it hands it over; no field of a message counts.
 */
#include "daemon/role.h"

#include <malloc.h>
#include <string.h>
#include <time.h>

#include "daemon/log.h"
#include "daemon/vault/audit.h"
#include "daemon/vault/crypto.h"
#include "daemon/vault/grants.h"
#include "daemon/vault/guard.h"
#include "daemon/vault/holdings.h"
#include "daemon/vault/look.h"
#include "daemon/vault/order.h"
#include "daemon/vault/pool.h"
#include "daemon/vault/prepare.h"
#include "daemon/vault/record.h"
#include "daemon/shares.h"
#include "policy/cage.h"
#include "protocol/audit.h"
#include "protocol/bodies.h"
#include "protocol/error.h"

enum {
	LOG_PAUSE_SEC = 10, /* between two lines about grants */
};

/* One front: a channel and whose it is. Freed when it has gone and no job of it is on its way. */
typedef struct {
	PvsAddFront identity; /* as the monitor said */
	PvsAccess *access;    /* what that one may do */
	PvsChannel *channel;  /* NULL: it has gone */
	PvsGrants *grants;
	PvsLane *lane;
	PvsSharer *sharer; /* its jobs, waiting or being built: then it is not read */
} Front;

typedef struct {
	Front *front;
	guint64 call;
	guint type; /* of the request, as asked for */
	GBytes *points;
	PvsOrder order;
	gsize waiting;	 /* bytes of the arena that its secret takes */
	GString *record; /* for the audit log: all but the outcome */
	GBytes *request; /* the outcome: one of the two */
	GError *error;
} Job;

static struct {
	PvsVaultStart start; /* the rules in it are used as long as the process lives */
	PvsHoldings has;
	PvsPool *pool;
	PvsShares *shares;
	guint threads;
	PvsChannel *trust;
	GHashTable *fronts; /* number of a front -> Front */
	guint64 built;
	guint64 refused;
} vault;

static void job_free(Job *job);

/* ---- fronts ---- */

static void front_free_if_unused(Front *front)
{
	if (front->channel || pvs_sharer_calls(front->sharer) > 0)
		return;
	pvs_add_front_clear(&front->identity);
	pvs_access_free(front->access);
	pvs_sharer_free(front->sharer);
	g_free(front);
}

static void front_gone(Front *front)
{
	g_hash_table_remove(vault.fronts, GUINT_TO_POINTER(front->identity.front));
	g_clear_pointer(&front->channel, pvs_channel_free);
	g_clear_pointer(&front->grants, pvs_grants_free);
	pvs_sharer_leave(front->sharer);
	/* Jobs that are dropped here hold the front, too. */
	pvs_sharer_begin(front->sharer);
	g_clear_pointer(&front->lane, pvs_lane_close);
	pvs_sharer_end(front->sharer);
	front_free_if_unused(front);
}

static void pause_front(gpointer data, gboolean paused)
{
	Front *front = data;

	if (front->channel)
		pvs_channel_pause(front->channel, paused);
}

static void on_front_closed(PvsChannel *channel G_GNUC_UNUSED, gboolean broken, gpointer user)
{
	Front *front = user;

	if (broken)
		pvs_role_accuse(&front->identity, "sent what it may not send");
	front_gone(front);
}

static void answer(Front *front, PvsMessageType type, guint64 call, const PvsWriter *body)
{
	pvs_role_answer(front->channel, &front->identity, type, call, body);
}

static void answer_body(Front *front, PvsMessageType type, guint64 call, const PvsField *fields,
			gconstpointer body)
{
	pvs_role_answer_body(front->channel, &front->identity, type, call, fields, body);
}

static void refuse(Front *front, guint64 call, const GError *error)
{
	g_auto(PvsWriter) w = pvs_writer();

	if (error->code >= PVS_ERROR_CONFIG)
		pvs_error("a request could not be built: %s", error->message);
	vault.refused++;
	pvs_writer_error(&w, error);
	answer(front, PVS_MESSAGE_REFUSED, call, &w);
}

/* ---- building ---- */

static void work(gpointer data)
{
	Job *job = data;

	job->request = pvs_order_fill(&job->order, job->points, &job->error);
	g_assert(job->request || job->error);
	/* In this thread, and at once: what waits to be answered holds no secret any more. */
	pvs_order_clear(&job->order);
}

/* The secret of @job is in the arena (@size bytes), or has left it. */
static void count_secret(Job *job, gsize size)
{
	pvs_sharer_release(job->front->sharer, job->waiting);
	pvs_sharer_hold(job->front->sharer, size);
	job->waiting = size;
}

static void job_free(Job *job)
{
	pvs_order_clear(&job->order);
	count_secret(job, 0);
	pvs_sharer_end(job->front->sharer);
	front_free_if_unused(job->front);
	g_clear_pointer(&job->points, g_bytes_unref);
	g_clear_pointer(&job->request, g_bytes_unref);
	g_clear_error(&job->error);
	g_string_free(job->record, TRUE);
	g_free(job);
}

static void dropped(gpointer data)
{
	job_free(data);
}

static void answer_job(const Job *job)
{
	PvsBuilt body = {.request = job->request};

	if (job->error) {
		refuse(job->front, job->call, job->error);
		return;
	}
	vault.built++;
	memcpy(body.id, job->order.input.id, sizeof body.id);
	if (job->order.cck)
		memcpy(body.check_value, job->order.cck->check_value, sizeof body.check_value);
	answer_body(job->front, PVS_MESSAGE_BUILT, job->call, pvs_built_fields, &body);
}

/* What is not on record did not happen. */
static void on_recorded(gboolean written, gpointer user)
{
	Job *job = user;

	if (!written) {
		g_clear_error(&job->error);
		pvs_fail(&job->error, PVS_ERROR_AUDIT, NULL, NULL);
	}
	if (job->front->channel)
		answer_job(job);
	job_free(job);
}

/* The outcome is known: first the record, then the answer. */
static void settle(Job *job)
{
	gsize size = 0;
	const guint8 *points = job->points ? g_bytes_get_data(job->points, &size) : NULL;

	if (points)
		pvs_record_host_keys(job->record, points, (guint)(size / PVS_POINT_SIZE));
	if (!job->error)
		pvs_audit_hex(job->record, "id", job->order.input.id, sizeof job->order.input.id);
	pvs_record_outcome(job->record, job->error);
	pvs_audit_write(pvs_guard_method(job->type), job->record, on_recorded, job);
}

static void done(gpointer data)
{
	count_secret(data, 0);
	settle(data);
}

/* ---- what a front asks ---- */

static Job *job_new(Front *front, guint64 call, const PvsBuild *build)
{
	Job *job = g_new0(Job, 1);

	job->front = front;
	job->call = call;
	job->type = build->type;
	job->record = pvs_record_build(&front->identity, build);
	pvs_sharer_begin(front->sharer);
	return job;
}

/* Takes @error. */
static void settle_refused(Job *job, GError *error)
{
	job->error = error;
	settle(job);
}

/* What is asked for. The arena has room for so many secrets that wait (PVS_PREPARE_WAITING): who
 * has his share of it is not read until one has been built. */
static gboolean take_order(Job *job, const PvsBuild *build, GError **error)
{
	if (!pvs_order_read(&vault.has, build, &job->order, error))
		return FALSE;
	count_secret(job, job->order.secret ? job->order.secret->size : 0);
	return TRUE;
}

static gboolean on_build(PvsChannel *channel G_GNUC_UNUSED, PvsMessage *message, gpointer user)
{
	static const PvsBuilt expired = {.expired = 1};
	Front *front = user;
	g_auto(PvsBuild) build = {0};
	g_autoptr(GError) error = NULL;
	Job *job;

	if (!pvs_body_get(&message->body, pvs_build_fields, &build) || build.slot >= PVS_GRANTS_MAX)
		return FALSE;
	/* First of all, so that what is refused tells nothing about what there is. */
	if (pvs_grants_unverified(front->grants, build.slot))
		build.no_verify = 1;
	if (!pvs_guard_build(front->access, vault.has.images, build.no_verify, &build, &error)) {
		if (!error)
			return FALSE;
		settle_refused(job_new(front, message->call, &build), g_steal_pointer(&error));
		return TRUE;
	}
	job = job_new(front, message->call, &build);
	if (!take_order(job, &build, &error)) {
		if (!error) {
			job_free(job);
			return FALSE;
		}
		settle_refused(job, g_steal_pointer(&error));
		return TRUE;
	}
	job->points = pvs_grants_get(front->grants, build.slot, time(NULL));
	if (!job->points) {
		job_free(job);
		answer_body(front, PVS_MESSAGE_BUILT, message->call, pvs_built_fields, &expired);
		return TRUE;
	}
	pvs_lane_push(front->lane, job);
	return TRUE;
}

/* What a front cannot tell by itself, before trust has any work with it. */
static gboolean on_judge(PvsChannel *channel G_GNUC_UNUSED, PvsMessage *message, gpointer user)
{
	Front *front = user;
	g_auto(PvsBuild) build = {0};
	g_autoptr(GError) error = NULL;

	if (!pvs_body_get(&message->body, pvs_build_fields, &build) || build.value.size > 0)
		return FALSE;
	if (pvs_guard_build(front->access, vault.has.images, build.no_verify, &build, &error))
		answer(front, PVS_MESSAGE_ALLOWED, message->call, NULL);
	else if (error)
		settle_refused(job_new(front, message->call, &build), g_steal_pointer(&error));
	else
		return FALSE;
	return TRUE;
}

/* TRUE if it may; else it is told that it may not. */
static gboolean may_ask(Front *front, guint64 call, const char *method)
{
	g_autoptr(GError) error = NULL;

	if (pvs_access_method(front->access, method, &error))
		return TRUE;
	refuse(front, call, error);
	return FALSE;
}

static gboolean on_ccks(PvsChannel *channel G_GNUC_UNUSED, PvsMessage *message, gpointer user)
{
	Front *front = user;
	g_auto(PvsCcksAre) body = {{0}};

	if (!pvs_reader_end(&message->body))
		return FALSE;
	if (!may_ask(front, message->call, "list_ccks"))
		return TRUE;
	pvs_guard_ccks(front->access, vault.has.ccks, &body);
	answer_body(front, PVS_MESSAGE_CCKS_ARE, message->call, pvs_ccks_are_fields, &body);
	return TRUE;
}

static gboolean on_counters(PvsChannel *channel G_GNUC_UNUSED, PvsMessage *message, gpointer user)
{
	PvsCountersAre body = {
		.built = vault.built,
		.refused = vault.refused,
		.threads = vault.threads,
		.locked_used = (guint32)pvs_locked_used(),
		.locked_peak = (guint32)pvs_locked_peak(),
		.ccks = pvs_keys_size(vault.has.ccks),
		.extension_secrets = pvs_keys_size(vault.has.extension_secrets),
		.user_sign_keys = pvs_signers_size(vault.has.signers),
		.images = pvs_images_size(vault.has.images),
		.has_master = vault.has.master != NULL,
		.signing_keys = pvs_look_size(vault.has.look),
		.locked_kind = (char *)pvs_locked_kind(),
	};

	if (!pvs_reader_end(&message->body))
		return FALSE;
	if (!may_ask(user, message->call, "get_status"))
		return TRUE;
	answer_body(user, PVS_MESSAGE_COUNTERS_ARE, message->call, pvs_counters_are_fields, &body);
	return TRUE;
}

static const PvsHandlerRow front_rows[] = {
	{PVS_MESSAGE_JUDGE, on_judge},
	{PVS_MESSAGE_BUILD, on_build},
	{PVS_MESSAGE_CCKS, on_ccks},
	{PVS_MESSAGE_COUNTERS, on_counters},
	{0, NULL},
};

/* ---- what trust says ---- */

/* The vault's own look at a key. Where nobody verified it, what is left to see is the point. */
static gboolean look_at_key(const PvsSignedKey *key, guint8 point[PVS_POINT_SIZE], GError **error)
{
	gsize tbs_size, signature_size;
	const guint8 *tbs, *signature;
	g_autoptr(EVP_PKEY) host = NULL;

	if (key->point) {
		memcpy(point, g_bytes_get_data(key->point, NULL), PVS_POINT_SIZE);
		host = pvs_crypto_host_key(point, error);
		return host != NULL;
	}
	tbs = g_bytes_get_data(key->tbs, &tbs_size);
	signature = g_bytes_get_data(key->signature, &signature_size);
	return pvs_look(vault.has.look, tbs, tbs_size, (PvsSignatureAlgorithm)key->algorithm,
			signature, signature_size, point, error);
}

/* At every key of a grant. NULL with @error: one of them is not accepted. */
static GBytes *look_at(const Front *front, const PvsGrant *grant, GError **error)
{
	g_autofree guint8 *points = g_malloc_n(grant->keys.n, PVS_POINT_SIZE);

	/* Which of its sections allow it, a call shows; without any this is not even kept. */
	if (grant->unverified && !pvs_access_no_verify(front->access)) {
		pvs_fail(error, PVS_ERROR_DENIED_NO_VERIFY, "/no_verify", NULL);
		return NULL;
	}
	for (guint i = 0; i < grant->keys.n; i++)
		if (!look_at_key(pvs_list_nth(grant->keys, PvsSignedKey, i),
				 points + i * PVS_POINT_SIZE, error))
			return NULL;
	return g_bytes_new_take(g_steal_pointer(&points), (gsize)grant->keys.n * PVS_POINT_SIZE);
}

/* A key of a grant that says so comes as a point, and of no other. */
static gboolean makes_sense(const PvsGrant *grant)
{
	if (grant->slot >= PVS_GRANTS_MAX || grant->keys.n < 1 || grant->keys.n > PVS_HOST_KEYS_MAX)
		return FALSE;
	for (guint i = 0; i < grant->keys.n; i++) {
		const PvsSignedKey *key = pvs_list_nth(grant->keys, PvsSignedKey, i);

		if (grant->unverified ? !key->point || key->tbs || key->signature ||
						g_bytes_get_size(key->point) != PVS_POINT_SIZE
				      : key->point || !key->tbs || !key->signature)
			return FALSE;
	}
	return TRUE;
}

static void answer_grant(guint64 call, const PvsGranted *granted)
{
	g_auto(PvsWriter) w = pvs_writer();

	pvs_body_put(&w, pvs_granted_fields, granted);
	pvs_channel_send(vault.trust, PVS_MESSAGE_GRANTED, call, &w, NULL);
}

/* A grant that the vault did not agree to, until that is on record. */
typedef struct {
	guint64 call;
	PvsGranted answer;
} Dispute;

static void on_dispute_recorded(gboolean written, gpointer user)
{
	g_autofree Dispute *dispute = user;

	if (!written)
		dispute->answer.error = PVS_ERROR_AUDIT;
	answer_grant(dispute->call, &dispute->answer);
}

/* Trust says that a key is verified, and the vault sees that it is not: this is how a trust that
 * was taken over shows. The client is answered by trust, so not before it is on record; and the
 * log has a line now and then, since the record has each. */
static void dispute(const Front *front, guint64 call, const PvsGrant *grant, const GError *error)
{
	static gint64 last;
	gint64 now = g_get_monotonic_time();
	Dispute *d = g_new0(Dispute, 1);
	g_autoptr(GString) record = pvs_record_grant(&front->identity, grant, error);

	d->call = call;
	d->answer.refused = 1;
	d->answer.error =
		error->code < PVS_ERROR_CONFIG ? (guint16)error->code : PVS_ERROR_INTERNAL;
	if (!last || now - last > LOG_PAUSE_SEC * G_USEC_PER_SEC) {
		last = now;
		pvs_warning("trust granted the front of uid %u what the vault does not agree to: "
			    "%s; unless files of TrustDirectory= changed during a reload, trust "
			    "was taken over: see the audit log's records of the event grant",
			    front->identity.uid, error->message);
	}
	pvs_audit_write("grant", record, on_dispute_recorded, d);
}

static gboolean on_grant(PvsChannel *channel G_GNUC_UNUSED, PvsMessage *message,
			 gpointer user G_GNUC_UNUSED)
{
	static const PvsGranted gone = {.refused = 1, .error = PVS_ERROR_RESTARTING};
	static const PvsGranted agreed = {.refused = 0};
	g_auto(PvsGrant) grant = {0};
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) points = NULL;
	Front *front;

	if (!pvs_body_get(&message->body, pvs_grant_fields, &grant) || !makes_sense(&grant))
		return FALSE;
	front = g_hash_table_lookup(vault.fronts, GUINT_TO_POINTER(grant.front));
	if (!front) {
		/* It may just have gone: whose call it was nobody can say any more, and nobody
		 * hears of it. */
		answer_grant(message->call, &gone);
		return TRUE;
	}
	/* Whatever comes of it, the grant that was there is not wanted any more. */
	pvs_grants_drop(front->grants, grant.slot);
	points = look_at(front, &grant, &error);
	if (!points) {
		dispute(front, message->call, &grant, error);
		return TRUE;
	}
	pvs_grants_put(front->grants, grant.slot, grant.until, grant.unverified, points);
	answer_grant(message->call, &agreed);
	return TRUE;
}

static void on_trust_recorded(gboolean written, gpointer user)
{
	g_autofree guint64 *call = user;
	PvsRecorded body = {.written = written};
	g_auto(PvsWriter) w = pvs_writer();

	pvs_body_put(&w, pvs_recorded_fields, &body);
	pvs_channel_send(vault.trust, PVS_MESSAGE_RECORDED, *call, &w, NULL);
}

/* What trust has to say of a call that does not come here. Whose it is, is not trust's word. */
static gboolean on_record(PvsChannel *channel G_GNUC_UNUSED, PvsMessage *message,
			  gpointer user G_GNUC_UNUSED)
{
	g_auto(PvsRecord) body = {0};
	g_autoptr(GString) record = NULL;
	const Front *front;
	const char *event;

	if (!pvs_body_get(&message->body, pvs_record_fields, &body) ||
	    (body.error >= PVS_ERROR_CONFIG && body.error != PVS_ERROR_LAST_))
		return FALSE;
	front = g_hash_table_lookup(vault.fronts, GUINT_TO_POINTER(body.front));
	/* It may just have gone: then nobody hears of it. */
	if (!front) {
		on_trust_recorded(FALSE, g_memdup2(&message->call, sizeof message->call));
		return TRUE;
	}
	record = pvs_record_trust(&front->identity, &body, &event);
	pvs_audit_write(event, record, on_trust_recorded,
			g_memdup2(&message->call, sizeof message->call));
	return TRUE;
}

static const PvsHandlerRow trust_rows[] = {
	{PVS_MESSAGE_GRANT, on_grant},
	{PVS_MESSAGE_RECORD, on_record},
	{0, NULL},
};

/* Trust and the vault go together: grants of one are of no use with another. */
static void on_trust_closed(PvsChannel *channel G_GNUC_UNUSED, gboolean broken,
			    gpointer user G_GNUC_UNUSED)
{
	if (broken)
		pvs_error("trust sent what it may not send");
	pvs_role_quit(broken ? 70 : 0);
}

/* ---- what the monitor says ---- */

static int steal_fd(PvsMessage *message)
{
	int fd = message->fds[0];

	message->fds[0] = -1;
	return fd;
}

static gboolean on_link(PvsChannel *channel G_GNUC_UNUSED, PvsMessage *message,
			gpointer user G_GNUC_UNUSED)
{
	if (!pvs_reader_end(&message->body) || vault.trust)
		return FALSE;
	vault.trust = pvs_channel_new(steal_fd(message), PVS_ROLE_VAULT, PVS_ROLE_TRUST, trust_rows,
				      on_trust_closed, NULL);
	return TRUE;
}

static gboolean on_add_front(PvsChannel *channel G_GNUC_UNUSED, PvsMessage *message,
			     gpointer user G_GNUC_UNUSED)
{
	g_auto(PvsAddFront) identity = {0};
	Front *front;

	if (!pvs_body_get(&message->body, pvs_add_front_fields, &identity) ||
	    g_hash_table_contains(vault.fronts, GUINT_TO_POINTER(identity.front)))
		return FALSE;
	front = g_new0(Front, 1);
	front->identity = identity;
	identity = (PvsAddFront){0};
	front->access = pvs_access_new(&vault.start.rules, &front->identity);
	front->grants = pvs_grants_new();
	front->lane = pvs_lane_new(vault.pool);
	front->channel = pvs_channel_new(steal_fd(message), PVS_ROLE_VAULT, PVS_ROLE_FRONT,
					 front_rows, on_front_closed, front);
	front->sharer = pvs_sharer_new(vault.shares, front->identity.uid, front);
	g_hash_table_insert(vault.fronts, GUINT_TO_POINTER(front->identity.front), front);
	return TRUE;
}

static gboolean on_audit(PvsChannel *channel G_GNUC_UNUSED, PvsMessage *message,
			 gpointer user G_GNUC_UNUSED)
{
	PvsAuditFile body = {0};

	if (!pvs_body_get(&message->body, pvs_audit_file_fields, &body))
		return FALSE;
	pvs_audit_open(message->fds[0], body.has_previous ? message->fds[1] : -1);
	message->fds[0] = -1;
	if (body.has_previous)
		message->fds[1] = -1;
	return TRUE;
}

static const PvsHandlerRow monitor_rows[] = {
	{PVS_MESSAGE_LINK, on_link},
	{PVS_MESSAGE_AUDIT, on_audit},
	{PVS_MESSAGE_ADD_FRONT, on_add_front},
	{0, NULL},
};

/* ---- loading ---- */

/* Of a thread: all files were read before it was started. */
static gboolean begin_thread(GError **error)
{
	return role_enter_thread(error) && pvs_prepare_building(error);
}

static gboolean load(PvsReader *reader, GError **error)
{
	static const PvsPoolFunctions functions = {
		.begin = begin_thread, .work = work, .done = done, .dropped = dropped};

	if (!pvs_body_get(reader, pvs_vault_start_fields, &vault.start)) {
		g_set_error_literal(error, PVS_ERROR, PVS_ERROR_SYSTEM,
				    "the monitor sent a START that cannot be read");
		return FALSE;
	}
	/* One heap for all threads: glibc would reserve 64 MiB of addresses for each. */
	mallopt(M_ARENA_MAX, 1);
	if (!pvs_locked_openssl(error) || !pvs_crypto_init(error) ||
	    !pvs_holdings_load(&vault.start, &vault.has, error) || !pvs_prepare_building(error))
		return FALSE;
	pvs_guard_warn(&vault.start.rules, &vault.has);
	pvs_holdings_warn(&vault.has);
	pvs_prepare_looking(vault.has.look);
	if (!pvs_prepare_threads(pvs_keys_size(vault.has.ccks), &vault.threads, error))
		return FALSE;
	vault.pool = pvs_pool_new(vault.threads, &functions, error);
	if (!vault.pool)
		return FALSE;
	if (!pvs_audit_start(vault.start.audit_always, error))
		return FALSE;
	vault.shares = pvs_shares_new(vault.start.calls, vault.start.calls_per_user, pause_front);
	pvs_shares_limit_bytes(vault.shares, PVS_PREPARE_WAITING);
	vault.fronts = g_hash_table_new(NULL, NULL);
	pvs_prepare_memory();
	return TRUE;
}

static void serve(PvsChannel *monitor G_GNUC_UNUSED)
{
	pvs_info("CCKs: %u, extension secrets: %u, user signing keys: %u, master for association "
		 "secrets: %s, images: %u, signing keys: %u, threads: %u; %" G_GSIZE_FORMAT
		 " of %" G_GSIZE_FORMAT " KiB of key memory in use (%s)",
		 pvs_keys_size(vault.has.ccks), pvs_keys_size(vault.has.extension_secrets),
		 pvs_signers_size(vault.has.signers), vault.has.master ? "yes" : "no",
		 pvs_images_size(vault.has.images), pvs_look_size(vault.has.look), vault.threads,
		 pvs_locked_used() / 1024, pvs_locked_size() / 1024, pvs_locked_kind());
}

const PvsRoleRow pvs_role_vault = {
	.role = PVS_ROLE_VAULT,
	.load = load,
	.serve = serve,
	.stop = pvs_audit_stop,
	.monitor_rows = monitor_rows,
	.locked_size = PVS_LOCKED_MAX,
};
