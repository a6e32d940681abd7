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
#include "daemon/vault/audit-tail.h"
#include "policy/cage.h"
#include "protocol/audit.h"
#include "protocol/encoding.h"
#include "protocol/error.h"

enum {
	STACK_SIZE = 256 * 1024,
	WAIT_MAX = 5 * G_USEC_PER_SEC, /* for a record */
	SYNC_AFTER = G_USEC_PER_SEC,   /* a write, or a sync that failed */
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

/* What can fail, one without the other. */
typedef enum { WRITE, SYNC } Act;

static const struct {
	const char *meanwhile, *again;
} acts[] = {
	[WRITE] = {"nothing is done until it can be written", "the audit log can be written again"},
	[SYNC] = {"nothing is done until it can be, and a loss of power may take records with it "
		  "that were written since the last time",
		  "the audit log can be brought to the disk again"},
};

/* Of the thread alone. */
static struct {
	int fd; /* -1: none */
	PvsAuditChain chain;
	guint64 said;	      /* number of the line that the journal has */
	PvsAuditChain before; /* where it was when this file began */
	gboolean begun;	      /* the file's chain is known, its first line of ours is there */
	gboolean unsynced;    /* what was written is not on the disk */
	gint64 sync_at;	      /* when the disk is asked next */
	gboolean failing[2];  /* by Act: it was said already */
	gboolean locked;
	gboolean always;
} log_ = {.fd = -1};

static pthread_t thread;
static gboolean running;
static GQueue all = G_QUEUE_INIT; /* of Item: records that were not answered; of the main loop */
static guint overdue_timer;

/* ---- the file ---- */

static gboolean failed(Act act, const char *what)
{
	/* Once, until it works again: there may be thousands of calls a second. */
	if (!log_.failing[act])
		pvs_error("the audit log: %s: %s; %s", what, strerrordesc_np(errno),
			  acts[act].meanwhile);
	log_.failing[act] = TRUE;
	return FALSE;
}

static gboolean worked(Act act)
{
	if (log_.failing[act])
		pvs_notice("%s", acts[act].again);
	log_.failing[act] = FALSE;
	return TRUE;
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
		return failed(WRITE, "cannot be looked at");
	if (write_all(text->str, text->len)) {
		if (!log_.unsynced)
			log_.sync_at = g_get_monotonic_time() + SYNC_AFTER;
		log_.unsynced = TRUE;
		return worked(WRITE);
	}
	error = errno;
	if (ftruncate(log_.fd, end) < 0) {
		/* Then it is a torn line like any other. */
		log_.begun = FALSE;
	}
	errno = error;
	return failed(WRITE, "cannot be written");
}

static gboolean sync_now(void)
{
	if (!log_.unsynced)
		return TRUE;
	if (fdatasync(log_.fd) < 0) {
		/* The kernel may have given up what it could not write, and says so this once: the
		 * next success is one for what was written since. So who waits for this one fails,
		 * and the log says what may be lost. */
		log_.sync_at = g_get_monotonic_time() + SYNC_AFTER;
		return failed(SYNC, "cannot be brought to the disk");
	}
	log_.unsynced = FALSE;
	return worked(SYNC);
}

/* The first line of ours in a file: what it follows, or that the last one was torn. */
static gboolean begin(void)
{
	g_autoptr(GString) text = g_string_new(NULL);
	PvsAuditChain chain = log_.before;
	gboolean ended;

	if (log_.begun)
		return TRUE;
	if (log_.fd < 0)
		return FALSE;
	/* Another daemon may end, and will have written until then. */
	if (!log_.locked && flock(log_.fd, LOCK_EX | LOCK_NB) < 0)
		return failed(WRITE, "is another daemon's");
	log_.locked = TRUE;
	if (!pvs_audit_tail(log_.fd, &chain, &ended))
		return failed(WRITE, "cannot be read");
	if (!ended)
		g_string_append_c(text, '\n');
	/* A file before this one may have been torn as well. */
	pvs_audit_append(text, &chain, g_get_real_time() / G_USEC_PER_SEC,
			 chain.torn || !ended ? "recovered" : "opened",
			 ",\"version\":\"" PACKAGE_VERSION "\"");
	if (!append(text))
		return FALSE;
	log_.chain = chain;
	log_.begun = TRUE;
	return TRUE;
}

/* The journal has number and hash of each write's last line, which stands for those before. */
static void say(void)
{
	g_autofree char *hash = pvs_hex(log_.chain.hash, sizeof log_.chain.hash);

	if (log_.chain.n == log_.said)
		return;
	log_.said = log_.chain.n;
	pvs_notice("audit: line %" G_GUINT64_FORMAT " has the SHA-256 %s", log_.chain.n, hash);
}

static void open_file(const Item *item)
{
	PvsAuditChain none = {.n = 0};
	gboolean ended;

	if (log_.fd >= 0) {
		sync_now();
		close(log_.fd);
	}
	log_.fd = item->fd;
	log_.begun = log_.unsynced = log_.locked = FALSE;
	log_.failing[WRITE] = log_.failing[SYNC] = FALSE;
	log_.said = 0;
	log_.before = none;
	if (item->previous >= 0) {
		(void)pvs_audit_tail(item->previous, &log_.before, &ended);
		close(item->previous);
	}
	if (begin() && sync_now())
		say();
}

/* ---- the thread ---- */

/* Does a record count only when it is on the disk? If so configured; and once the disk has failed,
 * until it works: that a record "will be there within a second" is no longer true then. */
static gboolean waits_for_disk(void)
{
	return log_.always || log_.failing[SYNC];
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
	good = good && (!waits_for_disk() || sync_now());
	if (good)
		say();
	for (GList *l = items->head; l; l = l->next)
		((Item *)l->data)->written = good;
}

static gboolean hand_over(gpointer data);

/* A disk that has failed is asked once a second and not for each call: these wait for it together,
 * so that they are done if it works. Not at the end, when nobody waits for much longer. */
static gboolean may_take(void)
{
	if (shared.ending)
		return TRUE;
	return !g_queue_is_empty(&shared.waiting) && !(log_.unsynced && log_.failing[SYNC]);
}

static gboolean is_sync_due(void)
{
	return log_.unsynced && g_get_monotonic_time() >= log_.sync_at;
}

/* For items, or until the disk is to be asked. */
static void wait_for_work(void)
{
	while (!may_take() && !is_sync_due()) {
		const struct timespec until = {
			.tv_sec = log_.sync_at / G_USEC_PER_SEC,
			.tv_nsec = (log_.sync_at % G_USEC_PER_SEC) * 1000,
		};

		if (log_.unsynced)
			pthread_cond_timedwait(&shared.changed, &shared.mutex, &until);
		else
			pthread_cond_wait(&shared.changed, &shared.mutex);
	}
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
		gboolean end;

		pthread_mutex_lock(&shared.mutex);
		wait_for_work();
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
		/* Lines that a sync has failed for were not said yet. */
		if (is_sync_due() && sync_now())
			say();

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
	shared.ending = shared.begun = FALSE;
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
