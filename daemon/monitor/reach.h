/* SPDX-License-Identifier: MIT */
/*
 * reach.h - the files that the monitor and what it starts may open
 */
#pragma once

#include "daemon/config.h"
#include "policy/landlock.h"

/* The rules for the monitor's cage, which the workers are in as well until each has its own: the
 * program and what it is loaded from, the system's names and certificates, and what the
 * configuration names. @socket_path: the socket's that is removed at the end; may be NULL. Of
 * PvsPathRule, whose paths live as long as the array. */
GArray *pvs_reach(const PvsConfig *config, const char *config_path, const char *socket_path);

/* Landlock cannot be widened: NULL where @next names no other directory or file than @now, else the
 * key of the first that it does. */
const char *pvs_reach_differs(const PvsConfig *now, const PvsConfig *next);
