/* SPDX-License-Identifier: MIT */
/*
 * role.c - the life of a worker process
 */
#include "daemon/role.h"

#include <signal.h>
#include <string.h>

#include "daemon/locked.h"
#include "daemon/log.h"
#include "policy/cage.h"
#include "protocol/bodies.h"
#include "protocol/error.h"

static GMainLoop *loop;
static PvsChannel *monitor;
static int exit_status = -1;

enum {
	ANSWERS_MAX = 16 * 1024 * 1024, /* bytes that a front may leave unread */
};

void pvs_role_quit(int status)
{
	if (exit_status < 0)
		exit_status = status;
	g_main_loop_quit(loop);
}

/* Before the answer: who has it may be sure that it counted. What a front has to ask on after is no
 * answer to a client: one that dies at each call's second step would pass for a good one. */
static void count_service(PvsMessageType answer)
{
	static const PvsMessageType steps[] = {PVS_MESSAGE_VERIFIED, PVS_MESSAGE_STORE_IS,
					       PVS_MESSAGE_ALLOWED};
	static gboolean said;

	for (gsize i = 0; i < G_N_ELEMENTS(steps); i++)
		if (answer == steps[i])
			return;
	if (!said)
		pvs_channel_send(monitor, PVS_MESSAGE_SERVED, 0, NULL, NULL);
	said = TRUE;
}

void pvs_role_accuse(const PvsAddFront *front, const char *what)
{
	const PvsAccused body = {.front = front->front};
	g_auto(PvsWriter) w = pvs_writer();

	pvs_warning("the front of uid %u %s; its channel is closed", front->uid, what);
	pvs_body_put(&w, pvs_accused_fields, &body);
	pvs_channel_send(monitor, PVS_MESSAGE_ACCUSED, 0, &w, NULL);
}

void pvs_role_answer(PvsChannel *channel, const PvsAddFront *front, PvsMessageType type,
		     guint64 call, const PvsWriter *body)
{
	count_service(type);
	pvs_channel_send(channel, type, call, body, NULL);
	/* A front reads whatever its client does; one that does not would fill the memory. */
	if (pvs_channel_pending(channel) > ANSWERS_MAX) {
		pvs_role_accuse(front, "does not read its answers");
		pvs_channel_close(channel);
	}
}

void pvs_role_answer_body(PvsChannel *channel, const PvsAddFront *front, PvsMessageType type,
			  guint64 call, const PvsField *fields, gconstpointer body)
{
	g_auto(PvsWriter) w = pvs_writer();

	pvs_body_put(&w, fields, body);
	pvs_role_answer(channel, front, type, call, &w);
}

static gboolean on_ping(PvsChannel *channel, PvsMessage *message, gpointer user G_GNUC_UNUSED)
{
	if (!pvs_reader_end(&message->body))
		return FALSE;
	pvs_channel_send(channel, PVS_MESSAGE_PONG, message->call, NULL, NULL);
	return TRUE;
}

static void on_monitor_closed(PvsChannel *channel G_GNUC_UNUSED, gboolean broken,
			      gpointer user G_GNUC_UNUSED)
{
	if (broken)
		pvs_error("the monitor sent what it may not send");
	pvs_role_quit(broken ? 70 : 0);
}

/* The role's own rows and what every role answers. */
static PvsHandlerRow *monitor_rows(const PvsRoleRow *role)
{
	guint n = 0;
	PvsHandlerRow *rows;

	while (role->monitor_rows[n].type)
		n++;
	rows = g_new0(PvsHandlerRow, n + 2);
	memcpy(rows, role->monitor_rows, n * sizeof *rows);
	rows[n] = (PvsHandlerRow){PVS_MESSAGE_PING, on_ping};
	return rows;
}

/* Text for a person, cut to what a message holds. */
static void report_failure(const GError *error)
{
	const char *text = error->message;
	g_autofree char *cut = g_utf8_make_valid(text, (gssize)MIN(strlen(text), 190000));
	PvsFailed failed_body = {
		.config = g_error_matches(error, PVS_ERROR, PVS_ERROR_CONFIG),
		.text = cut,
	};
	g_auto(PvsWriter) w = pvs_writer();

	pvs_body_put(&w, pvs_failed_fields, &failed_body);
	pvs_channel_send(monitor, PVS_MESSAGE_FAILED, 0, &w, NULL);
}

/* Descriptors stay open: a partner that saw its end of a channel close would end, and its end could
 * be seen before our text was read. */
static gboolean on_anything(PvsChannel *channel G_GNUC_UNUSED, PvsMessage *message,
			    gpointer user G_GNUC_UNUSED)
{
	for (guint i = 0; i < PVS_MESSAGE_MAX_FDS; i++)
		message->fds[i] = -1;
	return TRUE;
}

/* A worker that has failed waits for the monitor to close, whatever came for it meanwhile: if it
 * ended by itself (with its partner, say), its end could be seen before its text was read. */
static void ignore_all(PvsHandlerRow *rows)
{
	for (; rows->type; rows++)
		rows->handle = on_anything;
}

static gboolean begin(const PvsRoleRow *role, GError **error)
{
	g_autoptr(GBytes) start = NULL;
	PvsReader r;
	gsize size;
	const guint8 *data;

	if (!pvs_channel_expect(PVS_CHANNEL_FD, role->role, PVS_ROLE_MONITOR, PVS_MESSAGE_START,
				&start, error))
		return FALSE;
	if (role->locked_size > 0 && !pvs_locked_init(role->locked_size, error))
		return FALSE;
	data = g_bytes_get_data(start, &size);
	r = pvs_reader(data, size);
	return role->load(&r, error);
}

int pvs_role_main(const PvsRoleRow *role)
{
	g_autoptr(GError) error = NULL;
	g_autofree PvsHandlerRow *rows = NULL;
	gboolean good;

	pvs_log_init(role->role);
	if (!role_begin(role->role, &error)) {
		pvs_error("%s", error->message);
		return 70;
	}
	/* The monitor decides when to stop: a signal for the whole group must not cut off calls. */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);

	loop = g_main_loop_new(NULL, FALSE);
	rows = monitor_rows(role);
	good = begin(role, &error);
	monitor = pvs_channel_new(PVS_CHANNEL_FD, role->role, PVS_ROLE_MONITOR, rows,
				  on_monitor_closed, NULL);
	if (good && role->serve)
		role->serve(monitor);
	good = good && role_enter(role->role, NULL, 0, &error) &&
	       (!role->settle || role->settle(&error));
	if (!good) {
		ignore_all(rows);
		report_failure(error);
		/* The monitor has the text or is gone: wait for it to close. */
		g_main_loop_run(loop);
		return g_error_matches(error, PVS_ERROR, PVS_ERROR_CONFIG) ? 78 : 70;
	}
	pvs_channel_send(monitor, PVS_MESSAGE_READY, 0, NULL, NULL);
	g_main_loop_run(loop);
	if (role->stop)
		role->stop();
	g_clear_pointer(&monitor, pvs_channel_free);
	return exit_status;
}
