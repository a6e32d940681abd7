/* SPDX-License-Identifier: MIT */
/*
 * fronts.h - one front for each client identity, and its connections
 */
#pragma once

#include "daemon/config.h"
#include "daemon/monitor/identity.h"
#include "daemon/monitor/worker.h"

typedef struct {
	/* After pvs_fronts_hold(): no call is on its way to trust or the vault any more. */
	void (*held)(void);
	/* A front asks what the monitor knows, for get_status: answer with WORKERS_ARE. */
	void (*asked)(PvsWorker *front, guint64 call);
	/* Fronts keep dying before they are of use: give up. */
	void (*hopeless)(void);
	/* The number of connections changed. */
	void (*changed)(void);
	/* The front that is kept warm has loaded. */
	void (*warmed)(void);
} PvsFrontsEvents;

/* @config must outlive the fronts or be replaced by pvs_fronts_configure(). */
void pvs_fronts_init(const PvsFrontsEvents *events, const PvsConfig *config);
void pvs_fronts_configure(const PvsConfig *config);

/* Starts the front that is kept warm: it has loaded, and has no identity yet. */
void pvs_fronts_warm_up(void);
gboolean pvs_fronts_is_warm(void);

/* Hands the connection @fd (which it takes) to the front of @identity (which it takes), starting
 * one where there is none. What is over a limit is closed. */
void pvs_fronts_connection(int fd, PvsIdentity *identity);

/* Has every front hold new calls back and finish those on their way; held() follows. */
void pvs_fronts_hold(void);

/* Gives every front its channels to the current pair; from then on calls proceed. */
void pvs_fronts_connect_all(void);

/* @by says that the front with the channels of that number broke the rules: it is killed. One that
 * is not there (any more) is not looked for. */
void pvs_fronts_accused(PvsRole by, guint number);

guint pvs_fronts_connections(void); /* of all clients, now */
guint pvs_fronts_deaths(void);	    /* of fronts, since the start */

/* Tells every front to end. */
void pvs_fronts_stop(void);

/* The uid of a front's identity; G_MAXUINT32 for another worker and the warm front. */
guint32 pvs_fronts_uid(const PvsWorker *worker);
