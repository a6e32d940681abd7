/* SPDX-License-Identifier: MIT */
/*
 * pool.h - threads that work off jobs, one front as good as another
 *
 * Every front has a lane. The threads take one job from each lane in turn, so a front that asks for
 * much waits for itself. All threads are started before the cage, which lets none start. But for
 * the work itself everything here is called from, and calls, the main loop.
 */
#pragma once

#include <glib.h>

typedef struct PvsPool PvsPool;
typedef struct PvsLane PvsLane;

typedef struct {
	/* On each thread, once, before any job: what is lazy in it. */
	gboolean (*begin)(GError **error);
	/* On a thread. */
	void (*work)(gpointer job);
	/* In the main loop, after work(); takes the job over. */
	void (*done)(gpointer job);
	/* In the main loop: a job that was never begun, since its lane was closed. Takes it over.
	 */
	void (*dropped)(gpointer job);
} PvsPoolFunctions;

/* Returns when all @threads have begun. @functions must outlive the pool. */
PvsPool *pvs_pool_new(guint threads, const PvsPoolFunctions *functions, GError **error);

/* Waits for the threads to end. All lanes must be closed; work that is done by then is still handed
 * to done(), from here. */
void pvs_pool_free(PvsPool *pool);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PvsPool, pvs_pool_free)

PvsLane *pvs_lane_new(PvsPool *pool);

/* Drops the jobs that wait; those that are being worked at still get to done(). */
void pvs_lane_close(PvsLane *lane);

/* Puts @job at the lane's end. */
void pvs_lane_push(PvsLane *lane, gpointer job);
