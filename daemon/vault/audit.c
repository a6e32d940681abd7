/* SPDX-License-Identifier: MIT */
/*
 * audit.c - the audit log: a record before every reply
 */
#include "daemon/vault/audit.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "daemon/log.h"
#include "policy/cage.h"
#include "protocol/audit.h"
#include "protocol/encoding.h"
#include "protocol/error.h"

enum {
	STACK_SIZE = 256 * 1024,
	TAIL = 2 * PVS_AUDIT_LINE_MAX, /* bytes, in which the last line is */
	WAIT_MAX = 5 * G_USEC_PER_SEC, /* for a record */
	SYNC_AFTER = G_USEC_PER_SEC,
};

/* What the thread is given; it comes back through the main loop. */
typedef struct {
	enum { RECORD, OPEN } kind;
	char *event, *members;
	gint64 seconds;	    /* when, by the clock */
	gint64 since;	    /* and by the one that is never set */
	int fd, previous;   /* OPEN */
	gboolean written;   /* the outcome */
	gboolean abandoned; /* the caller was told already; of the main loop */
	PvsAuditDone done;
	gpointer user;
} Item;

/* Of both, under the mutex. */
static struct {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	GQueue waiting; /* of Item */
	GQueue written;
	guint source;	/* that hands over what was written */
	gboolean begun; /* the thread is past what the C library does at its start */
	gboolean caged;
	gboolean ending;
} shared = {.mutex = PTHREAD_MUTEX_INITIALIZER};

/* Of the thread alone. */
static struct {
	int fd; /* -1: none */
	PvsAuditChain chain;
	gboolean begun;	   /* the file's chain is known, its first line of ours is there */
	gboolean previous; /* the chain came from another file */
	gboolean unsynced;
	gint64 unsynced_since;
	gboolean failing; /* it was said already */
	gboolean always;
} log_ = {.fd = -1};

static pthread_t thread;
static gboolean running;
static GQueue all = G_QUEUE_INIT; /* of Item: records that were not answered; of the main loop */
static guint overdue_timer;

/* ---- the file ---- */

static gboolean failed(const char *what)
{
	/* Once, until it works again: there may be thousands of calls a second. */
	if (!log_.failing)
		pvs_error("the audit log: %s: %s; nothing is done until it can be written", what,
			  strerrordesc_np(errno));
	log_.failing = TRUE;
	return FALSE;
}

static gboolean write_all(const char *data, gsize size)
{
	while (size > 0) {
		ssize_t n = write(log_.fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return FALSE;
		data += n;
		size -= (gsize)n;
	}
	return TRUE;
}

/* All of it or nothing: what was written in part is taken back. */
static gboolean append(const GString *text)
{
	off_t end = lseek(log_.fd, 0, SEEK_END);
	int error;

	if (end < 0)
		return failed("cannot be looked at");
	if (write_all(text->str, text->len)) {
		if (!log_.unsynced)
			log_.unsynced_since = g_get_monotonic_time();
		log_.unsynced = TRUE;
		return TRUE;
	}
	error = errno;
	if (ftruncate(log_.fd, end) < 0) {
		/* Then it is a torn line like any other. */
		log_.begun = FALSE;
	}
	errno = error;
	return failed("cannot be written");
}

static gboolean sync_now(void)
{
	if (!log_.unsynced)
		return TRUE;
	if (fdatasync(log_.fd) < 0)
		return failed("cannot be brought to the disk");
	log_.unsynced = FALSE;
	return TRUE;
}

/* The last bytes of a file; NULL: it cannot be read. */
static GByteArray *tail_of(int fd)
{
	off_t end = lseek(fd, 0, SEEK_END);
	off_t begin = MAX(end - TAIL, 0);
	g_autoptr(GByteArray) tail = g_byte_array_new();

	if (end < 0)
		return NULL;
	g_byte_array_set_size(tail, (guint)(end - begin));
	if (pread(fd, tail->data, tail->len, begin) != (ssize_t)tail->len)
		return NULL;
	return g_steal_pointer(&tail);
}

/* Where the chain of a file is; *@torn: its last line has no end. Lines before the last two are
 * not looked at: that is what "pvsecretctl audit verify" is for. */
static gboolean chain_of(int fd, PvsAuditChain *chain, gboolean *torn)
{
	g_autoptr(GByteArray) tail = tail_of(fd);
	const char *data, *end, *line;
	PvsAuditChain none = {0};

	*chain = none;
	*torn = FALSE;
	if (!tail)
		return FALSE;
	if (tail->len == 0)
		return TRUE;
	data = (const char *)tail->data;
	end = data + tail->len;
	*torn = end[-1] != '\n';
	if (!*torn)
		end--;
	line = memrchr(data, '\n', (gsize)(end - data));
	if (*torn && line) {
		/* The number is that of the line before. */
		const char *before = memrchr(data, '\n', (gsize)(line - data));

		before = before ? before + 1 : data;
		(void)pvs_audit_check(chain, before, (gsize)(line - before));
	}
	line = line ? line + 1 : data;
	if (pvs_audit_check(chain, line, (gsize)(end - line)) == PVS_AUDIT_TORN)
		*torn = TRUE;
	return TRUE;
}

/* The first line of ours in a file: what it follows, or that the last one was torn. */
static gboolean begin(void)
{
	g_autoptr(GString) text = g_string_new(NULL);
	PvsAuditChain chain;
	gboolean torn, ended;

	if (log_.begun)
		return TRUE;
	if (log_.fd < 0)
		return FALSE;
	if (!chain_of(log_.fd, &chain, &torn))
		return failed("cannot be read");
	if (chain.n == 0 && log_.previous)
		chain = log_.chain;
	if (torn) {
		char last = '\0';
		off_t size = lseek(log_.fd, 0, SEEK_END);

		ended = size > 0 && pread(log_.fd, &last, 1, size - 1) == 1 && last == '\n';
		if (!ended)
			g_string_append_c(text, '\n');
	}
	pvs_audit_append(text, &chain, g_get_real_time() / G_USEC_PER_SEC,
			 torn ? "recovered" : "opened", ",\"version\":\"" PACKAGE_VERSION "\"");
	if (!append(text))
		return FALSE;
	log_.chain = chain;
	log_.begun = TRUE;
	return TRUE;
}

static void open_file(Item *item)
{
	gboolean torn;

	if (log_.fd >= 0) {
		sync_now();
		close(log_.fd);
	}
	log_.fd = item->fd;
	log_.begun = log_.unsynced = log_.failing = FALSE;
	log_.previous = item->previous >= 0 && chain_of(item->previous, &log_.chain, &torn);
	if (item->previous >= 0)
		close(item->previous);
	if (flock(log_.fd, LOCK_EX | LOCK_NB) < 0) {
		failed("is another daemon's");
		close(log_.fd);
		log_.fd = -1;
		return;
	}
	if (begin())
		sync_now();
}

/* ---- the thread ---- */

/* The journal has number and hash of each write's last line, which stands for those before. */
static void say(const PvsAuditChain *chain)
{
	g_autofree char *hash = pvs_hex(chain->hash, sizeof chain->hash);

	if (log_.failing)
		pvs_notice("the audit log can be written again");
	log_.failing = FALSE;
	pvs_notice("audit: line %" G_GUINT64_FORMAT " has the SHA-256 %s", chain->n, hash);
}

/* One write for all records that wait, and one sync. */
static void write_records(GQueue *items)
{
	g_autoptr(GString) text = g_string_new(NULL);
	gboolean good = begin();
	PvsAuditChain chain = log_.chain;

	for (GList *l = items->head; good && l; l = l->next) {
		const Item *item = l->data;

		pvs_audit_append(text, &chain, item->seconds, item->event, item->members);
	}
	good = good && append(text);
	if (good)
		log_.chain = chain;
	good = good && (!log_.always || sync_now());
	if (good)
		say(&chain);
	for (GList *l = items->head; l; l = l->next)
		((Item *)l->data)->written = good;
}

static gboolean hand_over(gpointer data);

/* Waits for something to do; FALSE: nothing came, and it is time to sync. */
static gboolean wait_for_work(void)
{
	while (g_queue_is_empty(&shared.waiting) && !shared.ending) {
		struct timespec until;
		gint64 at = log_.unsynced_since + SYNC_AFTER;

		if (!log_.unsynced) {
			pthread_cond_wait(&shared.changed, &shared.mutex);
			continue;
		}
		until.tv_sec = at / G_USEC_PER_SEC;
		until.tv_nsec = (at % G_USEC_PER_SEC) * 1000;
		if (pthread_cond_timedwait(&shared.changed, &shared.mutex, &until) == ETIMEDOUT)
			return FALSE;
	}
	return TRUE;
}

static void *run(void *data G_GNUC_UNUSED)
{
	gboolean caged = role_enter_thread(NULL);

	pthread_mutex_lock(&shared.mutex);
	shared.begun = TRUE;
	shared.caged = caged;
	pthread_cond_broadcast(&shared.changed);
	pthread_mutex_unlock(&shared.mutex);
	for (;;) {
		GQueue records = G_QUEUE_INIT;
		Item *opening = NULL;
		gboolean work, end;

		pthread_mutex_lock(&shared.mutex);
		work = wait_for_work();
		while (!g_queue_is_empty(&shared.waiting) && !opening) {
			Item *item = g_queue_pop_head(&shared.waiting);

			if (item->kind == OPEN)
				opening = item;
			else
				g_queue_push_tail(&records, item);
		}
		end = shared.ending && g_queue_is_empty(&shared.waiting) && !opening;
		pthread_mutex_unlock(&shared.mutex);

		if (!g_queue_is_empty(&records))
			write_records(&records);
		if (opening) {
			open_file(opening);
			g_free(opening);
		}
		if (!work ||
		    (log_.unsynced && g_get_monotonic_time() - log_.unsynced_since > SYNC_AFTER))
			sync_now();

		pthread_mutex_lock(&shared.mutex);
		while (!g_queue_is_empty(&records))
			g_queue_push_tail(&shared.written, g_queue_pop_head(&records));
		if (!g_queue_is_empty(&shared.written) && !shared.source)
			shared.source = g_idle_add_full(G_PRIORITY_DEFAULT, hand_over, NULL, NULL);
		pthread_mutex_unlock(&shared.mutex);
		if (end) {
			sync_now();
			return NULL;
		}
	}
}

/* ---- the main loop's side ---- */

static void item_free(Item *item)
{
	g_free(item->event);
	g_free(item->members);
	g_free(item);
}

static gboolean hand_over(gpointer data G_GNUC_UNUSED)
{
	GQueue written;
	Item *item;

	pthread_mutex_lock(&shared.mutex);
	written = shared.written;
	g_queue_init(&shared.written);
	shared.source = 0;
	pthread_mutex_unlock(&shared.mutex);
	while ((item = g_queue_pop_head(&written))) {
		g_queue_remove(&all, item);
		if (!item->abandoned)
			item->done(item->written, item->user);
		item_free(item);
	}
	return G_SOURCE_REMOVE;
}

/* The disk does not answer. The record may yet be written, of a call that then failed. */
static gboolean on_overdue(gpointer data G_GNUC_UNUSED)
{
	gint64 now = g_get_monotonic_time();

	for (GList *l = all.head, *next; l; l = next) {
		Item *item = l->data;

		next = l->next;
		if (item->abandoned || now - item->since < WAIT_MAX)
			continue;
		item->abandoned = TRUE;
		item->done(FALSE, item->user);
	}
	if (!g_queue_is_empty(&all))
		return G_SOURCE_CONTINUE;
	overdue_timer = 0;
	return G_SOURCE_REMOVE;
}

static void give(Item *item)
{
	pthread_mutex_lock(&shared.mutex);
	g_queue_push_tail(&shared.waiting, item);
	pthread_cond_signal(&shared.changed);
	pthread_mutex_unlock(&shared.mutex);
}

gboolean pvs_audit_start(gboolean always, GError **error)
{
	pthread_attr_t attributes;
	pthread_condattr_t clock;
	int status;

	log_.always = always;
	shared.ending = FALSE;
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&shared.changed, &clock);
	pthread_condattr_destroy(&clock);
	status = pthread_attr_init(&attributes);
	if (status == 0)
		status = pthread_attr_setstacksize(&attributes, STACK_SIZE);
	if (status == 0)
		status = pthread_create(&thread, &attributes, run, NULL);
	if (status != 0) {
		g_set_error(error, PVS_ERROR, PVS_ERROR_SYSTEM,
			    "cannot start the thread that writes the audit log: %s",
			    g_strerror(status));
		return FALSE;
	}
	pthread_attr_destroy(&attributes);
	/* What a thread's start asks of the kernel the cage forbids. */
	pthread_mutex_lock(&shared.mutex);
	while (!shared.begun)
		pthread_cond_wait(&shared.changed, &shared.mutex);
	pthread_mutex_unlock(&shared.mutex);
	running = TRUE;
	if (!shared.caged) {
		g_set_error_literal(error, PVS_ERROR, PVS_ERROR_SYSTEM,
				    "the thread that writes the audit log cannot be confined");
		return FALSE;
	}
	return TRUE;
}

void pvs_audit_open(int fd, int previous)
{
	Item *item = g_new0(Item, 1);

	item->kind = OPEN;
	item->fd = fd;
	item->previous = previous;
	give(item);
}

void pvs_audit_write(const char *event, const GString *members, PvsAuditDone done, gpointer user)
{
	Item *item = g_new0(Item, 1);

	item->event = g_strdup(event);
	item->members = g_strndup(members->str, members->len);
	item->seconds = g_get_real_time() / G_USEC_PER_SEC;
	item->since = g_get_monotonic_time();
	item->done = done;
	item->user = user;
	g_queue_push_tail(&all, item);
	if (!overdue_timer)
		overdue_timer = g_timeout_add(500, on_overdue, NULL);
	give(item);
}

void pvs_audit_stop(void)
{
	if (!running)
		return;
	pthread_mutex_lock(&shared.mutex);
	shared.ending = TRUE;
	pthread_cond_signal(&shared.changed);
	pthread_mutex_unlock(&shared.mutex);
	pthread_join(thread, NULL);
	running = FALSE;
	g_clear_handle_id(&overdue_timer, g_source_remove);
	g_clear_handle_id(&shared.source, g_source_remove);
	/* Who asked hears of what is on record: else it would be asked, and recorded, again. */
	hand_over(NULL);
}
