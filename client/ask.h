/* SPDX-License-Identifier: MIT */
/*
 * ask.h - what every command does with a call
 */
#pragma once

#include "client/command.h"
#include "client/rpc.h"

/* The connection that the arguments name. */
PvsRpc *pvs_ask_open(const PvsArguments *arguments);

/* Asks, and returns the answer only if it is a result. An error of the daemon's is written to
 * standard output where JSON is wanted, and becomes @error. */
PvsReply *pvs_ask(const PvsArguments *arguments, PvsRpc *rpc, PvsCall *call, GError **error);

/* Adds the files that @paths (of char *, NULL: none) names to a call as the list @member; @option
 * names them in errors. */
gboolean pvs_ask_documents(PvsCall *call, const char *member, const GPtrArray *paths,
			   const char *option, GError **error);
