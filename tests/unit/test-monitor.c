/* SPDX-License-Identifier: MIT */
/*
 * test-monitor.c - the monitor with workers that die, fail, or are somebody else's
 */
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/monitor/penalties.h"
#include "protocol/bodies.h"
#include "tests/unit/monitor-process.h"
#include "tests/unit/player.h"

enum { MEMORY_MAX = 16 * 1024 }; /* KiB that one front's doing may cost, with what a start takes */

/* ---- the workers ---- */

static gboolean flood(guint32 type, PvsReader body G_GNUC_UNUSED, const int *fds G_GNUC_UNUSED)
{
	if (type != PVS_MESSAGE_CONNECTION)
		return FALSE;
	while (player_say(PVS_MESSAGE_WORKERS, NULL, 0))
		;
	player_wait_for_the_end();
}

/* Each front it is told of, and one that there never was. */
static gboolean accuse(guint32 type, PvsReader body, const int *fds G_GNUC_UNUSED)
{
	g_auto(PvsAddFront) front = {0};

	if (type != PVS_MESSAGE_ADD_FRONT)
		return FALSE;
	if (!pvs_body_get(&body, pvs_add_front_fields, &front))
		player_die();
	player_say_u32(PVS_MESSAGE_ACCUSED, front.front + 1000);
	player_say_u32(PVS_MESSAGE_ACCUSED, 0);
	player_say_u32(PVS_MESSAGE_ACCUSED, front.front);
	return TRUE;
}

static void fail(gboolean config)
{
	PvsFailed failed = {.config = (guint8)config, .text = (char *)"so and so"};
	g_auto(PvsWriter) w = pvs_writer();

	pvs_body_put(&w, pvs_failed_fields, &failed);
	player_say(PVS_MESSAGE_FAILED, w.data, w.size);
}

static void fail_for_config(void)
{
	fail(TRUE);
}

static void fail_for_system(void)
{
	fail(FALSE);
}

/* What the monitor says to a pair that takes over: so both have loaded. */
static gboolean is_promotion(guint32 type)
{
	return type == PVS_MESSAGE_AUDIT || type == PVS_MESSAGE_MARKS;
}

static gboolean load_and_die(guint32 type, PvsReader body G_GNUC_UNUSED,
			     const int *fds G_GNUC_UNUSED)
{
	if (is_promotion(type))
		player_die();
	return FALSE;
}

static gboolean serve_and_die(guint32 type, PvsReader body G_GNUC_UNUSED,
			      const int *fds G_GNUC_UNUSED)
{
	if (is_promotion(type)) {
		player_say(PVS_MESSAGE_SERVED, NULL, 0);
		player_die();
	}
	return FALSE;
}

/* Has the log, and does not end when it is told to. */
static gboolean linger(guint32 type, PvsReader body G_GNUC_UNUSED, const int *fds G_GNUC_UNUSED)
{
	if (type == PVS_MESSAGE_AUDIT)
		for (;;)
			poll(NULL, 0, -1);
	return FALSE;
}

static void load_and_die_waiting(void)
{
	player_say(PVS_MESSAGE_READY, NULL, 0);
	poll(NULL, 0, 2000);
	player_die();
}

static void serve_twice(void)
{
	player_say(PVS_MESSAGE_READY, NULL, 0);
	player_say(PVS_MESSAGE_SERVED, NULL, 0);
	player_say(PVS_MESSAGE_SERVED, NULL, 0);
}

static void serve_before_ready(void)
{
	player_say(PVS_MESSAGE_SERVED, NULL, 0);
}

enum {
	GOOD,
	FLOOD,
	TRUST_ACCUSES,
	VAULT_ACCUSES,
	TRUST_CONFIG,
	TRUST_SYSTEM,
	VAULT_CONFIG,
	VAULT_SYSTEM,
	TRUST_DIES,
	VAULT_DIES,
	FRONT_DIES,
	TRUST_LOADS,
	VAULT_LOADS,
	TRUST_SERVES,
	VAULT_SERVES,
	SERVES_TWICE,
	SERVES_EARLY,
	VAULT_LINGERS,
	TRUST_WAITS,
};

static const Play plays[] = {
	[GOOD] = {"good", PVS_ROLE_FRONT, NULL, NULL},
	[FLOOD] = {"flood", PVS_ROLE_FRONT, NULL, flood},
	[TRUST_ACCUSES] = {"trust accuses", PVS_ROLE_TRUST, NULL, accuse},
	[VAULT_ACCUSES] = {"the vault accuses", PVS_ROLE_VAULT, NULL, accuse},
	[TRUST_CONFIG] = {"trust finds a file", PVS_ROLE_TRUST, fail_for_config, NULL},
	[TRUST_SYSTEM] = {"trust is refused", PVS_ROLE_TRUST, fail_for_system, NULL},
	[VAULT_CONFIG] = {"the vault finds a file", PVS_ROLE_VAULT, fail_for_config, NULL},
	[VAULT_SYSTEM] = {"the vault is refused", PVS_ROLE_VAULT, fail_for_system, NULL},
	[TRUST_DIES] = {"trust dies loading", PVS_ROLE_TRUST, player_die, NULL},
	[VAULT_DIES] = {"the vault dies loading", PVS_ROLE_VAULT, player_die, NULL},
	[FRONT_DIES] = {"fronts die loading", PVS_ROLE_FRONT, player_die, NULL},
	[TRUST_LOADS] = {"trust loads and dies", PVS_ROLE_TRUST, NULL, load_and_die},
	[VAULT_LOADS] = {"the vault loads and dies", PVS_ROLE_VAULT, NULL, load_and_die},
	[TRUST_SERVES] = {"trust answers and dies", PVS_ROLE_TRUST, NULL, serve_and_die},
	[VAULT_SERVES] = {"the vault answers and dies", PVS_ROLE_VAULT, NULL, serve_and_die},
	[SERVES_TWICE] = {"SERVED twice", PVS_ROLE_VAULT, serve_twice, NULL},
	[SERVES_EARLY] = {"SERVED before READY", PVS_ROLE_VAULT, serve_before_ready, NULL},
	[VAULT_LINGERS] = {"the vault does not end", PVS_ROLE_VAULT, NULL, linger},
	[TRUST_WAITS] = {"trust dies before it serves", PVS_ROLE_TRUST, load_and_die_waiting, NULL},
};

/* ---- the tests ---- */

static void test_good(Monitor *m, gconstpointer data G_GNUC_UNUSED)
{
	int client;

	monitor_start(m, GOOD, FALSE);
	monitor_wait_log(m, "ready\n");
	client = monitor_connect(m);
	kill(m->pid, SIGHUP);
	monitor_wait_log(m, "reloaded\n");
	g_assert_cmpuint(monitor_said(m, "died"), ==, 0);
	close(client);
}

/* A connection that ends, at once or with its front. */
static void expect_closed(const Monitor *m)
{
	int client = monitor_connect(m);
	char byte;

	g_assert_cmpint(recv(client, &byte, 1, 0), <=, 0);
	close(client);
}

/* Until every front that was killed has been collected: its death counts before the next one comes.
 */
static void wait_for_killed(Monitor *m)
{
	static const char front[] = "the front (pid ";

	monitor_said(m, front);
	for (const char *at = m->log->str; (at = strstr(at, front));) {
		at += strlen(front);
		while (kill((pid_t)g_ascii_strtoull(at, NULL, 10), 0) == 0)
			poll(NULL, 0, 1);
	}
}

/* A user whose fronts are killed for what they do is not served for a while; the monitor, and all
 * else of the daemon, is as it was. */
static void expect_pause(Monitor *m, guint number, const char *reason)
{
	g_autofree char *paused = g_strdup_printf("uid %u is not served for", getuid());
	guint before, killed;

	monitor_start(m, number, FALSE);
	monitor_wait_log(m, "ready\n");
	before = monitor_peak_kib(m);
	/* More often than it counts: what had not loaded yet when it was killed is nobody's. So the
	 * next gets more time for it. */
	for (int ms = 1; monitor_said(m, paused) == 0; ms = MIN(2 * ms, 500)) {
		expect_closed(m);
		wait_for_killed(m);
		poll(NULL, 0, ms);
	}
#ifdef PVS_CAGE_LOG /* a sanitizer keeps what was freed */
	before = G_MAXUINT - MEMORY_MAX;
#endif
	g_assert_cmpuint(monitor_peak_kib(m), <, before + MEMORY_MAX);
	g_assert_cmpuint(monitor_said(m, " connections are closed\n"), ==, PVS_PENALTY_DEATHS);
	/* And nobody comes after them. */
	killed = monitor_said(m, reason);
	g_assert_cmpuint(killed, >=, PVS_PENALTY_DEATHS);
	for (guint i = 0; i < 20; i++)
		expect_closed(m);
	g_assert_cmpuint(monitor_said(m, reason), ==, killed);
	g_assert_cmpuint(monitor_said(m, " connections are closed\n"), ==, PVS_PENALTY_DEATHS);
	g_assert_cmpuint(monitor_said(m, "trust died"), ==, 0);
	g_assert_cmpuint(monitor_said(m, "vault died"), ==, 0);
}

static void test_flood(Monitor *m, gconstpointer data G_GNUC_UNUSED)
{
	expect_pause(m, FLOOD, "does not read what it is sent; it is killed\n");
}

static void test_trust_accuses(Monitor *m, gconstpointer data G_GNUC_UNUSED)
{
	expect_pause(m, TRUST_ACCUSES, "broke the rules, as trust says; it is killed\n");
}

static void test_vault_accuses(Monitor *m, gconstpointer data G_GNUC_UNUSED)
{
	expect_pause(m, VAULT_ACCUSES, "broke the rules, as the vault says; it is killed\n");
}

/* What a worker says of its failure, in a check and at a start: pvsecretd(8), EXIT STATUS. */
static void expect_status(Monitor *m, guint number, int status)
{
	for (guint check = 0; check < 2; check++) {
		monitor_start(m, number, (gboolean)check);
		g_assert_cmpint(monitor_wait_end(m), ==, status);
		g_assert_cmpuint(monitor_said(m, "so and so\n"), ==, check + 1);
	}
}

static void test_failures(Monitor *m, gconstpointer data G_GNUC_UNUSED)
{
	expect_status(m, GPOINTER_TO_UINT(data), 78);
}

static void test_refusals(Monitor *m, gconstpointer data G_GNUC_UNUSED)
{
	expect_status(m, GPOINTER_TO_UINT(data), 71);
}

/* Five deaths without a load, or a call that was answered, and no more. */
static void expect_given_up(Monitor *m, guint number, const char *death, const char *reason)
{
	monitor_start(m, number, FALSE);
	g_assert_cmpint(monitor_wait_end(m), ==, 70);
	if (death)
		g_assert_cmpuint(monitor_said(m, death), ==, 5);
	g_assert_cmpuint(monitor_said(m, reason), ==, 1);
}

static void test_given_up(Monitor *m, gconstpointer data G_GNUC_UNUSED)
{
	static const char *const no_load = "could not be started 5 times in a row; giving up\n";
	static const char *const no_call =
		"died 5 times without a call that it answered; giving up\n";

	expect_given_up(m, TRUST_DIES, "trust died while it was loading\n", no_load);
	monitor_forget(m);
	expect_given_up(m, VAULT_DIES, "the vault died while it was loading\n", no_load);
	monitor_forget(m);
	expect_given_up(m, SERVES_EARLY, "sent what it may not send; it is killed\n", no_load);
	monitor_forget(m);
	expect_given_up(m, TRUST_LOADS, "trust died (SIGKILL)", no_call);
	monitor_forget(m);
	expect_given_up(m, VAULT_LOADS, "vault died (SIGKILL)", no_call);
	monitor_forget(m);
	/* Of which there is a line for several. */
	expect_given_up(m, FRONT_DIES, NULL, "fronts die before they are of use; giving up\n");
}

/* A check tells what it saw. */
static void test_death_in_check(Monitor *m, gconstpointer data G_GNUC_UNUSED)
{
	monitor_start(m, VAULT_DIES, TRUE);
	g_assert_cmpint(monitor_wait_end(m), ==, 70);
	g_assert_cmpuint(monitor_said(m, "the vault died while it was loading\n"), ==, 1);
}

/* Who has answered between its deaths is of use. */
static void test_not_given_up(Monitor *m, gconstpointer data)
{
	monitor_start(m, GPOINTER_TO_UINT(data), FALSE);
	for (guint i = 0; i < 12; i++)
		monitor_wait_log(m, " died (SIGKILL); both it and its partner are replaced\n");
	g_assert_cmpuint(monitor_said(m, "giving up"), ==, 0);
}

/* There is one log: no vault gets it while another that has it lives. Here the pair of a reload
 * dies while it waits for that, and another waits in its place. */
static void test_lingers(Monitor *m, gconstpointer data G_GNUC_UNUSED)
{
	monitor_start(m, VAULT_LINGERS, FALSE);
	monitor_wait_log(m, "ready\n");
	monitor_configure(m, TRUST_WAITS);
	kill(m->pid, SIGHUP);
	monitor_wait_log(m, "trust died while it was loading\n");
	g_assert_cmpuint(monitor_said(m, "does not end; it is killed\n"), ==, 0);
	monitor_wait_log(m, "trust and the vault are back\n");
	g_assert_cmpuint(monitor_said(m, "does not end; it is killed\n"), ==, 1);
}

static void test_serves_twice(Monitor *m, gconstpointer data G_GNUC_UNUSED)
{
	monitor_start(m, SERVES_TWICE, FALSE);
	monitor_wait_log(m, "sent what it may not send; it is killed\n");
}

#define MONITOR_TEST(path, data, function) \
	g_test_add("/monitor/" path, Monitor, data, monitor_set_up, function, monitor_tear_down)

int main(int argc, char **argv)
{
	player_main(argc, argv, plays, G_N_ELEMENTS(plays));
	monitor_main(argc, argv);
	g_test_init(&argc, &argv, NULL);
	MONITOR_TEST("good", NULL, test_good);
	MONITOR_TEST("flood", NULL, test_flood);
	MONITOR_TEST("accused/by-trust", NULL, test_trust_accuses);
	MONITOR_TEST("accused/by-the-vault", NULL, test_vault_accuses);
	MONITOR_TEST("failed/trust-config", GUINT_TO_POINTER(TRUST_CONFIG), test_failures);
	MONITOR_TEST("failed/vault-config", GUINT_TO_POINTER(VAULT_CONFIG), test_failures);
	MONITOR_TEST("failed/trust-system", GUINT_TO_POINTER(TRUST_SYSTEM), test_refusals);
	MONITOR_TEST("failed/vault-system", GUINT_TO_POINTER(VAULT_SYSTEM), test_refusals);
	MONITOR_TEST("given-up", NULL, test_given_up);
	MONITOR_TEST("death-in-check", NULL, test_death_in_check);
	MONITOR_TEST("not-given-up/trust", GUINT_TO_POINTER(TRUST_SERVES), test_not_given_up);
	MONITOR_TEST("not-given-up/vault", GUINT_TO_POINTER(VAULT_SERVES), test_not_given_up);
	MONITOR_TEST("lingers", NULL, test_lingers);
	MONITOR_TEST("serves-twice", NULL, test_serves_twice);
	return g_test_run();
}
