/* SPDX-License-Identifier: MIT */
/*
 * test-log.c - a line for the journal and one for people: which of them standard error gets
 */
#include "daemon/log.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* What a process whose standard error is @end writes, as it comes out at @other. In a child, since
 * a process says once who it is. */
static char *said(int end, int other, PvsRole role)
{
	pid_t child = fork();
	char text[4096];
	int status;
	ssize_t n;

	if (child == 0) {
		if (dup2(end, STDERR_FILENO) < 0)
			_exit(1);
		pvs_log_init(role);
		pvs_error("one");
		pvs_warning("two\n<3>forged");
		pvs_info("three");
		pvs_debug("four");
		_exit(0);
	}
	g_assert_cmpint(waitpid(child, &status, 0), ==, child);
	g_assert_cmpint(status, ==, 0);
	n = read(other, text, sizeof text - 1);
	g_assert_cmpint(n, >, 0);
	return g_strndup(text, (gsize)n);
}

static void test_journal(void)
{
	g_autofree char *vault = NULL;
	int ends[2];

	g_assert_cmpint(pipe(ends), ==, 0);
	vault = said(ends[1], ends[0], PVS_ROLE_VAULT);
	g_assert_cmpstr(vault, ==,
			"<3>vault: one\n<4>vault: two\\x0a<3>forged\n<6>vault: three\n"
			"<7>vault: four\n");
	close(ends[0]);
	close(ends[1]);
}

static void test_terminal(void)
{
	g_autofree char *vault = NULL, *monitor = NULL;
	int terminal = posix_openpt(O_RDWR | O_NOCTTY), end;
	struct termios mode;

	if (terminal < 0 || grantpt(terminal) < 0 || unlockpt(terminal) < 0) {
		g_test_skip("there are no pseudo-terminals here");
		return;
	}
	end = open(ptsname(terminal), O_RDWR | O_NOCTTY);
	g_assert_cmpint(end, >=, 0);
	g_assert_cmpint(tcgetattr(end, &mode), ==, 0);
	cfmakeraw(&mode);
	g_assert_cmpint(tcsetattr(end, TCSANOW, &mode), ==, 0);
	vault = said(end, terminal, PVS_ROLE_VAULT);
	g_assert_cmpstr(vault, ==, "one\nwarning: two\\x0a<3>forged\nthree\n");
	monitor = said(end, terminal, PVS_ROLE_MONITOR);
	g_assert_cmpstr(monitor, ==, "one\nwarning: two\\x0a<3>forged\nthree\n");
	close(end);
	close(terminal);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/log/journal", test_journal);
	g_test_add_func("/log/terminal", test_terminal);
	return g_test_run();
}
