/* SPDX-License-Identifier: MIT */
/*
 * rpc.h - the connection to the daemon
 *
 * One call at a time. Whoever listens is not believed: the time is limited, the answer's size and
 * shape are, and nothing behind an answer is accepted.
 */
#pragma once

#include "client/call.h"
#include "client/reply.h"

#ifndef PVS_SOCKET_PATH
#define PVS_SOCKET_PATH "/run/pvsecretd/pvsecretd.sock"
#endif

/* Milliseconds, for one call with all that belongs to it: the daemon may have to verify many host
 * keys, or to start a process anew. And for an answer from its first byte on: the daemon writes it
 * whole, so who sends it by and by is another, and is not listened to for long. */
#define PVS_RPC_TIMEOUT 30000
#define PVS_RPC_ANSWER	5000

typedef struct PvsRpc PvsRpc;

/* Connects at the first call. @path is copied; NULL: the daemon's own socket, whose directory must
 * then be root's; see pvs_rpc_directory_safe(). */
PvsRpc *pvs_rpc_new(const char *path, guint timeout_ms, guint answer_ms);
void pvs_rpc_free(PvsRpc *rpc);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PvsRpc, pvs_rpc_free)

/* Asks and waits for the answer, which may be an error of the daemon's. If the connection closes
 * before the answer is whole, connects and asks once more: the process that served it may have
 * died, and no method does harm when done twice. PVS_EXIT_UNREACHABLE with what stands in the way.
 */
PvsReply *pvs_rpc_call(PvsRpc *rpc, PvsCall *call, GError **error);

/* TRUE if @directory belongs to root (or, unless @own, to this user) and nobody else may write
 * there; or if there is none at all (connecting will tell). Else someone could have put a socket of
 * his own in the daemon's place. @own: the daemon's own, which is not a link either. */
gboolean pvs_rpc_directory_safe(const char *directory, gboolean own, GError **error);
