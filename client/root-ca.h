/* SPDX-License-Identifier: MIT */
/*
 * root-ca.h - --root-ca: is it a root that the daemon trusts?
 */
#pragma once

#include "client/command.h"
#include "client/rpc.h"

/* TRUE without --root-ca, or where its certificate is one of the daemon's roots: the configured
 * one, or, where the daemon has none, one of the system's bundle. Asks the daemon for its status.
 */
gboolean pvs_root_ca_check(const PvsArguments *arguments, PvsRpc *rpc, GError **error);

/* The system's bundle. A variable, for tests. */
extern const char *pvs_root_ca_bundle;
