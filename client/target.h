/* SPDX-License-Identifier: MIT */
/*
 * target.h - where a secret shall go: the parameters that requests of all types share
 */
#pragma once

#include "client/call.h"
#include "client/command.h"

/* What can be told from the command line alone: what is missing, what excludes each other, what is
 * not the name of a key. PVS_EXIT_USAGE. */
gboolean pvs_target_check(const PvsArguments *arguments, GError **error);

/* Reads the files that are named and adds all to the call. */
gboolean pvs_target_put(const PvsArguments *arguments, PvsCall *call, GError **error);

/* @name can be the name of a key in the daemon; else PVS_EXIT_USAGE. @option: "--cck", @kind:
 * "CCK",
 * @directory: where the daemon's owner puts such a key. */
gboolean pvs_target_check_key(const char *name, const char *option, const char *kind,
			      const char *directory, GError **error);
