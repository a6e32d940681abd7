/* SPDX-License-Identifier: MIT */
/*
 * test-pool.c - threads that work off jobs, one front as good as another
 */
#include "daemon/vault/pool.h"

#include <string.h>

#include "protocol/error.h"

typedef struct {
	char name; /* of its lane */
	GThread *thread;
	gboolean worked;
} Job;

static GThread *main_thread;
static GMutex gate; /* held: work() waits */
static gint begun, working;
static gint refuse_at; /* the begin() that fails; 0: none */
static GString *order; /* lanes of the jobs as they got to done() */
static guint n_dropped;

static gboolean begin(GError **error)
{
	gint n = g_atomic_int_add(&begun, 1) + 1;

	g_assert_true(g_thread_self() != main_thread);
	if (n == refuse_at) {
		g_set_error_literal(error, PVS_ERROR, PVS_ERROR_SYSTEM, "as asked");
		return FALSE;
	}
	return TRUE;
}

static void work(gpointer data)
{
	Job *job = data;

	g_assert_true(g_thread_self() != main_thread);
	g_atomic_int_inc(&working);
	g_mutex_lock(&gate);
	g_mutex_unlock(&gate);
	job->worked = TRUE;
}

static void done(gpointer data)
{
	Job *job = data;

	g_assert_true(g_thread_self() == main_thread);
	g_assert_true(job->worked);
	g_string_append_c(order, job->name);
	g_free(job);
}

static void dropped(gpointer data)
{
	Job *job = data;

	g_assert_true(g_thread_self() == main_thread);
	g_assert_false(job->worked);
	n_dropped++;
	g_free(job);
}

static const PvsPoolFunctions functions = {begin, work, done, dropped};

static PvsPool *start(guint threads)
{
	g_autoptr(GError) error = NULL;
	PvsPool *pool;

	g_atomic_int_set(&begun, 0);
	g_atomic_int_set(&working, 0);
	refuse_at = 0;
	n_dropped = 0;
	g_string_truncate(order, 0);
	pool = pvs_pool_new(threads, &functions, &error);
	g_assert_no_error(error);
	/* All of them have begun when it returns. */
	g_assert_cmpint(g_atomic_int_get(&begun), ==, (gint)threads);
	return pool;
}

static void push(PvsLane *lane, char name)
{
	Job *job = g_new0(Job, 1);

	job->name = name;
	pvs_lane_push(lane, job);
}

/* Until @n jobs are being worked at, or were. */
static void wait_working(gint n)
{
	while (g_atomic_int_get(&working) < n)
		g_thread_yield();
}

static void wait_done(gsize n)
{
	while (order->len < n)
		g_main_context_iteration(NULL, TRUE);
}

static void test_all_done(void)
{
	g_autoptr(PvsPool) pool = start(3);
	PvsLane *lanes[4];

	for (guint i = 0; i < G_N_ELEMENTS(lanes); i++)
		lanes[i] = pvs_lane_new(pool);
	for (guint round = 0; round < 250; round++)
		for (guint i = 0; i < G_N_ELEMENTS(lanes); i++)
			push(lanes[i], (char)('a' + i));
	wait_done(1000);
	g_assert_cmpuint(order->len, ==, 1000);
	for (guint i = 0; i < G_N_ELEMENTS(lanes); i++)
		pvs_lane_close(lanes[i]);
	g_assert_cmpuint(n_dropped, ==, 0);
}

/* With one thread the order is exact: a lane with much to do waits for itself. */
static void test_fair(void)
{
	g_autoptr(PvsPool) pool = start(1);
	PvsLane *greedy = pvs_lane_new(pool);
	PvsLane *modest = pvs_lane_new(pool);
	PvsLane *late = pvs_lane_new(pool);

	g_mutex_lock(&gate);
	push(greedy, 'g');
	wait_working(1);
	for (guint i = 0; i < 5; i++)
		push(greedy, 'g');
	push(modest, 'm');
	push(modest, 'm');
	push(late, 'l');
	g_mutex_unlock(&gate);
	wait_done(9);
	g_assert_cmpstr(order->str, ==, "ggmlgmggg");
	pvs_lane_close(greedy);
	pvs_lane_close(modest);
	pvs_lane_close(late);
}

static void test_close(void)
{
	g_autoptr(PvsPool) pool = start(1);
	PvsLane *gone = pvs_lane_new(pool);
	PvsLane *other = pvs_lane_new(pool);

	g_mutex_lock(&gate);
	push(gone, 'g');
	wait_working(1);
	push(gone, 'g');
	push(other, 'o');
	push(gone, 'g');
	pvs_lane_close(gone);
	g_assert_cmpuint(n_dropped, ==, 2);
	g_mutex_unlock(&gate);
	wait_done(2);
	/* The one that was being worked at, and the other lane's. */
	g_assert_cmpstr(order->str, ==, "go");
	pvs_lane_close(other);
}

/* Threads are there before anything is pushed, and none is started later. */
static void test_idle(void)
{
	g_autoptr(PvsPool) pool = start(4);
	PvsLane *lane = pvs_lane_new(pool);

	for (guint i = 0; i < 100; i++)
		push(lane, 'x');
	wait_done(100);
	g_assert_cmpint(g_atomic_int_get(&begun), ==, 4);
	pvs_lane_close(lane);
	pvs_pool_free(NULL);
}

/* What was worked at when the pool ends is handed over all the same. */
static void test_free_hands_over(void)
{
	PvsPool *pool = start(2);
	PvsLane *lane = pvs_lane_new(pool);

	push(lane, 'x');
	push(lane, 'x');
	wait_working(2);
	pvs_lane_close(lane);
	pvs_pool_free(pool);
	g_assert_cmpstr(order->str, ==, "xx");
}

static void test_begin_fails(void)
{
	for (gint i = 1; i <= 3; i++) {
		g_autoptr(GError) error = NULL;

		g_atomic_int_set(&begun, 0);
		refuse_at = i;
		g_assert_null(pvs_pool_new(3, &functions, &error));
		g_assert_error(error, PVS_ERROR, PVS_ERROR_SYSTEM);
		g_assert_cmpstr(error->message, ==, "as asked");
	}
}

int main(int argc, char **argv)
{
	int status;

	g_test_init(&argc, &argv, NULL);
	main_thread = g_thread_self();
	order = g_string_new(NULL);
	g_test_add_func("/pool/all-done", test_all_done);
	g_test_add_func("/pool/fair", test_fair);
	g_test_add_func("/pool/close", test_close);
	g_test_add_func("/pool/idle", test_idle);
	g_test_add_func("/pool/free-hands-over", test_free_hands_over);
	g_test_add_func("/pool/begin-fails", test_begin_fails);
	status = g_test_run();
	g_string_free(order, TRUE);
	return status;
}
