/* SPDX-License-Identifier: MIT */
/*
 * test-channel.c - channels between processes, with the other end in this test's hand
 */
#include "daemon/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/locked.h"
#include "protocol/bodies.h"

typedef struct {
	int peer; /* the end that the test plays */
	PvsChannel *channel;
	guint handled;
	guint closed;
	gboolean broken;
	guint64 call;
	gsize size;
	int stolen;
	gboolean in_arena;
	gboolean answer; /* what the handler returns */
} Fixture;

static gboolean on_message(PvsChannel *channel, PvsMessage *message, gpointer user)
{
	Fixture *f = user;

	(void)channel;
	f->handled++;
	f->call = message->call;
	f->size = message->body.left;
	f->in_arena = message->body.left && pvs_locked_owns(message->body.data);
	if (message->fds[0] >= 0) {
		f->stolen = message->fds[0];
		message->fds[0] = -1;
	}
	return f->answer;
}

static void on_closed(PvsChannel *channel, gboolean broken, gpointer user)
{
	Fixture *f = user;

	g_assert_true(channel == f->channel);
	f->closed++;
	f->broken = broken;
	g_clear_pointer(&f->channel, pvs_channel_free);
}

/* As the vault sees a front, and as a front sees the monitor. */
static const PvsHandlerRow vault_rows[] = {
	{PVS_MESSAGE_BUILD, on_message}, {PVS_MESSAGE_CCKS, on_message}, {0, NULL}};
static const PvsHandlerRow monitor_rows[] = {{PVS_MESSAGE_CLOSED, on_message}, {0, NULL}};
static const PvsHandlerRow front_rows[] = {
	{PVS_MESSAGE_CONNECTION, on_message}, {PVS_MESSAGE_PEERS, on_message}, {0, NULL}};

static void set_up(Fixture *f, PvsRole self, PvsRole peer, const PvsHandlerRow *rows)
{
	int pair[2];

	*f = (Fixture){.stolen = -1, .answer = TRUE};
	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), ==, 0);
	f->peer = pair[1];
	f->channel = pvs_channel_new(pair[0], self, peer, rows, on_closed, f);
}

static void tear_down(Fixture *f)
{
	if (f->peer >= 0)
		close(f->peer);
	if (f->stolen >= 0)
		close(f->stolen);
	pvs_channel_free(f->channel);
}

static void turn(void)
{
	while (g_main_context_iteration(NULL, FALSE))
		;
}

static void put_header(guint8 *to, guint32 type, guint32 size, guint64 call)
{
	PvsWriter w = pvs_writer_on(to, PVS_FRAME_HEADER);

	pvs_writer_u32(&w, type);
	pvs_writer_u32(&w, size);
	pvs_writer_u64(&w, call);
}

/* Sends @size bytes with @n_fds copies of @fd. */
static void raw(int to, const void *data, gsize size, int fd, guint n_fds)
{
	union {
		char bytes[CMSG_SPACE(8 * sizeof(int))];
		struct cmsghdr align;
	} control = {.bytes = {0}};
	struct iovec iov = {.iov_base = (void *)data, .iov_len = size};
	struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};

	if (n_fds > 0) {
		struct cmsghdr *c;

		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		c = CMSG_FIRSTHDR(&message);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		for (guint i = 0; i < n_fds; i++)
			memcpy(CMSG_DATA(c) + i * sizeof fd, &fd, sizeof fd);
	}
	g_assert_cmpint(sendmsg(to, &message, MSG_NOSIGNAL), ==, (ssize_t)size);
}

static guint open_fds(void)
{
	guint n = 0;

	for (int fd = 0; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			n++;
	return n;
}

static void test_whole_and_in_pieces(void)
{
	guint8 frame[PVS_FRAME_HEADER + 100] = {0};
	Fixture f;

	set_up(&f, PVS_ROLE_VAULT, PVS_ROLE_FRONT, vault_rows);
	put_header(frame, PVS_MESSAGE_BUILD, 100, 42);
	raw(f.peer, frame, sizeof frame, -1, 0);
	turn();
	g_assert_cmpuint(f.handled, ==, 1);
	g_assert_cmpuint(f.call, ==, 42);
	g_assert_cmpuint(f.size, ==, 100);
	/* It may carry a secret, so it never stood in ordinary memory. */
	g_assert_true(f.in_arena);

	for (gsize i = 0; i < sizeof frame; i++) {
		g_assert_cmpuint(f.handled, ==, 1);
		raw(f.peer, frame + i, 1, -1, 0);
		turn();
	}
	while (f.handled < 2)
		g_main_context_iteration(NULL, TRUE);
	g_assert_cmpuint(f.closed, ==, 0);
	tear_down(&f);
	g_assert_cmpuint(pvs_locked_used(), ==, 0);
}

static void expect_broken(const guint8 *data, gsize size, guint n_fds, const char *what)
{
	guint before = open_fds();
	Fixture f;

	set_up(&f, PVS_ROLE_VAULT, PVS_ROLE_FRONT, vault_rows);
	raw(f.peer, data, size, f.peer, n_fds);
	turn();
	g_test_message("%s", what);
	g_assert_cmpuint(f.handled, ==, 0);
	g_assert_cmpuint(f.closed, ==, 1);
	g_assert_true(f.broken);
	tear_down(&f);
	g_assert_cmpuint(open_fds(), ==, before);
}

static void test_rubbish_breaks_the_channel(void)
{
	guint8 header[PVS_FRAME_HEADER];

	put_header(header, 0, 0, 1);
	expect_broken(header, sizeof header, 0, "type 0");
	put_header(header, PVS_MESSAGE_LAST_, 0, 1);
	expect_broken(header, sizeof header, 0, "a type behind the list");
	put_header(header, 0xffffffff, 0, 1);
	expect_broken(header, sizeof header, 0, "the largest type");
	put_header(header, PVS_MESSAGE_GRANT, 4, 1);
	expect_broken(header, sizeof header, 0, "a grant from a front");
	put_header(header, PVS_MESSAGE_ADD_FRONT, 4, 1);
	expect_broken(header, sizeof header, 0, "an identity from a front");
	put_header(header, PVS_MESSAGE_BUILT, 4, 1);
	expect_broken(header, sizeof header, 0, "an answer the wrong way");
	put_header(header, PVS_MESSAGE_BUILD, (guint32)pvs_message_cap(PVS_MESSAGE_BUILD) + 1, 1);
	expect_broken(header, sizeof header, 0, "one byte over the cap");
	put_header(header, PVS_MESSAGE_BUILD, 0xffffffff, 1);
	expect_broken(header, sizeof header, 0, "four gigabytes");
	put_header(header, PVS_MESSAGE_CCKS, 1, 1);
	expect_broken(header, sizeof header, 0, "a body where there is none");
	put_header(header, PVS_MESSAGE_COUNTERS, 0, 1);
	expect_broken(header, sizeof header, 0, "a message without a handler");
	put_header(header, PVS_MESSAGE_CCKS, 0, 1);
	expect_broken(header, sizeof header, 1, "a descriptor where there is none");
	expect_broken(header, sizeof header, 2, "two descriptors");
	expect_broken(header, sizeof header, 8, "more descriptors than any message has");
	put_header(header, PVS_MESSAGE_BUILD, 100, 1);
	expect_broken(header, sizeof header, 1, "a descriptor with half of a secret");
}

static void test_handler_that_cannot_read_it(void)
{
	guint8 header[2][PVS_FRAME_HEADER];
	Fixture f;

	set_up(&f, PVS_ROLE_VAULT, PVS_ROLE_FRONT, vault_rows);
	f.answer = FALSE;
	put_header(header[0], PVS_MESSAGE_CCKS, 0, 1);
	put_header(header[1], PVS_MESSAGE_CCKS, 0, 2);
	raw(f.peer, header, sizeof header, -1, 0);
	turn();
	g_assert_cmpuint(f.handled, ==, 1); /* what came behind is not looked at */
	g_assert_cmpuint(f.closed, ==, 1);
	g_assert_true(f.broken);
	tear_down(&f);
}

static void test_descriptors_arrive(void)
{
	guint8 header[PVS_FRAME_HEADER];
	guint before = open_fds();
	Fixture f;

	set_up(&f, PVS_ROLE_FRONT, PVS_ROLE_MONITOR, front_rows);
	put_header(header, PVS_MESSAGE_CONNECTION, 0, 0);
	raw(f.peer, header, sizeof header, f.peer, 1);
	turn();
	g_assert_cmpuint(f.handled, ==, 1);
	g_assert_cmpint(f.stolen, >=, 0);
	g_assert_true(fcntl(f.stolen, F_GETFD) & FD_CLOEXEC);
	/* One too few. */
	put_header(header, PVS_MESSAGE_PEERS, 4, 0);
	raw(f.peer, header, sizeof header, f.peer, 1);
	raw(f.peer, "\0\0\0\1", 4, -1, 0);
	turn();
	g_assert_cmpuint(f.handled, ==, 1);
	g_assert_true(f.broken);
	tear_down(&f);
	g_assert_cmpuint(open_fds(), ==, before);
}

static void test_the_end(void)
{
	guint8 header[PVS_FRAME_HEADER];
	Fixture f;

	set_up(&f, PVS_ROLE_VAULT, PVS_ROLE_FRONT, vault_rows);
	put_header(header, PVS_MESSAGE_CCKS, 0, 1);
	raw(f.peer, header, sizeof header, -1, 0);
	raw(f.peer, header, 5, -1, 0); /* half of another */
	close(f.peer);
	f.peer = -1;
	turn();
	g_assert_cmpuint(f.handled, ==, 1);
	g_assert_cmpuint(f.closed, ==, 1);
	g_assert_false(f.broken);
	tear_down(&f);
}

/* What may carry a secret takes nothing of the arena until it is whole; and who sends no more than
 * half of it is cut, whether that is a part of the body or nothing. */
static void test_half_of_a_secret(void)
{
	enum { N = 20 };
	guint8 frame[PVS_FRAME_HEADER + 8000] = {0};
	Fixture halves[N], late;

	put_header(frame, PVS_MESSAGE_BUILD, 8000, 1);
	for (guint i = 0; i < N; i++) {
		set_up(&halves[i], PVS_ROLE_VAULT, PVS_ROLE_FRONT, vault_rows);
		raw(halves[i].peer, frame, PVS_FRAME_HEADER + i * 400, -1, 0);
		turn();
		g_assert_cmpuint(pvs_locked_used(), ==, 0);
	}
	/* Somebody who was held up for a moment. */
	set_up(&late, PVS_ROLE_VAULT, PVS_ROLE_FRONT, vault_rows);
	raw(late.peer, frame, PVS_FRAME_HEADER + 4000, -1, 0);
	turn();
	g_usleep(300000);
	turn();
	raw(late.peer, frame + PVS_FRAME_HEADER + 4000, 4000, -1, 0);
	while (late.handled < 1)
		g_main_context_iteration(NULL, TRUE);
	g_assert_cmpuint(late.size, ==, 8000);
	for (guint i = 0; i < N; i++) {
		while (!halves[i].closed)
			g_main_context_iteration(NULL, TRUE);
		g_assert_true(halves[i].broken);
		g_assert_cmpuint(halves[i].handled, ==, 0);
		tear_down(&halves[i]);
	}
	/* Who has nothing to say may take his time. */
	g_assert_cmpuint(late.closed, ==, 0);
	tear_down(&late);
}

/* The end of the peer, and of what it sends, is seen behind half of a message. */
static void test_half_and_the_end(void)
{
	guint8 frame[PVS_FRAME_HEADER + 100] = {0};

	put_header(frame, PVS_MESSAGE_BUILD, 100, 1);
	for (guint i = 0; i < 3; i++) {
		gint64 before = g_get_monotonic_time();
		Fixture f;

		set_up(&f, PVS_ROLE_VAULT, PVS_ROLE_FRONT, vault_rows);
		raw(f.peer, frame, PVS_FRAME_HEADER + i * 10, -1, 0);
		turn();
		if (i < 2) {
			close(f.peer);
			f.peer = -1;
		} else {
			shutdown(f.peer, SHUT_WR);
		}
		while (!f.closed)
			g_main_context_iteration(NULL, TRUE);
		g_assert_false(f.broken);
		g_assert_cmpint(g_get_monotonic_time() - before, <, G_USEC_PER_SEC);
		tear_down(&f);
	}
}

/* What the arena has no room for waits, for as long as it takes; and takes no time meanwhile. */
static void test_no_room(void)
{
	guint8 frame[PVS_FRAME_HEADER + 16000] = {0};
	gint64 end = g_get_monotonic_time() + 4 * G_USEC_PER_SEC;
	guint turns = 0, n = 0;
	void *taken[64];
	Fixture f;

	while ((taken[n] = pvs_locked_alloc(8192)))
		g_assert_cmpuint(++n, <, G_N_ELEMENTS(taken));
	set_up(&f, PVS_ROLE_VAULT, PVS_ROLE_FRONT, vault_rows);
	put_header(frame, PVS_MESSAGE_BUILD, 16000, 1);
	raw(f.peer, frame, sizeof frame, -1, 0);
	while (g_get_monotonic_time() < end) {
		g_main_context_iteration(NULL, TRUE);
		turns++;
	}
	g_assert_cmpuint(turns, <, 200);
	g_assert_cmpuint(f.handled, ==, 0);
	g_assert_cmpuint(f.closed, ==, 0);
	while (n > 0)
		pvs_locked_free(taken[--n]);
	while (f.handled < 1)
		g_main_context_iteration(NULL, TRUE);
	g_assert_cmpuint(f.size, ==, 16000);
	tear_down(&f);
	g_assert_cmpuint(pvs_locked_used(), ==, 0);
}

static void test_paused_reads_nothing(void)
{
	guint8 header[PVS_FRAME_HEADER];
	Fixture f;

	set_up(&f, PVS_ROLE_VAULT, PVS_ROLE_FRONT, vault_rows);
	pvs_channel_pause(f.channel, TRUE);
	put_header(header, PVS_MESSAGE_CCKS, 0, 1);
	raw(f.peer, header, sizeof header, -1, 0);
	turn();
	g_assert_cmpuint(f.handled, ==, 0);
	pvs_channel_pause(f.channel, FALSE);
	turn();
	g_assert_cmpuint(f.handled, ==, 1);
	tear_down(&f);
}

/* How many of a front's messages that are there are handled in one turn of the main loop. */
static guint handled_in_a_turn(PvsRole self, const PvsHandlerRow *rows, PvsMessageType type)
{
	guint8 header[PVS_FRAME_HEADER];
	guint handled;
	Fixture f;

	set_up(&f, self, PVS_ROLE_FRONT, rows);
	put_header(header, type, 0, 1);
	for (guint i = 0; i < 20; i++)
		raw(f.peer, header, sizeof header, -1, 0);
	g_main_context_iteration(NULL, FALSE);
	handled = f.handled;
	turn();
	g_assert_cmpuint(f.handled, ==, 20);
	tear_down(&f);
	return handled;
}

/* Trust and the vault look at what the monitor said before each message of a front's; the monitor
 * has nobody to look at, and reads more ends of connections than the 16 that it accepts. */
static void test_messages_of_a_turn(void)
{
	g_assert_cmpuint(handled_in_a_turn(PVS_ROLE_VAULT, vault_rows, PVS_MESSAGE_CCKS), ==, 1);
	g_assert_cmpuint(handled_in_a_turn(PVS_ROLE_MONITOR, monitor_rows, PVS_MESSAGE_CLOSED), ==,
			 20);
}

/* More than the socket takes at once: it is queued, and arrives whole and in order. */
static void test_what_the_dead_said(void)
{
	guint8 messages[PVS_FRAME_HEADER * 2000];
	Fixture f;

	/* All of it at once, without a turn of the loop; the end is told by the loop, as ever. */
	set_up(&f, PVS_ROLE_VAULT, PVS_ROLE_FRONT, vault_rows);
	for (guint i = 0; i < 40; i++) {
		put_header(messages, PVS_MESSAGE_CCKS, 0, i);
		raw(f.peer, messages, PVS_FRAME_HEADER, -1, 0);
	}
	close(f.peer);
	f.peer = -1;
	pvs_channel_drain(f.channel);
	g_assert_cmpuint(f.handled, ==, 40);
	g_assert_cmpuint(f.call, ==, 39);
	g_assert_cmpuint(f.closed, ==, 0);
	turn();
	g_assert_cmpuint(f.closed, ==, 1);
	g_assert_false(f.broken);
	tear_down(&f);

	/* Rubbish ends it, and so does the number: somebody may hold the other end still. */
	set_up(&f, PVS_ROLE_VAULT, PVS_ROLE_FRONT, vault_rows);
	f.answer = FALSE;
	for (guint i = 0; i < 2; i++) {
		put_header(messages, PVS_MESSAGE_CCKS, 0, i);
		raw(f.peer, messages, PVS_FRAME_HEADER, -1, 0);
	}
	pvs_channel_drain(f.channel);
	pvs_channel_drain(f.channel);
	g_assert_cmpuint(f.handled, ==, 1);
	turn();
	g_assert_true(f.broken);
	tear_down(&f);

	set_up(&f, PVS_ROLE_VAULT, PVS_ROLE_FRONT, vault_rows);
	for (guint i = 0; i < 2000; i++)
		put_header(messages + i * PVS_FRAME_HEADER, PVS_MESSAGE_CCKS, 0, i);
	raw(f.peer, messages, PVS_FRAME_HEADER * 2000, -1, 0);
	pvs_channel_drain(f.channel);
	g_assert_cmpuint(f.handled, >=, 1000);
	g_assert_cmpuint(f.handled, <, 2000);
	tear_down(&f);
}

static void test_large_answers_are_queued(void)
{
	enum { N = 20, SIZE = 60000 };
	Fixture f;
	guint8 *got = g_malloc(N * (SIZE + PVS_FRAME_HEADER));
	gsize total = 0;

	set_up(&f, PVS_ROLE_VAULT, PVS_ROLE_FRONT, vault_rows);
	for (guint i = 0; i < N; i++) {
		g_auto(PvsWriter) w = pvs_writer();
		g_autofree guint8 *body = g_malloc(SIZE);

		memset(body, (int)i, SIZE);
		pvs_writer_fixed(&w, body, SIZE);
		pvs_channel_send(f.channel, PVS_MESSAGE_BUILT, i, &w, NULL);
	}
	g_assert_cmpuint(pvs_channel_pending(f.channel), >, 0);
	while (total < N * (SIZE + PVS_FRAME_HEADER)) {
		ssize_t n = read(f.peer, got + total, N * (SIZE + PVS_FRAME_HEADER) - total);

		if (n > 0)
			total += (gsize)n;
		else
			g_assert_cmpint(errno, ==, EAGAIN);
		turn();
	}
	g_assert_cmpuint(pvs_channel_pending(f.channel), ==, 0);
	for (guint i = 0; i < N; i++) {
		const guint8 *frame = got + i * (SIZE + PVS_FRAME_HEADER);

		g_assert_cmpuint(frame[15], ==, i);
		g_assert_cmpuint(frame[PVS_FRAME_HEADER], ==, i);
		g_assert_cmpuint(frame[PVS_FRAME_HEADER + SIZE - 1], ==, i);
	}
	g_free(got);
	tear_down(&f);
}

static void test_sending_what_is_not_ours_aborts(void)
{
	if (g_test_subprocess()) {
		Fixture f;

		set_up(&f, PVS_ROLE_FRONT, PVS_ROLE_VAULT, front_rows);
		pvs_channel_send(f.channel, PVS_MESSAGE_GRANT, 0, NULL, NULL);
		return;
	}
	g_test_trap_subprocess(NULL, 0, 0);
	g_test_trap_assert_failed();
}

static void test_expect(void)
{
	guint8 frame[PVS_FRAME_HEADER + 3];
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) body = NULL;
	int pair[2];

	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), ==, 0);
	put_header(frame, PVS_MESSAGE_START, 3, 0);
	memcpy(frame + PVS_FRAME_HEADER, "abc", 3);
	raw(pair[1], frame, sizeof frame, -1, 0);
	g_assert_true(pvs_channel_expect(pair[0], PVS_ROLE_TRUST, PVS_ROLE_MONITOR,
					 PVS_MESSAGE_START, &body, &error));
	g_assert_no_error(error);
	g_assert_cmpuint(g_bytes_get_size(body), ==, 3);
	g_clear_pointer(&body, g_bytes_unref);

	put_header(frame, PVS_MESSAGE_PING, 0, 0);
	raw(pair[1], frame, PVS_FRAME_HEADER, -1, 0);
	g_assert_false(pvs_channel_expect(pair[0], PVS_ROLE_TRUST, PVS_ROLE_MONITOR,
					  PVS_MESSAGE_START, &body, &error));
	g_assert_nonnull(error);
	g_assert_null(body);
	g_clear_error(&error);
	close(pair[1]);
	g_assert_false(pvs_channel_expect(pair[0], PVS_ROLE_TRUST, PVS_ROLE_MONITOR,
					  PVS_MESSAGE_START, &body, &error));
	close(pair[0]);
}

int main(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;

	g_test_init(&argc, &argv, NULL);
	g_assert_true(pvs_locked_init(256 * 1024, &error));
	g_test_add_func("/channel/whole-and-in-pieces", test_whole_and_in_pieces);
	g_test_add_func("/channel/rubbish-breaks-the-channel", test_rubbish_breaks_the_channel);
	g_test_add_func("/channel/handler-that-cannot-read-it", test_handler_that_cannot_read_it);
	g_test_add_func("/channel/descriptors-arrive", test_descriptors_arrive);
	g_test_add_func("/channel/the-end", test_the_end);
	g_test_add_func("/channel/half-of-a-secret", test_half_of_a_secret);
	g_test_add_func("/channel/half-and-the-end", test_half_and_the_end);
	g_test_add_func("/channel/no-room", test_no_room);
	g_test_add_func("/channel/paused-reads-nothing", test_paused_reads_nothing);
	g_test_add_func("/channel/messages-of-a-turn", test_messages_of_a_turn);
	g_test_add_func("/channel/what-the-dead-said", test_what_the_dead_said);
	g_test_add_func("/channel/large-answers-are-queued", test_large_answers_are_queued);
	g_test_add_func("/channel/sending-what-is-not-ours-aborts",
			test_sending_what_is_not_ours_aborts);
	g_test_add_func("/channel/expect", test_expect);
	return g_test_run();
}
