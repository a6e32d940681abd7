/* SPDX-License-Identifier: MIT */
/*
 * test-front-pair.c - calls while grants end and trust and the vault come and go
 *
 * The front is the real one; see stage.h.
 */
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/front/call.h"
#include "daemon/locked.h"
#include "daemon/role.h"
#include "protocol/error.h"
#include "tests/unit/stage-fixture.h"

/* ---- grants ---- */

static void test_one_verification(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	f->stage.trust.waits = TRUE;
	for (guint i = 0; i < 5; i++)
		fixture_create(f, "1", "the same");
	fixture_create(f, "2", "another");
	g_assert_cmpuint(f->stage.verifies, ==, 2);
	g_assert_cmpuint(f->stage.builds, ==, 0);
	stage_answer(&f->stage, &f->stage.trust);
	for (guint i = 0; i < 5; i++)
		fixture_expect_result(f, "1");
	g_assert_true(client_silent(f->client));
	stage_answer(&f->stage, &f->stage.trust);
	fixture_expect_result(f, "2");
	/* And later ones need none at all. */
	fixture_create(f, "3", "the same");
	fixture_create(f, "4", "another");
	fixture_expect_result(f, "3");
	fixture_expect_result(f, "4");
	g_assert_cmpuint(f->stage.verifies, ==, 2);
	g_assert_cmpuint(f->stage.builds, ==, 8);
}

static void test_refused_together(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	f->stage.trust.waits = TRUE;
	f->stage.trust.refuses = PVS_ERROR_HOST_KEY_EXPIRED;
	for (guint i = 0; i < 3; i++)
		fixture_create(f, "1", "the same");
	fixture_create(f, "2", "another");
	stage_answer(&f->stage, &f->stage.trust);
	for (guint i = 0; i < 3; i++)
		client_expect_error(f->client, "1", PVS_ERROR_HOST_KEY_EXPIRED, NULL);
	g_assert_true(client_silent(f->client));
	f->stage.trust.refuses = PVS_ERROR_PARSE;
	stage_answer(&f->stage, &f->stage.trust);
	fixture_expect_result(f, "2");
}

static void test_grant_has_ended(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	/* By our own clock: the grant serves the call that asked for it (the vault has the last
	 * word), and no other. */
	f->stage.until = g_get_real_time() / G_USEC_PER_SEC - 1;
	fixture_create(f, "1", "host");
	fixture_expect_result(f, "1");
	f->stage.until += 3600;
	fixture_create(f, "2", "host");
	fixture_expect_result(f, "2");
	fixture_create(f, "3", "host");
	fixture_expect_result(f, "3");
	g_assert_cmpuint(f->stage.verifies, ==, 2);

	/* By the vault's: trust is asked once more, and the vault again. */
	f->stage.expired = 1;
	fixture_create(f, "4", "host");
	fixture_expect_result(f, "4");
	g_assert_cmpuint(f->stage.verifies, ==, 3);
	g_assert_cmpuint(f->stage.builds, ==, 5);
	f->stage.expired = 2;
	fixture_create(f, "5", "host");
	fixture_expect_result(f, "5");
	g_assert_cmpuint(f->stage.verifies, ==, 5);
	/* There is an end to that. */
	f->stage.expired = 3;
	fixture_create(f, "6", "host");
	client_expect_error(f->client, "6", PVS_ERROR_INTERNAL, NULL);
	g_assert_cmpuint(f->stage.verifies, ==, 7);
}

/* Two find out at the same time. */
static void test_grant_has_ended_for_two(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	fixture_create(f, "1", "host");
	fixture_expect_result(f, "1");
	f->stage.vault.waits = TRUE;
	fixture_create(f, "2", "host");
	fixture_create(f, "3", "host");
	f->stage.expired = 2;
	stage_answer(&f->stage, &f->stage.vault);
	stage_settle();
	stage_answer(&f->stage, &f->stage.vault);
	stage_settle();
	g_assert_cmpuint(f->stage.verifies, ==, 2);
	stage_answer(&f->stage, &f->stage.vault);
	stage_answer(&f->stage, &f->stage.vault);
	fixture_expect_result(f, "2");
	fixture_expect_result(f, "3");
	g_assert_cmpuint(f->stage.builds, ==, 5);
}

/* More machines than slots: the one unused for longest is verified again. */
static void test_many_machines(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	for (guint i = 0; i <= PVS_GRANTS_MAX; i++) {
		g_autofree char *host = g_strdup_printf("host %u", i);

		fixture_create(f, "1", host);
		fixture_expect_result(f, "1");
		g_assert_cmpuint(f->stage.build.slot, <, PVS_GRANTS_MAX);
		/* The first stays in use. */
		fixture_create(f, "2", "host 0");
		fixture_expect_result(f, "2");
	}
	g_assert_cmpuint(f->stage.verifies, ==, PVS_GRANTS_MAX + 1);
	fixture_create(f, "3", "host 2");
	fixture_expect_result(f, "3");
	g_assert_cmpuint(f->stage.verifies, ==, PVS_GRANTS_MAX + 1);
	fixture_create(f, "4", "host 1");
	fixture_expect_result(f, "4");
	g_assert_cmpuint(f->stage.verifies, ==, PVS_GRANTS_MAX + 2);
}

/* ---- trust and the vault come and go ---- */

static void test_killed_idle(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	fixture_create(f, "1", "host");
	fixture_expect_result(f, "1");
	stage_kill(&f->stage);
	fixture_create(f, "2", "host");
	fixture_call(f, "3", "list_ccks", "{}");
	fixture_call(f, "4", "get_status", "{}");
	client_expect_ping(f->client); /* needs neither */
	g_assert_true(client_silent(f->client));
	stage_peers(&f->stage);
	/* The grant went with them. */
	g_assert_cmpuint(f->stage.verifies, ==, 2);
	for (guint i = 0; i < 3; i++) {
		g_autoptr(JsonObject) answer = client_answer(f->client);

		g_assert_true(json_object_has_member(answer, "result"));
	}
}

static void test_killed_in_flight(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	f->stage.vault.waits = TRUE;
	f->stage.trust.waits = TRUE;
	fixture_create(f, "1", "host");
	fixture_create(f, "1", "host"); /* waits for the first's grant */
	fixture_call(f, "2", "verify_host_key", "{\"host_key_document\":\"QUJD\"}");
	stage_kill(&f->stage);
	stage_settle();
	g_assert_true(client_silent(f->client));
	f->stage.trust.waits = FALSE;
	stage_peers(&f->stage);
	fixture_expect_result(f, "2");
	g_assert_cmpuint(f->stage.verifies, ==, 2);
	g_assert_cmpuint(f->stage.builds, ==, 2);
	/* Now the vault, with both requests on their way: everything from the start. */
	stage_kill(&f->stage);
	f->stage.vault.waits = FALSE;
	stage_peers(&f->stage);
	fixture_expect_result(f, "1");
	fixture_expect_result(f, "1");
	g_assert_cmpuint(f->stage.verifies, ==, 3);
	g_assert_cmpuint(f->stage.builds, ==, 4);
	g_assert_true(client_silent(f->client));
}

/* A pair may be replaced without having gone. */
static void test_replaced_in_flight(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	const PvsPeers body = {.generation = 2};
	g_auto(PvsWriter) w = pvs_writer();
	int to_trust[2], to_vault[2];

	f->stage.trust.waits = TRUE;
	fixture_create(f, "1", "host");
	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, to_trust), ==, 0);
	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, to_vault), ==, 0);
	pvs_body_put(&w, pvs_peers_fields, &body);
	pvs_channel_send(f->stage.monitor, PVS_MESSAGE_PEERS, 0, &w,
			 (const int[]){to_trust[1], to_vault[1]});
	stage_settle();
	/* Both old channels were let go, and the new trust was asked. */
	g_assert_null(f->stage.trust.channel);
	g_assert_null(f->stage.vault.channel);
	{
		guint8 header[PVS_FRAME_HEADER];
		PvsReader r = pvs_reader(header, sizeof header);
		guint32 type;

		g_assert_cmpint(recv(to_trust[0], header, sizeof header, 0), ==, sizeof header);
		g_assert_true(pvs_reader_u32(&r, &type));
		g_assert_cmpuint(type, ==, PVS_MESSAGE_VERIFY);
	}
	for (guint i = 0; i < 2; i++) {
		close(to_trust[i]);
		close(to_vault[i]);
	}
	f->stage.trust.waits = FALSE;
	stage_settle();
	stage_peers(&f->stage);
	fixture_expect_result(f, "1");
}

static void test_given_up(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	f->stage.trust.waits = TRUE;
	fixture_create(f, "1", "host");
	for (guint i = 0; i < 2; i++) {
		stage_kill(&f->stage);
		stage_peers(&f->stage);
		g_assert_true(client_silent(f->client));
		g_assert_cmpuint(f->stage.verifies, ==, i + 2);
	}
	fixture_create(f, "2", "another");
	/* The third death in its hands; the second call has seen one. */
	stage_kill(&f->stage);
	stage_settle();
	client_expect_error(f->client, "1", PVS_ERROR_RESTARTING, NULL);
	f->stage.trust.waits = FALSE;
	stage_peers(&f->stage);
	fixture_expect_result(f, "2");
}

static gboolean has_line(gpointer user)
{
	Client *client = user;

	return client->in->len > 0;
}

static void test_waited_in_vain(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	/* Not the 20 s of a real front. */
	pvs_calls_init(f->stage.front, &f->stage.start, 200, NULL);
	stage_access(&f->stage, f->stage.access);
	stage_settle();
	fixture_create(f, "1", "host");
	fixture_call(f, "2", "list_ccks", "{}");
	g_assert_true(client_silent(f->client));
	stage_until(has_line, f->client);
	client_expect_error(f->client, "1", PVS_ERROR_RESTARTING, NULL);
	stage_until(has_line, f->client);
	client_expect_error(f->client, "2", PVS_ERROR_RESTARTING, NULL);
	client_expect_ping(f->client);
}

static void test_hold(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	fixture_create(f, "1", "host");
	fixture_expect_result(f, "1");
	/* With nothing on its way at once. */
	stage_hold(&f->stage);
	g_assert_cmpuint(f->stage.held, ==, 1);
	fixture_create(f, "2", "host");
	fixture_call(f, "3", "get_status", "{}");
	client_expect_ping(f->client);
	g_assert_cmpuint(f->stage.builds, ==, 1);
	g_assert_cmpuint(f->stage.workers, ==, 0);
	stage_peers(&f->stage);
	fixture_expect_result(f, "2");
	fixture_expect_result(f, "3");
	g_assert_cmpuint(f->stage.verifies, ==, 2);
	g_assert_cmpuint(f->stage.held, ==, 1);
}

static void test_hold_in_flight(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	f->stage.trust.waits = TRUE;
	f->stage.vault.waits = TRUE;
	fixture_create(f, "1", "host");
	stage_hold(&f->stage);
	fixture_create(f, "2", "other");
	g_assert_cmpuint(f->stage.held, ==, 0);
	/* What is on its way goes on to its end. */
	stage_answer(&f->stage, &f->stage.trust);
	stage_settle();
	g_assert_cmpuint(f->stage.held, ==, 0);
	g_assert_cmpuint(f->stage.builds, ==, 1);
	stage_answer(&f->stage, &f->stage.vault);
	fixture_expect_result(f, "1");
	g_assert_cmpuint(f->stage.held, ==, 1);
	g_assert_cmpuint(f->stage.verifies, ==, 1);
	/* And again, with the pair dying meanwhile. */
	f->stage.vault.waits = FALSE;
	stage_peers(&f->stage);
	g_assert_cmpuint(f->stage.verifies, ==, 2);
	stage_hold(&f->stage);
	g_assert_cmpuint(f->stage.held, ==, 1);
	stage_kill(&f->stage);
	stage_settle();
	g_assert_cmpuint(f->stage.held, ==, 2);
	f->stage.trust.waits = FALSE;
	stage_peers(&f->stage);
	fixture_expect_result(f, "2");
	/* With nobody there at all. */
	stage_kill(&f->stage);
	stage_settle();
	stage_hold(&f->stage);
	g_assert_cmpuint(f->stage.held, ==, 3);
	stage_peers(&f->stage);
}

static void test_stop(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	f->stage.trust.waits = TRUE;
	fixture_create(f, "1", "host");
	fixture_create(f, "2", "host");
	pvs_role_front.stop();
	client_expect_error(f->client, "1", PVS_ERROR_SHUTTING_DOWN, NULL);
	client_expect_error(f->client, "2", PVS_ERROR_SHUTTING_DOWN, NULL);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*test)(Fixture *f, gconstpointer data);
	} rows[] = {
		{"/front-pair/grant/one-verification", test_one_verification},
		{"/front-pair/grant/refused-together", test_refused_together},
		{"/front-pair/grant/has-ended", test_grant_has_ended},
		{"/front-pair/grant/has-ended-for-two", test_grant_has_ended_for_two},
		{"/front-pair/grant/many-machines", test_many_machines},
		{"/front-pair/killed-idle", test_killed_idle},
		{"/front-pair/killed-in-flight", test_killed_in_flight},
		{"/front-pair/replaced-in-flight", test_replaced_in_flight},
		{"/front-pair/given-up", test_given_up},
		{"/front-pair/waited-in-vain", test_waited_in_vain},
		{"/front-pair/hold", test_hold},
		{"/front-pair/hold-in-flight", test_hold_in_flight},
		{"/front-pair/stop", test_stop},
	};
	g_autoptr(GError) error = NULL;

	g_test_init(&argc, &argv, NULL);
	if (!pvs_locked_init(pvs_role_front.locked_size, &error))
		g_error("%s", error->message);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		g_test_add(rows[i].name, Fixture, NULL, fixture_set_up, rows[i].test,
			   fixture_tear_down);
	return g_test_run();
}
