/* SPDX-License-Identifier: MIT */
/*
 * call.h - one call's way through trust and the vault to its answer
 */
#pragma once

#include "daemon/front/peers.h"
#include "daemon/front/secrets.h"
#include "protocol/bodies.h"
#include "protocol/jsonrpc.h"

/* The call has come to its end. @answer is a compact JSON text, owned by the callee; NULL where it
 * was a notification. */
typedef void (*PvsCallDone)(char *answer, gpointer user);

/* @monitor: the channel that questions to the monitor go out on. @wait_ms: how long a call waits
 * for a new pair. @quiet is called whenever no question is on its way any more. What an earlier
 * call of this has set up is dropped. */
void pvs_calls_init(PvsChannel *monitor, const PvsFrontStart *start, guint wait_ms,
		    void (*quiet)(void));

/* Whose front this is and what that one may do: from now on; takes what *@access holds. Until the
 * first of these no call goes on. */
void pvs_calls_access(PvsAccessIs *access);

/* Starts a call; done() is called once, perhaps before the return. Takes what @call holds.
 * @secrets: those of the text that the call came in, or NULL. @pid: the client's, for the record.
 */
void pvs_call_start(PvsRpcCall *call, PvsSecrets *secrets, guint32 pid, PvsCallDone done,
		    gpointer user);

/* While held, no call asks anything new; those that have asked go on. */
void pvs_calls_hold(void);

/* Answers every call that has not come to its end with @error. */
void pvs_calls_refuse_all(PvsError error);
