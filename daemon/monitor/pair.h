/* SPDX-License-Identifier: MIT */
/*
 * pair.h - trust and the vault, which come and go together
 *
 * A grant ties the two: when one of them is gone, what the other remembers is of no use. So a crash
 * and a reload are the same step, a new pair that loads beside the old one (if there still is one)
 * and takes its place once both are ready, or is dropped whole.
 */
#pragma once

#include "daemon/config.h"
#include "daemon/monitor/identity.h"
#include "daemon/monitor/worker.h"

enum { PVS_PAIR_END_MS = 5000 }; /* for processes of a pair that was stopped */

/* Why a pair could not load; the last that is true of it. */
typedef enum {
	PVS_FAULT_DEATH,  /* a process died */
	PVS_FAULT_SYSTEM, /* the system refused something */
	PVS_FAULT_CONFIG, /* the owner's files */
} PvsPairFault;

typedef struct {
	/* The next pair has loaded and waits for pvs_pair_promote(). */
	void (*loaded)(void);
	/* The next pair could not load and was dropped. @text: a line for each thing that is wrong.
	 */
	void (*refused)(const char *text, PvsPairFault fault);
	/* One of the current pair died; the other was stopped. There is no current pair any more.
	 * @served: the two had answered a call. */
	void (*lost)(gboolean served);
	/* One of the current pair found that the front that has @front of pvs_pair_connect() broke
	 * the rules. */
	void (*accused)(PvsRole by, guint front);
	/* After pvs_pair_retire(): both processes have ended, with all that they had open. */
	void (*retired)(void);
} PvsPairEvents;

void pvs_pair_init(const PvsPairEvents *events);

/* Starts loading the next pair. Not while one is loading. */
gboolean pvs_pair_load(const PvsConfig *config, GError **error);

gboolean pvs_pair_is_loading(void); /* a next pair exists, loaded or not */
gboolean pvs_pair_is_loaded(void);  /* a next pair waits for pvs_pair_promote() */
gboolean pvs_pair_exists(void);	    /* there is a current pair */
guint pvs_pair_generation(void);    /* of the current pair, from 1; 0: none yet */

/* Stops the pair that is loading, if there is one, without a word. */
void pvs_pair_discard(void);

/* Stops the current pair; retired() follows, from the main loop, also where there is none: once all
 * that was stopped has ended. What has not after PVS_PAIR_END_MS is killed. */
void pvs_pair_retire(void);
gboolean pvs_pair_is_retiring(void); /* retired() is to come */

/* The loaded pair becomes the current one. Not while one is retiring: there is one log, and a vault
 * that has not ended may still write to it. */
void pvs_pair_promote(void);

/* Makes a front's channels to the current pair and tells both whose they are. The caller hands the
 * ends (@trust, @vault) to the front and closes its own copies. */
gboolean pvs_pair_connect(guint front, const PvsIdentity *identity, int *trust, int *vault,
			  GError **error);
