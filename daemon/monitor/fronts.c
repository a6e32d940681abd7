/* SPDX-License-Identifier: MIT */
/*
 * fronts.c - one front for each client identity, and its connections
 */
#include "daemon/monitor/fronts.h"

#include <sys/resource.h>
#include <unistd.h>

#include "daemon/log.h"
#include "daemon/monitor/pair.h"
#include "daemon/monitor/penalties.h"
#include "policy/access.h"
#include "protocol/bodies.h"

enum {
	FRONTS_PER_UID = 4,   /* identities of one user (newgrp(1) makes more) */
	FRONTS_MAX = 512,     /* in all; trust and the vault have a channel for each */
	OWN_DESCRIPTORS = 32, /* of the monitor or a front, besides those below */
	PER_FRONT = 4,	      /* descriptors of the monitor's, while it starts one */
	HOPELESS = 5,	      /* deaths in a row of warm fronts that had not loaded */
	HOPE_SEC = 60,	      /* for so long, where one had loaded before */
	REST = 50,	      /* milliseconds, after one that could not start or load */
	/* Bytes that a front may leave unread: the rules of a few swaps, and an answer to each call
	 * that it can have. */
	UNREAD_MAX = 4 * PVS_MIB,
	UNREAD_FDS =
		32, /* descriptors, besides one for each of its connections: channels of swaps */
	LOG_PAUSE_SEC = 10, /* between two lines of one kind */
};

typedef struct {
	PvsIdentity *identity; /* NULL: the warm front */
	PvsWorker *worker;     /* NULL once its process has ended */
	guint number;	       /* of its channels to the pair; 0: it has none */
	guint connections;
	guint idle_timer; /* runs while there is no connection */
	gboolean holding; /* was told to hold and has not said HELD */
	guint holds;	  /* how often it was told and has not answered: it need not, once it has a
			     new pair */
	gboolean stopped; /* was told to end: gets no more connections */
	gint64 idle_since;
} Front;

static const PvsFrontsEvents *events;
static const PvsConfig *config;
static GPtrArray *fronts; /* of Front */
static Front *warm;
static guint last_number;
static guint connections;
static guint deaths;
static guint deaths_in_a_row;
static gint64 row_began;
static gboolean one_loaded; /* since the daemon started */
static guint rest;	    /* while it runs no front is started */
static gboolean waiting_for_held;
static gboolean stopping; /* no new fronts */
static gint64 started;
static guint descriptors; /* that a process of the daemon may have */

static gboolean on_closed(PvsChannel *channel, PvsMessage *message, gpointer user);
static gboolean on_held(PvsChannel *channel, PvsMessage *message, gpointer user);
static gboolean on_workers(PvsChannel *channel, PvsMessage *message, gpointer user);
static void on_ready(PvsWorker *worker, gpointer user);
static void on_failed(PvsWorker *worker, const char *text, gboolean config_fault, gpointer user);
static void on_died(PvsWorker *worker, int status, gpointer user);

static const PvsHandlerRow rows[] = {
	{PVS_MESSAGE_CLOSED, on_closed},
	{PVS_MESSAGE_HELD, on_held},
	{PVS_MESSAGE_WORKERS, on_workers},
	{0, NULL},
};

static const PvsWorkerEvents worker_events = {on_ready, on_failed, on_died, rows};

void pvs_fronts_init(const PvsFrontsEvents *fronts_events, const PvsConfig *fronts_config)
{
	struct rlimit limit;

	events = fronts_events;
	config = fronts_config;
	fronts = g_ptr_array_new();
	started = g_get_monotonic_time();
	/* The least there can be, where the kernel does not say. */
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		limit.rlim_cur = 0;
	descriptors = (guint)CLAMP(limit.rlim_cur, 2 * OWN_DESCRIPTORS, G_MAXINT);
}

/* What is left to clients. A front that had a connection too many could not even be told of it. */
static guint room(guint of_each)
{
	return (descriptors - OWN_DESCRIPTORS) / of_each;
}

static guint fronts_max(void)
{
	return MIN(FRONTS_MAX, room(PER_FRONT));
}

static guint connections_per_user(void)
{
	guint limit = MIN(config->connections_per_user, MAX(config->connections * 3 / 4, 1));

	return MIN(limit, room(1));
}

void pvs_fronts_configure(const PvsConfig *fronts_config)
{
	config = fronts_config;
}

/* Six lines of one kind a minute at the most, however hard somebody tries. */
static gboolean may_log(gint64 *last)
{
	gint64 now = g_get_monotonic_time();

	if (*last && now - *last < LOG_PAUSE_SEC * G_USEC_PER_SEC)
		return FALSE;
	*last = now;
	return TRUE;
}

static gboolean on_rested(gpointer data G_GNUC_UNUSED)
{
	rest = 0;
	pvs_fronts_warm_up();
	return G_SOURCE_REMOVE;
}

/* What is short (descriptors, memory, processes) is not there sooner for being asked for without
 * a pause. */
static void take_rest(void)
{
	if (!rest && !stopping)
		rest = g_timeout_add(REST, on_rested, NULL);
}

/* NULL if none can be started now: those who connect meanwhile are closed. */
static Front *front_new(void)
{
	static gint64 last;
	g_autoptr(GError) error = NULL;
	PvsFrontStart start = {
		.max_host_keys = config->max_host_keys,
		.calls = MIN(config->calls_per_user, MAX(config->calls * 3 / 4, 1)),
		.message_size = config->message_size,
		.depth = config->depth,
		.tokens = config->tokens,
		.batch_size = config->batch_size,
		.receive_sec = config->receive_sec,
		.reply_sec = config->reply_sec,
		.idle_sec = config->idle_sec,
		.started = started,
	};
	Front *front;

	if (rest)
		return NULL;
	front = g_new0(Front, 1);
	front->worker = pvs_worker_new(PVS_ROLE_FRONT, pvs_front_start_fields, &start,
				       &worker_events, front, &error);
	if (!front->worker) {
		if (may_log(&last))
			pvs_error("%s", error->message);
		g_free(front);
		take_rest();
		return NULL;
	}
	g_ptr_array_add(fronts, front);
	return front;
}

/* A front reads whatever its client does. One that does not, and goes on asking, or says of
 * connections that it never took that they have ended, would have the monitor's memory and
 * descriptors for itself, and so would end the daemon for everybody. */
static void look_whether_it_reads(Front *front)
{
	guint fds;

	if (pvs_worker_unread(front->worker, &fds) > UNREAD_MAX ||
	    fds > front->connections + UNREAD_FDS)
		pvs_worker_condemn(front->worker, "does not read what it is sent");
}

/* FALSE as pvs_worker_send(). */
static gboolean tell(Front *front, PvsMessageType type, const PvsField *fields, gconstpointer body,
		     const int *fds)
{
	gboolean sent = pvs_worker_send(front->worker, type, fields, body, fds);

	look_whether_it_reads(front);
	return sent;
}

void pvs_fronts_warm_up(void)
{
	if (!warm)
		warm = front_new();
}

gboolean pvs_fronts_is_warm(void)
{
	return warm && pvs_worker_is_ready(warm->worker);
}

/* Whose it is and what that one may do. Before everything else that the front could serve with. */
static void give_access(Front *front)
{
	const PvsIdentity *identity = front->identity;
	const PvsList rules = {.items = config->rules->data, .n = config->rules->len};
	PvsAccessIs body = {
		.identity = {.uid = identity->uid,
			     .gid = identity->gid,
			     .groups = {.items = identity->groups, .n = identity->n_groups}},
	};
	g_autoptr(PvsAccess) access = pvs_access_new(&rules, &body.identity);
	PvsAccessRule *lent = pvs_list_init(&body.rules, PvsAccessRule, pvs_access_size(access));

	for (guint i = 0; i < body.rules.n; i++) {
		lent[i] = *pvs_access_nth(access, i);
		lent[i].place = NULL;
	}
	tell(front, PVS_MESSAGE_ACCESS, pvs_access_is_fields, &body, NULL);
	g_free(body.rules.items);
}

/* Its channels to trust and the vault, whose it is being told to both. A front without them would
 * take calls that nobody answers. */
static void give_peers(Front *front)
{
	static gint64 last;
	g_autoptr(GError) error = NULL;
	PvsPeers peers = {.generation = pvs_pair_generation()};
	gboolean sent = FALSE;
	int fds[2];

	/* A new number each time: the pair may still know the front by the one before. */
	front->number = ++last_number;
	if (pvs_pair_connect(front->number, front->identity, &fds[0], &fds[1], &error)) {
		sent = tell(front, PVS_MESSAGE_PEERS, pvs_peers_fields, &peers, fds);
		close(fds[0]);
		close(fds[1]);
	}
	if (sent)
		return;
	if (may_log(&last))
		pvs_error("%s", error ? error->message
				      : "as many descriptors are on their way to processes for "
					"clients as LimitNOFILE= allows");
	/* That is the monitor's trouble, and nothing that its user is charged with. */
	front->stopped = TRUE;
	pvs_worker_kill(front->worker);
	take_rest();
}

static gboolean usable(const Front *front)
{
	return front->identity && front->worker && !front->stopped;
}

static Front *find(const PvsIdentity *identity, guint *n_fronts, guint *n_connections)
{
	Front *found = NULL;

	*n_fronts = 0;
	*n_connections = 0;
	for (guint i = 0; i < fronts->len; i++) {
		Front *front = fronts->pdata[i];

		if (!front->identity || front->identity->uid != identity->uid)
			continue;
		*n_connections += front->connections;
		if (!usable(front))
			continue;
		(*n_fronts)++;
		if (pvs_identity_equal(front->identity, identity))
			found = front;
	}
	return found;
}

static void refuse(int fd, const PvsIdentity *identity, const char *rule, guint limit)
{
	static gint64 last;

	close(fd);
	if (may_log(&last))
		pvs_warning("a connection of uid %u was closed: %s (%u)", identity->uid, rule,
			    limit);
}

/* Ends the front that has had no connection for the longest time. */
static void make_room(void)
{
	Front *oldest = NULL;

	for (guint i = 0; i < fronts->len; i++) {
		Front *front = fronts->pdata[i];

		if (usable(front) && front->idle_timer &&
		    (!oldest || front->idle_since < oldest->idle_since))
			oldest = front;
	}
	if (!oldest)
		return;
	g_clear_handle_id(&oldest->idle_timer, g_source_remove);
	oldest->stopped = TRUE;
	pvs_worker_stop(oldest->worker);
}

static Front *take_warm(PvsIdentity *identity)
{
	Front *front = warm;

	if (!front)
		front = front_new();
	warm = NULL;
	if (!front)
		return NULL;
	front->identity = identity;
	give_access(front);
	if (pvs_pair_exists())
		give_peers(front);
	pvs_fronts_warm_up();
	return front;
}

/* TRUE if there is room for one more connection of the identity; else @fd was closed. @front is
 * the one that it has. */
static gboolean admit(int fd, const PvsIdentity *identity, Front *front, guint n_fronts,
		      guint of_uid)
{
	if (pvs_penalties_paused(identity->uid, g_get_monotonic_time()))
		/* Was said when it began. */
		close(fd);
	else if (connections >= config->connections)
		refuse(fd, identity, "the daemon serves no more (Connections=)",
		       config->connections);
	else if (of_uid >= connections_per_user())
		refuse(fd, identity,
		       "this user has as many as he may (ConnectionsPerUser=, three quarters of "
		       "Connections=, or what LimitNOFILE= leaves)",
		       connections_per_user());
	else if (!front && n_fronts >= FRONTS_PER_UID)
		refuse(fd, identity, "this user has come with too many sets of groups",
		       FRONTS_PER_UID);
	else if (!front && fronts->len >= fronts_max())
		refuse(fd, identity, "there are too many processes for clients", fronts->len);
	else
		return TRUE;
	return FALSE;
}

static gboolean on_idle(gpointer data)
{
	Front *front = data;

	front->idle_timer = 0;
	front->stopped = TRUE;
	pvs_worker_stop(front->worker);
	return G_SOURCE_REMOVE;
}

/* One without a connection ends after a while, or makes room for somebody. */
static void rest_if_unused(Front *front)
{
	front->idle_since = g_get_monotonic_time();
	if (front->connections == 0 && !front->idle_timer)
		front->idle_timer = g_timeout_add_seconds(config->idle_sec, on_idle, front);
}

void pvs_fronts_connection(int fd, PvsIdentity *taken)
{
	g_autoptr(PvsIdentity) identity = taken;
	const PvsCaller body = {.pid = taken->pid};
	guint n_fronts, of_uid;
	Front *front = find(identity, &n_fronts, &of_uid);

	if (!front && fronts->len + 1 >= fronts_max())
		make_room();
	if (!admit(fd, identity, front, n_fronts, of_uid))
		return;
	if (!front)
		front = take_warm(g_steal_pointer(&identity));
	if (!front) {
		close(fd);
		return;
	}
	/* Not counted before: nobody would say of one that was not sent that it has ended. */
	if (pvs_worker_send(front->worker, PVS_MESSAGE_CONNECTION, pvs_caller_fields, &body, &fd)) {
		g_clear_handle_id(&front->idle_timer, g_source_remove);
		front->connections++;
		connections++;
		close(fd);
		look_whether_it_reads(front);
	} else {
		refuse(fd, front->identity,
		       "as many are on their way to processes for clients as LimitNOFILE= allows",
		       connections);
		rest_if_unused(front);
	}
	events->changed();
}

static gboolean on_closed(PvsChannel *channel G_GNUC_UNUSED, PvsMessage *message, gpointer user)
{
	Front *front = pvs_worker_user(user);
	PvsClosedCount body = {0};

	if (!pvs_body_get(&message->body, pvs_closed_count_fields, &body))
		return FALSE;
	/* A front that says more than it was given, or says nothing, is broken or lies. */
	if (body.connections < 1 || body.connections > front->connections)
		return FALSE;
	front->connections -= body.connections;
	connections -= body.connections;
	rest_if_unused(front);
	events->changed();
	return TRUE;
}

static void tell_if_held(void)
{
	if (!waiting_for_held)
		return;
	for (guint i = 0; i < fronts->len; i++)
		if (((Front *)fronts->pdata[i])->holding)
			return;
	waiting_for_held = FALSE;
	events->held();
}

static gboolean on_held(PvsChannel *channel G_GNUC_UNUSED, PvsMessage *message, gpointer user)
{
	Front *front = pvs_worker_user(user);

	if (!pvs_reader_end(&message->body) || front->holds < 1)
		return FALSE;
	front->holds--;
	front->holding = FALSE;
	tell_if_held();
	return TRUE;
}

static gboolean on_workers(PvsChannel *channel G_GNUC_UNUSED, PvsMessage *message, gpointer user)
{
	Front *front = pvs_worker_user(user);

	/* One that is nobody's has no client who could want to know. */
	if (!pvs_reader_end(&message->body) || !front->identity)
		return FALSE;
	events->asked(front->worker, message->call);
	look_whether_it_reads(front);
	return TRUE;
}

static void on_ready(PvsWorker *worker G_GNUC_UNUSED, gpointer user)
{
	deaths_in_a_row = 0;
	one_loaded = TRUE;
	if (user == warm)
		events->warmed();
}

static void on_failed(PvsWorker *worker G_GNUC_UNUSED, const char *text,
		      gboolean config_fault G_GNUC_UNUSED, gpointer user G_GNUC_UNUSED)
{
	pvs_error("a front cannot start: %s", text);
}

/* Its user's doing, and its user's loss; one that was nobody's yet, or had not loaded and so had
 * read nothing of a client's, is the daemon's own trouble. */
static void mourn(const Front *front, int status)
{
	static gint64 last;
	g_autofree char *end = pvs_worker_end(status);
	guint seconds;

	deaths++;
	if (!front->identity || !pvs_worker_is_ready(front->worker)) {
		if (may_log(&last))
			pvs_warning("%s died (%s)",
				    front->identity ? "a front that had not loaded"
						    : "the front kept warm",
				    end);
		return;
	}
	pvs_warning("the front of uid %u died (%s); its %u connections are closed",
		    front->identity->uid, end, front->connections);
	seconds = pvs_penalties_death(front->identity->uid, g_get_monotonic_time());
	if (seconds > 0)
		pvs_warning("uid %u is not served for %u s: its fronts keep dying",
			    front->identity->uid, seconds);
}

/* At the start a front that cannot load is a machine on which none can. Later it is more likely
 * that something is short for a while, and those who are connected would lose by an end of it all.
 */
static gboolean hopeless(void)
{
	gint64 now = g_get_monotonic_time();

	if (deaths_in_a_row++ == 0)
		row_began = now;
	return deaths_in_a_row >= HOPELESS &&
	       (!one_loaded || now - row_began > HOPE_SEC * G_USEC_PER_SEC);
}

static void on_died(PvsWorker *worker, int status, gpointer user)
{
	Front *front = user;
	gboolean loaded = pvs_worker_is_ready(worker);
	gboolean own_fault = !loaded && !front->identity;

	if (!front->stopped)
		mourn(front, status);
	connections -= front->connections;
	if (warm == front)
		warm = NULL;
	g_clear_handle_id(&front->idle_timer, g_source_remove);
	g_ptr_array_remove_fast(fronts, front);
	pvs_worker_free(worker);
	pvs_identity_free(front->identity);
	g_free(front);

	tell_if_held();
	events->changed();
	if (own_fault && hopeless())
		events->hopeless();
	else if (!loaded && one_loaded)
		take_rest();
	else if (!warm && !stopping)
		pvs_fronts_warm_up();
}

void pvs_fronts_hold(void)
{
	waiting_for_held = TRUE;
	for (guint i = 0; i < fronts->len; i++) {
		Front *front = fronts->pdata[i];

		if (!usable(front))
			continue;
		front->holding = TRUE;
		front->holds++;
		tell(front, PVS_MESSAGE_HOLD, NULL, NULL, NULL);
	}
	tell_if_held();
}

void pvs_fronts_connect_all(void)
{
	waiting_for_held = FALSE;
	for (guint i = 0; i < fronts->len; i++) {
		Front *front = fronts->pdata[i];

		front->holding = FALSE;
		if (!usable(front))
			continue;
		give_access(front);
		give_peers(front);
	}
}

void pvs_fronts_accused(PvsRole by, guint number)
{
	for (guint i = 0; i < fronts->len; i++) {
		const Front *front = fronts->pdata[i];

		if (number == 0 || front->number != number)
			continue;
		pvs_worker_condemn(front->worker, by == PVS_ROLE_TRUST
							  ? "broke the rules, as trust says"
							  : "broke the rules, as the vault says");
		return;
	}
}

guint pvs_fronts_connections(void)
{
	return connections;
}

guint pvs_fronts_deaths(void)
{
	return deaths;
}

void pvs_fronts_stop(void)
{
	stopping = TRUE;
	g_clear_handle_id(&rest, g_source_remove);
	for (guint i = 0; i < fronts->len; i++) {
		Front *front = fronts->pdata[i];

		front->stopped = TRUE;
		pvs_worker_stop(front->worker);
	}
}

guint32 pvs_fronts_uid(const PvsWorker *worker)
{
	const Front *front = pvs_worker_user(worker);

	if (pvs_worker_role(worker) != PVS_ROLE_FRONT || !front->identity)
		return G_MAXUINT32;
	return front->identity->uid;
}
