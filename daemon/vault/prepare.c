/* SPDX-License-Identifier: MIT */
/*
 * prepare.c - what the vault does once, before its cage is on
 */
#include "daemon/vault/prepare.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <openssl/rand.h>

#include "daemon/log.h"
#include "daemon/vault/crypto.h"
#include "daemon/vault/request.h"
#include "protocol/error.h"

/* What the arena is divided into. Measured on x86-64, heads of chunks included: OpenSSL at rest,
 * with a signing key and having made its first request, 425 KiB with 3.0 of Debian 12, 560 with 3.5
 * of Debian 13 (most of it names and tables of algorithms); a thread that builds 17 KiB, however
 * many host keys there are, its random number generators included, and no more where it signs
 * (RSA-3072 asks for most, 16 KiB while it lasts); a CCK 64 bytes, a user signing key 5 KiB. A
 * thread is counted at half as much again. What is left is for what waits: secrets that clients
 * gave (PVS_PREPARE_WAITING and one more, of at most 8 KiB), and the one BUILD message that is
 * being read (channel.h), of at most 16 KiB. That makes 19 threads, and 14. */
enum {
	THREAD_SHARE = 24 * 1024,
	WAITING_SHARE = 128 * 1024,
};

/* What the process may still map after its start: the heap of messages and answers. */
#define GROWTH (64 * 1024 * 1024)

gboolean pvs_prepare_building(GError **error)
{
	g_auto(PvsRequestRandomness) randomness = {.customer_key = NULL};
	g_autoptr(PvsSecret) secret = pvs_secret_new(PVS_ASSOCIATION_SIZE);
	g_autoptr(GBytes) request = NULL;
	guint8 point[PVS_POINT_SIZE], check_value[8];
	PvsRequestInput input = {
		.host_points = (const guint8(*)[PVS_POINT_SIZE])point,
		.n_host_points = 1,
		.type = PVS_SECRET_ASSOCIATION,
		.secret = secret,
		.cck = secret,
	};

	if (!secret || RAND_priv_bytes(secret->bytes, secret->size) != 1)
		return pvs_crypto_failed(error, "drawing a secret");
	if (!pvs_request_draw(&randomness, error) ||
	    !pvs_request_point(randomness.customer_key, point, error) ||
	    !pvs_request_check_value(secret, check_value, error))
		return FALSE;
	request = pvs_request_build(&input, &randomness, error);
	return request != NULL;
}

gboolean pvs_prepare_threads(guint n_ccks, guint *threads, GError **error)
{
	gsize used = pvs_locked_used(), size = pvs_locked_size();

	if (used + WAITING_SHARE + THREAD_SHARE > size) {
		g_set_error(error, PVS_ERROR, PVS_ERROR_CONFIG,
			    "the memory for keys is too small: %u CCKs, the other keys and OpenSSL "
			    "leave "
			    "%" G_GSIZE_FORMAT " of its %" G_GSIZE_FORMAT
			    " KiB; have fewer keys in cck.d, ext.d and sign.d and among "
			    "the credentials",
			    n_ccks, (size - used) / 1024, size / 1024);
		return FALSE;
	}
	*threads = (guint)MIN((size - used - WAITING_SHARE) / THREAD_SHARE, g_get_num_processors());
	return TRUE;
}

void pvs_prepare_memory(void)
{
	struct rlimit limit, lower;
	int error = 0;

	if (getrlimit(RLIMIT_MEMLOCK, &limit) < 0)
		return;
	lower = limit;
	if (limit.rlim_cur != RLIM_INFINITY)
		lower.rlim_cur = limit.rlim_cur > GROWTH ? limit.rlim_cur - GROWTH : 1;
	if (setrlimit(RLIMIT_MEMLOCK, &lower) < 0 ||
	    mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) < 0)
		error = errno;
	if (setrlimit(RLIMIT_MEMLOCK, &limit) < 0)
		error = errno;
	if (error == ENOMEM)
		pvs_debug("keys are in locked memory; the rest of the process is not, since that "
			  "takes more than the %" G_GUINT64_FORMAT " MiB of LimitMEMLOCK=; 128M is "
			  "enough",
			  (guint64)limit.rlim_cur / (1024 * 1024));
	else if (error != 0)
		pvs_warning("cannot lock the whole process (mlockall: %s); keys are in locked "
			    "memory all the same",
			    g_strerror(error));
}

void pvs_prepare_looking(const PvsLook *look)
{
	static const guint8 nothing[1];
	guint8 point[PVS_POINT_SIZE];

	for (guint i = PVS_SIGNATURE_RSA_SHA256; i <= PVS_SIGNATURE_ECDSA_SHA512; i++)
		pvs_look(look, nothing, sizeof nothing, (PvsSignatureAlgorithm)i, nothing,
			 sizeof nothing, point, NULL);
}
