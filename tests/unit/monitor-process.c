/* SPDX-License-Identifier: MIT */
/*
 * monitor-process.c - the monitor as a process, with workers that play
 */
#include "tests/unit/monitor-process.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/monitor/monitor.h"

enum { LATE_MS = 60 * 1000 };

void monitor_main(int argc, char **argv)
{
	PvsMonitorOptions options = {0};

	if (argc < 4 || strcmp(argv[1], "--monitor") != 0)
		return;
	options.config_path = argv[2];
	options.socket_path = argv[3];
	options.check_config = argc > 4;
	_exit(pvs_monitor_main(&options));
}

void monitor_set_up(Monitor *m, gconstpointer data G_GNUC_UNUSED)
{
	m->root = g_dir_make_tmp("pvs-monitor-XXXXXX", NULL);
	m->config = g_build_filename(m->root, "pvsecretd.conf", NULL);
	m->socket = g_build_filename(m->root, "pvsecretd.sock", NULL);
	m->log = g_string_new(NULL);
	m->log_fd = -1;
}

static void remove_directory(const char *path)
{
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	const char *name;

	while ((name = g_dir_read_name(dir))) {
		g_autofree char *file = g_build_filename(path, name, NULL);

		g_remove(file);
	}
	g_rmdir(path);
}

void monitor_tear_down(Monitor *m, gconstpointer data G_GNUC_UNUSED)
{
	if (m->pid) {
		kill(m->pid, SIGTERM);
		g_assert_cmpint(monitor_wait_end(m), ==, 0);
	}
	g_assert_null(strstr(m->log->str, "CRITICAL"));
	remove_directory(m->root);
	g_string_free(m->log, TRUE);
	g_free(m->root);
	g_free(m->config);
	g_free(m->socket);
}

void monitor_configure(const Monitor *m, guint number)
{
	g_autofree char *text = g_strdup_printf(
		"[daemon]\nMaxHostKeys=%u\nAuditLog=%s/audit.log\nCrlMarks=%s/crl-marks\n"
		"[limits]\nCalls=%u\n[access all]\nUsers=*\nMethods=*\n",
		number + 1, m->root, m->root, number + 1);

	g_assert_true(g_file_set_contents(m->config, text, -1, NULL));
}

void monitor_start(Monitor *m, guint number, gboolean check)
{
	int ends[2];

	monitor_configure(m, number);
	g_assert_cmpint(pipe2(ends, O_CLOEXEC), ==, 0);
	m->pid = fork();
	g_assert_cmpint(m->pid, >=, 0);
	if (m->pid == 0) {
		dup2(ends[1], STDERR_FILENO);
		execl("/proc/self/exe", "test-monitor", "--monitor", m->config, m->socket,
		      check ? "--check-config" : NULL, NULL);
		_exit(127);
	}
	close(ends[1]);
	m->log_fd = ends[0];
}

/* FALSE at the end: the monitor has ended, and all that it started. */
static gboolean read_log(Monitor *m)
{
	char bytes[4096];
	ssize_t n = read(m->log_fd, bytes, sizeof bytes);

	if (n > 0)
		g_string_append_len(m->log, bytes, n);
	return n > 0;
}

static gboolean has_log(const Monitor *m, int ms)
{
	struct pollfd wait = {.fd = m->log_fd, .events = POLLIN};

	return poll(&wait, 1, ms) == 1;
}

static gboolean wait_and_read_log(Monitor *m)
{
	if (!has_log(m, LATE_MS))
		g_error("nothing happens:\n%s", m->log->str);
	return read_log(m);
}

void monitor_wait_log(Monitor *m, const char *text)
{
	const char *found;

	while (!(found = strstr(m->log->str + m->seen, text)))
		if (!wait_and_read_log(m))
			g_error("no '%s' in:\n%s", text, m->log->str);
	m->seen = (gsize)(found - m->log->str) + strlen(text);
}

int monitor_wait_end(Monitor *m)
{
	int status;

	while (wait_and_read_log(m))
		;
	close(m->log_fd);
	m->log_fd = -1;
	g_assert_cmpint(waitpid(m->pid, &status, 0), ==, m->pid);
	m->pid = 0;
	g_test_message("%s", m->log->str);
	g_assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

guint monitor_said(Monitor *m, const char *text)
{
	guint n = 0;

	while (m->log_fd >= 0 && has_log(m, 0) && read_log(m))
		;
	for (const char *at = m->log->str; (at = strstr(at, text)); at += strlen(text))
		n++;
	return n;
}

void monitor_forget(Monitor *m)
{
	g_string_truncate(m->log, 0);
	m->seen = 0;
}

int monitor_connect(const Monitor *m)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	g_strlcpy(address.sun_path, m->socket, sizeof address.sun_path);
	g_assert_cmpint(connect(fd, (const struct sockaddr *)&address, sizeof address), ==, 0);
	return fd;
}

guint monitor_peak_kib(const Monitor *m)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/status", (int)m->pid);
	g_autofree char *text = NULL;
	const char *line;

	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	line = strstr(text, "VmHWM:");
	g_assert_nonnull(line);
	return (guint)strtoul(line + strlen("VmHWM:"), NULL, 10);
}
