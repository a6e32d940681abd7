/* SPDX-License-Identifier: MIT */
/*
 * test-rpc.c - the connection, against servers that behave and that do not
 *
 * A thread serves connections of a socket by a script, one entry for each connection.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "client/failure.h"
#include "client/rpc.h"

#define ANSWER "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}"

typedef enum {
	DO_END,	   /* no more connections are expected */
	DO_ANSWER, /* read a call, send @text, keep the connection and do so again */
	DO_ANSWER_BYTEWISE,
	DO_ANSWER_AND_CLOSE,
	DO_ANSWER_UNREAD, /* send @text before anything is read, and close */
	DO_CLOSE,	  /* without reading */
	DO_READ_AND_CLOSE,
	DO_SILENT,  /* until the client gives up */
	DO_DRIP,    /* a byte of @text each 20 ms, over and over */
	DO_ENDLESS, /* @text over and over */
} What;

typedef struct {
	What what;
	const char *text;
} Step;

typedef struct {
	char *directory;
	char *path;
	int listener;
	const Step *steps;
	GThread *thread;
	/* Read after the thread ended: */
	guint served;	      /* connections */
	guint calls;	      /* that were answered */
	GByteArray *received; /* by the calls, the last one alone */
} Server;

/* Reads up to a line feed, which ends a call here. FALSE: the client is gone. */
static gboolean read_call(Server *server, int fd)
{
	guint8 piece[65536];

	g_byte_array_set_size(server->received, 0);
	for (;;) {
		ssize_t n = read(fd, piece, sizeof piece);

		if (n <= 0)
			return FALSE;
		g_byte_array_append(server->received, piece, (guint)n);
		if (piece[n - 1] == '\n')
			return TRUE;
	}
}

static gboolean send_all(int fd, const char *text, gsize size)
{
	while (size > 0) {
		ssize_t n = send(fd, text, size, MSG_NOSIGNAL);

		if (n <= 0)
			return FALSE;
		text += n;
		size -= (gsize)n;
	}
	return TRUE;
}

static void serve(Server *server, int fd, const Step *step)
{
	gsize size = step->text ? strlen(step->text) : 0;

	switch (step->what) {
	case DO_ANSWER:
		while (read_call(server, fd)) {
			server->calls++;
			if (!send_all(fd, step->text, size))
				break;
		}
		break;
	case DO_ANSWER_BYTEWISE:
		read_call(server, fd);
		for (gsize i = 0; i < size; i++)
			send_all(fd, step->text + i, 1);
		break;
	case DO_ANSWER_AND_CLOSE:
		read_call(server, fd);
		send_all(fd, step->text, size);
		break;
	case DO_ANSWER_UNREAD:
		send_all(fd, step->text, size);
		break;
	case DO_READ_AND_CLOSE:
		read_call(server, fd);
		break;
	case DO_SILENT:
		while (read_call(server, fd))
			;
		break;
	case DO_DRIP:
		g_assert(size > 0);
		read_call(server, fd);
		for (gsize i = 0; send_all(fd, step->text + i % size, 1); i++)
			g_usleep(20000);
		break;
	case DO_ENDLESS:
		while (send_all(fd, step->text, size))
			;
		break;
	case DO_CLOSE:
	case DO_END:
		break;
	}
}

static gpointer run(gpointer data)
{
	Server *server = data;

	for (const Step *step = server->steps; step->what != DO_END; step++) {
		int fd = accept(server->listener, NULL, NULL);

		if (fd < 0)
			break;
		server->served++;
		serve(server, fd, step);
		close(fd);
	}
	return NULL;
}

static void server_start(Server *server, const Step *steps)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	*server = (Server){.steps = steps, .received = g_byte_array_new()};
	server->directory = g_dir_make_tmp("pvs-rpc-XXXXXX", NULL);
	server->path = g_build_filename(server->directory, "s", NULL);
	server->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_assert_cmpuint(strlen(server->path), <, sizeof address.sun_path);
	g_strlcpy(address.sun_path, server->path, sizeof address.sun_path);
	g_assert_cmpint(bind(server->listener, (struct sockaddr *)&address, sizeof address), ==, 0);
	g_assert_cmpint(listen(server->listener, 8), ==, 0);
	server->thread = g_thread_new("server", run, server);
}

/* The client must have gone; the number of connections it made is the result. */
static guint server_stop(Server *server)
{
	shutdown(server->listener, SHUT_RDWR);
	g_thread_join(server->thread);
	close(server->listener);
	g_unlink(server->path);
	g_rmdir(server->directory);
	g_free(server->path);
	g_free(server->directory);
	g_byte_array_unref(server->received);
	return server->served;
}

static PvsReply *ask_once(const char *path, guint timeout_ms, GError **error)
{
	g_autoptr(PvsRpc) rpc = pvs_rpc_new(path, timeout_ms, PVS_RPC_ANSWER);
	g_autoptr(PvsCall) call = pvs_call_new("ping");

	return pvs_rpc_call(rpc, call, error);
}

static void test_answers(void)
{
	static const Step scripts[][3] = {
		{{DO_ANSWER, ANSWER "\n"}},
		{{DO_ANSWER, ANSWER}},
		{{DO_ANSWER, " \r\n\t" ANSWER " \r\n"}},
		{{DO_ANSWER_BYTEWISE, ANSWER "\n"}},
		{{DO_ANSWER_AND_CLOSE, ANSWER "\n"}},
		{{DO_ANSWER_UNREAD, ANSWER "\n"}},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(scripts); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(PvsReply) reply = NULL;
		Server server;

		server_start(&server, scripts[i]);
		reply = ask_once(server.path, 10000, &error);
		g_assert_no_error(error);
		g_assert_nonnull(pvs_reply_result(reply));
		g_assert_cmpuint(server_stop(&server), ==, 1);
	}
}

static void test_connection_is_kept(void)
{
	static const Step script[] = {{DO_ANSWER, ANSWER "\n"}, {DO_END, NULL}};
	PvsRpc *rpc;
	Server server;

	server_start(&server, script);
	rpc = pvs_rpc_new(server.path, 10000, PVS_RPC_ANSWER);
	for (guint i = 0; i < 3; i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(PvsCall) call = pvs_call_new("ping");

		pvs_reply_free(pvs_rpc_call(rpc, call, &error));
		g_assert_no_error(error);
	}
	pvs_rpc_free(rpc);
	g_assert_cmpuint(server_stop(&server), ==, 1);
	g_assert_cmpuint(server.calls, ==, 3);
}

/* Once more, and no more than that. */
static void test_asks_again(void)
{
	static const Step scripts[][4] = {
		{{DO_CLOSE, NULL}, {DO_ANSWER, ANSWER "\n"}},
		{{DO_READ_AND_CLOSE, NULL}, {DO_ANSWER, ANSWER "\n"}},
		{{DO_ANSWER_AND_CLOSE, "{\"jsonrpc\":"}, {DO_ANSWER, ANSWER "\n"}},
	};
	static const Step dead[] = {{DO_READ_AND_CLOSE, NULL},
				    {DO_CLOSE, NULL},
				    {DO_ANSWER, ANSWER "\n"},
				    {DO_END, NULL}};
	g_autoptr(GError) error = NULL;
	Server server;

	for (gsize i = 0; i < G_N_ELEMENTS(scripts); i++) {
		server_start(&server, scripts[i]);
		pvs_reply_free(ask_once(server.path, 10000, &error));
		g_assert_no_error(error);
		g_assert_cmpuint(server_stop(&server), ==, 2);
	}
	server_start(&server, dead);
	g_assert_null(ask_once(server.path, 10000, &error));
	g_assert_error(error, PVS_FAILURE, PVS_EXIT_UNREACHABLE);
	g_assert_true(g_pattern_match_simple("*closed without an answer, twice", error->message));
	g_assert_cmpuint(server_stop(&server), ==, 2);
}

static void assert_refused(const Step *script, const char *why)
{
	g_autoptr(GError) error = NULL;
	Server server;

	server_start(&server, script);
	g_assert_null(ask_once(server.path, 10000, &error));
	g_assert_error(error, PVS_FAILURE, PVS_EXIT_UNREACHABLE);
	if (!g_pattern_match_simple(why, error->message))
		g_error("%s instead of %s", error->message, why);
	g_assert_nonnull(pvs_failure_hint(error));
	g_assert_cmpuint(server_stop(&server), ==, 1);
}

static void test_hostile_answers(void)
{
	static const struct {
		Step script[2];
		const char *why;
	} rows[] = {
		{{{DO_ANSWER, "hello\n"}}, "the answer is not pvsecretd's: *"},
		{{{DO_ANSWER, "HTTP/1.1 200 OK\r\n\r\n"}}, "the answer is not pvsecretd's: *"},
		{{{DO_ANSWER, ANSWER ANSWER "\n"}}, "*something stands behind it"},
		{{{DO_ANSWER, ANSWER "x\n"}}, "*something stands behind it"},
		{{{DO_ANSWER, "{\"a\":\"\\u0000\"}\n"}}, "the answer is not pvsecretd's: *"},
		{{{DO_ANSWER, "{\"a\":\"\300\200\"}\n"}}, "the answer is not pvsecretd's: *"},
		{{{DO_ANSWER, "{\"a\":1,\"a\":2}\n"}}, "the answer is not pvsecretd's: *"},
		{{{DO_ANSWER, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":1}\n"}}, "*result*"},
		{{{DO_ANSWER, "[]\n"}}, "*not one object"},
		{{{DO_ENDLESS, "                                "}}, "*larger than 2 MiB"},
		{{{DO_ENDLESS, "[[[[[[[[[[[[[[[[[[[[[[[["}}, "the answer is not pvsecretd's: *"},
		{{{DO_ENDLESS, "{\"aaaaaaaaaaaaaaaaaaaaaa"}}, "the answer is not pvsecretd's: *"},
		{{{DO_ENDLESS, "{\"a"}}, "the answer is not pvsecretd's: *"},
		{{{DO_ENDLESS, "\033[2J\033[2J\033[2J"}}, "the answer is not pvsecretd's: *"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		assert_refused(rows[i].script, rows[i].why);
}

static void test_many_values(void)
{
	g_autoptr(GString) text =
		g_string_new("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"a\":[0");
	g_autoptr(GString) deep = g_string_new("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":");
	Step script[2] = {{DO_ANSWER, NULL}, {DO_END, NULL}};

	for (guint i = 0; i < 40000; i++)
		g_string_append(text, ",0");
	g_string_append(text, "]}}\n");
	script[0].text = text->str;
	assert_refused(script, "the answer is not pvsecretd's: *");

	for (guint i = 0; i < 17; i++)
		g_string_append(deep, "{\"a\":");
	g_string_append(deep, "0");
	for (guint i = 0; i < 18; i++)
		g_string_append_c(deep, '}');
	script[0].text = deep->str;
	assert_refused(script, "the answer is not pvsecretd's: *");
}

static void test_silence(void)
{
	static const Step script[] = {{DO_SILENT, NULL}, {DO_END, NULL}};
	g_autoptr(GError) error = NULL;
	gint64 start = g_get_monotonic_time();
	Server server;

	server_start(&server, script);
	g_assert_null(ask_once(server.path, 200, &error));
	g_assert_error(error, PVS_FAILURE, PVS_EXIT_UNREACHABLE);
	g_assert_true(g_pattern_match_simple("*no answer within*", error->message));
	g_assert_cmpint(g_get_monotonic_time() - start, >=, 190000);
	g_assert_cmpuint(server_stop(&server), ==, 1);
}

/* It says something all the time, and never all of it: once begun, an answer has less time. */
static void test_drip(void)
{
	static const char *const texts[] = {" ",
					    "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"a\":\""};

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		const Step script[] = {{DO_DRIP, texts[i]}, {DO_END, NULL}};
		g_autoptr(PvsCall) call = pvs_call_new("ping");
		g_autoptr(GError) error = NULL;
		gint64 start = g_get_monotonic_time();
		PvsRpc *rpc;
		Server server;

		server_start(&server, script);
		rpc = pvs_rpc_new(server.path, 60000, 300);
		g_assert_null(pvs_rpc_call(rpc, call, &error));
		pvs_rpc_free(rpc);
		g_assert_error(error, PVS_FAILURE, PVS_EXIT_UNREACHABLE);
		g_assert_true(g_pattern_match_simple("*was begun, and was not whole within*",
						     error->message));
		g_assert_nonnull(pvs_failure_hint(error));
		g_assert_cmpint(g_get_monotonic_time() - start, >=, 290000);
		g_assert_cmpint(g_get_monotonic_time() - start, <, 20000000);
		g_assert_cmpuint(server_stop(&server), ==, 1);
	}
}

/* What was begun before the connection closed has no part in what is asked again. */
static void test_time_of_another_answer(void)
{
	static const Step script[] = {
		{DO_ANSWER_AND_CLOSE, "{\"jsonrpc\":"}, {DO_SILENT, NULL}, {DO_END, NULL}};
	g_autoptr(PvsCall) call = pvs_call_new("ping");
	g_autoptr(GError) error = NULL;
	gint64 start = g_get_monotonic_time();
	PvsRpc *rpc;
	Server server;

	server_start(&server, script);
	rpc = pvs_rpc_new(server.path, 600, 100);
	g_assert_null(pvs_rpc_call(rpc, call, &error));
	pvs_rpc_free(rpc);
	g_assert_true(g_pattern_match_simple("*no answer within*", error->message));
	g_assert_cmpint(g_get_monotonic_time() - start, >=, 590000);
	g_assert_cmpuint(server_stop(&server), ==, 2);
}

/* Nobody accepts, and the backlog is full: connecting itself has to end. */
static void test_backlog(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	g_autofree char *directory = g_dir_make_tmp("pvs-rpc-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(directory, "s", NULL);
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int waiting = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_autoptr(GError) error = NULL;

	g_strlcpy(address.sun_path, path, sizeof address.sun_path);
	g_assert_cmpint(bind(listener, (struct sockaddr *)&address, sizeof address), ==, 0);
	g_assert_cmpint(listen(listener, 0), ==, 0);
	g_assert_cmpint(connect(waiting, (struct sockaddr *)&address, sizeof address), ==, 0);
	g_assert_null(ask_once(path, 200, &error));
	g_assert_error(error, PVS_FAILURE, PVS_EXIT_UNREACHABLE);
	g_assert_true(g_pattern_match_simple("*no answer within*", error->message));
	close(waiting);
	close(listener);
	g_clear_error(&error);
	/* And once nobody listens any more. */
	g_assert_null(ask_once(path, 200, &error));
	g_assert_true(g_pattern_match_simple("*nobody listens*", error->message));
	g_unlink(path);
	g_rmdir(directory);
}

/* A call that the server does not take, larger than what a socket holds: its answer is read all the
 * same. */
static void test_answer_to_what_is_not_read(void)
{
	static const Step script[] = {
		{DO_ANSWER_UNREAD, "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32004,"
				   "\"message\":\"too large\"}}\n"},
		{DO_END, NULL}};
	g_autofree char *name = g_strnfill(4 * 1024 * 1024, 'x');
	g_autoptr(PvsCall) call = pvs_call_new("create_association");
	g_autoptr(GError) error = NULL;
	g_autoptr(PvsReply) reply = NULL;
	PvsRpc *rpc;
	Server server;

	pvs_call_text(call, "name", name, NULL);
	server_start(&server, script);
	rpc = pvs_rpc_new(server.path, 10000, PVS_RPC_ANSWER);
	reply = pvs_rpc_call(rpc, call, &error);
	pvs_rpc_free(rpc);
	g_assert_no_error(error);
	g_assert_nonnull(pvs_reply_error(reply));
	g_assert_cmpuint(server_stop(&server), ==, 1);
}

/* All of a large call arrives, in its order, with the secret in its place. */
static void test_large_call(void)
{
	static const Step script[] = {{DO_ANSWER_AND_CLOSE, ANSWER "\n"}, {DO_END, NULL}};
	g_autofree char *name = g_strnfill(700000, 'x');
	g_autofree char *directory = g_dir_make_tmp("pvs-rpc-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(directory, "secret", NULL);
	g_autofree char *expected = g_strdup_printf(
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"params\":{\"name\":\"%s\","
		"\"value\":\"SECRET\",\"again\":\"%s\"}}\n",
		name, name);
	g_autoptr(PvsClientSecret) secret = NULL;
	g_autoptr(PvsCall) call = pvs_call_new("m");
	g_autoptr(GError) error = NULL;
	PvsRpc *rpc;
	Server server;

	g_assert_true(g_file_set_contents(path, "SECRET", 6, NULL));
	secret = pvs_client_secret_read(path, 6, "", NULL);
	g_unlink(path);
	g_rmdir(directory);
	pvs_call_text(call, "name", name, NULL);
	pvs_call_secret(call, "value", secret, NULL);
	pvs_call_text(call, "again", name, NULL);
	server_start(&server, script);
	g_byte_array_ref(server.received);
	rpc = pvs_rpc_new(server.path, 10000, PVS_RPC_ANSWER);
	pvs_reply_free(pvs_rpc_call(rpc, call, &error));
	g_assert_no_error(error);
	pvs_rpc_free(rpc);
	server_stop(&server);
	g_assert_cmpmem(server.received->data, server.received->len, expected, strlen(expected));
	g_byte_array_unref(server.received);
}

static void test_long_path(void)
{
	g_autofree char *path = g_strnfill(108, 'x');
	g_autoptr(GError) error = NULL;

	g_assert_null(ask_once(path, 200, &error));
	g_assert_error(error, PVS_FAILURE, PVS_EXIT_USAGE);
}

static void expect_directory(const char *directory, gboolean own, const char *wrong)
{
	g_autoptr(GError) error = NULL;

	g_assert_true(pvs_rpc_directory_safe(directory, own, &error) == (wrong == NULL));
	if (!wrong)
		return;
	g_assert_error(error, PVS_FAILURE, PVS_EXIT_UNREACHABLE);
	g_assert_true(g_pattern_match_simple(wrong, error->message));
	g_assert_nonnull(pvs_failure_hint(error));
}

static void test_directory(void)
{
	g_autofree char *directory = g_dir_make_tmp("pvs-rpc-XXXXXX", NULL);
	g_autofree char *link = g_strconcat(directory, "-link", NULL);
	g_autofree char *file = g_build_filename(directory, "file", NULL);
	const gboolean root = geteuid() == 0;
	static const struct {
		mode_t mode;
		const char *wrong; /* NULL: nothing */
	} rows[] = {
		{0755, NULL},
		{0750, NULL},
		{0700, NULL},
		{0775, "*may be written by others*"},
		{0757, "*may be written by others*"},
		{01777, "*may be written by others*"},
	};

	expect_directory("/nonexistent/directory", TRUE, NULL);
	expect_directory("/nonexistent/directory", FALSE, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_assert_cmpint(chmod(directory, rows[i].mode), ==, 0);
		expect_directory(directory, TRUE,
				 root ? rows[i].wrong : "*does not belong to root*");
		expect_directory(directory, FALSE, rows[i].wrong);
	}
	g_assert_cmpint(chmod(directory, 0755), ==, 0);
	g_assert_cmpint(symlink(directory, link), ==, 0);
	expect_directory(link, TRUE, "*not a directory*");
	expect_directory(link, FALSE, NULL);
	g_unlink(link);
	g_assert_true(g_file_set_contents(file, "", 0, NULL));
	expect_directory(file, FALSE, "*not a directory*");
	g_unlink(file);
	if (root) {
		g_assert_cmpint(chown(directory, 65534, 0), ==, 0);
		expect_directory(directory, TRUE, "*does not belong to root*");
		expect_directory(directory, FALSE, "*neither to root nor to you*");
	}
	g_rmdir(directory);
}

/* Nothing is said to who listens there. */
static void test_unsafe_socket(void)
{
	static const Step script[] = {{DO_ANSWER, ANSWER "\n"}, {DO_END, NULL}};
	g_autofree char *directory = g_dir_make_tmp("pvs-rpc-XXXXXX", NULL);
	g_autofree char *link = g_build_filename(directory, "link", NULL);
	g_autoptr(GError) error = NULL;
	Server server;

	server_start(&server, script);
	g_assert_cmpint(symlink(server.path, link), ==, 0);
	g_assert_cmpint(chmod(server.directory, 0777), ==, 0);
	g_assert_null(ask_once(server.path, 1000, &error));
	g_assert_error(error, PVS_FAILURE, PVS_EXIT_UNREACHABLE);
	g_clear_error(&error);
	/* By way of a link that nobody else can change as well. */
	g_assert_null(ask_once(link, 1000, &error));
	g_assert_error(error, PVS_FAILURE, PVS_EXIT_UNREACHABLE);
	g_assert_true(g_pattern_match_simple("*may be written by others*", error->message));
	g_clear_error(&error);
	/* And the other way round: a link that somebody else could have put there. */
	g_assert_cmpint(chmod(server.directory, 0755), ==, 0);
	g_assert_cmpint(chmod(directory, 01777), ==, 0);
	g_assert_null(ask_once(link, 1000, &error));
	g_assert_true(g_pattern_match_simple("*may be written by others*", error->message));
	g_clear_error(&error);
	g_assert_cmpint(chmod(directory, 0755), ==, 0);
	pvs_reply_free(ask_once(link, 10000, &error));
	g_assert_no_error(error);
	g_unlink(link);
	g_rmdir(directory);
	g_assert_cmpuint(server_stop(&server), ==, 1);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/rpc/answers", test_answers);
	g_test_add_func("/rpc/connection-is-kept", test_connection_is_kept);
	g_test_add_func("/rpc/asks-again", test_asks_again);
	g_test_add_func("/rpc/hostile-answers", test_hostile_answers);
	g_test_add_func("/rpc/many-values", test_many_values);
	g_test_add_func("/rpc/silence", test_silence);
	g_test_add_func("/rpc/drip", test_drip);
	g_test_add_func("/rpc/time-of-another-answer", test_time_of_another_answer);
	g_test_add_func("/rpc/backlog", test_backlog);
	g_test_add_func("/rpc/answer-to-what-is-not-read", test_answer_to_what_is_not_read);
	g_test_add_func("/rpc/large-call", test_large_call);
	g_test_add_func("/rpc/long-path", test_long_path);
	g_test_add_func("/rpc/directory", test_directory);
	g_test_add_func("/rpc/unsafe-socket", test_unsafe_socket);
	return g_test_run();
}
