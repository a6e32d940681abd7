/* SPDX-License-Identifier: MIT */
/*
 * stage.c - the real front in a test's own process
 */
#include "tests/unit/stage.h"

#include "tests/unit/rules.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/front/call.h"
#include "daemon/front/connection.h"
#include "daemon/role.h"

#define REQUEST_SIZE (sizeof(PvsRequestHead) + sizeof(PvsKeyslot) + 80 + PVS_TAG_SIZE)

static Stage *stage_now; /* the one that is open */

static gboolean on_late(gpointer user G_GNUC_UNUSED)
{
	g_error("waited in vain");
	return G_SOURCE_REMOVE;
}

void stage_settle(void)
{
	while (g_main_context_iteration(NULL, FALSE))
		;
}

void stage_until(gboolean (*done)(gpointer user), gpointer user)
{
	guint late = g_timeout_add_seconds(20, on_late, NULL);

	while (!done(user))
		g_main_context_iteration(NULL, TRUE);
	g_source_remove(late);
}

/* ---- answers ---- */

void stage_say(StagePeer *peer, PvsMessageType type, guint64 call, const PvsField *fields,
	       gconstpointer body)
{
	g_auto(PvsWriter) w = pvs_writer();

	if (fields)
		pvs_body_put(&w, fields, body);
	pvs_channel_send(peer->channel, type, call, fields ? &w : NULL, NULL);
}

static void say_verified(Stage *stage, guint64 call)
{
	g_auto(PvsVerified) body = {.until = stage->until};
	PvsVerifiedKey *keys = pvs_list_init(&body.keys, PvsVerifiedKey, stage->keys);

	for (guint i = 0; i < stage->keys; i++) {
		memset(keys[i].phkh, (int)(0xa0 + i), sizeof keys[i].phkh);
		keys[i].subject = g_strdup_printf("CN=host %u", i);
		keys[i].not_after = 951782400; /* 2000-02-29 */
	}
	stage_say(&stage->trust, PVS_MESSAGE_VERIFIED, call, pvs_verified_fields, &body);
}

static void say_examined(Stage *stage, guint64 call)
{
	g_auto(PvsExamined) body = {.not_after = 4102444799, .until = 1};
	PvsChainLink *links = pvs_list_init(&body.links, PvsChainLink, 2);

	memset(body.phkh, 0xee, sizeof body.phkh);
	body.subject = g_strdup("CN=examined");
	links[0] = (PvsChainLink){.role = g_strdup("host-key"),
				  .subject = g_strdup("CN=examined"),
				  .serial = g_strdup("01ab"),
				  .from = 0,
				  .until = 4102444799};
	links[1] = (PvsChainLink){.role = g_strdup("crl"), .subject = g_strdup("CN=issuer")};
	stage_say(&stage->trust, PVS_MESSAGE_EXAMINED, call, pvs_examined_fields, &body);
}

static void say_store(Stage *stage, guint64 call)
{
	g_auto(PvsStoreIs) body = {.entries = {0}};
	PvsStoreEntry *entries = pvs_list_init(&body.entries, PvsStoreEntry, 1);
	PvsWarning *warnings = pvs_list_init(&body.warnings, PvsWarning, 1);

	entries[0] = (PvsStoreEntry){.kind = g_strdup("signing-key"),
				     .file = g_strdup("ibm-sign.crt"),
				     .subject = g_strdup("CN=signing key"),
				     .serial = g_strdup("02"),
				     .from = 0,
				     .until = 951782400,
				     .error = PVS_ERROR_LAST_};
	warnings[0].text = g_strdup("something expires");
	stage_say(&stage->trust, PVS_MESSAGE_STORE_IS, call, pvs_store_is_fields, &body);
}

static void say_built(Stage *stage, guint64 call)
{
	guint8 request[REQUEST_SIZE];
	g_auto(PvsBuilt) body = {.expired = 0};

	if (stage->expired > 0) {
		stage->expired--;
		body.expired = 1;
		stage_say(&stage->vault, PVS_MESSAGE_BUILT, call, pvs_built_fields, &body);
		return;
	}
	memset(request, 0x42, sizeof request);
	memset(request + sizeof request - PVS_TAG_SIZE, 0x0f, PVS_TAG_SIZE);
	body.request = g_bytes_new(request, sizeof request);
	memset(body.id, 0x1d, sizeof body.id);
	memset(body.check_value, 0xc4, sizeof body.check_value);
	stage_say(&stage->vault, PVS_MESSAGE_BUILT, call, pvs_built_fields, &body);
}

static void say_allowed(Stage *stage, guint64 call)
{
	stage_say(&stage->vault, PVS_MESSAGE_ALLOWED, call, NULL, NULL);
}

static void say_ccks(Stage *stage, guint64 call)
{
	g_auto(PvsCcksAre) body = {.ccks = {0}};
	PvsCckInfo *ccks = pvs_list_init(&body.ccks, PvsCckInfo, 2);

	ccks[0].name = g_strdup("one");
	ccks[1].name = g_strdup("two");
	memset(ccks[1].check_value, 0x22, sizeof ccks[1].check_value);
	stage_say(&stage->vault, PVS_MESSAGE_CCKS_ARE, call, pvs_ccks_are_fields, &body);
}

static void say_counters(Stage *stage, guint64 call)
{
	const PvsCountersAre body = {.built = 7,
				     .refused = 3,
				     .threads = 2,
				     .locked_used = 4096,
				     .locked_peak = 8192,
				     .ccks = 2,
				     .extension_secrets = 3,
				     .user_sign_keys = 4,
				     .images = 5,
				     .has_master = 1,
				     .signing_keys = 1,
				     .locked_kind = (char *)"memfd_secret"};

	stage_say(&stage->vault, PVS_MESSAGE_COUNTERS_ARE, call, pvs_counters_are_fields, &body);
}

static void say_refused(StagePeer *peer, guint64 call, PvsError code, const char *param)
{
	g_autoptr(GError) error = NULL;
	g_auto(PvsWriter) w = pvs_writer();

	pvs_fail(&error, code, param, NULL);
	pvs_writer_error(&w, error);
	pvs_channel_send(peer->channel, PVS_MESSAGE_REFUSED, call, &w, NULL);
}

void stage_answer(Stage *stage, StagePeer *peer)
{
	static const struct {
		PvsMessageType type;
		void (*say)(Stage *stage, guint64 call);
	} rows[] = {
		{PVS_MESSAGE_VERIFY, say_verified},   {PVS_MESSAGE_EXAMINE, say_examined},
		{PVS_MESSAGE_STORE, say_store},	      {PVS_MESSAGE_BUILD, say_built},
		{PVS_MESSAGE_JUDGE, say_allowed},     {PVS_MESSAGE_CCKS, say_ccks},
		{PVS_MESSAGE_COUNTERS, say_counters},
	};
	g_autofree StageQuestion *question = g_queue_pop_head(&peer->questions);

	g_assert_nonnull(question);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		if (rows[i].type != question->type)
			continue;
		if (question->type == PVS_MESSAGE_JUDGE && stage->denies)
			say_refused(peer, question->call, stage->denies, stage->denies_param);
		else if (peer->refuses)
			say_refused(peer, question->call, peer->refuses, peer->param);
		else
			rows[i].say(stage, question->call);
	}
}

/* ---- trust and the vault ---- */

static gboolean asked(Stage *stage, StagePeer *peer, const PvsMessage *message)
{
	StageQuestion *question = g_new(StageQuestion, 1);

	*question = (StageQuestion){.type = message->type, .call = message->call};
	g_queue_push_tail(&peer->questions, question);
	stage->most_asked = MAX(stage->most_asked,
				stage->trust.questions.length + stage->vault.questions.length);
	if (!peer->waits)
		stage_answer(stage, peer);
	return TRUE;
}

static void note_host_key(Stage *stage, const PvsHostKey *key)
{
	gsize size = 0;
	const void *data = key->document ? g_bytes_get_data(key->document, &size) : NULL;

	stage->document_size = size;
	memset(stage->document, 0, sizeof stage->document);
	if (size > 0)
		memcpy(stage->document, data, MIN(size, sizeof stage->document));
	g_free(stage->host_key);
	stage->host_key = g_strdup(key->name);
}

static gboolean on_verify(PvsChannel *channel G_GNUC_UNUSED, PvsMessage *message, gpointer user)
{
	Stage *stage = user;
	g_auto(PvsVerify) body = {.slot = 0};

	g_assert_true(pvs_body_get(&message->body, pvs_verify_fields, &body));
	g_assert_cmpuint(body.pid, ==, STAGE_PID);
	stage->verifies++;
	stage->keys = body.host_keys.n;
	stage->certs = body.certs.n;
	stage->crls = body.crls.n;
	note_host_key(stage, pvs_list_nth(body.host_keys, PvsHostKey, 0));
	g_string_append_printf(stage->order, "%.32s ", (const char *)stage->document);
	return asked(stage, &stage->trust, message);
}

static gboolean on_examine(PvsChannel *channel G_GNUC_UNUSED, PvsMessage *message, gpointer user)
{
	Stage *stage = user;
	g_auto(PvsExamine) body = {.host_key = {.name = NULL}};

	g_assert_true(pvs_body_get(&message->body, pvs_examine_fields, &body));
	g_assert_cmpuint(body.pid, ==, STAGE_PID);
	stage->examines++;
	note_host_key(stage, &body.host_key);
	return asked(stage, &stage->trust, message);
}

static void note_build(Stage *stage, const PvsBuild *body)
{
	g_free(stage->name);
	g_free(stage->cck);
	g_free(stage->image);
	stage->image = g_strdup(body->image);
	stage->name = g_strdup(body->name);
	stage->cck = g_strdup(body->cck);
}

static gboolean on_judge(PvsChannel *channel G_GNUC_UNUSED, PvsMessage *message, gpointer user)
{
	Stage *stage = user;
	g_auto(PvsBuild) body = {.slot = 0};

	g_assert_true(pvs_body_get(&message->body, pvs_build_fields, &body));
	g_assert_cmpuint(body.pid, ==, STAGE_PID);
	g_assert_cmpuint(body.value.size, ==, 0);
	stage->judges++;
	note_build(stage, &body);
	return asked(stage, &stage->vault, message);
}

static gboolean on_build(PvsChannel *channel G_GNUC_UNUSED, PvsMessage *message, gpointer user)
{
	Stage *stage = user;
	g_auto(PvsBuild) body = {.slot = 0};

	g_assert_true(pvs_body_get(&message->body, pvs_build_fields, &body));
	g_assert_cmpuint(body.pid, ==, STAGE_PID);
	stage->builds++;
	stage->build = body;
	note_build(stage, &body);
	memset(stage->value, 0, sizeof stage->value);
	if (body.value.size > 0)
		memcpy(stage->value, body.value.data, MIN(body.value.size, sizeof stage->value));
	return asked(stage, &stage->vault, message);
}

static gboolean on_empty(PvsChannel *channel G_GNUC_UNUSED, PvsMessage *message, gpointer user)
{
	Stage *stage = user;

	g_assert_true(pvs_reader_end(&message->body));
	stage->stores += message->type == PVS_MESSAGE_STORE;
	stage->ccks += message->type == PVS_MESSAGE_CCKS;
	stage->counters += message->type == PVS_MESSAGE_COUNTERS;
	return asked(stage, message->type == PVS_MESSAGE_STORE ? &stage->trust : &stage->vault,
		     message);
}

static const PvsHandlerRow trust_rows[] = {{PVS_MESSAGE_VERIFY, on_verify},
					   {PVS_MESSAGE_EXAMINE, on_examine},
					   {PVS_MESSAGE_CHECK, stage_on_check},
					   {PVS_MESSAGE_STORE, on_empty},
					   {0, NULL}};
static const PvsHandlerRow vault_rows[] = {{PVS_MESSAGE_JUDGE, on_judge},
					   {PVS_MESSAGE_BUILD, on_build},
					   {PVS_MESSAGE_CCKS, on_empty},
					   {PVS_MESSAGE_COUNTERS, on_empty},
					   {0, NULL}};

static void on_peer_closed(PvsChannel *channel, gboolean broken, gpointer user)
{
	Stage *stage = user;

	g_assert_false(broken);
	if (stage->trust.channel == channel)
		stage->trust.channel = NULL;
	else if (stage->vault.channel == channel)
		stage->vault.channel = NULL;
	pvs_channel_free(channel);
}

/* ---- the monitor ---- */

static gboolean on_held(PvsChannel *channel G_GNUC_UNUSED, PvsMessage *message, gpointer user)
{
	Stage *stage = user;

	stage->held++;
	return pvs_reader_end(&message->body);
}

static gboolean on_closed(PvsChannel *channel G_GNUC_UNUSED, PvsMessage *message, gpointer user)
{
	Stage *stage = user;
	PvsClosedCount body = {0};

	g_assert_true(pvs_body_get(&message->body, pvs_closed_count_fields, &body));
	stage->closed += body.connections;
	stage->closed_messages++;
	return TRUE;
}

static gboolean on_workers(PvsChannel *channel, PvsMessage *message, gpointer user)
{
	Stage *stage = user;
	g_auto(PvsWorkersAre) body = {.generation = 4, .restarts = 2, .connections = 9};
	PvsWorkerInfo *infos = pvs_list_init(&body.workers, PvsWorkerInfo, 2);
	g_auto(PvsWriter) w = pvs_writer();

	g_assert_true(pvs_reader_end(&message->body));
	stage->workers++;
	infos[0] = (PvsWorkerInfo){.role = PVS_ROLE_MONITOR, .pid = 11};
	infos[1] = (PvsWorkerInfo){.role = PVS_ROLE_VAULT,
				   .pid = 12,
				   .started = g_get_monotonic_time() - 5 * G_USEC_PER_SEC};
	body.reload_error = g_strdup("a bad file");
	pvs_body_put(&w, pvs_workers_are_fields, &body);
	if (!stage->monitor_waits)
		pvs_channel_send(channel, PVS_MESSAGE_WORKERS_ARE, message->call, &w, NULL);
	return TRUE;
}

static const PvsHandlerRow monitor_rows[] = {{PVS_MESSAGE_HELD, on_held},
					     {PVS_MESSAGE_CLOSED, on_closed},
					     {PVS_MESSAGE_WORKERS, on_workers},
					     {0, NULL}};

static void on_monitor_closed(PvsChannel *channel G_GNUC_UNUSED, gboolean broken G_GNUC_UNUSED,
			      gpointer user G_GNUC_UNUSED)
{
	g_error("the front and the monitor do not understand each other");
}

/* ---- the stage ---- */

static void pair(int fds[2])
{
	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), ==,
			0);
}

void stage_init(Stage *stage)
{
	*stage = (Stage){
		.start =
			{
				.max_host_keys = 20,
				.calls = 16,
				.message_size = 1024 * 1024,
				.depth = 16,
				.tokens = 4096,
				.batch_size = 64,
				.receive_sec = 10,
				.reply_sec = 10,
				.idle_sec = 60,
				.started = g_get_monotonic_time() - 100 * G_USEC_PER_SEC,
			},
		.access = RULE_ALL,
		.until = g_get_real_time() / G_USEC_PER_SEC + 3600,
		.order = g_string_new(NULL),
	};
}

void stage_open(Stage *stage)
{
	g_autoptr(GError) error = NULL;
	g_auto(PvsWriter) w = pvs_writer();
	PvsReader r;
	int fds[2];

	g_assert_null(stage_now);
	stage_now = stage;
	pvs_body_put(&w, pvs_front_start_fields, &stage->start);
	r = pvs_reader(w.data, w.size);
	pvs_role_front.load(&r, &error);
	g_assert_no_error(error);
	pair(fds);
	stage->monitor = pvs_channel_new(fds[0], PVS_ROLE_MONITOR, PVS_ROLE_FRONT, monitor_rows,
					 on_monitor_closed, stage);
	stage->front = pvs_channel_new(fds[1], PVS_ROLE_FRONT, PVS_ROLE_MONITOR,
				       pvs_role_front.monitor_rows, on_monitor_closed, NULL);
	pvs_role_front.serve(stage->front);
	if (stage->access)
		stage_access(stage, stage->access);
	stage_peers(stage);
}

void stage_access(Stage *stage, const char *rules)
{
	PvsAccessIs body = {.identity = {.uid = 1000, .gid = 100}, .rules = rules_of(rules)};
	PvsGroup *groups = pvs_list_init(&body.identity.groups, PvsGroup, 1);
	g_auto(PvsWriter) w = pvs_writer();

	groups[0].gid = 27;
	pvs_body_put(&w, pvs_access_is_fields, &body);
	pvs_access_is_clear(&body);
	pvs_channel_send(stage->monitor, PVS_MESSAGE_ACCESS, 0, &w, NULL);
	stage_settle();
}

static void forget_questions(StagePeer *peer)
{
	g_queue_clear_full(&peer->questions, g_free);
}

void stage_kill(Stage *stage)
{
	forget_questions(&stage->trust);
	forget_questions(&stage->vault);
	g_clear_pointer(&stage->trust.channel, pvs_channel_free);
	g_clear_pointer(&stage->vault.channel, pvs_channel_free);
}

void stage_peers(Stage *stage)
{
	const PvsPeers body = {.generation = 1};
	g_auto(PvsWriter) w = pvs_writer();
	int to_trust[2], to_vault[2];

	stage_kill(stage);
	pair(to_trust);
	pair(to_vault);
	stage->trust.channel = pvs_channel_new(to_trust[0], PVS_ROLE_TRUST, PVS_ROLE_FRONT,
					       trust_rows, on_peer_closed, stage);
	stage->vault.channel = pvs_channel_new(to_vault[0], PVS_ROLE_VAULT, PVS_ROLE_FRONT,
					       vault_rows, on_peer_closed, stage);
	pvs_body_put(&w, pvs_peers_fields, &body);
	pvs_channel_send(stage->monitor, PVS_MESSAGE_PEERS, 0, &w,
			 (const int[]){to_trust[1], to_vault[1]});
	close(to_trust[1]);
	close(to_vault[1]);
	stage_settle();
}

void stage_hold(Stage *stage)
{
	pvs_channel_send(stage->monitor, PVS_MESSAGE_HOLD, 0, NULL, NULL);
	stage_settle();
}

static gboolean no_connections(gpointer user G_GNUC_UNUSED)
{
	return pvs_connections_count() == 0;
}

/* The clients must be gone by now. */
void stage_close(Stage *stage)
{
	stage_until(no_connections, NULL);
	pvs_role_front.stop();
	stage_settle();
	/* Drops the front's channels and what it still knows of questions. */
	pvs_calls_init(stage->front, &stage->start, 1000, NULL);
	stage_kill(stage);
	pvs_channel_free(stage->front);
	pvs_channel_free(stage->monitor);
	g_free(stage->name);
	g_free(stage->cck);
	g_free(stage->image);
	g_free(stage->host_key);
	g_string_free(stage->order, TRUE);
	stage_now = NULL;
}

/* ---- clients ---- */

static gboolean on_readable(gint fd, GIOCondition condition G_GNUC_UNUSED, gpointer user)
{
	Client *client = user;
	char buffer[65536];
	ssize_t n = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);

	if (n > 0) {
		g_string_append_len(client->in, buffer, n);
		return G_SOURCE_CONTINUE;
	}
	if (n < 0 && errno == EAGAIN)
		return G_SOURCE_CONTINUE;
	client->ended = TRUE;
	client->source = 0;
	return G_SOURCE_REMOVE;
}

void client_listen(Client *client)
{
	client->source = g_unix_fd_add(client->fd, G_IO_IN | G_IO_HUP, on_readable, client);
}

Client *client_new(Stage *stage)
{
	Client *client = g_new0(Client, 1);
	PvsCaller body = {.pid = STAGE_PID};
	g_auto(PvsWriter) w = pvs_writer();
	int fds[2];

	pair(fds);
	client->fd = fds[0];
	client->in = g_string_new(NULL);
	client_listen(client);
	pvs_body_put(&w, pvs_caller_fields, &body);
	pvs_channel_send(stage->monitor, PVS_MESSAGE_CONNECTION, 0, &w, &fds[1]);
	close(fds[1]);
	stage_settle();
	return client;
}

void client_free(Client *client)
{
	if (!client)
		return;
	g_clear_handle_id(&client->source, g_source_remove);
	close(client->fd);
	g_string_free(client->in, TRUE);
	g_free(client);
}

void client_bytes(Client *client, const void *data, gsize size)
{
	const char *p = data;

	while (size > 0) {
		ssize_t n = send(client->fd, p, size, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN) {
			g_main_context_iteration(NULL, TRUE);
			continue;
		}
		/* It may have been closed in the midst. */
		if (n < 0)
			break;
		p += n;
		size -= (gsize)n;
	}
	stage_settle();
}

void client_send(Client *client, const char *text)
{
	client_bytes(client, text, strlen(text));
}

void client_finish(Client *client)
{
	g_assert_cmpint(shutdown(client->fd, SHUT_WR), ==, 0);
	stage_settle();
}

char *client_line(Client *client)
{
	const char *end;
	char *text;

	stage_settle();
	end = memchr(client->in->str, '\n', client->in->len);
	if (!end) {
		g_assert_cmpstr(client->in->str, ==, "");
		return NULL;
	}
	text = g_strndup(client->in->str, (gsize)(end - client->in->str));
	g_string_erase(client->in, 0, end - client->in->str + 1);
	return text;
}

JsonObject *client_answer(Client *client)
{
	g_autofree char *text = client_line(client);
	g_autoptr(JsonNode) node = NULL;

	g_assert_nonnull(text);
	node = json_from_string(text, NULL);
	g_assert_nonnull(node);
	g_assert_true(JSON_NODE_HOLDS_OBJECT(node));
	return json_node_dup_object(node);
}

gboolean client_silent(Client *client)
{
	stage_settle();
	return client->in->len == 0 && !client->ended;
}

gboolean client_over(Client *client)
{
	stage_settle();
	return client->in->len == 0 && client->ended;
}

static void check_id(JsonObject *answer, const char *id)
{
	g_autofree char *text = json_to_string(json_object_get_member(answer, "id"), FALSE);

	g_assert_cmpstr(json_object_get_string_member(answer, "jsonrpc"), ==, "2.0");
	g_assert_cmpstr(text, ==, id);
}

void client_expect_error(Client *client, const char *id, PvsError code, const char *param)
{
	g_autoptr(JsonObject) answer = client_answer(client);
	JsonObject *error, *data;

	g_assert_true(json_object_has_member(answer, "error"));
	g_assert_false(json_object_has_member(answer, "result"));
	error = json_object_get_object_member(answer, "error");
	data = json_object_get_object_member(error, "data");
	g_assert_cmpstr(json_object_get_string_member(data, "reason"), ==, pvs_error_reason(code));
	g_assert_cmpint(json_object_get_int_member(error, "code"), ==, pvs_error_code(code));
	g_assert_cmpstr(json_object_get_string_member(error, "message"), ==,
			pvs_error_sentence(code));
	g_assert_cmpstr(json_object_get_string_member(data, "hint"), ==, pvs_error_hint(code));
	g_assert_cmpstr(json_object_get_string_member_with_default(data, "param", NULL), ==, param);
	check_id(answer, id);
}

JsonObject *client_expect_result(Client *client, const char *id)
{
	g_autoptr(JsonObject) answer = client_answer(client);
	JsonObject *result;

	g_assert_false(json_object_has_member(answer, "error"));
	result = json_object_get_object_member(answer, "result");
	g_assert_nonnull(result);
	check_id(answer, id);
	return json_object_ref(result);
}

void client_expect_ping(Client *client)
{
	g_autoptr(JsonObject) result = NULL;

	client_send(client, "{\"jsonrpc\":\"2.0\",\"id\":\"well?\",\"method\":\"ping\"}");
	result = client_expect_result(client, "\"well?\"");
	g_assert_cmpuint(json_object_get_size(result), ==, 0);
}
