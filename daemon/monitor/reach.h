/* SPDX-License-Identifier: MIT */
/*
 * reach.h - the files that the monitor and what it starts may open
 */
#pragma once

#include "daemon/config.h"
#include "policy/landlock.h"

/* The rules for the monitor's cage, which the workers are in as well until each has its own: the
 * program (the descriptor @program) and its loader to execute; to read, what they are loaded from,
 * the system's names and certificates, and what the configuration names. @socket_path: the socket's
 * that is removed at the end; may be NULL. Of PvsPathRule, whose paths live as long as the array.
 */
GArray *pvs_reach(const PvsConfig *config, const char *config_path, const char *socket_path,
		  int program);

/* Landlock cannot be widened: NULL where @next names no other directory or file than @now, else the
 * key of the first that it does. */
const char *pvs_reach_differs(const PvsConfig *now, const PvsConfig *next);

/* The first directory or file of @config that permissions let the daemon read and its cage does
 * not, since it came, or was moved, after the start; NULL if there is none. */
const char *pvs_reach_blocked(const PvsConfig *config);
