/* SPDX-License-Identifier: MIT */
/*
 * config-paths.h - what the paths in pvsecretd.conf lead to
 */
#pragma once

#include "daemon/config.h"

/* Looks at each directory and file that @config names for reading: is it there, is it what it has
 * to be, and may nobody else change it? PVS_ERROR_CONFIG with a line for each that is not so. A
 * directory that was named and is not there counts as empty: a warning in @config. What this
 * process may not look at is left to those who read it. */
gboolean pvs_config_paths_check(PvsConfig *config, GError **error);
