/* SPDX-License-Identifier: MIT */
/*
 * test-connection-limits.c - how much a client may ask at a time, how slow it may be, and how it
 * ends
 *
 * The front is the real one, with its connections, parser and calls; see stage.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/front/connection.h"
#include "daemon/locked.h"
#include "daemon/role.h"
#include "protocol/error.h"
#include "tests/unit/stage-fixture.h"

/* ---- how much at a time ---- */

static void test_pipelined(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GString) text = g_string_new(NULL);
	gboolean seen[100] = {FALSE};

	for (guint i = 0; i < 100; i++) {
		g_autofree char *id = g_strdup_printf("%u", i);
		g_autofree char *host = g_strdup_printf("host %u", i % 7);
		g_autofree char *call = text_create(id, host, NULL);

		g_string_append(text, call);
	}
	f->stage.trust.waits = TRUE;
	f->stage.vault.waits = TRUE;
	client_send(f->client, text->str);
	for (guint i = 0; i < 100;) {
		g_autofree char *line = NULL;

		if (f->stage.trust.questions.length > 0)
			stage_answer(&f->stage, &f->stage.trust);
		else if (f->stage.vault.questions.length > 0)
			stage_answer(&f->stage, &f->stage.vault);
		line = client_line(f->client);
		if (line) {
			g_autoptr(JsonNode) node = json_from_string(line, NULL);
			JsonObject *answer = json_node_get_object(node);
			gint64 id = json_object_get_int_member(answer, "id");

			g_assert_true(json_object_has_member(answer, "result"));
			g_assert_false(seen[id]);
			seen[id] = TRUE;
			i++;
		}
	}
	/* Seven machines, so seven verifications; never more on their way than may be. */
	g_assert_cmpuint(f->stage.verifies, ==, 7);
	g_assert_cmpuint(f->stage.builds, ==, 100);
	g_assert_cmpuint(f->stage.most_asked, <=, 16);
	g_assert_cmpuint(f->stage.most_asked, >, 8);
	g_assert_true(client_silent(f->client));
}

/* Nobody is read while all calls that may be are on their way; then each client in turn, whether it
 * sent its calls one by one or in a batch. */
static void test_turns(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	static const struct {
		const char *hosts[4];
		gboolean batch;
	} rows[] = {{{"a0", "b0", "c0", "d0"}, FALSE},
		    {{"a1", "b1", "c1"}, TRUE},
		    {{"a2", "b2", "c2"}, FALSE}};
	g_autoptr(Client) second = client_new(&f->stage);
	g_autoptr(Client) third = client_new(&f->stage);
	Client *clients[] = {f->client, second, third};

	f->stage.trust.waits = TRUE;
	for (guint i = 0; i < 3; i++) {
		g_autoptr(GString) text = g_string_new(rows[i].batch ? "[" : "");

		for (guint n = 0; n < 4 && rows[i].hosts[n]; n++) {
			g_autofree char *one = text_create("1", rows[i].hosts[n], NULL);

			g_string_append_printf(text, "%s%s", rows[i].batch && n ? "," : "", one);
		}
		g_string_append(text, rows[i].batch ? "]" : "");
		client_send(clients[i], text->str);
	}
	/* Two at a time: there is room for two at once. */
	while (f->stage.trust.questions.length > 0) {
		g_assert_cmpuint(f->stage.trust.questions.length, <=, 2);
		while (f->stage.trust.questions.length > 0)
			stage_answer(&f->stage, &f->stage.trust);
		stage_settle();
	}
	g_assert_cmpstr(f->stage.order->str, ==, "a0 b0 c0 a1 a2 d0 b1 b2 c1 c2 ");
	g_assert_cmpuint(f->stage.builds, ==, 10);
	for (guint i = 0; i < 3; i++) {
		for (guint n = 0; n < 4 && rows[i].hosts[n] && (n == 0 || !rows[i].batch); n++) {
			g_autofree char *line = client_line(clients[i]);

			g_assert_nonnull(line);
		}
		client_expect_ping(clients[i]);
	}
}

/* What the client does not take is queued up to a point; then it is not read any more. */
static void test_slow_reader(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(Client) other = client_new(&f->stage);
	const char call[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"get_status\"}";
	guint sent = 0;

	g_clear_handle_id(&f->client->source, g_source_remove);
	for (;;) {
		ssize_t n = send(f->client->fd, call, sizeof call - 1, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0)
			break;
		g_assert_cmpint(n, ==, sizeof call - 1);
		sent++;
		stage_settle();
	}
	g_assert_cmpint(errno, ==, EAGAIN);
	/* Some of them were read and done; far from all. */
	g_assert_cmpuint(f->stage.workers, >, 100);
	g_assert_cmpuint(f->stage.workers, <, sent);
	client_expect_ping(other);
	/* It comes back in time: everything is answered. */
	client_listen(f->client);
	for (guint i = 0; i < sent; i++)
		json_object_unref(client_expect_result(f->client, "1"));
	g_assert_true(client_silent(f->client));
	g_assert_cmpuint(f->stage.workers, ==, sent);
}

/* What is queued never comes to its end, and does not grow either. */
static void test_always_queued(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	const char call[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"get_status\"}";
	g_autofree char *buffer = g_malloc(65536);
	gsize got = 0, before = 0;
	gboolean full = FALSE;

	g_clear_handle_id(&f->client->source, g_source_remove);
	while (got < 8 * 1024 * 1024) {
		gboolean refused = FALSE;
		ssize_t n;

		for (guint i = 0; i < 16 && !refused; i++)
			refused = send(f->client->fd, call, sizeof call - 1,
				       MSG_DONTWAIT | MSG_NOSIGNAL) < 0;
		stage_settle();
		/* Once both directions are full, what is in use stays what it is. */
		if (!full && refused) {
			before = mallinfo2().uordblks + mallinfo2().hblkhd;
			full = TRUE;
		}
		if (!full)
			continue;
		n = recv(f->client->fd, buffer, 65536, MSG_DONTWAIT);
		g_assert_cmpint(n, >, 0);
		got += (gsize)n;
	}
	g_assert_cmpuint(mallinfo2().uordblks + mallinfo2().hblkhd, <, before + 1024 * 1024);
}

/* ---- deadlines ---- */

static gboolean is_closed(gpointer user)
{
	Stage *stage = user;

	return stage->closed > 0;
}

/* Waits for the end and says how long that took, in milliseconds. */
static guint wait_for_close(Fixture *f)
{
	gint64 start = g_get_monotonic_time();

	stage_until(is_closed, &f->stage);
	return (guint)((g_get_monotonic_time() - start) / 1000);
}

static void test_deadline_text(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	client_send(f->client, "{\"jsonrpc\":\"2.0\",");
	g_assert_cmpuint(wait_for_close(f), >=, 900);
	g_assert_true(client_over(f->client));
}

static gboolean on_tick(gpointer user)
{
	client_bytes(user, " ", 1);
	return G_SOURCE_CONTINUE;
}

static void test_deadline_trickle(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	guint tick = g_timeout_add(50, on_tick, f->client);

	client_send(f->client, "{");
	g_assert_cmpuint(wait_for_close(f), >=, 900);
	g_source_remove(tick);
	g_assert_true(client_over(f->client));
}

static void test_deadline_idle(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	guint tick = g_timeout_add(50, on_tick, f->client); /* white space is nothing */

	client_expect_ping(f->client);
	g_assert_cmpuint(wait_for_close(f), >=, 900);
	g_source_remove(tick);
	g_assert_true(client_over(f->client));
}

static void test_deadline_reply(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	const char call[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"get_status\"}";
	const gint64 began = g_get_monotonic_time();

	g_clear_handle_id(&f->client->source, g_source_remove);
	while (send(f->client->fd, call, sizeof call - 1, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
		stage_settle();
	/* The clock runs since the last byte that was taken, somewhere in the midst of that; a slow
	 * machine may be through by now. */
	if (f->stage.closed == 0)
		wait_for_close(f);
	g_assert_cmpint(g_get_monotonic_time() - began, >=, 900 * 1000);
}

static int remaining;

/* Ends a text and begins the next, in one write. */
static gboolean on_seam(gpointer user)
{
	client_send(user, REST("1") "{");
	return --remaining > 0;
}

static gboolean seams_done(gpointer user)
{
	Stage *stage = user;

	return remaining == 0 || stage->closed > 0;
}

/* Each text has the whole time, also where one begins in the same write in which another ends. */
static void test_deadline_of_each_text(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	remaining = 6;
	client_send(f->client, "{");
	g_timeout_add(300, on_seam, f->client);
	stage_until(seams_done, &f->stage);
	g_assert_cmpuint(f->stage.closed, ==, 0);
	for (guint i = 0; i < 6; i++)
		json_object_unref(client_expect_result(f->client, "1"));
}

static gboolean on_enough(gpointer user)
{
	*(gboolean *)user = TRUE;
	return G_SOURCE_REMOVE;
}

static gboolean is_set(gpointer user)
{
	return *(gboolean *)user;
}

/* A client that waits for us is not too slow: no clock of its own runs. */
static void test_no_deadline_while_we_work(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *a = text_create("1", "a", NULL);
	g_autofree char *b = text_create("2", "b", NULL);
	g_autofree char *c = text_create("3", "c", NULL);
	g_autofree char *text = g_strconcat(a, b, NULL);
	g_autoptr(Client) other = client_new(&f->stage);
	gboolean enough = FALSE;

	f->stage.trust.waits = TRUE;
	/* A part of a call comes while there is room, a part while there is none. */
	client_bytes(other, c, 100);
	client_send(f->client, text);
	client_bytes(other, c + 100, strlen(c) - 110);
	g_timeout_add(1500, on_enough, &enough);
	stage_until(is_set, &enough);
	g_assert_cmpuint(f->stage.closed, ==, 0);
	stage_answer(&f->stage, &f->stage.trust);
	stage_answer(&f->stage, &f->stage.trust);
	json_object_unref(client_expect_result(f->client, "1"));
	json_object_unref(client_expect_result(f->client, "2"));
	/* Time goes on where it stopped, so there is some left. */
	f->stage.trust.waits = FALSE;
	enough = FALSE;
	g_timeout_add(100, on_enough, &enough);
	stage_until(is_set, &enough);
	client_send(other, c + strlen(c) - 10);
	json_object_unref(client_expect_result(other, "3"));
}

/* ---- ends ---- */

static void test_closed_count(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	for (guint i = 0; i < 5; i++)
		client_free(client_new(&f->stage));
	stage_settle();
	g_assert_cmpuint(f->stage.closed, ==, 5);
	{
		Client *three[] = {client_new(&f->stage), client_new(&f->stage),
				   client_new(&f->stage)};

		f->stage.closed = f->stage.closed_messages = 0;
		g_assert_cmpuint(pvs_connections_count(), ==, 4);
		for (guint i = 0; i < 3; i++)
			client_free(three[i]);
	}
	stage_settle();
	g_assert_cmpuint(f->stage.closed, ==, 3);
	g_assert_cmpuint(f->stage.closed_messages, ==, 1);
	client_expect_ping(f->client);
}

/* Its calls come to their end, and make room for others. */
static void test_client_goes(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(Client) other = client_new(&f->stage);
	g_autofree char *a = text_create("1", "a", NULL);
	g_autofree char *b = text_create("2", "b", NULL);
	g_autofree char *text = g_strdup_printf("[%s,%s,%s]", a, b, a);

	f->stage.trust.waits = TRUE;
	client_send(f->client, text);
	g_assert_cmpuint(f->stage.trust.questions.length, ==, 2);
	/* Bytes that it has not read make the end of its stream an error. */
	client_send(other, a);
	g_clear_pointer(&f->client, client_free);
	stage_settle();
	stage_answer(&f->stage, &f->stage.trust);
	stage_answer(&f->stage, &f->stage.trust);
	f->stage.trust.waits = FALSE;
	json_object_unref(client_expect_result(other, "1"));
	client_expect_ping(other);
	g_assert_cmpuint(f->stage.closed, ==, 1);
}

static guint open_fds(void)
{
	guint n = 0;

	for (int fd = 0; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			n++;
	return n;
}

static void test_passed_descriptors(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {.bytes = {0}};
	const char text[] = PING("1");
	struct iovec iov = {.iov_base = (void *)text, .iov_len = sizeof text - 1};
	struct msghdr message = {.msg_iov = &iov,
				 .msg_iovlen = 1,
				 .msg_control = control.bytes,
				 .msg_controllen = sizeof control.bytes};
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);
	guint before = open_fds();
	int fd = STDIN_FILENO;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
	g_assert_cmpint(sendmsg(f->client->fd, &message, 0), ==, sizeof text - 1);
	json_object_unref(client_expect_result(f->client, "1"));
	g_assert_cmpuint(open_fds(), ==, before);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		gboolean small;
		void (*test)(Fixture *f, gconstpointer data);
	} rows[] = {
		{"/connection-limits/pipelined", FALSE, test_pipelined},
		{"/connection-limits/turns", TRUE, test_turns},
		{"/connection-limits/slow-reader", FALSE, test_slow_reader},
		{"/connection-limits/always-queued", FALSE, test_always_queued},
		{"/connection-limits/deadline/text", TRUE, test_deadline_text},
		{"/connection-limits/deadline/trickle", TRUE, test_deadline_trickle},
		{"/connection-limits/deadline/idle", TRUE, test_deadline_idle},
		{"/connection-limits/deadline/reply", TRUE, test_deadline_reply},
		{"/connection-limits/deadline/of-each-text", TRUE, test_deadline_of_each_text},
		{"/connection-limits/deadline/none-while-we-work", TRUE,
		 test_no_deadline_while_we_work},
		{"/connection-limits/closed-count", FALSE, test_closed_count},
		{"/connection-limits/client-goes", TRUE, test_client_goes},
		{"/connection-limits/passed-descriptors", FALSE, test_passed_descriptors},
	};
	g_autoptr(GError) error = NULL;

	g_test_init(&argc, &argv, NULL);
	if (!pvs_locked_init(pvs_role_front.locked_size, &error))
		g_error("%s", error->message);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		g_test_add(rows[i].name, Fixture, NULL,
			   rows[i].small ? fixture_set_up_small : fixture_set_up, rows[i].test,
			   fixture_tear_down);
	return g_test_run();
}
