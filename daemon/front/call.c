/* SPDX-License-Identifier: MIT */
/*
 * call.c - one call's way through trust and the vault to its answer
 *
 * A create call needs a grant for its host keys (from trust, unless one is held), then asks the
 * vault to build. What is lost because trust or the vault were replaced is asked again from the
 * start; a call that loses them more than once or twice may be what kills them, and is given up.
 */
#include "daemon/front/call.h"

#include <string.h>

#include "daemon/front/build.h"
#include "daemon/front/slots.h"
#include "daemon/front/results.h"
#include "policy/access.h"
#include "protocol/error.h"

enum {
	LOST_MAX = 2,	   /* how often a call is asked again */
	EXPIRED_MAX = 2,   /* how often a grant may turn out to have ended */
	BUILD_ROOM = 6144, /* bytes of a BUILD besides the secret: names, user data */
};

typedef enum {
	STATE_HELD,    /* waits until questions may be asked */
	STATE_WAITING, /* another call asked trust for the same grant */
	STATE_ASKED,
} State;

typedef struct {
	PvsRpcCall rpc;
	guint32 pid; /* the client's */
	PvsMethod method;
	PvsParams params;
	PvsSecret *value;
	PvsCallDone done;
	gpointer user;
	State state;
	gboolean judged; /* the vault has said that it may be, since it began last */
	guint lost;
	guint expired;
	int slot; /* -1: none */
	guint timer;
	PvsWorkersAre workers; /* for get_status, which asks three */
	PvsStoreIs store;
} PvsCallRun;

static GQueue calls = G_QUEUE_INIT; /* of PvsCallRun: all that have not come to their end */
static PvsSlots *slots;
static gboolean holding;
/* What this front's identity may do, as the monitor said; NULL: it has not yet, and nothing is
 * done. */
static PvsAccessIs access_is;
static PvsAccess *rights;
static guint max_host_keys;
static gint64 started;
static guint wait_ms;
static void (*quiet)(void);

static void proceed(PvsCallRun *call);

static void release_slot(PvsCallRun *call)
{
	if (call->slot >= 0)
		pvs_slots_release(slots, (guint)call->slot);
	call->slot = -1;
}

static void finish(PvsCallRun *call, char *answer)
{
	PvsCallDone done = call->done;
	gpointer user = call->user;

	release_slot(call);
	g_queue_remove(&calls, call);
	g_clear_handle_id(&call->timer, g_source_remove);
	if (!call->rpc.id)
		g_clear_pointer(&answer, g_free);
	pvs_rpc_call_clear(&call->rpc);
	pvs_params_clear(&call->params);
	pvs_secret_free(call->value);
	pvs_workers_are_clear(&call->workers);
	pvs_store_is_clear(&call->store);
	g_free(call);
	done(answer, user);
}

static void succeed(PvsCallRun *call, JsonNode *result)
{
	finish(call, pvs_rpc_result(call->rpc.id ? call->rpc.id : "null", result));
}

static void fail_with(PvsCallRun *call, const GError *error)
{
	/* A parameter that there is not: say which there are. */
	const char *const *expected = g_error_matches(error, PVS_ERROR, PVS_ERROR_PARAM_UNKNOWN) &&
						      !pvs_error_param(error)
					      ? pvs_method_params(call->method)
					      : NULL;

	finish(call, pvs_rpc_error(call->rpc.id ? call->rpc.id : "null", error, expected));
}

static void fail(PvsCallRun *call, PvsError code, const char *param)
{
	g_autoptr(GError) error = NULL;

	pvs_fail(&error, code, param, NULL);
	fail_with(call, error);
}

static gboolean on_waited(gpointer data)
{
	PvsCallRun *call = data;

	call->timer = 0;
	fail(call, PVS_ERROR_RESTARTING, NULL);
	return G_SOURCE_REMOVE;
}

static void hold(PvsCallRun *call)
{
	call->state = STATE_HELD;
	call->judged = FALSE;
	if (!call->timer)
		call->timer = g_timeout_add(wait_ms, on_waited, call);
}

static void ask(PvsCallRun *call, PvsRole whom, PvsMessageType question, const PvsWriter *body)
{
	call->state = STATE_ASKED;
	pvs_peers_ask(whom, question, body, call);
}

static gint64 now_sec(void)
{
	return g_get_real_time() / G_USEC_PER_SEC;
}

static void ask_verify(PvsCallRun *call)
{
	PvsVerify body = {
		.slot = (guint32)call->slot,
		.host_keys = call->params.host_keys,
		.certs = call->params.certs,
		.crls = call->params.crls,
		.no_verify = call->params.no_verify != FALSE,
		.pid = call->pid,
	};
	g_auto(PvsWriter) w = pvs_writer();

	pvs_body_put(&w, pvs_verify_fields, &body);
	ask(call, PVS_ROLE_TRUST, PVS_MESSAGE_VERIFY, &w);
}

static void ask_judge(PvsCallRun *call)
{
	PvsBuild body = pvs_build_of(call->method, &call->params, call->value);
	g_auto(PvsWriter) w = pvs_writer();

	body.pid = call->pid;
	pvs_body_put(&w, pvs_build_fields, &body);
	ask(call, PVS_ROLE_VAULT, PVS_MESSAGE_JUDGE, &w);
}

static void ask_build(PvsCallRun *call)
{
	PvsBuild body = pvs_build_of(call->method, &call->params, call->value);
	gsize room = BUILD_ROOM + (call->value ? call->value->size : 0);
	guint8 *memory = pvs_locked_alloc(room), *spare = pvs_locked_alloc(room + PVS_FRAME_HEADER);
	PvsWriter w;

	body.slot = (guint32)call->slot;
	body.pid = call->pid;
	if (call->value)
		body.value = (PvsSpan){call->value->bytes, call->value->size};
	/* It may hold the client's secret, so it is put together in locked memory. If the socket is
	 * full the channel keeps a copy there, and is lost if that does not fit: nobody would give
	 * us another, since trust and the vault live on. */
	pvs_locked_free(spare);
	if (!memory || !spare) {
		pvs_locked_free(memory);
		fail(call, PVS_ERROR_TOO_FAST, NULL);
		return;
	}
	w = pvs_writer_on(memory, room);
	pvs_body_put(&w, pvs_build_fields, &body);
	ask(call, PVS_ROLE_VAULT, PVS_MESSAGE_BUILD, &w);
	pvs_locked_free(memory);
}

/* Is the vault asked before trust? Which image a header is it alone can tell, where the rules make
 * a difference between images. And what they refuse it has to refuse: it puts that on record, and
 * who tries out which keys there are for others is what a record is read for. */
static gboolean is_for_vault(const PvsCallRun *call)
{
	const char *image[2];
	const PvsAccessCall create = pvs_build_access(call->method, &call->params, image);

	return (call->params.has_header && pvs_access_tells_images(rights)) ||
	       !pvs_access_check(rights, &create, NULL);
}

static void proceed_create(PvsCallRun *call)
{
	guint8 key[32];
	gboolean fresh;

	if (!call->judged && is_for_vault(call)) {
		ask_judge(call);
		return;
	}
	call->judged = FALSE;
	pvs_slots_key(&call->params.host_keys, &call->params.certs, &call->params.crls,
		      call->params.no_verify, key);
	call->slot = pvs_slots_acquire(slots, key, now_sec(), &fresh);
	if (call->slot < 0)
		fail(call, PVS_ERROR_TOO_FAST, NULL);
	else if (fresh)
		ask_verify(call);
	else if (pvs_slots_state(slots, (guint)call->slot) == PVS_SLOT_HELD)
		ask_build(call);
	else
		call->state = STATE_WAITING;
}

static void proceed_examine(PvsCallRun *call)
{
	PvsExamine body = {
		.host_key = {.document = call->params.document},
		.certs = call->params.certs,
		.crls = call->params.crls,
		.pid = call->pid,
	};
	g_auto(PvsWriter) w = pvs_writer();

	pvs_body_put(&w, pvs_examine_fields, &body);
	ask(call, PVS_ROLE_TRUST, PVS_MESSAGE_EXAMINE, &w);
}

static void proceed_check(PvsCallRun *call)
{
	const PvsCheck body = {
		.request = call->params.request,
		.certificate = call->params.document,
	};
	g_auto(PvsWriter) w = pvs_writer();

	pvs_body_put(&w, pvs_check_fields, &body);
	ask(call, PVS_ROLE_TRUST, PVS_MESSAGE_CHECK, &w);
}

static void proceed_describe(PvsCallRun *call)
{
	succeed(call, pvs_result_described(call->params.request));
}

static void proceed_ccks(PvsCallRun *call)
{
	ask(call, PVS_ROLE_VAULT, PVS_MESSAGE_CCKS, NULL);
}

static void proceed_access(PvsCallRun *call)
{
	succeed(call, pvs_result_access(&access_is.identity, rights));
}

static void proceed_status(PvsCallRun *call)
{
	ask(call, PVS_ROLE_MONITOR, PVS_MESSAGE_WORKERS, NULL);
}

static void proceed_ping(PvsCallRun *call)
{
	succeed(call, pvs_result_empty());
}

/* What a call asks first. */
static void (*const first_step[PVS_METHOD_LAST_])(PvsCallRun *call) = {
	[PVS_METHOD_CREATE_ASSOCIATION] = proceed_create,
	[PVS_METHOD_CREATE_META] = proceed_create,
	[PVS_METHOD_CREATE_RETRIEVABLE] = proceed_create,
	[PVS_METHOD_CREATE_UPDATE_CCK] = proceed_create,
	[PVS_METHOD_VERIFY_REQUEST] = proceed_check,
	[PVS_METHOD_DESCRIBE_REQUEST] = proceed_describe,
	[PVS_METHOD_VERIFY_HOST_KEY] = proceed_examine,
	[PVS_METHOD_LIST_CCKS] = proceed_ccks,
	[PVS_METHOD_GET_ACCESS] = proceed_access,
	[PVS_METHOD_GET_STATUS] = proceed_status,
	[PVS_METHOD_PING] = proceed_ping,
};

/* What names a key or a host key is refused by the vault, or by trust, which have it put on record
 * before the answer; without any work, since they look at the rules first. All else is refused
 * here. */
static gboolean leaves_record(PvsMethod method)
{
	return pvs_method_creates(method) || method == PVS_METHOD_VERIFY_HOST_KEY;
}

static gboolean may_call(PvsMethod method, GError **error)
{
	return !rights || pvs_access_method(rights, pvs_method_name(method), error);
}

/* Each time a call begins anew the rules are asked: they may have changed meanwhile. */
static void proceed(PvsCallRun *call)
{
	g_autoptr(GError) error = NULL;
	/* These the front knows by itself. */
	gboolean alone = call->method == PVS_METHOD_PING || call->method == PVS_METHOD_GET_ACCESS ||
			 call->method == PVS_METHOD_DESCRIBE_REQUEST;

	if (!leaves_record(call->method) && !may_call(call->method, &error)) {
		fail_with(call, error);
		return;
	}
	if (!rights || (!alone && (holding || !pvs_peers_present()))) {
		hold(call);
		return;
	}
	g_clear_handle_id(&call->timer, g_source_remove);
	first_step[call->method](call);
}

/* The calls that wait for the grant in @slot. They are told one by one from a copy of the list,
 * since each may come to its end and start others. */
static GPtrArray *waiting_for(int slot)
{
	GPtrArray *found = g_ptr_array_new();

	for (GList *l = calls.head; l; l = l->next) {
		PvsCallRun *call = l->data;

		if (call->slot == slot && call->state == STATE_WAITING)
			g_ptr_array_add(found, call);
	}
	return found;
}

static gboolean on_verified(PvsCallRun *call, PvsReader *body)
{
	g_auto(PvsVerified) verified = {0};
	g_autoptr(GPtrArray) waiting = NULL;

	if (!pvs_body_get(body, pvs_verified_fields, &verified) ||
	    verified.keys.n != call->params.host_keys.n)
		return FALSE;
	pvs_slots_hold(slots, (guint)call->slot, &verified);
	waiting = waiting_for(call->slot);
	ask_build(call);
	for (guint i = 0; i < waiting->len; i++)
		ask_build(waiting->pdata[i]);
	return TRUE;
}

static gboolean on_refused(PvsCallRun *call, PvsReader *body)
{
	g_autoptr(GPtrArray) waiting = NULL;
	g_autoptr(GError) error = NULL;

	if (!pvs_reader_error(body, &error))
		return FALSE;
	/* A grant that was asked for: all who wait for it wait for the same host keys. */
	if (call->slot >= 0 && pvs_slots_state(slots, (guint)call->slot) == PVS_SLOT_ASKING) {
		waiting = waiting_for(call->slot);
		pvs_slots_void(slots, (guint)call->slot);
		for (guint i = 0; i < waiting->len; i++)
			fail_with(waiting->pdata[i], error);
	}
	fail_with(call, error);
	return TRUE;
}

static gboolean on_built(PvsCallRun *call, PvsReader *body)
{
	g_auto(PvsBuilt) built = {0};

	if (!pvs_body_get(body, pvs_built_fields, &built))
		return FALSE;
	if (built.expired) {
		/* Another call may have renewed it already. */
		if (pvs_slots_state(slots, (guint)call->slot) == PVS_SLOT_HELD)
			pvs_slots_void(slots, (guint)call->slot);
		release_slot(call);
		if (++call->expired > EXPIRED_MAX)
			fail(call, PVS_ERROR_INTERNAL, NULL);
		else
			proceed(call);
		return TRUE;
	}
	if (!built.request ||
	    g_bytes_get_size(built.request) < sizeof(PvsRequestHead) + PVS_TAG_SIZE)
		return FALSE;
	succeed(call,
		pvs_result_request(&call->params,
				   pvs_build_of(call->method, &call->params, call->value).type,
				   pvs_slots_verified(slots, (guint)call->slot), &built));
	return TRUE;
}

static gboolean on_allowed(PvsCallRun *call, PvsReader *body)
{
	if (!pvs_reader_end(body))
		return FALSE;
	call->judged = TRUE;
	proceed(call);
	return TRUE;
}

static gboolean on_examined(PvsCallRun *call, PvsReader *body)
{
	g_auto(PvsExamined) examined = {0};

	if (!pvs_body_get(body, pvs_examined_fields, &examined))
		return FALSE;
	succeed(call, pvs_result_examined(&examined));
	return TRUE;
}

static gboolean on_checked(PvsCallRun *call, PvsReader *body)
{
	g_auto(PvsChecked) checked = {0};

	if (!pvs_body_get(body, pvs_checked_fields, &checked) ||
	    checked.type > PVS_USER_DATA_RSA_3072)
		return FALSE;
	succeed(call, pvs_result_checked(&checked));
	return TRUE;
}

static gboolean on_ccks(PvsCallRun *call, PvsReader *body)
{
	g_auto(PvsCcksAre) ccks = {0};

	if (!pvs_body_get(body, pvs_ccks_are_fields, &ccks))
		return FALSE;
	succeed(call, pvs_result_ccks(&ccks));
	return TRUE;
}

static gboolean on_workers(PvsCallRun *call, PvsReader *body)
{
	pvs_workers_are_clear(&call->workers);
	if (!pvs_body_get(body, pvs_workers_are_fields, &call->workers))
		return FALSE;
	if (!pvs_peers_present())
		hold(call);
	else
		ask(call, PVS_ROLE_TRUST, PVS_MESSAGE_STORE, NULL);
	return TRUE;
}

static gboolean on_store(PvsCallRun *call, PvsReader *body)
{
	pvs_store_is_clear(&call->store);
	if (!pvs_body_get(body, pvs_store_is_fields, &call->store))
		return FALSE;
	ask(call, PVS_ROLE_VAULT, PVS_MESSAGE_COUNTERS, NULL);
	return TRUE;
}

static gboolean on_counters(PvsCallRun *call, PvsReader *body)
{
	g_auto(PvsCountersAre) counters = {0};

	if (!pvs_body_get(body, pvs_counters_are_fields, &counters))
		return FALSE;
	succeed(call, pvs_result_status(started, &call->workers, &call->store, &counters));
	return TRUE;
}

static gboolean on_answer(gpointer asker, PvsMessageType answer, PvsReader *body)
{
	static const struct {
		PvsMessageType answer;
		gboolean (*handle)(PvsCallRun *call, PvsReader *body);
	} rows[] = {
		{PVS_MESSAGE_VERIFIED, on_verified}, {PVS_MESSAGE_REFUSED, on_refused},
		{PVS_MESSAGE_BUILT, on_built},	     {PVS_MESSAGE_EXAMINED, on_examined},
		{PVS_MESSAGE_CCKS_ARE, on_ccks},     {PVS_MESSAGE_WORKERS_ARE, on_workers},
		{PVS_MESSAGE_STORE_IS, on_store},    {PVS_MESSAGE_COUNTERS_ARE, on_counters},
		{PVS_MESSAGE_ALLOWED, on_allowed},   {PVS_MESSAGE_CHECKED, on_checked},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		if (rows[i].answer == answer)
			return rows[i].handle(asker, body);
	return FALSE;
}

static void on_lost(gpointer asker)
{
	PvsCallRun *call = asker;
	g_autoptr(GPtrArray) waiting = call->slot >= 0 ? waiting_for(call->slot) : NULL;

	/* Its grant, and those of all others, went with trust and the vault. */
	for (guint i = 0; waiting && i < waiting->len; i++)
		hold(waiting->pdata[i]);
	if (++call->lost > LOST_MAX)
		fail(call, PVS_ERROR_RESTARTING, NULL);
	else
		hold(call);
}

static void on_arrived(void)
{
	g_autoptr(GPtrArray) all = g_ptr_array_new();

	holding = FALSE;
	pvs_slots_reset(slots);
	for (GList *l = calls.head; l; l = l->next) {
		PvsCallRun *call = l->data;

		call->slot = -1;
		if (call->state != STATE_ASKED)
			g_ptr_array_add(all, call);
	}
	for (guint i = 0; i < all->len; i++)
		proceed(all->pdata[i]);
}

static void on_quiet(void)
{
	quiet();
}

void pvs_calls_init(PvsChannel *monitor, const PvsFrontStart *start, guint wait,
		    void (*on_calls_quiet)(void))
{
	static const PvsPeersEvents events = {on_answer, on_lost, on_arrived, on_quiet};

	g_assert(g_queue_is_empty(&calls));
	max_host_keys = start->max_host_keys;
	started = start->started;
	wait_ms = wait;
	quiet = on_calls_quiet;
	holding = FALSE;
	g_clear_pointer(&rights, pvs_access_free);
	pvs_access_is_clear(&access_is);
	pvs_slots_free(slots);
	slots = pvs_slots_new();
	pvs_peers_init(monitor, &events);
}

static gboolean is_known_stranger(GError **error)
{
	return rights && !pvs_access_method(rights, "ping", error);
}

/* Which call it is, and with what. */
static gboolean understand(PvsCallRun *call, PvsSecrets *secrets, GError **error)
{
	return pvs_params_decode(call->method, call->rpc.params, &call->params, error) &&
	       pvs_build_take(call->method, &call->params, secrets, &call->value, error);
}

void pvs_call_start(PvsRpcCall *rpc, PvsSecrets *secrets, guint32 pid, PvsCallDone done,
		    gpointer user)
{
	PvsCallRun *call = g_new0(PvsCallRun, 1);
	g_autoptr(GError) denied = NULL;
	g_autoptr(GError) error = NULL;
	gboolean known;

	call->rpc = *rpc;
	*rpc = (PvsRpcCall){.id = NULL};
	call->params.max_host_keys = max_host_keys;
	call->done = done;
	call->user = user;
	call->pid = pid;
	call->slot = -1;
	g_queue_push_tail(&calls, call);

	known = pvs_method_find(call->rpc.method, &call->method, &error);
	/* Who may not do it learns nothing, not even which parameters there are; who may do nothing
	 * at all, not even which methods. What makes sense is read for the record's sake alone. */
	if (!is_known_stranger(&denied) && known)
		may_call(call->method, &denied);
	if (known && understand(call, secrets, &error)) {
		/* What was decoded is all that is needed; documents are large. */
		g_clear_pointer(&call->rpc.params, json_object_unref);
		proceed(call);
	} else {
		fail_with(call, denied ? denied : error);
	}
}

void pvs_calls_access(PvsAccessIs *body)
{
	g_autoptr(GPtrArray) held = g_ptr_array_new();

	g_clear_pointer(&rights, pvs_access_free);
	pvs_access_is_clear(&access_is);
	access_is = *body;
	*body = (PvsAccessIs){.rules = {NULL, 0}};
	rights = pvs_access_new(&access_is.rules, &access_is.identity);
	/* A call is held for this, or for a pair: then it goes on being held. */
	for (GList *l = calls.head; l; l = l->next)
		if (((PvsCallRun *)l->data)->state == STATE_HELD)
			g_ptr_array_add(held, l->data);
	for (guint i = 0; i < held->len; i++)
		proceed(held->pdata[i]);
}

void pvs_calls_hold(void)
{
	holding = TRUE;
	if (pvs_peers_outstanding() == 0)
		quiet();
}

void pvs_calls_refuse_all(PvsError error)
{
	PvsCallRun *call;

	while ((call = g_queue_peek_head(&calls)))
		fail(call, error, NULL);
}
