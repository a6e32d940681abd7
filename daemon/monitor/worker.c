/* SPDX-License-Identifier: MIT */
/*
 * worker.c - one child process of the monitor
 */
#include "daemon/monitor/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/log.h"
#include "daemon/role.h"
#include "protocol/bodies.h"
#include "protocol/error.h"

struct PvsWorker {
	PvsRole role;
	pid_t pid;
	PvsChannel *channel; /* NULL once it is closed */
	gboolean ready;
	gboolean failed;
	gboolean stopping; /* told to end */
	gboolean pinged;   /* and has not answered yet */
	guint overdue;	   /* rounds in a row at which it owed an answer, or its end */
	gint64 started;
	const PvsWorkerEvents *events;
	gpointer user;
	PvsHandlerRow *rows;
};

enum {
	OVERDUE_MAX = 2, /* one may have been asked a moment ago, or the machine was held */
	LOAD_MAX = 60 * G_USEC_PER_SEC, /* no store within its limits takes nearly as long */
};

static int self_fd = -1;
static int null_fd =
	-1;	       /* a child that had to open it would need a descriptor more than there is */
static GList *workers; /* of PvsWorker: those whose process was not collected yet */

/* Not where a child's channel has to go; and the number stays. */
static int open_high(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);
	int high = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 10);

	if (fd >= 0)
		close(fd);
	return high;
}

/* fcntl(2) has EINVAL for a number that the limit forbids. */
static int no_descriptor(GError **error, const char *what)
{
	g_set_error(error, PVS_ERROR, PVS_ERROR_SYSTEM, "cannot open %s: %s%s", what,
		    g_strerror(errno),
		    errno == EINVAL || errno == EMFILE
			    ? "; raise the number of descriptors: LimitNOFILE= of "
			      "pvsecretd.service (ulimit -n, where it is not started by systemd)"
			    : "");
	return -1;
}

int pvs_worker_init(GError **error)
{
	null_fd = open_high("/dev/null", O_RDWR);
	if (null_fd < 0)
		return no_descriptor(error, "/dev/null");
	/* The cage knows the number. */
	self_fd = open_high("/proc/self/exe", O_PATH);
	return self_fd < 0 ? no_descriptor(error, "the running binary") : self_fd;
}

/* In the child, between fork and exec: only what is safe there. The monitor has no threads, so the
 * child's memory is whole. */
static void G_GNUC_NORETURN become(PvsRole role, int channel)
{
	static char front[] = "--role=front", trust[] = "--role=trust", vault[] = "--role=vault";
	static char name[] = "pvsecretd";
	char *argument = role == PVS_ROLE_FRONT ? front : role == PVS_ROLE_TRUST ? trust : vault;
	char *argv[] = {name, argument, NULL};
	char *envp[] = {NULL};
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(null_fd, 0) < 0 || dup2(null_fd, 1) < 0)
		_exit(71);
	if (channel == PVS_CHANNEL_FD) {
		if (fcntl(channel, F_SETFD, 0) < 0)
			_exit(71);
	} else if (dup2(channel, PVS_CHANNEL_FD) < 0) {
		_exit(71);
	}
	/* All that is above the channel is closed by exec at the latest; a descriptor that somebody
	 * opened without O_CLOEXEC must not get through either. */
	if (close_range(PVS_CHANNEL_FD + 1, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		_exit(71);
	syscall(SYS_execveat, self_fd, "", argv, envp, AT_EMPTY_PATH);
	_exit(71);
}

static gboolean on_ready(PvsChannel *channel G_GNUC_UNUSED, PvsMessage *message, gpointer user)
{
	PvsWorker *worker = user;

	if (!pvs_reader_end(&message->body) || worker->ready || worker->failed)
		return FALSE;
	worker->ready = TRUE;
	worker->events->ready(worker, worker->user);
	return TRUE;
}

static gboolean on_failed(PvsChannel *channel, PvsMessage *message, gpointer user)
{
	PvsWorker *worker = user;
	g_auto(PvsFailed) body = {.text = NULL};

	if (!pvs_body_get(&message->body, pvs_failed_fields, &body) || worker->ready ||
	    worker->failed)
		return FALSE;
	worker->failed = TRUE;
	worker->events->failed(worker, body.text ? body.text : "no reason given", body.config,
			       worker->user);
	pvs_channel_close(channel);
	return TRUE;
}

static gboolean on_pong(PvsChannel *channel G_GNUC_UNUSED, PvsMessage *message, gpointer user)
{
	PvsWorker *worker = user;

	/* One that could answer beforehand would not be found out when it reads nothing. */
	if (!pvs_reader_end(&message->body) || !worker->pinged)
		return FALSE;
	worker->pinged = FALSE;
	worker->overdue = 0;
	return TRUE;
}

/* The channel's end is not the worker's: that is known when its process was collected. A worker
 * that closed its channel or sent rubbish and lives on is of no use to anybody. */
static void on_closed(PvsChannel *channel, gboolean broken, gpointer user)
{
	PvsWorker *worker = user;

	if (broken)
		pvs_worker_condemn(worker, "sent what it may not send");
	else if (!(worker->failed || worker->stopping))
		pvs_worker_kill(worker);
	pvs_channel_free(channel);
	worker->channel = NULL;
}

static PvsHandlerRow *all_rows(const PvsHandlerRow *own)
{
	static const PvsHandlerRow common[] = {
		{PVS_MESSAGE_READY, on_ready},
		{PVS_MESSAGE_FAILED, on_failed},
		{PVS_MESSAGE_PONG, on_pong},
	};
	guint n = 0;
	PvsHandlerRow *rows;

	while (own && own[n].type)
		n++;
	rows = g_new0(PvsHandlerRow, n + G_N_ELEMENTS(common) + 1);
	memcpy(rows, common, sizeof common);
	if (n > 0)
		memcpy(rows + G_N_ELEMENTS(common), own, n * sizeof *own);
	return rows;
}

PvsWorker *pvs_worker_new(PvsRole role, const PvsField *fields, gconstpointer start,
			  const PvsWorkerEvents *events, gpointer user, GError **error)
{
	int pair[2];
	PvsWorker *worker;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0) {
		g_set_error(error, PVS_ERROR, PVS_ERROR_SYSTEM, "cannot make a channel: %s",
			    g_strerror(errno));
		return NULL;
	}
	pid = fork();
	if (pid == 0)
		become(role, pair[1]);
	close(pair[1]);
	if (pid < 0) {
		g_set_error(error, PVS_ERROR, PVS_ERROR_SYSTEM, "cannot start the %s: %s",
			    pvs_role_name(role), g_strerror(errno));
		close(pair[0]);
		return NULL;
	}
	worker = g_new0(PvsWorker, 1);
	worker->role = role;
	worker->pid = pid;
	worker->started = g_get_monotonic_time();
	worker->events = events;
	worker->user = user;
	worker->rows = all_rows(events->rows);
	worker->channel =
		pvs_channel_new(pair[0], PVS_ROLE_MONITOR, role, worker->rows, on_closed, worker);
	workers = g_list_prepend(workers, worker);
	pvs_worker_send(worker, PVS_MESSAGE_START, fields, start, NULL);
	return worker;
}

void pvs_worker_free(PvsWorker *worker)
{
	if (!worker)
		return;
	g_assert(worker->pid == 0);
	pvs_channel_free(worker->channel);
	g_free(worker->rows);
	g_free(worker);
}

gpointer pvs_worker_user(const PvsWorker *worker)
{
	return worker->user;
}

PvsRole pvs_worker_role(const PvsWorker *worker)
{
	return worker->role;
}

pid_t pvs_worker_pid(const PvsWorker *worker)
{
	return worker->pid;
}

gint64 pvs_worker_started(const PvsWorker *worker)
{
	return worker->started;
}

gboolean pvs_worker_is_ready(const PvsWorker *worker)
{
	return worker->ready;
}

gboolean pvs_worker_failed(const PvsWorker *worker)
{
	return worker->failed;
}

gboolean pvs_worker_pinged(const PvsWorker *worker)
{
	return worker->pinged;
}

gboolean pvs_worker_send(PvsWorker *worker, PvsMessageType type, const PvsField *fields,
			 gconstpointer body, const int *fds)
{
	g_auto(PvsWriter) w = pvs_writer();

	if (!worker->channel)
		return TRUE;
	if (fields)
		pvs_body_put(&w, fields, body);
	return pvs_channel_send(worker->channel, type, 0, &w, fds);
}

void pvs_worker_answer(PvsWorker *worker, PvsMessageType type, guint64 call, const PvsField *fields,
		       gconstpointer body)
{
	g_auto(PvsWriter) w = pvs_writer();

	if (!worker->channel)
		return;
	pvs_body_put(&w, fields, body);
	pvs_channel_send(worker->channel, type, call, &w, NULL);
}

void pvs_worker_hear(PvsWorker *worker)
{
	if (worker->channel)
		pvs_channel_drain(worker->channel);
}

void pvs_worker_stop(PvsWorker *worker)
{
	worker->stopping = TRUE;
	if (worker->channel)
		pvs_channel_close(worker->channel);
}

void pvs_worker_kill(PvsWorker *worker)
{
	if (worker->pid > 0)
		kill(worker->pid, SIGKILL);
}

void pvs_worker_condemn(PvsWorker *worker, const char *what)
{
	if (worker->pid <= 0)
		return;
	pvs_error("the %s (pid %d) %s; it is killed", pvs_role_name(worker->role), (int)worker->pid,
		  what);
	pvs_worker_kill(worker);
	if (worker->channel)
		pvs_channel_close(worker->channel);
}

gsize pvs_worker_unread(const PvsWorker *worker, guint *fds)
{
	*fds = worker->channel ? pvs_channel_pending_fds(worker->channel) : 0;
	return worker->channel ? pvs_channel_pending(worker->channel) : 0;
}

static PvsWorker *find(pid_t pid)
{
	for (GList *l = workers; l; l = l->next)
		if (((PvsWorker *)l->data)->pid == pid)
			return l->data;
	return NULL;
}

char *pvs_worker_end(int status)
{
	const char *name = WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status)) : NULL;

	if (!WIFSIGNALED(status))
		return g_strdup_printf("exit status %d", WEXITSTATUS(status));
	if (!name)
		return g_strdup_printf("signal %d", WTERMSIG(status));
	if (WTERMSIG(status) == SIGSYS)
		return g_strdup("SIGSYS: a system call that its cage forbids; the kernel's log has "
				"its number");
	return g_strdup_printf("SIG%s%s", name, WCOREDUMP(status) ? ", core dumped" : "");
}

void pvs_worker_reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		PvsWorker *worker = find(pid);

		if (!worker)
			continue;
		workers = g_list_remove(workers, worker);
		worker->pid = 0;
		/* What it said before its end counts as said before it: a front that was ready,
		 * say, died by its user's doing and not while it was loading. */
		pvs_worker_hear(worker);
		worker->events->died(worker, status, worker->user);
	}
}

/* TRUE if it has owed something for too long: to load, to end, to answer. It may be stopped, or in
 * a loop; SIGKILL ends it either way, and what is done about a death is done. */
static gboolean is_overdue(PvsWorker *worker)
{
	if (worker->failed || worker->stopping || !worker->channel || worker->pinged)
		return ++worker->overdue >= OVERDUE_MAX;
	return !worker->ready && g_get_monotonic_time() - worker->started > LOAD_MAX;
}

gboolean pvs_worker_ping_all(void)
{
	gboolean all = TRUE;

	for (GList *l = workers; l; l = l->next) {
		PvsWorker *worker = l->data;

		if (is_overdue(worker))
			pvs_worker_condemn(worker, "does not answer");
		/* A user who has one front after the other fall silent would have the watchdog end
		 * the daemon for everybody. */
		if (worker->pinged && worker->role != PVS_ROLE_FRONT)
			all = FALSE;
		if (!worker->ready || !worker->channel || worker->stopping || worker->pinged)
			continue;
		worker->pinged = TRUE;
		pvs_channel_send(worker->channel, PVS_MESSAGE_PING, 0, NULL, NULL);
	}
	return all;
}

void pvs_worker_foreach(void (*each)(PvsWorker *worker, gpointer user), gpointer user)
{
	for (GList *l = workers; l; l = l->next)
		each(l->data, user);
}
