/* SPDX-License-Identifier: MIT */
/*
 * monitor-process.h - the monitor as a process, with workers that play (player.h)
 *
 * The monitor is the test program executed anew with --monitor, in its own cage, with a
 * configuration, a socket and a log of its own.
 */
#pragma once

#include <glib.h>
#include <sys/types.h>

typedef struct {
	char *root, *config, *socket;
	pid_t pid;
	int log_fd;
	GString *log; /* what was read of it */
	gsize seen;   /* up to here a wait has found something */
} Monitor;

/* To be called in main() behind player_main(): does not return where the program is a monitor. */
void monitor_main(int argc, char **argv);

/* For g_test_add(). The second ends it with SIGTERM, where it has not ended, and in good order. */
void monitor_set_up(Monitor *m, gconstpointer data);
void monitor_tear_down(Monitor *m, gconstpointer data);

/* Starts it, with play @number (from 0) for those that have one. @check: --check-config. */
void monitor_start(Monitor *m, guint number, gboolean check);

/* Play @number from the next reload on. */
void monitor_configure(const Monitor *m, guint number);

/* Waits for a line that has @text, behind what was waited for before. */
void monitor_wait_log(Monitor *m, const char *text);

/* Waits for the end of it and of all its workers; the exit status. */
int monitor_wait_end(Monitor *m);

guint monitor_said(Monitor *m, const char *text); /* how often, up to now */
void monitor_forget(Monitor *m);		  /* what it said: for the next start */
int monitor_connect(const Monitor *m);
guint monitor_peak_kib(const Monitor *m); /* of memory, since its start */
