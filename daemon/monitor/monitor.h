/* SPDX-License-Identifier: MIT */
/*
 * monitor.h - the process that starts the others and accepts connections
 *
 * It never reads a byte that a client sent.
 */
#pragma once

#include "daemon/config.h"

typedef struct {
	const char *config_path;
	const char *socket_path; /* NULL: the socket comes from systemd (LISTEN_FDS) */
	gboolean check_config;	 /* load everything, say what is wrong, end */
} PvsMonitorOptions;

/* Runs the daemon to its end; returns the exit status of pvsecretd(8): 0, 70 (given up), 71 (the
 * system), 78 (configuration). */
int pvs_monitor_main(const PvsMonitorOptions *options);
