/* SPDX-License-Identifier: MIT */
/*
 * test-residue.c - what making a request leaves behind: nothing
 */
#include "daemon/vault/request.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/rand.h>

#include "protocol/error.h"
#include "tests/unit/memory-scan.h"
#include "tests/unit/request-case.h"

/* ---- what stays behind ---- */

static void test_nothing_remains(void)
{
	guint8 point[PVS_POINT_SIZE];
	g_autoptr(EVP_PKEY) host = test_new_key(point);
	EVP_PKEY *hosts[] = {host, host, host};
	gsize used = 0;

	for (guint i = 0; i < 60; i++) {
		{
			g_auto(Case) c = {.points = NULL};
			g_autoptr(GBytes) request = NULL;

			test_random_case(&c, hosts, 1 + i % 3);
			request = test_build(&c);
		}
		/* The first few load what is lazy. */
		if (i == 9)
			used = pvs_locked_used();
		if (i > 9)
			g_assert_cmpuint(pvs_locked_used(), ==, used);
	}
}

/* With every amount of memory that is too little the call fails cleanly, and nothing is left. */
static void test_full_arena(void)
{
	guint8 point[PVS_POINT_SIZE];
	g_autoptr(EVP_PKEY) host = test_new_key(point);
	EVP_PKEY *hosts[] = {host};
	g_autoptr(GPtrArray) filling = g_ptr_array_new();
	g_auto(Case) c = {.points = NULL};
	gpointer block;
	guint failed = 0, built = 0;
	gsize used;

	test_random_case(&c, hosts, 1);
	g_bytes_unref(test_build(&c)); /* what is lazy */
	while ((block = pvs_locked_alloc(240)))
		g_ptr_array_add(filling, block);
	used = pvs_locked_used();
	while (built < 3 && filling->len > 0) {
		g_autoptr(GError) error = NULL;
		g_autoptr(GBytes) request = NULL;
		PvsRequestRandomness drawn = {0};

		g_assert_cmpuint(pvs_locked_used(), ==, used);
		if (pvs_request_draw(&drawn, &error))
			request = pvs_request_build(&c.input, &drawn, &error);
		pvs_request_randomness_clear(&drawn);
		if (request) {
			built++;
		} else {
			failed++;
			g_assert_true(
				g_error_matches(error, PVS_ERROR, PVS_ERROR_SYSTEM) ||
				g_error_matches(error, PVS_ERROR, PVS_ERROR_HOST_KEY_INVALID));
		}
		g_assert_cmpuint(ERR_peek_error(), ==, 0);
		block = g_ptr_array_steal_index(filling, filling->len - 1);
		pvs_locked_free(block);
		used = pvs_locked_used();
	}
	g_assert_cmpuint(failed, >, 5);
	g_assert_cmpuint(built, ==, 3);
	for (guint i = 0; i < filling->len; i++)
		pvs_locked_free(g_ptr_array_index(filling, i));
}

/* ---- key material outside of the arena ---- */

enum { DRAW, BUILD, DERIVE, CHECK_VALUE, SPILL, WIPE, STEPS };

/* A thread that does one step at a time and stays in between, so that its stack is as the step left
 * it. What to look for the main thread finds out, on its own stack. */
typedef struct {
	GMutex mutex;
	GCond changed;
	guint asked, done; /* steps */
	guint8 points[2][PVS_POINT_SIZE];
	PvsRequestRandomness randomness;
	PvsSecret *cck, *secret, *derived;
	guint8 value[8];
} Worker;

/* A function that leaves on the stack what it was given. */
static void G_GNUC_NO_INLINE spill(const PvsSecret *secret)
{
	guint8 copy[4096];

	memcpy(copy, secret->bytes, secret->size);
	__asm__ volatile("" : : "r"(copy) : "memory"); /* it is used, for all the compiler knows */
}

static void do_step(Worker *w, guint step)
{
	PvsRequestInput input = {
		.host_points = (const guint8(*)[PVS_POINT_SIZE])w->points,
		.n_host_points = 2,
		.type = PVS_SECRET_ASSOCIATION,
		.secret = w->secret,
		.cck = w->cck,
	};

	switch (step) {
	case DRAW:
		g_assert_true(pvs_request_draw(&w->randomness, NULL));
		break;
	case BUILD:
		g_bytes_unref(pvs_request_build(&input, &w->randomness, NULL));
		break;
	case DERIVE:
		w->derived = pvs_request_derive_extension_secret(w->cck, input.tags.tag, NULL);
		break;
	case CHECK_VALUE:
		g_assert_true(pvs_request_check_value(w->cck, w->value, NULL));
		break;
	case SPILL:
		spill(w->secret);
		break;
	case WIPE:
		pvs_crypto_wipe_stack();
		break;
	default:
		g_assert_not_reached();
	}
}

/* (Linked without -z now this may leave something behind: the loader saves the vector registers on
 * the stack when a function is called for the first time, and memcpy() leaves in them what it
 * copied.) */
static gpointer work(gpointer data)
{
	Worker *w = data;

	g_mutex_lock(&w->mutex);
	while (w->done < STEPS) {
		while (w->asked == w->done)
			g_cond_wait(&w->changed, &w->mutex);
		do_step(w, w->done);
		w->done++;
		g_cond_broadcast(&w->changed);
	}
	g_mutex_unlock(&w->mutex);
	return NULL;
}

static void ask(Worker *w)
{
	g_mutex_lock(&w->mutex);
	w->asked++;
	g_cond_broadcast(&w->changed);
	while (w->done < w->asked)
		g_cond_wait(&w->changed, &w->mutex);
	g_mutex_unlock(&w->mutex);
}

/* As it is and backwards: OpenSSL's numbers are little endian here and there. 32 bytes from the
 * middle of what is longer, of which a half may stand somewhere, too. */
static void not_found(const PvsSecret *secret)
{
	g_autoptr(PvsSecret) forwards = pvs_secret_new(16);
	g_autoptr(PvsSecret) backwards = pvs_secret_new(16);

	for (gsize i = 0; i < 16; i++) {
		forwards->bytes[i] = secret->bytes[8 + i];
		backwards->bytes[15 - i] = secret->bytes[8 + i];
	}
	g_assert_cmpuint(pvs_memory_scan(forwards), ==, 0);
	g_assert_cmpuint(pvs_memory_scan(backwards), ==, 0);
}

static void scalar_not_found(EVP_PKEY *key)
{
	g_autoptr(PvsSecret) scalar = pvs_secret_new(66);
	BIGNUM *d = NULL;

	g_assert_cmpint(EVP_PKEY_get_bn_param(key, "priv", &d), ==, 1);
	g_assert_cmpint(BN_bn2binpad(d, scalar->bytes, 66), ==, 66);
	BN_clear_free(d);
	not_found(scalar);
	pvs_crypto_wipe_stack();
}

static void check_canaries(void)
{
	Worker w = {.cck = pvs_secret_new(32), .secret = pvs_secret_new(32)};
	GThread *thread;

	for (guint i = 0; i < 2; i++)
		EVP_PKEY_free(test_new_key(w.points[i]));
	g_assert_cmpint(RAND_priv_bytes(w.cck->bytes, 32), ==, 1);
	g_assert_cmpint(RAND_priv_bytes(w.secret->bytes, 32), ==, 1);
	pvs_crypto_wipe_stack();
	thread = g_thread_new("work", work, &w);
	for (guint step = 0; step < STEPS; step++) {
		ask(&w);
		scalar_not_found(w.randomness.customer_key);
		not_found(w.randomness.protection_key);
		not_found(w.cck);
		if (step == SPILL) /* so that the rest means something */
			g_assert_cmpuint(pvs_memory_scan(w.secret), ==, 1);
		else
			not_found(w.secret);
		if (w.derived)
			not_found(w.derived);
	}
	g_thread_join(thread);
	pvs_request_randomness_clear(&w.randomness);
	pvs_secret_free(w.cck);
	pvs_secret_free(w.secret);
	pvs_secret_free(w.derived);
}

static void test_canary(void)
{
	g_autofree guint8 *control = g_malloc(32);
	g_autoptr(PvsSecret) planted = pvs_secret_new(32);

	if (!pvs_memory_can_scan()) {
		g_test_skip("the memory of a sanitizer cannot be searched");
		return;
	}
	/* The search itself: it finds what is there, and says nothing of the arena. */
	g_assert_cmpint(RAND_priv_bytes(planted->bytes, 32), ==, 1);
	pvs_crypto_wipe_stack();
	g_assert_cmpuint(pvs_memory_scan(planted), ==, 0);
	memcpy(control, planted->bytes, 32);
	g_assert_cmpuint(pvs_memory_scan(planted), ==, 1);
	explicit_bzero(control, 32);

	for (guint i = 0; i < 3; i++)
		check_canaries();
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	test_arena_init();

	g_test_add_func("/residue/canary", test_canary);
	g_test_add_func("/residue/nothing-remains", test_nothing_remains);
	g_test_add_func("/residue/full-arena", test_full_arena);
	return g_test_run();
}
