/* SPDX-License-Identifier: MIT */
/*
 * test-hostile-front.c - the monitor with a front that an attacker has taken over
 *
 * Whatever such a front sends, or leaves unread, it is killed for what no front does, and its user
 * pays as for any other death of a front. The monitor keeps no more for it than its limits say, and
 * goes on for everybody else.
 */
#include <fcntl.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/log.h"
#include "daemon/monitor/fronts.h"
#include "daemon/monitor/penalties.h"
#include "protocol/bodies.h"
#include "tests/unit/attacker.h"
#include "tests/unit/player.h"

enum {
	UNREAD_MAX = 4 * PVS_MIB, /* of fronts.c */
	UNREAD_FDS = 32,
	QUESTIONS = 64,	    /* at a time: as many as a front has calls at most */
	ANSWER_TEXT = 4000, /* bytes of an answer, at most */
};

/* ---- the front ---- */

static gboolean hear_and_flood(guint32 type, PvsReader body G_GNUC_UNUSED,
			       const int *fds G_GNUC_UNUSED)
{
	if (type != PVS_MESSAGE_CONNECTION)
		return FALSE;
	while (player_say(PVS_MESSAGE_WORKERS, NULL, 0))
		;
	player_wait_for_the_end();
}

static gboolean hear_and_pong(guint32 type, PvsReader body G_GNUC_UNUSED,
			      const int *fds G_GNUC_UNUSED)
{
	if (type == PVS_MESSAGE_CONNECTION)
		player_say(PVS_MESSAGE_PONG, NULL, 0);
	return FALSE;
}

static gboolean hear_and_pong_twice(guint32 type, PvsReader body G_GNUC_UNUSED,
				    const int *fds G_GNUC_UNUSED)
{
	if (type == PVS_MESSAGE_PING)
		player_say(PVS_MESSAGE_PONG, NULL, 0);
	return FALSE;
}

static gboolean hear_and_be_silent(guint32 type, PvsReader body G_GNUC_UNUSED,
				   const int *fds G_GNUC_UNUSED)
{
	return type == PVS_MESSAGE_PING;
}

static gboolean hear_and_close_two(guint32 type, PvsReader body G_GNUC_UNUSED,
				   const int *fds G_GNUC_UNUSED)
{
	if (type == PVS_MESSAGE_CONNECTION)
		player_say_u32(PVS_MESSAGE_CLOSED, 2);
	return FALSE;
}

static gboolean hear_and_close_none(guint32 type, PvsReader body G_GNUC_UNUSED,
				    const int *fds G_GNUC_UNUSED)
{
	if (type == PVS_MESSAGE_CONNECTION)
		player_say_u32(PVS_MESSAGE_CLOSED, 0);
	return FALSE;
}

static gboolean hear_and_hold(guint32 type, PvsReader body G_GNUC_UNUSED,
			      const int *fds G_GNUC_UNUSED)
{
	if (type == PVS_MESSAGE_CONNECTION)
		player_say(PVS_MESSAGE_HELD, NULL, 0);
	return FALSE;
}

static gboolean hear_and_hold_twice(guint32 type, PvsReader body G_GNUC_UNUSED,
				    const int *fds G_GNUC_UNUSED)
{
	if (type == PVS_MESSAGE_HOLD)
		player_say(PVS_MESSAGE_HELD, NULL, 0);
	return FALSE;
}

static gboolean hear_and_fail(guint32 type, PvsReader body G_GNUC_UNUSED,
			      const int *fds G_GNUC_UNUSED)
{
	PvsFailed failed = {.config = 1, .text = (char *)"no reason"};
	g_auto(PvsWriter) w = pvs_writer();

	pvs_body_put(&w, pvs_failed_fields, &failed);
	if (type == PVS_MESSAGE_CONNECTION)
		player_say(PVS_MESSAGE_FAILED, w.data, w.size);
	return FALSE;
}

static gboolean hear_and_be_ready(guint32 type, PvsReader body G_GNUC_UNUSED,
				  const int *fds G_GNUC_UNUSED)
{
	if (type == PVS_MESSAGE_CONNECTION)
		player_say(PVS_MESSAGE_READY, NULL, 0);
	return FALSE;
}

/* The connection comes with a message that has none. */
static gboolean hear_and_pass(guint32 type, PvsReader body G_GNUC_UNUSED, const int *fds)
{
	g_auto(PvsWriter) w = pvs_writer();

	if (type != PVS_MESSAGE_CONNECTION)
		return FALSE;
	pvs_writer_u32(&w, PVS_MESSAGE_WORKERS);
	pvs_writer_u32(&w, 0);
	pvs_writer_u64(&w, 1);
	player_send(w.data, w.size, fds[0]);
	return TRUE;
}

/* What one of the others may say, and to whom. */
static gboolean hear_and_be_another(guint32 type, PvsReader body G_GNUC_UNUSED,
				    const int *fds G_GNUC_UNUSED)
{
	if (type == PVS_MESSAGE_CONNECTION)
		player_say(PVS_MESSAGE_CCKS, NULL, 0);
	return FALSE;
}

static gboolean hear_and_rave(guint32 type, PvsReader body, const int *fds G_GNUC_UNUSED)
{
	PvsClosedCount closed = {.connections = 1};
	AttackerSample samples[] = {
		attacker_sample(PVS_MESSAGE_CLOSED, pvs_closed_count_fields, &closed),
		attacker_sample(PVS_MESSAGE_HELD, NULL, NULL),
		attacker_sample(PVS_MESSAGE_PONG, NULL, NULL),
		attacker_sample(PVS_MESSAGE_WORKERS, NULL, NULL),
		attacker_sample(PVS_MESSAGE_READY, NULL, NULL),
	};
	PvsCaller caller = {0};

	if (type != PVS_MESSAGE_CONNECTION)
		return FALSE;
	/* The test's dice, as the client's number. */
	if (!pvs_body_get(&body, pvs_caller_fields, &caller))
		player_die();
	attacker_dice = g_rand_new_with_seed(caller.pid);
	for (;;) {
		g_autoptr(GByteArray) bytes = g_byte_array_new();

		attacker_make(bytes, samples, G_N_ELEMENTS(samples));
		if (!player_send(bytes->data, bytes->len, -1))
			player_wait_for_the_end();
	}
}

/* Says of each connection that it has ended and takes none of them: for each byte that comes on the
 * first one, so that the monitor has given it another. */
static gboolean hear_and_leave(guint32 type, PvsReader body G_GNUC_UNUSED, const int *fds)
{
	char byte;

	if (type != PVS_MESSAGE_CONNECTION)
		return FALSE;
	while (read(fds[0], &byte, 1) == 1 && player_say_u32(PVS_MESSAGE_CLOSED, 1))
		;
	player_wait_for_the_end();
}

/* As many questions as it may have, the first answer read after the last of them. */
static gboolean hear_and_be_good(guint32 type, PvsReader body G_GNUC_UNUSED, const int *fds)
{
	static guint answers;

	if (type == PVS_MESSAGE_CONNECTION) {
		close(fds[0]);
		for (guint i = 0; i < QUESTIONS; i++)
			player_say(PVS_MESSAGE_WORKERS, NULL, 0);
	} else if (type == PVS_MESSAGE_WORKERS_ARE && ++answers == QUESTIONS) {
		answers = 0;
		player_say_u32(PVS_MESSAGE_CLOSED, 1);
	}
	return FALSE;
}

enum { FLOOD, PONG_TWICE, HOLD_TWICE, LEAVE, GOOD, RAVE, SILENT, FIRST_SIMPLE };

#define SENT "sent what it may not send; it is killed"
#define READ "does not read what it is sent; it is killed"
#define LIVE "does not answer; it is killed"

static const Play plays[] = {
	[FLOOD] = {"questions without end", PVS_ROLE_FRONT, NULL, hear_and_flood},
	[PONG_TWICE] = {"PONG twice", PVS_ROLE_FRONT, NULL, hear_and_pong_twice},
	[HOLD_TWICE] = {"HELD twice", PVS_ROLE_FRONT, NULL, hear_and_hold_twice},
	[LEAVE] = {"descriptors", PVS_ROLE_FRONT, NULL, hear_and_leave},
	[GOOD] = {"good", PVS_ROLE_FRONT, NULL, hear_and_be_good},
	[RAVE] = {"anything", PVS_ROLE_FRONT, NULL, hear_and_rave},
	[SILENT] = {"no PONG", PVS_ROLE_FRONT, NULL, hear_and_be_silent},
	{"PONG unasked", PVS_ROLE_FRONT, NULL, hear_and_pong},
	{"CLOSED too many", PVS_ROLE_FRONT, NULL, hear_and_close_two},
	{"CLOSED none", PVS_ROLE_FRONT, NULL, hear_and_close_none},
	{"HELD unasked", PVS_ROLE_FRONT, NULL, hear_and_hold},
	{"FAILED after READY", PVS_ROLE_FRONT, NULL, hear_and_fail},
	{"READY twice", PVS_ROLE_FRONT, NULL, hear_and_be_ready},
	{"a descriptor too many", PVS_ROLE_FRONT, NULL, hear_and_pass},
	{"what is for the vault", PVS_ROLE_FRONT, NULL, hear_and_be_another},
};

/* ---- the monitor ---- */

static PvsConfig *config;
static guint held;
static gsize most_unread;
static char *log_path;
static int saved_stderr = -1;

static void on_held(void)
{
	held++;
}

static void on_asked(PvsWorker *front, guint64 call)
{
	g_autofree char *text = g_strnfill(ANSWER_TEXT, 'x');
	PvsWorkersAre body = {.reload_error = text};
	guint fds;

	pvs_worker_answer(front, PVS_MESSAGE_WORKERS_ARE, call, pvs_workers_are_fields, &body);
	most_unread = MAX(most_unread, pvs_worker_unread(front, &fds));
}

static void on_hopeless(void)
{
	g_assert_not_reached();
}

static void on_nothing(void)
{
}

static gboolean on_signal(gint fd, GIOCondition condition G_GNUC_UNUSED,
			  gpointer data G_GNUC_UNUSED)
{
	struct signalfd_siginfo info;

	while (read(fd, &info, sizeof info) == (ssize_t)sizeof info)
		pvs_worker_reap();
	return G_SOURCE_CONTINUE;
}

static void be_monitor(void)
{
	static const PvsFrontsEvents events = {on_held, on_asked, on_hopeless, on_nothing,
					       on_nothing};
	g_autoptr(GError) error = NULL;
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	g_unix_fd_add(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), G_IO_IN, on_signal, NULL);
	pvs_worker_init(&error);
	g_assert_no_error(error);
	config = pvs_config_new();
	pvs_fronts_init(&events, config);
	pvs_fronts_warm_up();
}

static gboolean on_late(gpointer data G_GNUC_UNUSED)
{
	g_error("nothing happens");
	return G_SOURCE_REMOVE;
}

#define WAIT_UNTIL(condition)                                           \
	do {                                                            \
		guint late_ = g_timeout_add_seconds(60, on_late, NULL); \
		while (!(condition))                                    \
			g_main_context_iteration(NULL, TRUE);           \
		g_source_remove(late_);                                 \
	} while (0)

/* A connection of the user whose front has that play; returns the client's end. */
static int connect_to(guint play, guint32 pid)
{
	PvsIdentity *identity = g_new0(PvsIdentity, 1);
	int ends[2];

	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), ==, 0);
	*identity = (PvsIdentity){.uid = PLAYER_UID + play, .gid = 100, .pid = pid};
	pvs_fronts_connection(ends[1], identity);
	return ends[0];
}

static gboolean is_paused(guint play)
{
	return pvs_penalties_paused(PLAYER_UID + play, g_get_monotonic_time());
}

static void catch_log(void)
{
	int fd = g_file_open_tmp("pvs-hostile-front-XXXXXX", &log_path, NULL);

	g_assert_cmpint(fd, >=, 0);
	saved_stderr = fcntl(2, F_DUPFD_CLOEXEC, 10);
	dup2(fd, 2);
	close(fd);
}

/* What was said since catch_log(). */
static char *take_log(void)
{
	char *text = NULL;

	dup2(saved_stderr, 2);
	close(saved_stderr);
	g_assert_true(g_file_get_contents(log_path, &text, NULL, NULL));
	g_unlink(log_path);
	g_clear_pointer(&log_path, g_free);
	return text;
}

static guint count(const char *text, const char *word)
{
	guint n = 0;

	for (; (text = strstr(text, word)); text += strlen(word))
		n++;
	return n;
}

/* As often as it takes: each time the front is killed, and in the end its user is not served. */
static void expect_pause(guint play, void (*provoke)(void), const char *reason)
{
	g_autofree char *log = NULL;

	g_test_message("%s", plays[play].name);
	catch_log();
	for (guint i = 0; i < PVS_PENALTY_DEATHS; i++) {
		guint deaths = pvs_fronts_deaths();
		int client;

		g_assert_false(is_paused(play));
		/* One that had not loaded is nobody's fault. */
		WAIT_UNTIL(pvs_fronts_is_warm());
		client = connect_to(play, (guint32)g_test_rand_int());
		g_assert_cmpuint(pvs_fronts_connections(), ==, 1);
		if (provoke)
			provoke();
		WAIT_UNTIL(pvs_fronts_deaths() > deaths && pvs_fronts_connections() == 0);
		g_assert_cmpuint(pvs_fronts_deaths(), ==, deaths + 1);
		close(client);
	}
	g_assert_true(is_paused(play));
	close(connect_to(play, 0));
	g_assert_cmpuint(pvs_fronts_connections(), ==, 0);
	log = take_log();
	g_test_message("%s", log);
	if (reason)
		g_assert_cmpuint(count(log, reason), ==, PVS_PENALTY_DEATHS);
	g_assert_cmpuint(count(log, SENT) + count(log, READ) + count(log, LIVE), ==,
			 PVS_PENALTY_DEATHS);
}

/* Served, and nothing held against it. */
static void expect_good(void)
{
	guint deaths = pvs_fronts_deaths();
	int client = connect_to(GOOD, 0);

	g_assert_cmpuint(pvs_fronts_connections(), ==, 1);
	WAIT_UNTIL(pvs_fronts_connections() == 0);
	g_assert_cmpuint(pvs_fronts_deaths(), ==, deaths);
	close(client);
}

static void count_pinged(PvsWorker *worker, gpointer user)
{
	guint uid = pvs_fronts_uid(worker);

	if (uid != PLAYER_UID + SILENT && pvs_worker_pinged(worker))
		++*(guint *)user;
}

static gboolean all_have_answered(void)
{
	guint n = 0;

	pvs_worker_foreach(count_pinged, &n);
	return n == 0;
}

static void ping(void)
{
	pvs_worker_ping_all();
	WAIT_UNTIL(all_have_answered());
}

/* ---- the tests ---- */

static void test_good(void)
{
	for (guint i = 0; i < 10; i++)
		expect_good();
	g_assert_cmpuint(most_unread, <, UNREAD_MAX / 2);
	/* What it is asked for it may say, and each time. */
	for (guint i = 0; i < 3; i++) {
		held = 0;
		pvs_fronts_hold();
		WAIT_UNTIL(held == 1);
		ping();
		expect_good();
	}
}

static void test_flood(void)
{
	most_unread = 0;
	expect_pause(FLOOD, NULL, READ);
	/* The answer that was too much is the last. */
	g_assert_cmpuint(most_unread, >, UNREAD_MAX);
	g_assert_cmpuint(most_unread, <, UNREAD_MAX + 2 * ANSWER_TEXT);
	expect_good();
}

static void test_descriptors(void)
{
	g_autofree char *log = NULL;
	guint deaths = pvs_fronts_deaths(), n = 0;
	int client;

	catch_log();
	client = connect_to(LEAVE, 0);
	while (pvs_fronts_deaths() == deaths && n++ < 4000) {
		guint now;

		close(connect_to(LEAVE, 0));
		now = pvs_fronts_connections();
		/* It is killed at the connection that is too much. */
		if (write(client, "x", 1) < 0)
			now = 0;
		WAIT_UNTIL(pvs_fronts_connections() < now || pvs_fronts_deaths() > deaths);
	}
	g_assert_cmpuint(pvs_fronts_deaths(), ==, deaths + 1);
	close(client);
	log = take_log();
	g_test_message("%u connections: %s", n, log);
	g_assert_cmpuint(count(log, READ), ==, 1);
	expect_good();
}

static void hold(void)
{
	held = 0;
	pvs_fronts_hold();
}

/* Asked, and twice found not to have answered. */
static void ping_three_times(void)
{
	for (guint i = 0; i < 3; i++) {
		/* The monitor itself is well, and says so to systemd. */
		g_assert_true(pvs_worker_ping_all());
		WAIT_UNTIL(all_have_answered());
	}
}

static void test_silent(void)
{
	expect_pause(SILENT, ping_three_times, LIVE);
	expect_good();
}

static void test_twice(void)
{
	expect_pause(HOLD_TWICE, hold, SENT);
	expect_pause(PONG_TWICE, ping, SENT);
	expect_good();
}

static void test_simple(void)
{
	for (guint i = FIRST_SIMPLE; i < G_N_ELEMENTS(plays); i++)
		expect_pause(i, NULL, SENT);
	expect_good();
}

static void test_anything(void)
{
	expect_pause(RAVE, NULL, NULL);
	expect_good();
}

int main(int argc, char **argv)
{
	player_main(argc, argv, plays, G_N_ELEMENTS(plays));
	g_test_init(&argc, &argv, NULL);
	be_monitor();
	g_test_add_func("/hostile-front/good", test_good);
	g_test_add_func("/hostile-front/flood", test_flood);
	g_test_add_func("/hostile-front/descriptors", test_descriptors);
	g_test_add_func("/hostile-front/twice", test_twice);
	g_test_add_func("/hostile-front/silent", test_silent);
	g_test_add_func("/hostile-front/simple", test_simple);
	g_test_add_func("/hostile-front/anything", test_anything);
	return g_test_run();
}
