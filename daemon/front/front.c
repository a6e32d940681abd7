/* SPDX-License-Identifier: MIT */
/*
 * front.c - the process that reads what the clients of one identity send
 *
 * Whatever it asks of trust and the vault, it asks over channels that the monitor made for that
 * identity: what it knows itself of who that is serves to refuse early, and nobody relies on it. It
 * opens no file and holds no key.
 */
#include <string.h>

#include "daemon/front/call.h"
#include "daemon/front/connection.h"
#include "daemon/role.h"
#include "protocol/error.h"

enum {
	LOCKED_SIZE = 512 * 1024, /* bytes; secrets on their way in, and the messages with them */
	WAIT_MS = 20 * 1000,	  /* how long a call waits while trust and the vault are replaced */
};

static PvsChannel *monitor;
static PvsFrontStart start;
static gboolean holding;
static guint ended; /* connections that the monitor was not told of yet */
static guint ended_source;

static gboolean on_ended(gpointer data G_GNUC_UNUSED)
{
	PvsClosedCount body = {.connections = ended};
	g_auto(PvsWriter) w = pvs_writer();

	ended_source = 0;
	ended = 0;
	pvs_body_put(&w, pvs_closed_count_fields, &body);
	pvs_channel_send(monitor, PVS_MESSAGE_CLOSED, 0, &w, NULL);
	return G_SOURCE_REMOVE;
}

/* Told once in a turn of the loop, however many ended in it. */
static void on_connection_closed(void)
{
	ended++;
	if (!ended_source)
		ended_source = g_idle_add_full(G_PRIORITY_DEFAULT, on_ended, NULL, NULL);
}

static void on_quiet(void)
{
	if (!holding)
		return;
	holding = FALSE;
	pvs_channel_send(monitor, PVS_MESSAGE_HELD, 0, NULL, NULL);
}

static gboolean on_peers(PvsChannel *channel G_GNUC_UNUSED, PvsMessage *message,
			 gpointer user G_GNUC_UNUSED)
{
	PvsPeers body = {0};

	if (!pvs_body_get(&message->body, pvs_peers_fields, &body))
		return FALSE;
	holding = FALSE;
	pvs_peers_replace(message->fds[0], message->fds[1]);
	message->fds[0] = message->fds[1] = -1;
	return TRUE;
}

static gboolean on_access(PvsChannel *channel G_GNUC_UNUSED, PvsMessage *message,
			  gpointer user G_GNUC_UNUSED)
{
	g_auto(PvsAccessIs) body = {.rules = {NULL, 0}};

	if (!pvs_body_get(&message->body, pvs_access_is_fields, &body))
		return FALSE;
	pvs_calls_access(&body);
	return TRUE;
}

static gboolean on_connection(PvsChannel *channel G_GNUC_UNUSED, PvsMessage *message,
			      gpointer user G_GNUC_UNUSED)
{
	PvsCaller body = {0};

	if (!pvs_body_get(&message->body, pvs_caller_fields, &body))
		return FALSE;
	pvs_connection_new(message->fds[0], body.pid);
	message->fds[0] = -1;
	return TRUE;
}

static gboolean on_hold(PvsChannel *channel G_GNUC_UNUSED, PvsMessage *message,
			gpointer user G_GNUC_UNUSED)
{
	if (!pvs_reader_end(&message->body))
		return FALSE;
	holding = TRUE;
	pvs_calls_hold();
	return TRUE;
}

static gboolean on_workers_are(PvsChannel *channel G_GNUC_UNUSED, PvsMessage *message,
			       gpointer user G_GNUC_UNUSED)
{
	return pvs_peers_answer(message);
}

/* Everything that is set up at its first use, used once, before anything is given up. What comes of
 * it is checked, for a library that does not work had better be found here. */
static void warm_up(void)
{
	static const char text[] = "{\"a\":[1,2.5,\"x\",null,true]}";
	g_autoptr(JsonNode) node = pvs_rpc_parse(text, sizeof text - 1, NULL);
	g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(0);
	g_autofree char *iso = g_date_time_format_iso8601(time);
	g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, iso, -1);
	g_autofree char *answer = pvs_rpc_result("1", g_steal_pointer(&node));

	g_assert(sum && strstr(answer, text));
	(void)g_random_int();
}

static gboolean load(PvsReader *body, GError **error)
{
	if (!pvs_body_get(body, pvs_front_start_fields, &start)) {
		g_set_error_literal(error, PVS_ERROR, PVS_ERROR_SYSTEM,
				    "the monitor's START cannot be read");
		return FALSE;
	}
	/* Each call may need a slot for a grant of its own. */
	start.calls = MIN(start.calls, PVS_GRANTS_MAX);
	warm_up();
	return TRUE;
}

static void serve(PvsChannel *to_monitor)
{
	monitor = to_monitor;
	pvs_calls_init(monitor, &start, WAIT_MS, on_quiet);
	pvs_connections_init(&start, on_connection_closed);
}

/* The monitor has closed the channel: the daemon ends, or this identity has gone idle. */
static void stop(void)
{
	pvs_calls_refuse_all(PVS_ERROR_SHUTTING_DOWN);
	pvs_connections_flush();
}

static const PvsHandlerRow monitor_rows[] = {
	{PVS_MESSAGE_ACCESS, on_access},	   {PVS_MESSAGE_PEERS, on_peers},
	{PVS_MESSAGE_CONNECTION, on_connection},   {PVS_MESSAGE_HOLD, on_hold},
	{PVS_MESSAGE_WORKERS_ARE, on_workers_are}, {0, NULL},
};

const PvsRoleRow pvs_role_front = {
	.role = PVS_ROLE_FRONT,
	.load = load,
	.serve = serve,
	.stop = stop,
	.monitor_rows = monitor_rows,
	.locked_size = LOCKED_SIZE,
};
