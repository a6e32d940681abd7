/* SPDX-License-Identifier: MIT */
/*
 * connection.c - a client's connection: texts in, answers out, within limits
 */
#include "daemon/front/connection.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/front/call.h"
#include "protocol/api.h"
#include "protocol/error.h"
#include "protocol/scanner.h"

enum {
	READ_SIZE = 16 * 1024, /* bytes asked of the socket at a time */
	OUT_MAX = 256 * 1024,  /* queued for a client: beyond, nothing more is read from it */
	READS_A_TURN = 8,      /* so that one client does not keep the loop to itself */
};

typedef struct {
	guint refs; /* the connection itself, and each call that runs */
	int fd;	    /* -1: closed, and waiting for its calls to end */
	guint in_source;
	guint out_source;
	guint timer;
	PvsScanner *scanner;

	guint8 *in; /* of the text under way, then what was not looked at yet */
	gsize in_size;
	gsize in_capacity;
	gsize scanned; /* of in */

	GString *out; /* what the socket did not take yet */
	gsize out_sent;

	GQueue jobs; /* of Job: calls that were read and wait for their turn */
	guint running;
	gboolean ended;	  /* the client has shut down its sending side */
	gboolean closing; /* nothing more is read; closed when all is answered */

	gint64 text_since;   /* microseconds, monotonic; 0: no text is under way */
	gint64 out_since;    /* since when the client takes nothing; 0: nothing is queued */
	gint64 active_since; /* since when there has been nothing to do */
} Connection;

/* The answers of one text: a call's, or those of a batch. */
typedef struct {
	Connection *connection;
	gboolean batch;
	guint left;	 /* calls without an answer */
	GString *answer; /* what there is of it */
} Reply;

/* A call of a text; or an entry of a batch that is none, with the error. */
typedef struct {
	PvsRpcCall call;
	PvsSecrets *secrets;
	Reply *reply;
} Job;

static PvsFrontStart limits;
static void (*on_connection_closed)(void);
static GQueue connections = G_QUEUE_INIT; /* of Connection, open ones */
static guint running;			  /* calls, of all connections */
static guint serve_source;

static void serve_soon(void);
static void write_out(Connection *c);

void pvs_connections_init(const PvsFrontStart *front_limits, void (*closed)(void))
{
	limits = *front_limits;
	on_connection_closed = closed;
}

guint pvs_connections_count(void)
{
	return connections.length;
}

static void wipe_free(guint8 *memory, gsize size)
{
	if (memory)
		explicit_bzero(memory, size);
	g_free(memory);
}

static void job_free(gpointer data)
{
	Job *job = data;

	pvs_rpc_call_clear(&job->call);
	pvs_secrets_unref(job->secrets);
	g_free(job);
}

static void connection_unref(Connection *c)
{
	if (--c->refs > 0)
		return;
	g_free(c);
}

/* Calls of a closed connection that have not started are not started. */
static void drop_jobs(Connection *c)
{
	Job *job;

	while ((job = g_queue_pop_head(&c->jobs))) {
		if (--job->reply->left == 0) {
			g_string_free(job->reply->answer, TRUE);
			g_free(job->reply);
			connection_unref(c);
		}
		job_free(job);
	}
}

/* Closes the socket. Calls that run come to their end; nobody hears of it. */
static void close_connection(Connection *c)
{
	if (c->fd < 0)
		return;
	g_clear_handle_id(&c->in_source, g_source_remove);
	g_clear_handle_id(&c->out_source, g_source_remove);
	g_clear_handle_id(&c->timer, g_source_remove);
	close(c->fd);
	c->fd = -1;
	drop_jobs(c);
	g_clear_pointer(&c->scanner, pvs_scanner_free);
	wipe_free(c->in, c->in_capacity);
	c->in = NULL;
	g_string_free(c->out, TRUE);
	c->out = NULL;
	g_queue_remove(&connections, c);
	on_connection_closed();
	connection_unref(c);
}

static gboolean busy(const Connection *c)
{
	return c->running > 0 || c->jobs.length > 0 || c->out->len > 0;
}

/* TRUE while more may be read from the client: then it is its turn, and the clock runs. */
static gboolean may_read(const Connection *c)
{
	return !c->ended && !c->closing && c->jobs.length == 0 && running < limits.calls &&
	       c->out->len - c->out_sent < OUT_MAX;
}

/* When the client will have been too slow; G_MAXINT64: it is not waited for. */
static gint64 deadline(const Connection *c)
{
	gint64 at = G_MAXINT64;

	if (c->out->len > 0)
		at = c->out_since + (gint64)limits.reply_sec * G_USEC_PER_SEC;
	else if (c->text_since && may_read(c))
		at = c->text_since + (gint64)limits.receive_sec * G_USEC_PER_SEC;
	else if (!c->text_since && !busy(c))
		at = c->active_since + (gint64)limits.idle_sec * G_USEC_PER_SEC;
	return at;
}

static void watch(Connection *c);

static gboolean on_timer(gpointer data)
{
	Connection *c = data;

	c->timer = 0;
	if (deadline(c) <= g_get_monotonic_time())
		close_connection(c);
	else
		watch(c);
	return G_SOURCE_REMOVE;
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer data);
static gboolean on_writable(gint fd, GIOCondition condition, gpointer data);

/* After anything has happened: closes what has come to its end, else sets up what is waited for. */
static void watch(Connection *c)
{
	gint64 at, now;

	if (c->fd < 0)
		return;
	if ((c->ended || c->closing) && !busy(c)) {
		close_connection(c);
		return;
	}
	if (may_read(c) && !c->in_source)
		c->in_source = g_unix_fd_add(c->fd, G_IO_IN, on_readable, c);
	else if (!may_read(c))
		g_clear_handle_id(&c->in_source, g_source_remove);
	if (c->out->len > 0 && !c->out_source)
		c->out_source = g_unix_fd_add(c->fd, G_IO_OUT, on_writable, c);

	g_clear_handle_id(&c->timer, g_source_remove);
	at = deadline(c);
	if (at == G_MAXINT64)
		return;
	now = g_get_monotonic_time();
	c->timer = g_timeout_add((guint)(MAX(at - now, 0) / 1000 + 1), on_timer, c);
}

static void write_out(Connection *c)
{
	while (c->fd >= 0 && c->out->len > c->out_sent) {
		ssize_t n = send(c->fd, c->out->str + c->out_sent, c->out->len - c->out_sent,
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		if (n < 0) {
			close_connection(c);
			return;
		}
		c->out_sent += (gsize)n;
		c->out_since = g_get_monotonic_time();
	}
	if (c->fd < 0 || c->out_sent < c->out->len)
		return;
	/* Answers are no secret, but large: an idle connection keeps little. */
	if (c->out->allocated_len > 4096) {
		g_string_free(c->out, TRUE);
		c->out = g_string_new(NULL);
	} else {
		g_string_truncate(c->out, 0);
	}
	c->out_sent = 0;
	c->out_since = 0;
	c->active_since = g_get_monotonic_time();
	g_clear_handle_id(&c->out_source, g_source_remove);
}

/* Queues one line. */
static void say(Connection *c, const char *answer)
{
	if (c->fd < 0)
		return;
	if (c->out->len == 0)
		c->out_since = g_get_monotonic_time();
	g_string_append(c->out, answer);
	g_string_append_c(c->out, '\n');
	write_out(c);
}

static void say_error(Connection *c, PvsError code)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *answer = NULL;

	pvs_fail(&error, code, NULL, NULL);
	answer = pvs_rpc_error("null", error, NULL);
	say(c, answer);
}

/* One call of a text has come to its end. */
static void reply_add(Reply *reply, char *answer)
{
	Connection *c = reply->connection;

	if (answer) {
		if (reply->batch)
			g_string_append_c(reply->answer, reply->answer->len ? ',' : '[');
		g_string_append(reply->answer, answer);
	}
	g_free(answer);
	if (--reply->left > 0)
		return;
	if (reply->answer->len > 0) {
		if (reply->batch)
			g_string_append_c(reply->answer, ']');
		say(c, reply->answer->str);
	}
	g_string_free(reply->answer, TRUE);
	g_free(reply);
	connection_unref(c);
}

static void on_done(char *answer, gpointer user)
{
	Reply *reply = user;
	Connection *c = reply->connection;

	c->refs++;
	running--;
	c->running--;
	c->active_since = g_get_monotonic_time();
	reply_add(reply, answer);
	connection_unref(c);
	/* Not from here: calls may be ending one after the other. */
	serve_soon();
}

static void run_job(Job *job)
{
	running++;
	job->reply->connection->running++;
	pvs_call_start(&job->call, job->secrets, on_done, job->reply);
	job_free(job);
}

/* What the entry @node of a text asks for; an entry that is no call is answered at once. */
static void add_job(Connection *c, Reply *reply, JsonNode *node, PvsSecrets *secrets)
{
	Job *job = g_new0(Job, 1);
	g_autoptr(GError) error = NULL;
	PvsMethod method;
	const char *const *expected = NULL;

	if (pvs_rpc_read(node, &job->call, &error)) {
		job->secrets = secrets ? pvs_secrets_ref(secrets) : NULL;
		job->reply = reply;
		g_queue_push_tail(&c->jobs, job);
		return;
	}
	if (g_error_matches(error, PVS_ERROR, PVS_ERROR_PARAMS_BY_NAME) &&
	    pvs_method_find(job->call.method, &method, NULL))
		expected = pvs_method_params(method);
	reply_add(reply, pvs_rpc_error(job->call.id, error, expected));
	job_free(job);
}

static Reply *reply_new(Connection *c, gboolean batch, guint n)
{
	Reply *reply = g_new0(Reply, 1);

	reply->connection = c;
	reply->batch = batch;
	reply->left = n;
	reply->answer = g_string_new(NULL);
	c->refs++;
	return reply;
}

static void run_batch(Connection *c, JsonArray *array, PvsSecrets *secrets)
{
	guint n = json_array_get_length(array);
	Reply *reply;

	if (n == 0 || n > limits.batch_size) {
		say_error(c, n == 0 ? PVS_ERROR_REQUEST_EMPTY_BATCH : PVS_ERROR_TOO_MANY_CALLS);
		return;
	}
	reply = reply_new(c, TRUE, n);
	for (guint i = 0; i < n; i++)
		add_job(c, reply, json_array_get_element(array, i), secrets);
}

/* Forgets the first @size bytes of what was read. */
static void consume(Connection *c, gsize size)
{
	gsize left = c->in_size - size;

	memmove(c->in, c->in + size, left);
	explicit_bzero(c->in + left, size);
	c->in_size = left;
	c->scanned -= size;
	if (left == 0 && c->in_capacity > 0) {
		g_free(c->in);
		c->in = NULL;
		c->in_capacity = 0;
	}
}

/* A text that the scanner passed, the last of what was scanned. It is consumed. */
static void run_text(Connection *c, char *text, gsize size)
{
	g_autoptr(JsonNode) root = NULL;
	const PvsSecretSpan *spans;
	PvsSecrets *secrets = NULL;
	guint n;

	spans = pvs_scanner_secrets(c->scanner, &n);
	if (n > 0) {
		secrets = pvs_secrets_cut(text, size, spans, n);
		if (!secrets) {
			consume(c, c->scanned);
			say_error(c, PVS_ERROR_TOO_FAST);
			return;
		}
	}
	root = pvs_rpc_parse(text, size, NULL);
	/* The text is not needed any more; what follows may close the connection. */
	consume(c, c->scanned);
	if (!root)
		say_error(c, PVS_ERROR_PARSE);
	else if (JSON_NODE_HOLDS_ARRAY(root))
		run_batch(c, json_node_get_array(root), secrets);
	else
		add_job(c, reply_new(c, FALSE, 1), root, secrets);
	pvs_secrets_unref(secrets);
	if (c->fd < 0)
		drop_jobs(c);
}

/* Calls that wait start as far as they may; what was read and not looked at is looked at as far as
 * the client may be read from. */
static void process(Connection *c)
{
	c->refs++;
	while (c->fd >= 0) {
		PvsScanResult result;
		PvsError error;
		gsize used, text;

		if (c->jobs.length > 0 && running < limits.calls) {
			run_job(g_queue_pop_head(&c->jobs));
			continue;
		}
		if (!may_read(c) || c->scanned == c->in_size)
			break;
		result = pvs_scanner_feed(c->scanner, c->in + c->scanned, c->in_size - c->scanned,
					  &used, &error);
		c->scanned += used;
		text = pvs_scanner_text_size(c->scanner);
		switch (result) {
		case PVS_SCAN_TEXT:
			run_text(c, (char *)c->in + c->scanned - text, text);
			break;
		case PVS_SCAN_MORE:
			consume(c, c->scanned - text);
			break;
		case PVS_SCAN_FATAL:
			c->closing = TRUE;
			say_error(c, error);
			break;
		case PVS_SCAN_ERROR:
			consume(c, c->scanned);
			say_error(c, error);
			break;
		}
	}
	if (c->fd >= 0) {
		gboolean idle = pvs_scanner_idle(c->scanner) && c->scanned == c->in_size;

		if (idle)
			c->text_since = 0;
		else if (!c->text_since)
			c->text_since = g_get_monotonic_time();
		watch(c);
	}
	connection_unref(c);
}

/* Room for another read. Grows by copying and wiping: realloc() would leave a client's bytes
 * behind. */
static void make_room(Connection *c)
{
	gsize capacity;
	guint8 *grown;

	if (c->in_capacity - c->in_size >= READ_SIZE / 4)
		return;
	capacity = MAX(2 * c->in_capacity, c->in_size + READ_SIZE);
	grown = g_malloc(capacity);
	if (c->in_size > 0)
		memcpy(grown, c->in, c->in_size);
	wipe_free(c->in, c->in_capacity);
	c->in = grown;
	c->in_capacity = capacity;
}

/* The client will send no more. A text that is not complete is not run. */
static void end_of_stream(Connection *c)
{
	PvsError error;

	c->ended = TRUE;
	if (pvs_scanner_finish(c->scanner, &error))
		say_error(c, error);
}

static gboolean on_readable(gint fd, GIOCondition condition G_GNUC_UNUSED, gpointer data)
{
	Connection *c = data;

	c->refs++;
	for (guint i = 0; i < READS_A_TURN && c->fd >= 0 && may_read(c); i++) {
		ssize_t n;

		make_room(c);
		/* Without room for control data the kernel drops descriptors that a client sends.
		 */
		n = recv(fd, c->in + c->in_size, c->in_capacity - c->in_size, MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		if (n < 0) {
			close_connection(c);
			break;
		}
		if (n == 0) {
			end_of_stream(c);
			break;
		}
		c->in_size += (gsize)n;
		c->active_since = g_get_monotonic_time();
		process(c);
	}
	if (c->fd >= 0) {
		if (c->in_size == 0 && c->in) {
			g_free(c->in);
			c->in = NULL;
			c->in_capacity = 0;
		}
		watch(c);
	}
	connection_unref(c);
	/* watch() and close_connection() have removed the source where it was not wanted any more.
	 */
	return G_SOURCE_CONTINUE;
}

static gboolean on_writable(gint fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED,
			    gpointer data)
{
	Connection *c = data;

	c->refs++;
	write_out(c);
	if (c->fd >= 0)
		process(c);
	connection_unref(c);
	return G_SOURCE_CONTINUE;
}

/* A call has ended: there is room for another. Each connection in turn, the one served first last
 * the next time, so that none keeps the others waiting. */
static gboolean on_serve(gpointer data G_GNUC_UNUSED)
{
	g_autoptr(GPtrArray) all = g_ptr_array_new();
	gpointer first = g_queue_pop_head(&connections);

	serve_source = 0;
	if (first)
		g_queue_push_tail(&connections, first);
	for (GList *l = connections.head; l; l = l->next) {
		((Connection *)l->data)->refs++;
		g_ptr_array_add(all, l->data);
	}
	for (guint i = 0; i < all->len; i++) {
		Connection *c = all->pdata[i];

		if (c->fd >= 0) {
			/* It was not waited for while it could not be read from. */
			if (c->text_since && !c->in_source)
				c->text_since = g_get_monotonic_time();
			process(c);
		}
		connection_unref(c);
	}
	return G_SOURCE_REMOVE;
}

static void serve_soon(void)
{
	if (!serve_source)
		serve_source = g_idle_add_full(G_PRIORITY_DEFAULT, on_serve, NULL, NULL);
}

void pvs_connection_new(int fd)
{
	const PvsScannerLimits scanner_limits = {
		.size = limits.message_size,
		.depth = limits.depth,
		.tokens = limits.tokens,
	};
	Connection *c = g_new0(Connection, 1);

	c->refs = 1;
	c->fd = fd;
	c->scanner = pvs_scanner_new(&scanner_limits);
	c->out = g_string_new(NULL);
	g_queue_init(&c->jobs);
	c->active_since = g_get_monotonic_time();
	g_queue_push_tail(&connections, c);
	watch(c);
}

void pvs_connections_flush(void)
{
	for (GList *l = connections.head, *next; l; l = next) {
		next = l->next;
		write_out(l->data);
	}
}
