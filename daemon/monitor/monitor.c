/* SPDX-License-Identifier: MIT */
/*
 * monitor.c - the process that starts the others and accepts connections
 *
 * What it does when is in here; how, in listener, fronts, pair and worker. It moves through few
 * states: loading for the first time, serving, swapping the pair (for a reload, or because one of
 * it died), ending.
 */
#include "daemon/monitor/monitor.h"

#include <errno.h>
#include <glib-unix.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "daemon/accounts.h"
#include "daemon/config-paths.h"
#include "daemon/log.h"
#include "daemon/monitor/audit-log.h"
#include "daemon/monitor/fronts.h"
#include "daemon/monitor/listener.h"
#include "daemon/monitor/marks-file.h"
#include "daemon/monitor/notify.h"
#include "daemon/monitor/pair.h"
#include "daemon/monitor/reach.h"
#include "policy/cage.h"
#include "protocol/bodies.h"
#include "protocol/error.h"

enum {
	EXIT_GIVEN_UP = 70,
	EXIT_SYSTEM = 71,
	EXIT_CONFIG = 78,
	HOPELESS = 5,		 /* pairs in a row that did not load, or died of no use yet */
	FINISH_MS = 5000,	 /* for calls on their way, at a swap or at the end */
	DIE_MS = 2000,		 /* for processes that were told to end */
	LOG_PAUSE_SEC = 10,	 /* between two lines about clients that are not known */
	LOAD_REST_MS = 2000,	 /* before a pair that could not be started is tried again */
	ROUND_MS = 7500,	 /* between two questions for a sign of life */
	RELOAD_ERROR_MAX = 4000, /* bytes of what get_status shows */
};

static const PvsMonitorOptions *options;
static GMainLoop *loop;
static PvsConfig *config;
static PvsConfig *next_config; /* of the pair that is loading */
static int exit_status = -1;   /* of the daemon, once it is ending */
static gboolean faulty;	       /* --check-config has found something, and goes on */
static gboolean serving;       /* the first workers have loaded: systemd was told */
static gboolean reload_again;  /* SIGHUP came while a pair was loading */
static guint restarts;	       /* pairs that were lost */
static guint refusals;	       /* in a row, without a pair */
static guint losses;	       /* in a row, of pairs without a call that was answered between */
static char *reload_error;
static guint deadline;	 /* for fronts to finish their calls */
static guint idle_timer; /* IdleExitSec= */
static guint load_rest;	 /* while it runs there is no pair, and none is loading */

static void end(int status);
static void reload_failed(const char *text);
static gboolean is_hopeless(int status);

/* One line of the journal for each line of @text. */
static void log_lines(PvsLogLevel level, const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (char **line = lines; *line; line++)
		if (**line)
			pvs_log(level, "%s", *line);
}

static PvsConfig *read_config(GError **error)
{
	g_autoptr(PvsConfig) read = pvs_config_read(options->config_path, error);
	gboolean good = read && pvs_config_paths_check(read, error);

	for (guint i = 0; read && i < read->warnings->len; i++)
		pvs_warning("%s", (const char *)read->warnings->pdata[i]);
	return good ? g_steal_pointer(&read) : NULL;
}

static void load(void);

static gboolean on_load_rested(gpointer data G_GNUC_UNUSED)
{
	load_rest = 0;
	load();
	return G_SOURCE_REMOVE;
}

/* What is short (descriptors, memory, processes) need not be so the next time: those who are served
 * go on with what there is, and where that is nothing they wait a while. */
static void load(void)
{
	g_autoptr(GError) error = NULL;

	g_clear_handle_id(&load_rest, g_source_remove);
	if (pvs_pair_load(next_config ? next_config : config, &error))
		return;
	if (pvs_pair_exists()) {
		reload_failed(error->message);
		return;
	}
	pvs_error("%s", error->message);
	if (!serving)
		end(EXIT_SYSTEM);
	else if (!is_hopeless(EXIT_SYSTEM))
		load_rest = g_timeout_add(LOAD_REST_MS, on_load_rested, NULL);
}

static void reload_done(void)
{
	pvs_notify("READY=1");
	if (reload_again) {
		reload_again = FALSE;
		raise(SIGHUP);
	}
}

/* Cut to what a message may have, and not in the middle of a character: valid text is what it has
 * to be, and it takes up to three times as many bytes to be that. */
static void keep_reload_error(const char *text)
{
	g_free(reload_error);
	reload_error = g_utf8_make_valid(text, -1);
	if (strlen(reload_error) > RELOAD_ERROR_MAX)
		*g_utf8_find_prev_char(reload_error, reload_error + RELOAD_ERROR_MAX + 1) = '\0';
}

static void reload_failed(const char *text)
{
	keep_reload_error(text);
	log_lines(PVS_LOG_ERROR, text);
	pvs_error("reload failed: what was loaded before stays in use");
	g_clear_pointer(&next_config, pvs_config_free);
	reload_done();
}

static void reload(void)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *state = NULL;
	const char *moved, *blocked;

	if (!serving || exit_status >= 0)
		return;
	if (pvs_pair_is_loading() || !pvs_pair_exists()) {
		reload_again = TRUE;
		pvs_info("asked to reload while a pair is loading: will do so once more");
		return;
	}
	state = g_strdup_printf("RELOADING=1\nMONOTONIC_USEC=%" PRId64, g_get_monotonic_time());
	pvs_notify(state);
	next_config = read_config(&error);
	if (!next_config) {
		reload_failed(error->message);
		return;
	}
	moved = pvs_reach_differs(config, next_config);
	if (moved) {
		g_autofree char *text = g_strdup_printf(
			"%s: %s names another place than at the start, and the daemon may open no "
			"other; systemctl restart pvsecretd",
			options->config_path, moved);

		reload_failed(text);
		return;
	}
	blocked = pvs_reach_blocked(config);
	if (blocked) {
		g_autofree char *text = g_strdup_printf(
			"%s: was not there, or was another place, when the daemon was started, and "
			"it may open no other; systemctl restart pvsecretd",
			blocked);

		reload_failed(text);
		return;
	}
	if (!pvs_audit_log_open(next_config->audit_log, &error)) {
		reload_failed(error->message);
		return;
	}
	pvs_info("reloading");
	load();
}

static gboolean on_idle(gpointer data G_GNUC_UNUSED)
{
	idle_timer = 0;
	pvs_info("nobody has been connected for %u s: ending (IdleExitSec=)",
		 config->idle_exit_sec);
	end(0);
	return G_SOURCE_REMOVE;
}

/* The number of connections changed, or the setting. */
static void watch_idle(void)
{
	if (exit_status >= 0)
		return;
	if (!config->idle_exit_sec || options->socket_path || pvs_fronts_connections() > 0)
		g_clear_handle_id(&idle_timer, g_source_remove);
	else if (!idle_timer)
		idle_timer = g_timeout_add_seconds(config->idle_exit_sec, on_idle, NULL);
}

static void on_accepted(int fd)
{
	static gint64 last;
	PvsIdentity *identity = pvs_identity_of(fd);
	gint64 now;

	if (!identity) {
		close(fd);
		now = g_get_monotonic_time();
		if (!last || now - last > LOG_PAUSE_SEC * G_USEC_PER_SEC) {
			last = now;
			pvs_warning("a connection was closed: its user or group is not known here "
				    "(another user namespace's), or it has more than %d groups",
				    PVS_IDENTITY_GROUPS_MAX);
		}
		return;
	}
	pvs_fronts_connection(fd, identity);
}

/* Not before one worker of each kind is in its cage. */
static void begin_to_serve(void)
{
	if (serving || exit_status >= 0 || !pvs_pair_exists() || !pvs_fronts_is_warm())
		return;
	serving = TRUE;
	pvs_listener_start(on_accepted);
	pvs_notify("READY=1");
	pvs_info("ready");
	watch_idle();
}

/* A new pair takes over. */
static void promote(void)
{
	gboolean reloaded = next_config != NULL;

	pvs_pair_promote();
	refusals = 0;
	if (next_config) {
		pvs_config_free(config);
		config = g_steal_pointer(&next_config);
		pvs_fronts_configure(config);
		g_clear_pointer(&reload_error, g_free);
	}
	pvs_fronts_connect_all();
	if (!serving) {
		pvs_fronts_warm_up();
		begin_to_serve();
		return;
	}
	if (reloaded) {
		pvs_info("reloaded");
		reload_done();
	} else {
		pvs_info("trust and the vault are back");
		reload_done();
	}
	watch_idle();
}

static gboolean on_deadline(gpointer data G_GNUC_UNUSED)
{
	deadline = 0;
	pvs_warning("calls on their way did not end within %d s; going on without them",
		    FINISH_MS / 1000);
	pvs_pair_retire();
	return G_SOURCE_REMOVE;
}

/* Nothing new reaches the old pair; when nothing is on its way any more, it ends. */
static void hold(void)
{
	if (!deadline)
		deadline = g_timeout_add(FINISH_MS, on_deadline, NULL);
	pvs_fronts_hold();
}

static void on_held(void)
{
	g_clear_handle_id(&deadline, g_source_remove);
	pvs_pair_retire();
}

static void on_loaded(void)
{
	if (options->check_config) {
		end(faulty ? EXIT_CONFIG : 0);
		return;
	}
	if (exit_status >= 0)
		return;
	if (pvs_pair_exists())
		hold();
	else if (!pvs_pair_is_retiring())
		promote();
	/* Else on_retired() does. */
}

static void check_ended(void);

static void on_retired(void)
{
	if (exit_status >= 0) {
		pvs_fronts_stop();
		check_ended();
	} else if (pvs_pair_is_loaded()) {
		promote();
	} else if (!pvs_pair_is_loading() && !load_rest) {
		/* The new pair died while the old one was let go. */
		load();
	}
}

/* Counts a pair that did not load while there is none; TRUE if that ends the daemon. */
static gboolean is_hopeless(int status)
{
	if (++refusals < HOPELESS)
		return FALSE;
	pvs_error("trust and the vault could not be started %d times in a row; giving up",
		  HOPELESS);
	end(status);
	return TRUE;
}

static void on_refused(const char *text, PvsPairFault fault)
{
	static const int statuses[] = {
		[PVS_FAULT_DEATH] = EXIT_GIVEN_UP,
		[PVS_FAULT_SYSTEM] = EXIT_SYSTEM,
		[PVS_FAULT_CONFIG] = EXIT_CONFIG,
	};

	if (exit_status >= 0)
		return;
	if (next_config && pvs_pair_exists()) {
		g_clear_handle_id(&deadline, g_source_remove);
		reload_failed(text);
		/* Fronts that were told to hold go on with the old pair. */
		pvs_fronts_connect_all();
		return;
	}
	/* The pair that would have stayed in use died; the next has the old configuration. */
	if (next_config)
		keep_reload_error(text);
	g_clear_pointer(&next_config, pvs_config_free);
	log_lines(PVS_LOG_ERROR, text);
	/* At the start what is wrong will be so the next time, but for a death. */
	if (!serving && (options->check_config || fault != PVS_FAULT_DEATH)) {
		end(faulty ? EXIT_CONFIG : statuses[fault]);
	} else if (!is_hopeless(statuses[fault])) {
		load();
	}
}

static void on_lost(gboolean served)
{
	restarts++;
	if (exit_status >= 0)
		return;
	/* To load and die, over and over, is to be there for nobody: systemd has a pause between
	 * its attempts, and shows the service as what it is. */
	losses = served ? 1 : losses + 1;
	if (losses >= HOPELESS) {
		pvs_error("trust or the vault died %d times without a call that it answered; "
			  "giving up",
			  HOPELESS);
		end(EXIT_GIVEN_UP);
		return;
	}
	/* The pair of a reload, if one is on its way, takes the place; it may have been waiting for
	 * the fronts to let go of the one that died. */
	g_clear_handle_id(&deadline, g_source_remove);
	if (!pvs_pair_is_loading())
		load();
	/* The one that did not die may have calls before it, and a vault writes what becomes of
	 * them: the next goes on with the log when that is over. */
	pvs_pair_retire();
}

static void add_worker(PvsWorker *worker, gpointer user)
{
	GArray *infos = user;
	PvsWorkerInfo info = {
		.role = (guint8)pvs_worker_role(worker),
		.pid = (guint32)pvs_worker_pid(worker),
		.uid = pvs_fronts_uid(worker),
		.started = pvs_worker_started(worker),
	};

	if (pvs_worker_is_ready(worker))
		g_array_append_val(infos, info);
}

static void on_asked(PvsWorker *front, guint64 call)
{
	g_autoptr(GArray) infos = g_array_new(FALSE, FALSE, sizeof(PvsWorkerInfo));
	PvsWorkerInfo self = {
		.role = PVS_ROLE_MONITOR,
		.pid = (guint32)getpid(),
		.uid = G_MAXUINT32,
	};
	PvsWorkersAre body = {
		.generation = pvs_pair_generation(),
		.restarts = restarts + pvs_fronts_deaths(),
		.connections = pvs_fronts_connections(),
		.reload_error = reload_error,
	};

	g_array_append_val(infos, self);
	pvs_worker_foreach(add_worker, infos);
	body.workers = (PvsList){.items = infos->data, .n = infos->len};
	pvs_worker_answer(front, PVS_MESSAGE_WORKERS_ARE, call, pvs_workers_are_fields, &body);
}

static void on_hopeless(void)
{
	pvs_error("fronts die before they are of use; giving up");
	end(EXIT_GIVEN_UP);
}

static void count_worker(PvsWorker *worker G_GNUC_UNUSED, gpointer user)
{
	++*(guint *)user;
}

static void kill_worker(PvsWorker *worker, gpointer user G_GNUC_UNUSED)
{
	pvs_worker_kill(worker);
}

static void check_ended(void)
{
	guint n = 0;

	if (exit_status < 0)
		return;
	pvs_worker_foreach(count_worker, &n);
	if (n == 0)
		g_main_loop_quit(loop);
}

static gboolean on_overdue(gpointer data G_GNUC_UNUSED)
{
	pvs_worker_foreach(kill_worker, NULL);
	return G_SOURCE_CONTINUE;
}

/* Ends the daemon: accepts nothing more (who connects waits for the next start), lets calls on
 * their way finish, then the processes. */
static void end(int status)
{
	if (exit_status >= 0)
		return;
	exit_status = status;
	pvs_notify("STOPPING=1");
	pvs_listener_stop();
	g_clear_handle_id(&idle_timer, g_source_remove);
	g_clear_handle_id(&load_rest, g_source_remove);
	g_timeout_add(FINISH_MS + DIE_MS, on_overdue, NULL);
	pvs_pair_discard();
	if (pvs_pair_exists() && status == 0)
		hold();
	else
		pvs_pair_retire();
}

static gboolean on_signal(gint fd, GIOCondition condition G_GNUC_UNUSED,
			  gpointer data G_GNUC_UNUSED)
{
	struct signalfd_siginfo info;

	while (read(fd, &info, sizeof info) == (ssize_t)sizeof info) {
		switch (info.ssi_signo) {
		case SIGCHLD:
			pvs_worker_reap();
			check_ended();
			break;
		case SIGHUP:
			reload();
			break;
		default:
			end(0);
		}
	}
	return G_SOURCE_CONTINUE;
}

static gboolean watch_signals(GError **error)
{
	sigset_t set;
	int fd;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0) {
		g_set_error(error, PVS_ERROR, PVS_ERROR_SYSTEM, "cannot watch signals: %s",
			    g_strerror(errno));
		return FALSE;
	}
	g_unix_fd_add(fd, G_IO_IN, on_signal, NULL);
	return TRUE;
}

static gboolean on_round(gpointer data G_GNUC_UNUSED)
{
	/* Only a loop that saw every process answer says that all is well. */
	if (pvs_worker_ping_all())
		pvs_notify("WATCHDOG=1");
	return G_SOURCE_CONTINUE;
}

/* A process that does not answer is replaced, with or without systemd's watchdog. The watchdog is
 * for the monitor: four rounds in its time, so that one that loses a process goes on in time. */
static void watch_processes(void)
{
	guint64 usec = 0;
	guint ms = ROUND_MS;

	if (sd_watchdog_enabled(0, &usec) > 0 && usec > 0)
		ms = (guint)CLAMP(usec / 4000, 1, ROUND_MS);
	g_timeout_add(ms, on_round, NULL);
}

/* The files that are the monitor's own to open. One that is bad ends a start; a check says so and
 * goes on, for whoever mends files wants to know all that is wrong at once. */
static gboolean open_files(GError **error)
{
	const struct {
		gboolean (*open)(const char *path, GError **error);
		gboolean (*check)(const char *path, GError **error);
		const char *path;
	} files[] = {
		{pvs_audit_log_open, pvs_audit_log_check, config->audit_log},
		{pvs_marks_file_open, pvs_marks_file_check, config->crl_marks},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autoptr(GError) wrong = NULL;

		if ((options->check_config ? files[i].check : files[i].open)(files[i].path, &wrong))
			continue;
		if (!options->check_config) {
			g_propagate_error(error, g_steal_pointer(&wrong));
			return FALSE;
		}
		log_lines(PVS_LOG_ERROR, wrong->message);
		faulty = TRUE;
	}
	return TRUE;
}

static gboolean begin(GError **error)
{
	static const PvsPairEvents pair_events = {on_loaded, on_refused, on_lost,
						  pvs_fronts_accused, on_retired};
	static const PvsFrontsEvents fronts_events = {on_held, on_asked, on_hopeless, watch_idle,
						      begin_to_serve};
	g_autoptr(GArray) rules = NULL;
	int program;

	config = read_config(error);
	if (!config)
		return FALSE;
	config->check = options->check_config;
	/* From here on the name service is out of reach. */
	pvs_accounts_settle();
	if (!options->check_config && !pvs_listener_open(options->socket_path, error))
		return FALSE;
	if (!open_files(error))
		return FALSE;
	/* What is not dumpable cannot read its own /proc/self. */
	program = pvs_worker_init(error);
	if (program < 0)
		return FALSE;
	rules = pvs_reach(config, options->config_path, options->socket_path, program);
	pvs_notify_open();
	if (!role_begin(PVS_ROLE_MONITOR, error) || !watch_signals(error) ||
	    !role_enter(PVS_ROLE_MONITOR, &g_array_index(rules, PvsPathRule, 0), rules->len, error))
		return FALSE;
	if (pvs_landlock_abi() == 0)
		pvs_warning("the kernel has no Landlock: which files may be opened is left to "
			    "system calls and permissions alone");
	pvs_pair_init(&pair_events);
	pvs_fronts_init(&fronts_events, config);
	watch_processes();
	return TRUE;
}

int pvs_monitor_main(const PvsMonitorOptions *monitor_options)
{
	g_autoptr(GError) error = NULL;

	options = monitor_options;
	pvs_log_init(PVS_ROLE_MONITOR);
	loop = g_main_loop_new(NULL, FALSE);
	if (!begin(&error)) {
		log_lines(PVS_LOG_ERROR, error->message);
		pvs_listener_close();
		return g_error_matches(error, PVS_ERROR, PVS_ERROR_CONFIG) ? EXIT_CONFIG
									   : EXIT_SYSTEM;
	}
	load();
	g_main_loop_run(loop);
	pvs_listener_close();
	if (options->check_config && exit_status == 0)
		pvs_info("the configuration and all that it names are in order");
	pvs_config_free(config);
	g_main_loop_unref(loop);
	return exit_status;
}
