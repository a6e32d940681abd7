/* SPDX-License-Identifier: MIT */
/*
 * pool.c - threads that work off jobs, one front as good as another
 */
#include "daemon/vault/pool.h"

#include <pthread.h>
#include <string.h>

#include "protocol/error.h"

/* The default of 8 MiB for each thread would make it hard to lock the whole process. What building
 * a request uses is a few KiB, of which pvs_crypto_wipe_stack() wipes 32. */
#define STACK_SIZE ((gsize)512 * 1024)

struct PvsPool {
	const PvsPoolFunctions *functions;
	GMutex mutex; /* of all that follows, and of what is in lanes */
	GCond changed;
	GQueue lanes; /* of PvsLane: those with jobs that wait, the one whose turn it is first */
	GQueue done;  /* of jobs */
	guint done_source;
	guint begun; /* threads that did begin(), well or not */
	GError *error;
	gboolean ending;
	guint n_threads;
	pthread_t threads[];
};

struct PvsLane {
	PvsPool *pool;
	GQueue jobs;
};

static gboolean hand_over(gpointer data)
{
	PvsPool *pool = data;
	GQueue done;
	gpointer job;

	g_mutex_lock(&pool->mutex);
	done = pool->done;
	g_queue_init(&pool->done);
	pool->done_source = 0;
	g_mutex_unlock(&pool->mutex);
	while ((job = g_queue_pop_head(&done)))
		pool->functions->done(job);
	return G_SOURCE_REMOVE;
}

/* The next job of the lane whose turn it is; that lane goes to the end. NULL: there is none, and
 * the thread shall end. */
static gpointer next_job(PvsPool *pool)
{
	PvsLane *lane;
	gpointer job;

	while (!(lane = g_queue_pop_head(&pool->lanes))) {
		if (pool->ending)
			return NULL;
		g_cond_wait(&pool->changed, &pool->mutex);
	}
	job = g_queue_pop_head(&lane->jobs);
	if (!g_queue_is_empty(&lane->jobs))
		g_queue_push_tail(&pool->lanes, lane);
	return job;
}

static void *run(void *data)
{
	PvsPool *pool = data;
	GError *error = NULL;
	gboolean good = pool->functions->begin(&error);
	gpointer job;

	g_mutex_lock(&pool->mutex);
	if (!good && !pool->error)
		pool->error = g_steal_pointer(&error);
	g_clear_error(&error);
	pool->begun++;
	g_cond_broadcast(&pool->changed);
	while ((job = next_job(pool))) {
		g_mutex_unlock(&pool->mutex);
		pool->functions->work(job);
		g_mutex_lock(&pool->mutex);
		g_queue_push_tail(&pool->done, job);
		/* A source of the main context: it wakes the loop through a descriptor that the
		 * context has had from the start. (g_main_context_invoke() might run it here.) */
		if (!pool->done_source)
			pool->done_source =
				g_idle_add_full(G_PRIORITY_DEFAULT, hand_over, pool, NULL);
	}
	g_mutex_unlock(&pool->mutex);
	return NULL;
}

static int start_threads(PvsPool *pool, guint n)
{
	pthread_attr_t attributes;
	int status = pthread_attr_init(&attributes);

	if (status != 0)
		return status;
	status = pthread_attr_setstacksize(&attributes, STACK_SIZE);
	for (; status == 0 && pool->n_threads < n; pool->n_threads++) {
		status = pthread_create(&pool->threads[pool->n_threads], &attributes, run, pool);
		if (status != 0)
			break;
	}
	pthread_attr_destroy(&attributes);
	return status;
}

PvsPool *pvs_pool_new(guint threads, const PvsPoolFunctions *functions, GError **error)
{
	g_autoptr(PvsPool) pool = g_malloc0(sizeof *pool + threads * sizeof pool->threads[0]);
	int status;

	g_assert(threads > 0);
	pool->functions = functions;
	g_mutex_init(&pool->mutex);
	g_cond_init(&pool->changed);
	g_queue_init(&pool->lanes);
	g_queue_init(&pool->done);
	status = start_threads(pool, threads);
	if (status != 0) {
		g_set_error(error, PVS_ERROR, PVS_ERROR_SYSTEM, "cannot start a thread: %s",
			    g_strerror(status));
		return NULL;
	}
	g_mutex_lock(&pool->mutex);
	while (pool->begun < pool->n_threads)
		g_cond_wait(&pool->changed, &pool->mutex);
	g_mutex_unlock(&pool->mutex);
	if (pool->error) {
		g_propagate_error(error, g_steal_pointer(&pool->error));
		return NULL;
	}
	return g_steal_pointer(&pool);
}

void pvs_pool_free(PvsPool *pool)
{
	if (!pool)
		return;
	g_mutex_lock(&pool->mutex);
	pool->ending = TRUE;
	g_cond_broadcast(&pool->changed);
	g_mutex_unlock(&pool->mutex);
	for (guint i = 0; i < pool->n_threads; i++)
		pthread_join(pool->threads[i], NULL);
	if (pool->done_source)
		g_source_remove(pool->done_source);
	hand_over(pool);
	g_assert(g_queue_is_empty(&pool->lanes));
	g_mutex_clear(&pool->mutex);
	g_cond_clear(&pool->changed);
	g_clear_error(&pool->error);
	g_free(pool);
}

PvsLane *pvs_lane_new(PvsPool *pool)
{
	PvsLane *lane = g_new0(PvsLane, 1);

	lane->pool = pool;
	g_queue_init(&lane->jobs);
	return lane;
}

void pvs_lane_close(PvsLane *lane)
{
	PvsPool *pool = lane->pool;
	gpointer job;

	/* From here on no thread knows the lane: a job that is being worked at has left it. */
	g_mutex_lock(&pool->mutex);
	g_queue_remove(&pool->lanes, lane);
	g_mutex_unlock(&pool->mutex);
	while ((job = g_queue_pop_head(&lane->jobs)))
		pool->functions->dropped(job);
	g_free(lane);
}

void pvs_lane_push(PvsLane *lane, gpointer job)
{
	PvsPool *pool = lane->pool;

	g_mutex_lock(&pool->mutex);
	if (g_queue_is_empty(&lane->jobs))
		g_queue_push_tail(&pool->lanes, lane);
	g_queue_push_tail(&lane->jobs, job);
	g_cond_signal(&pool->changed);
	g_mutex_unlock(&pool->mutex);
}
