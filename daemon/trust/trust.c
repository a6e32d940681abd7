/* SPDX-License-Identifier: MIT */
/*
 * trust.c - the process that reads X.509
 *
 * It verifies what a front names and grants on its own channel to the vault; it never sees a secret
 * or a CCK. What it says to the vault are the document's signed bytes, so that the vault can look
 * itself.
 */
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/provider.h>

#include "daemon/log.h"
#include "daemon/role.h"
#include "daemon/shares.h"
#include "daemon/trust/brought.h"
#include "daemon/trust/court.h"
#include "daemon/trust/store.h"
#include "daemon/trust/survey.h"
#include "daemon/trust/user-data.h"
#include "daemon/trust/verdict.h"
#include "daemon/trust/x509.h"
#include "policy/access.h"
#include "protocol/bodies.h"
#include "protocol/error.h"

typedef struct {
	PvsChannel *channel; /* NULL: it has gone, and grants are still on their way */
	PvsAddFront identity;
	PvsAccess *access; /* what the vault would refuse is refused here, before the work */
	PvsSharer *sharer; /* what the vault has not answered yet: then it is not read */
} Front;

/* What the vault was asked: to agree to a grant, or to put an answer on record. */
typedef struct {
	Front *front;
	guint64 call; /* of the front's question */
	gboolean is_record;
	PvsVerified verified; /* the answer, where it is a grant */
	PvsMessageType type;  /* else: this, with this body */
	PvsWriter body;
} Pending;

static PvsTrustStart start;
static PvsStoreFiles *files; /* until they were looked at */
static PvsStore *store;
static PvsCourt *court;
static PvsSurvey *survey;
static PvsChannel *vault;
static PvsShares *shares;
static GHashTable *pending; /* number -> Pending */
static guint64 last_number;

static void pause_front(gpointer data, gboolean paused)
{
	Front *front = data;

	if (front->channel)
		pvs_channel_pause(front->channel, paused);
}

static void front_free_if_gone(Front *front)
{
	if (front->channel || pvs_sharer_calls(front->sharer) > 0)
		return;
	pvs_add_front_clear(&front->identity);
	pvs_access_free(front->access);
	pvs_sharer_free(front->sharer);
	g_free(front);
}

/* A front that has gone gets nothing. */
static void answer(Front *front, PvsMessageType type, guint64 call, const PvsWriter *body)
{
	if (front->channel)
		pvs_role_answer(front->channel, &front->identity, type, call, body);
}

static void answer_body(Front *front, PvsMessageType type, guint64 call, const PvsField *fields,
			gconstpointer body)
{
	if (front->channel)
		pvs_role_answer_body(front->channel, &front->identity, type, call, fields, body);
}

static void refuse(Front *front, guint64 call, const GError *error)
{
	g_auto(PvsWriter) w = pvs_writer();

	pvs_writer_error(&w, error);
	answer(front, PVS_MESSAGE_REFUSED, call, &w);
}

static PvsVerdict *unverified(GBytes *document, GError **error)
{
	gsize size;
	const guint8 *data = g_bytes_get_data(document, &size);

	return pvs_verdict_unverified(data, size, pvs_court_now(court), error);
}

/* The verdict on one host key, remembered or reached; errors name the member of the host key. */
static PvsVerdict *judge(const PvsHostKey *key, const PvsBrought *extra, gboolean no_verify,
			 GError **error)
{
	const char *member = key->name ? "/name" : "/document";
	GBytes *document = key->name ? pvs_store_host_key(store, key->name) : key->document;
	g_autoptr(GError) reason = NULL;
	PvsVerdict *verdict;

	if (!document) {
		pvs_fail(error, key->name ? PVS_ERROR_NO_HOST_KEY : PVS_ERROR_HOST_KEY_FORMAT,
			 member, key->name);
		return NULL;
	}
	if (no_verify)
		verdict = unverified(document, &reason);
	else if (key->name && pvs_brought_nothing(extra))
		verdict = pvs_court_judge_installed(court, key->name, 0, &reason);
	else
		verdict = pvs_court_judge(court, document, extra->certs, extra->crls, extra->digest,
					  &reason);
	/* Which host key it is the pointer says. The name, of what has to be installed: the level.
	 */
	if (!verdict)
		pvs_fail(error, (PvsError)reason->code, member,
			 pvs_error_name(reason) ? pvs_error_name(reason) : key->name);
	return verdict;
}

/* All verdicts for a grant, or an error that says which host key and why. */
static GPtrArray *judge_all(const PvsVerify *verify, GError **error)
{
	g_autoptr(GPtrArray) verdicts =
		g_ptr_array_new_with_free_func((GDestroyNotify)pvs_verdict_unref);
	g_auto(PvsBrought) extra = {.certs = NULL};

	if (verify->host_keys.n < 1 || verify->host_keys.n > start.max_host_keys) {
		pvs_fail(error, PVS_ERROR_PARAM_HOST_KEYS, "/host_keys", NULL);
		return NULL;
	}
	if (!pvs_brought_read(&verify->certs, &verify->crls, &extra, error))
		return NULL;
	for (guint i = 0; i < verify->host_keys.n; i++) {
		PvsVerdict *verdict = judge(pvs_list_nth(verify->host_keys, PvsHostKey, i), &extra,
					    verify->no_verify, error);

		if (!verdict) {
			g_autofree char *at = g_strdup_printf("/host_keys/%u", i);

			if (error)
				pvs_error_prefix_param(*error, at);
			return NULL;
		}
		g_ptr_array_add(verdicts, verdict);
	}
	return g_steal_pointer(&verdicts);
}

static void pending_free(gpointer data)
{
	Pending *p = data;

	pvs_verified_clear(&p->verified);
	pvs_writer_clear(&p->body);
	g_free(p);
}

/* The front hears of a grant once the vault has agreed, so that its BUILD cannot come before it. */
static void remember(Front *front, guint64 call, Pending *p)
{
	guint64 *number = g_new(guint64, 1);

	p->front = front;
	p->call = call;
	*number = ++last_number;
	g_hash_table_insert(pending, number, p);
	/* What is granted waits in the vault's channel, and no user may fill that. */
	pvs_sharer_begin(front->sharer);
}

static void forget(guint64 number, Front *front)
{
	g_hash_table_remove(pending, &number);
	pvs_sharer_end(front->sharer);
	front_free_if_gone(front);
}

/* Documents by their digest or name, for the record. */
static void list_keys(PvsRecord *record, const PvsHostKey *keys, guint n)
{
	PvsRecordedKey *items = pvs_list_init(&record->documents, PvsRecordedKey, n);

	for (guint i = 0; i < n; i++) {
		g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
		gsize size = sizeof items[i].digest;

		items[i].name = keys[i].name; /* lent: only written from */
		if (keys[i].document)
			g_checksum_update(sum, g_bytes_get_data(keys[i].document, NULL),
					  (gssize)g_bytes_get_size(keys[i].document));
		g_checksum_get_digest(sum, items[i].digest, &size);
	}
}

/* Has the vault put it on record, and answers then: with @type and @body (taken), or, with @error,
 * that. */
static void answer_on_record(Front *front, guint64 call, PvsMessageType type, PvsWriter *body,
			     const GError *error, gboolean examined, guint32 pid,
			     const PvsHostKey *keys, guint n)
{
	Pending *p = g_new0(Pending, 1);
	PvsRecord record = {
		.front = front->identity.front,
		.examined = examined,
		.error = PVS_ERROR_LAST_,
		.pid = pid,
	};
	g_auto(PvsWriter) w = pvs_writer();

	p->is_record = TRUE;
	p->type = type;
	p->body = body ? *body : pvs_writer();
	if (error) {
		record.error =
			error->code < PVS_ERROR_CONFIG ? (guint16)error->code : PVS_ERROR_INTERNAL;
		record.param = (char *)(gintptr)pvs_error_param(error);
		p->type = PVS_MESSAGE_REFUSED;
		pvs_writer_error(&p->body, error);
	}
	list_keys(&record, keys, MIN(n, PVS_HOST_KEYS_MAX));
	pvs_body_put(&w, pvs_record_fields, &record);
	g_free(record.documents.items);
	remember(front, call, p);
	pvs_channel_send(vault, PVS_MESSAGE_RECORD, last_number, &w, NULL);
}

static gboolean on_recorded(PvsChannel *channel G_GNUC_UNUSED, PvsMessage *message,
			    gpointer user G_GNUC_UNUSED)
{
	Pending *p = g_hash_table_lookup(pending, &message->call);
	PvsRecorded body = {0};
	Front *front;

	if (!p || !p->is_record || !pvs_body_get(&message->body, pvs_recorded_fields, &body))
		return FALSE;
	front = p->front;
	if (body.written) {
		answer(front, p->type, p->call, &p->body);
	} else {
		g_autoptr(GError) error = NULL;

		pvs_fail(&error, PVS_ERROR_AUDIT, NULL, NULL);
		refuse(front, p->call, error);
	}
	forget(message->call, front);
	return TRUE;
}

/* Tells the vault what the front may encrypt for. */
static gboolean grant(Front *front, guint64 call, const PvsVerify *verify, GPtrArray *verdicts,
		      GError **error)
{
	Pending *p = g_new0(Pending, 1);
	PvsGrant body = {.front = front->identity.front,
			 .slot = verify->slot,
			 .until = G_MAXINT64,
			 .unverified = verify->no_verify,
			 .pid = verify->pid};
	PvsSignedKey *keys = pvs_list_init(&body.keys, PvsSignedKey, verdicts->len);
	PvsVerifiedKey *shown = pvs_list_init(&p->verified.keys, PvsVerifiedKey, verdicts->len);
	g_auto(PvsWriter) w = pvs_writer();

	for (guint i = 0; i < verdicts->len; i++) {
		const PvsVerdict *verdict = verdicts->pdata[i];

		if (verify->no_verify)
			keys[i].point = g_bytes_new(verdict->point, sizeof verdict->point);
		keys[i].tbs = verdict->tbs; /* lent: only written from */
		keys[i].signature = verdict->signature;
		keys[i].algorithm = (guint8)verdict->algorithm;
		memcpy(shown[i].phkh, verdict->phkh, sizeof shown[i].phkh);
		shown[i].subject = g_strdup(verdict->subject);
		shown[i].not_after = verdict->not_after;
		body.until = MIN(body.until, verdict->until);
	}
	p->verified.until = body.until;
	pvs_body_put(&w, pvs_grant_fields, &body);
	for (guint i = 0; i < verdicts->len; i++)
		g_clear_pointer(&keys[i].point, g_bytes_unref);
	g_free(body.keys.items);
	if (w.size > pvs_message_cap(PVS_MESSAGE_GRANT)) {
		/* Documents that are genuine, and of no sane size. */
		pending_free(p);
		return pvs_fail(error, PVS_ERROR_PARAM_HOST_KEYS, "/host_keys", NULL);
	}
	remember(front, call, p);
	pvs_channel_send(vault, PVS_MESSAGE_GRANT, last_number, &w, NULL);
	return TRUE;
}

/* Which parameter it is that the vault did not agree to. */
static const char *disputed(PvsError error)
{
	if (error == PVS_ERROR_AUDIT)
		return NULL;
	return error == PVS_ERROR_DENIED_NO_VERIFY ? "/no_verify" : "/host_keys";
}

static gboolean on_granted(PvsChannel *channel G_GNUC_UNUSED, PvsMessage *message,
			   gpointer user G_GNUC_UNUSED)
{
	Pending *p = g_hash_table_lookup(pending, &message->call);
	PvsGranted body = {0};
	Front *front;

	if (!p || p->is_record || !pvs_body_get(&message->body, pvs_granted_fields, &body) ||
	    body.error >= PVS_ERROR_CONFIG)
		return FALSE;
	front = p->front;
	if (body.refused) {
		g_autoptr(GError) error = NULL;

		/* That stands on record already: the vault put it there. */
		pvs_fail(&error, (PvsError)body.error, disputed(body.error), NULL);
		refuse(front, p->call, error);
	} else {
		answer_body(front, PVS_MESSAGE_VERIFIED, p->call, pvs_verified_fields,
			    &p->verified);
	}
	forget(message->call, front);
	return TRUE;
}

/* The vault asks again, and with all of the call. */
static gboolean may_verify(const Front *front, const PvsVerify *verify, GError **error)
{
	if (!pvs_access_create(front->access, error))
		return FALSE;
	return !verify->no_verify || pvs_access_no_verify(front->access) ||
	       pvs_fail(error, PVS_ERROR_DENIED_NO_VERIFY, "/no_verify", NULL);
}

static gboolean on_verify(PvsChannel *channel G_GNUC_UNUSED, PvsMessage *message, gpointer user)
{
	Front *front = user;
	g_auto(PvsVerify) body = {0};
	g_autoptr(GPtrArray) verdicts = NULL;
	g_autoptr(GError) error = NULL;

	if (!pvs_body_get(&message->body, pvs_verify_fields, &body) ||
	    body.slot >= PVS_GRANTS_MAX || !vault)
		return FALSE;
	if (may_verify(front, &body, &error))
		verdicts = judge_all(&body, &error);
	if (!verdicts || !grant(front, message->call, &body, verdicts, &error))
		answer_on_record(front, message->call, PVS_MESSAGE_REFUSED, NULL, error, FALSE,
				 body.pid, body.host_keys.items, body.host_keys.n);
	return TRUE;
}

static PvsVerdict *examine(const PvsExamine *body, GError **error)
{
	g_auto(PvsBrought) extra = {.certs = NULL};
	PvsVerdict *verdict;

	if (!pvs_brought_read(&body->certs, &body->crls, &extra, error))
		return NULL;
	verdict = judge(&body->host_key, &extra, FALSE, error);
	if (!verdict && error && g_strcmp0(pvs_error_param(*error), "/document") == 0) {
		/* The method's own parameter, not a host key's member. */
		GError *renamed = NULL;

		pvs_fail(&renamed, (PvsError)(*error)->code, "/host_key_document",
			 pvs_error_name(*error));
		g_error_free(*error);
		*error = renamed;
	}
	return verdict;
}

static gboolean on_examine(PvsChannel *channel G_GNUC_UNUSED, PvsMessage *message, gpointer user)
{
	Front *front = user;
	g_auto(PvsExamine) body = {0};
	g_autoptr(PvsVerdict) verdict = NULL;
	g_autoptr(GError) error = NULL;
	PvsExamined examined = {0};
	PvsWriter w = pvs_writer(); /* given away */
	PvsChainLink *links;

	if (!pvs_body_get(&message->body, pvs_examine_fields, &body) || !vault)
		return FALSE;
	/* No other process sees this call: here is where the rule holds. */
	if (pvs_access_method(front->access, "verify_host_key", &error))
		verdict = examine(&body, &error);
	if (!verdict) {
		answer_on_record(front, message->call, PVS_MESSAGE_REFUSED, NULL, error, TRUE,
				 body.pid, &body.host_key, 1);
		return TRUE;
	}
	memcpy(examined.phkh, verdict->phkh, sizeof examined.phkh);
	examined.subject = verdict->subject;
	examined.not_after = verdict->not_after;
	examined.until = verdict->until;
	links = pvs_list_init(&examined.links, PvsChainLink, MIN(verdict->links->len, 64));
	for (guint i = 0; i < examined.links.n; i++) {
		const PvsLink *link = verdict->links->pdata[i];

		links[i] = (PvsChainLink){link->role, link->subject, link->serial, link->from,
					  link->until};
	}
	pvs_body_put(&w, pvs_examined_fields, &examined);
	g_free(examined.links.items); /* its texts are the verdict's */
	answer_on_record(front, message->call, PVS_MESSAGE_EXAMINED, &w, NULL, TRUE, body.pid,
			 &body.host_key, 1);
	return TRUE;
}

/* Names no key and no host key: nothing to put on record. */
static gboolean on_check(PvsChannel *channel G_GNUC_UNUSED, PvsMessage *message, gpointer user)
{
	Front *front = user;
	g_auto(PvsCheck) body = {0};
	g_auto(PvsChecked) checked = {0};
	g_autoptr(GError) error = NULL;

	if (!pvs_body_get(&message->body, pvs_check_fields, &body))
		return FALSE;
	if (pvs_access_method(front->access, "verify_request", &error) &&
	    pvs_user_data_check(&body, &checked, &error))
		answer_body(front, PVS_MESSAGE_CHECKED, message->call, pvs_checked_fields,
			    &checked);
	else
		refuse(front, message->call, error);
	return TRUE;
}

/* Who asked what is installed. */
typedef struct {
	Front *front;
	guint64 call;
} Asker;

static void on_surveyed(const PvsWriter *store_is, gpointer user)
{
	g_autofree Asker *asker = user;

	answer(asker->front, PVS_MESSAGE_STORE_IS, asker->call, store_is);
	pvs_sharer_end(asker->front->sharer);
	front_free_if_gone(asker->front);
}

static void ask_survey(Front *front, guint64 call)
{
	Asker *asker = g_new0(Asker, 1);

	*asker = (Asker){front, call};
	pvs_sharer_begin(front->sharer);
	pvs_survey_ask(survey, on_surveyed, asker);
}

static gboolean on_store(PvsChannel *channel G_GNUC_UNUSED, PvsMessage *message, gpointer user)
{
	Front *front = user;
	g_autoptr(GError) error = NULL;

	if (!pvs_reader_end(&message->body))
		return FALSE;
	if (pvs_access_method(front->access, "get_status", &error))
		ask_survey(front, message->call);
	else
		refuse(front, message->call, error);
	return TRUE;
}

static void on_front_closed(PvsChannel *channel, gboolean broken, gpointer user)
{
	Front *front = user;

	if (broken)
		pvs_role_accuse(&front->identity, "sent what it may not send");
	pvs_channel_free(channel);
	front->channel = NULL;
	pvs_sharer_leave(front->sharer);
	front_free_if_gone(front);
}

static gboolean on_add_front(PvsChannel *channel G_GNUC_UNUSED, PvsMessage *message,
			     gpointer user G_GNUC_UNUSED)
{
	static const PvsHandlerRow rows[] = {
		{PVS_MESSAGE_VERIFY, on_verify},
		{PVS_MESSAGE_EXAMINE, on_examine},
		{PVS_MESSAGE_CHECK, on_check},
		{PVS_MESSAGE_STORE, on_store},
		{0, NULL},
	};
	Front *front;

	/* Where there are marks, they came before. */
	if (!pvs_survey_has_begun(survey))
		pvs_survey_begin(survey);
	front = g_new0(Front, 1);
	if (!pvs_body_get(&message->body, pvs_add_front_fields, &front->identity)) {
		g_free(front);
		return FALSE;
	}
	front->access = pvs_access_new(&start.rules, &front->identity);
	front->channel = pvs_channel_new(message->fds[0], PVS_ROLE_TRUST, PVS_ROLE_FRONT, rows,
					 on_front_closed, front);
	message->fds[0] = -1;
	front->sharer = pvs_sharer_new(shares, front->identity.uid, front);
	return TRUE;
}

/* Without the vault a grant is of no use; the monitor replaces both. */
static void on_vault_closed(PvsChannel *channel G_GNUC_UNUSED, gboolean broken,
			    gpointer user G_GNUC_UNUSED)
{
	if (broken)
		pvs_error("the vault sent what it may not send");
	pvs_role_quit(broken ? 70 : 0);
}

static gboolean on_link(PvsChannel *channel G_GNUC_UNUSED, PvsMessage *message,
			gpointer user G_GNUC_UNUSED)
{
	static const PvsHandlerRow rows[] = {
		{PVS_MESSAGE_GRANTED, on_granted},
		{PVS_MESSAGE_RECORDED, on_recorded},
		{0, NULL},
	};

	if (vault || !pvs_reader_end(&message->body))
		return FALSE;
	vault = pvs_channel_new(message->fds[0], PVS_ROLE_TRUST, PVS_ROLE_VAULT, rows,
				on_vault_closed, NULL);
	message->fds[0] = -1;
	return TRUE;
}

/* Whatever is lazy in OpenSSL and here: used once before anything is given up. */
static gboolean warm_up(GError **error)
{
	g_autoptr(PvsStoreFiles) none = pvs_store_files_none();
	g_autoptr(PvsStore) empty = pvs_store_new(none, error);

	if (empty && pvs_verdict_warm_up(empty) && pvs_user_data_warm_up())
		return TRUE;
	g_clear_error(error);
	g_set_error_literal(error, PVS_ERROR, PVS_ERROR_SYSTEM,
			    "OpenSSL cannot verify what it made");
	return FALSE;
}

static gboolean load(PvsReader *body, GError **error)
{
	if (!pvs_body_get(body, pvs_trust_start_fields, &start)) {
		g_set_error_literal(error, PVS_ERROR, PVS_ERROR_SYSTEM,
				    "the monitor's START cannot be read");
		return FALSE;
	}
	/* No configuration of OpenSSL's from outside: what is trusted is decided here. No clean-up
	 * at exit: the kernel takes the memory back. */
	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL) != 1 ||
	    !OSSL_PROVIDER_load(NULL, "default")) {
		g_set_error_literal(error, PVS_ERROR, PVS_ERROR_SYSTEM, "OpenSSL does not start");
		return FALSE;
	}
	files = pvs_store_files_read(&(PvsStorePaths){
		.root_ca = start.root_ca,
		.trust_directory = start.trust_directory,
		.crl_directory = start.crl_directory,
		.host_key_directory = start.host_key_directory,
		.crl_size = start.crl_size,
		.crl_entries = start.crl_entries,
		.issuer_by_key_id = start.issuer_by_key_id,
	});
	shares = pvs_shares_new(start.calls, start.calls_per_user, pause_front);
	pending = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, pending_free);
	return warm_up(error);
}

/* Not before the cage: CRLs came over a network. */
static gboolean settle(GError **error)
{
	store = pvs_store_new(files, error);
	if (!store)
		return FALSE;
	g_clear_pointer(&files, pvs_store_files_free);
	for (guint i = 0; i < pvs_store_warnings(store)->len; i++)
		pvs_warning("%s", (const char *)pvs_store_warnings(store)->pdata[i]);
	court = pvs_court_new(store, pvs_clock_of_machine);
	survey = pvs_survey_new(court);
	if (start.check)
		pvs_survey_check(court);
	return TRUE;
}

static gboolean on_marks(PvsChannel *channel G_GNUC_UNUSED, PvsMessage *message,
			 gpointer user G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;
	PvsMarks *marks;

	if (!pvs_reader_end(&message->body) || pvs_survey_has_begun(survey))
		return FALSE;
	marks = pvs_marks_new(message->fds[0], &error);
	message->fds[0] = -1;
	if (marks)
		pvs_court_set_marks(court, marks);
	else
		pvs_error("%s", error->message);
	pvs_survey_begin(survey);
	return TRUE;
}

static const PvsHandlerRow monitor_rows[] = {
	{PVS_MESSAGE_LINK, on_link},
	{PVS_MESSAGE_MARKS, on_marks},
	{PVS_MESSAGE_ADD_FRONT, on_add_front},
	{0, NULL},
};

const PvsRoleRow pvs_role_trust = {
	.role = PVS_ROLE_TRUST,
	.load = load,
	.settle = settle,
	.monitor_rows = monitor_rows,
};
