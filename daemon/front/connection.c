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
#include "daemon/front/intake.h"
#include "protocol/api.h"
#include "protocol/error.h"
#include "protocol/scanner.h"

enum {
	READ_SIZE = 4 * 1024, /* bytes that there is room for, at least, when the socket is read */
	READ_MAX = 64 * 1024, /* and that are read at one go: so little is read beyond a limit */
	OUT_MAX = 256 * 1024, /* queued for a client: beyond, nothing more is read from it */
	OUT_TRIM = 64 * 1024, /* sent bytes that the queue may still hold */
	/* Bytes of texts that did not end yet, of all connections: beyond, one of them at a time is
	 * read on at, besides those of which there is little. With what parsing takes a process
	 * stays below 64 MiB. */
	HELD_MAX = 32 * 1024 * 1024,
	HELD_LITTLE = 16 * 1024,
};

typedef struct {
	guint refs; /* the connection itself, and each call that runs */
	int fd;	    /* -1: closed, and waiting for its calls to end */
	guint32 pid;
	guint in_source;
	guint out_source;
	guint timer;
	PvsScanner *scanner;

	PvsIntake in; /* the text under way, then what was not looked at yet */
	gsize held;   /* its share of the sum */

	GString *out; /* what the socket did not take yet, behind out_sent */
	gsize out_sent;

	GQueue jobs; /* of Job: calls that were read and wait for their turn */
	guint running;
	gboolean ended;	  /* the client has shut down its sending side */
	gboolean closing; /* nothing more is read; closed when all is answered */

	gboolean in_line; /* waits for its turn */

	/* Microseconds, monotonic; 0: not so. */
	gint64 text_since;   /* a text is under way */
	gint64 paused_since; /* it is not read on at, for reasons of ours */
	gint64 out_since;    /* the client takes nothing of what is queued */
	gint64 active_since; /* since when there has been nothing to do; never 0 */
	gint64 timer_at;
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

/* Connections that have something to ask while there is no room: each in turn starts one call. */
static GQueue line = G_QUEUE_INIT;
static Connection *served;  /* whose turn it is */
static Connection *current; /* the one that is in process() */
static guint serve_source;

static gsize held; /* bytes of texts, of all connections */
static guint room_source;

static void serve_soon(void);
static gboolean on_room(gpointer data);

void pvs_connections_init(const PvsFrontStart *front_limits, void (*closed)(void))
{
	limits = *front_limits;
	on_connection_closed = closed;
}

guint pvs_connections_count(void)
{
	return connections.length;
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

/* Sums up what is held. When it becomes less, those that waited for it are looked at. */
static void account(Connection *c)
{
	gsize now = c->in.end;

	if (now < c->held && held >= HELD_MAX && !room_source)
		room_source = g_idle_add_full(G_PRIORITY_DEFAULT, on_room, NULL, NULL);
	held += now - c->held;
	c->held = now;
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
	pvs_intake_clear(&c->in);
	account(c);
	g_string_free(c->out, TRUE);
	c->out = NULL;
	g_queue_remove(&connections, c);
	if (c->in_line)
		g_queue_remove(&line, c);
	c->in_line = FALSE;
	on_connection_closed();
	connection_unref(c);
}

static gboolean busy(const Connection *c)
{
	return c->running > 0 || c->jobs.length > 0 || c->out->len > 0;
}

static void line_up(Connection *c)
{
	if (!c->in_line)
		g_queue_push_tail(&line, c);
	c->in_line = TRUE;
	serve_soon();
}

/* TRUE if @c may start a call, or be looked at for one: there is room, and nobody has waited
 * longer. Else it gets its turn when there is. */
static gboolean my_turn(Connection *c)
{
	if (running < limits.calls && (served == c || g_queue_is_empty(&line)))
		return TRUE;
	line_up(c);
	return FALSE;
}

/* TRUE while the next text is wanted: all calls of the one before have started, and the client
 * takes its answers. */
static gboolean wants_text(const Connection *c)
{
	return !c->ended && !c->closing && c->jobs.length == 0 &&
	       c->out->len - c->out_sent < OUT_MAX;
}

/* TRUE if there is something to do with what was read already. */
static gboolean has_work(const Connection *c)
{
	return c->jobs.length > 0 || (wants_text(c) && c->in.scanned < c->in.end);
}

/* TRUE while the socket is read: then the client is waited for, and the clock runs. */
static gboolean is_read(const Connection *c)
{
	return wants_text(c) && !c->in_line;
}

/* TRUE if there is room for more of what @c sends: of little always, and always for the one that
 * has been connected longest among those that have much and are read. So one after the other comes
 * to its end; and none by waiting for its turn, since its clock goes on. */
static gboolean has_room(const Connection *c)
{
	if (held < HELD_MAX || c->in.end <= HELD_LITTLE)
		return TRUE;
	for (GList *l = connections.head; l; l = l->next) {
		const Connection *other = l->data;

		if (other->in.end > HELD_LITTLE && is_read(other))
			return other == c;
	}
	return FALSE;
}

/* When the client will have been too slow; G_MAXINT64: it is not waited for. */
static gint64 deadline(const Connection *c)
{
	if (c->out->len > 0)
		return c->out_since + (gint64)limits.reply_sec * G_USEC_PER_SEC;
	if (c->text_since && is_read(c))
		return c->text_since + (gint64)limits.receive_sec * G_USEC_PER_SEC;
	if (!c->text_since && !c->in_line && !busy(c))
		return c->active_since + (gint64)limits.idle_sec * G_USEC_PER_SEC;
	return G_MAXINT64;
}

static void watch(Connection *c);

static gboolean on_timer(gpointer data)
{
	Connection *c = data;

	c->timer = 0;
	c->timer_at = 0;
	if (deadline(c) <= g_get_monotonic_time())
		close_connection(c);
	else
		watch(c);
	return G_SOURCE_REMOVE;
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer data);
static gboolean on_writable(gint fd, GIOCondition condition, gpointer data);

/* The clock of a text stands still while it is not read on at. */
static void watch_text(Connection *c)
{
	gint64 now = g_get_monotonic_time();

	if (pvs_scanner_idle(c->scanner) && c->in.scanned == c->in.end) {
		c->text_since = 0;
		c->paused_since = 0;
		return;
	}
	if (!c->text_since)
		c->text_since = now;
	if (is_read(c) && c->paused_since) {
		c->text_since += now - c->paused_since;
		c->paused_since = 0;
	} else if (!is_read(c) && !c->paused_since) {
		c->paused_since = now;
	}
}

/* One timer, which may go off before anything is due: it is not set anew with every byte. */
static void watch_clock(Connection *c)
{
	gint64 at = deadline(c), now = g_get_monotonic_time();

	if (at == G_MAXINT64 || (c->timer && c->timer_at <= at))
		return;
	g_clear_handle_id(&c->timer, g_source_remove);
	c->timer = g_timeout_add((guint)(MAX(at - now, 0) / 1000 + 1), on_timer, c);
	c->timer_at = at;
}

/* After anything has happened: closes what has come to its end, else sets up what is waited for. */
static void watch(Connection *c)
{
	gboolean wanted;

	if (c->fd < 0)
		return;
	if ((c->ended || c->closing) && !busy(c)) {
		close_connection(c);
		return;
	}
	if (has_work(c))
		line_up(c);
	account(c);
	wanted = is_read(c) && has_room(c);
	if (wanted && !c->in_source)
		c->in_source = g_unix_fd_add(c->fd, G_IO_IN, on_readable, c);
	else if (!wanted)
		g_clear_handle_id(&c->in_source, g_source_remove);
	if (c->out->len > 0 && !c->out_source)
		c->out_source = g_unix_fd_add(c->fd, G_IO_OUT, on_writable, c);
	watch_text(c);
	watch_clock(c);
}

/* Some of what was held is not any more: whose turn it is to be read is looked at anew. */
static gboolean on_room(gpointer data G_GNUC_UNUSED)
{
	room_source = 0;
	for (GList *l = connections.head, *next; l; l = next) {
		next = l->next;
		watch(l->data);
	}
	return G_SOURCE_REMOVE;
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
	if (c->fd < 0)
		return;
	if (c->out_sent < c->out->len) {
		/* A client that always has something queued must not make it grow. */
		if (c->out_sent > OUT_TRIM) {
			g_string_erase(c->out, 0, (gssize)c->out_sent);
			c->out_sent = 0;
		}
		return;
	}
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
	if (c != current)
		watch(c);
	connection_unref(c);
	serve_soon();
}

static void run_job(Job *job)
{
	Connection *c = job->reply->connection;

	/* Whoever waits comes first, before this one's next call. */
	if (served == c)
		served = NULL;
	running++;
	c->running++;
	pvs_call_start(&job->call, job->secrets, c->pid, on_done, job->reply);
	job_free(job);
}

/* What to say of an entry that names a method, but is no call of it: that there is no such method,
 * or which parameters it takes. */
static void explain(const PvsRpcCall *call, GError **error, const char *const **expected)
{
	PvsMethod method;

	if (!call->method)
		return;
	if (!pvs_method_find(call->method, &method, NULL)) {
		g_clear_error(error);
		pvs_fail(error, PVS_ERROR_METHOD, NULL, NULL);
	} else {
		*expected = pvs_method_params(method);
	}
}

/* What the entry @node of a text asks for; an entry that is no call is answered at once. */
static void add_job(Connection *c, Reply *reply, JsonNode *node, PvsSecrets *secrets)
{
	Job *job = g_new0(Job, 1);
	g_autoptr(GError) error = NULL;
	const char *const *expected = NULL;
	char *answer = NULL;

	if (pvs_rpc_read(node, &job->call, &error)) {
		job->secrets = secrets ? pvs_secrets_ref(secrets) : NULL;
		job->reply = reply;
		g_queue_push_tail(&c->jobs, job);
		return;
	}
	explain(&job->call, &error, &expected);
	if (job->call.id)
		answer = pvs_rpc_error(job->call.id, error, expected);
	job_free(job);
	reply_add(reply, answer);
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

/* A text that the scanner passed, the last @size bytes of what was scanned. */
static void run_text(Connection *c, gsize size)
{
	char *text = (char *)c->in.data + c->in.scanned - size;
	g_autoptr(JsonNode) root = NULL;
	const PvsSecretSpan *spans;
	PvsSecrets *secrets = NULL;
	guint n;

	spans = pvs_scanner_secrets(c->scanner, &n);
	if (n > 0)
		secrets = pvs_secrets_cut(text, spans, n);
	root = pvs_rpc_parse(text, size, NULL);
	/* The text is not needed any more; what follows may close the connection. */
	pvs_intake_forget(&c->in, c->in.scanned);
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

/* Looks at what was read, up to the end of a text or of what there is. */
static void scan(Connection *c)
{
	PvsScanResult result;
	PvsError error;
	gsize used;

	result = pvs_scanner_feed(c->scanner, c->in.data + c->in.scanned, c->in.end - c->in.scanned,
				  &used, &error);
	c->in.scanned += used;
	if (result != PVS_SCAN_MORE) {
		/* What comes now has the whole time for itself. */
		c->text_since = 0;
		c->paused_since = 0;
	}
	switch (result) {
	case PVS_SCAN_TEXT:
		run_text(c, pvs_scanner_text_size(c->scanner));
		break;
	case PVS_SCAN_MORE:
		pvs_intake_forget(&c->in, c->in.scanned - pvs_scanner_text_size(c->scanner));
		break;
	case PVS_SCAN_FATAL:
		c->closing = TRUE;
		pvs_intake_clear(&c->in);
		say_error(c, error);
		break;
	case PVS_SCAN_ERROR:
		pvs_intake_forget(&c->in, c->in.scanned);
		say_error(c, error);
		break;
	}
}

/* Calls that wait start as far as they may; what was read and not looked at is looked at as far as
 * the client may be read from. */
static void process(Connection *c)
{
	c->refs++;
	current = c;
	while (c->fd >= 0 && has_work(c) && my_turn(c)) {
		if (c->jobs.length > 0)
			run_job(g_queue_pop_head(&c->jobs));
		else
			scan(c);
	}
	current = NULL;
	watch(c);
	connection_unref(c);
}

/* The client will send no more. A text that is not complete is not run. */
static void end_of_stream(Connection *c)
{
	PvsError error;

	c->ended = TRUE;
	if (pvs_scanner_finish(c->scanner, &error))
		say_error(c, error);
}

/* Reads what there is, once: the loop comes back where there is more, and others had their turn. */
static void receive(Connection *c)
{
	gsize size;
	ssize_t n;

	pvs_intake_reserve(&c->in, READ_SIZE);
	size = MIN(c->in.capacity - c->in.end, (gsize)READ_MAX);
	/* Without room for control data the kernel drops descriptors that a client sends. */
	do
		n = recv(c->fd, c->in.data + c->in.end, size, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n > 0) {
		c->in.end += (gsize)n;
		return;
	}
	if (n == 0)
		end_of_stream(c);
	else if (errno != EAGAIN && errno != EWOULDBLOCK)
		close_connection(c);
	if (c->fd >= 0)
		pvs_intake_forget(&c->in, c->in.start);
}

static gboolean on_readable(gint fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED,
			    gpointer data)
{
	Connection *c = data;

	c->refs++;
	if (has_room(c) && my_turn(c))
		receive(c);
	process(c);
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
	process(c);
	connection_unref(c);
	return G_SOURCE_CONTINUE;
}

/* There is room: who waits has a turn, in the order of coming. Who wants more than one comes back
 * to the end of the line. */
static gboolean on_serve(gpointer data G_GNUC_UNUSED)
{
	serve_source = 0;
	for (guint i = line.length; i > 0 && running < limits.calls; i--) {
		Connection *c = g_queue_pop_head(&line);

		if (!c)
			break;
		c->in_line = FALSE;
		c->refs++;
		served = c;
		/* It may be in line for what its socket has. */
		if (c->in.scanned == c->in.end && wants_text(c) && has_room(c))
			receive(c);
		process(c);
		served = NULL;
		connection_unref(c);
	}
	serve_soon();
	return G_SOURCE_REMOVE;
}

/* Not at once: calls may be ending one after the other. */
static void serve_soon(void)
{
	if (!serve_source && !g_queue_is_empty(&line) && running < limits.calls)
		serve_source = g_idle_add_full(G_PRIORITY_DEFAULT, on_serve, NULL, NULL);
}

void pvs_connection_new(int fd, guint32 pid)
{
	const PvsScannerLimits scanner_limits = {
		.size = limits.message_size,
		.depth = limits.depth,
		.tokens = limits.tokens,
	};
	Connection *c = g_new0(Connection, 1);

	c->refs = 1;
	c->fd = fd;
	c->pid = pid;
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
		next = l->next; /* what is written to may close */
		write_out(l->data);
	}
}
