/* SPDX-License-Identifier: MIT */
/*
 * secret.c - bytes that must not stay behind
 */
#include "client/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/failure.h"

struct PvsClientSecret {
	guint8 *data;
	gsize size;
	gsize mapped; /* bytes, whole pages */
};

static PvsClientSecret *secret_new(gsize capacity)
{
	gsize page = (gsize)sysconf(_SC_PAGESIZE);
	PvsClientSecret *secret = g_new0(PvsClientSecret, 1);

	secret->mapped = (capacity + page - 1) / page * page;
	secret->data = mmap(NULL, secret->mapped, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (secret->data == MAP_FAILED)
		g_error("out of memory");
	/* A user whose limit allows no locked memory can still send a secret: it comes from a file
	 * of his own, and a page that lives for some milliseconds is hardly swapped out. */
	(void)mlock(secret->data, secret->mapped);
	(void)madvise(secret->data, secret->mapped, MADV_DONTDUMP);
	return secret;
}

void pvs_client_secret_free(PvsClientSecret *secret)
{
	if (!secret)
		return;
	explicit_bzero(secret->data, secret->mapped);
	munmap(secret->data, secret->mapped);
	g_free(secret);
}

const guint8 *pvs_client_secret_data(const PvsClientSecret *secret)
{
	return secret->data;
}

gsize pvs_client_secret_size(const PvsClientSecret *secret)
{
	return secret->size;
}

PvsClientSecret *pvs_client_secret_new(gsize size, guint8 **data)
{
	PvsClientSecret *secret = secret_new(size);

	secret->size = size;
	*data = secret->data;
	return secret;
}

/* @file_size: of a regular file, else -1. */
static PvsClientSecret *read_most(const char *path, gsize most, const char *label,
				  gint64 *file_size, GError **error)
{
	g_autoptr(PvsClientSecret) secret = secret_new(most + 1);
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int saved = 0;

	if (fd < 0) {
		pvs_failure_system(error, errno, label, "cannot be opened");
		return NULL;
	}
	/* One byte more than wanted, to notice a file that is longer. */
	while (secret->size <= most) {
		ssize_t n = read(fd, secret->data + secret->size, most + 1 - secret->size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			saved = errno;
		if (n <= 0)
			break;
		secret->size += (gsize)n;
	}
	*file_size = fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ? -1 : (gint64)st.st_size;
	close(fd);
	if (saved) {
		pvs_failure_system(error, saved, label, "cannot be read");
		return NULL;
	}
	return g_steal_pointer(&secret);
}

PvsClientSecret *pvs_client_secret_load(const char *path, gsize most, const char *label,
					const char *hint, GError **error)
{
	gint64 file_size;
	g_autoptr(PvsClientSecret) secret = read_most(path, most, label, &file_size, error);

	if (!secret)
		return NULL;
	if (secret->size <= most)
		return g_steal_pointer(&secret);
	pvs_failure(error, PVS_EXIT_FAILED, hint, "%s: has more than %" G_GSIZE_FORMAT " bytes",
		    label, most);
	return NULL;
}

PvsClientSecret *pvs_client_secret_read(const char *path, gsize size, const char *label,
					GError **error)
{
	const char *hint = "give a file of random bytes, made with: head -c 32 /dev/urandom > FILE";
	gint64 file_size;
	g_autoptr(PvsClientSecret) secret = read_most(path, size, label, &file_size, error);

	if (!secret)
		return NULL;
	if (secret->size < size) {
		pvs_failure(error, PVS_EXIT_FAILED, hint,
			    "%s: has %" G_GSIZE_FORMAT " bytes, exactly %" G_GSIZE_FORMAT
			    " are needed",
			    label, secret->size, size);
		return NULL;
	}
	if (secret->size > size) {
		g_autofree char *bytes = file_size >= 0
						 ? g_strdup_printf("%" G_GINT64_FORMAT, file_size)
						 : g_strdup("more");

		pvs_failure(error, PVS_EXIT_FAILED, hint,
			    "%s: has %s bytes, exactly %" G_GSIZE_FORMAT " are needed", label,
			    bytes, size);
		return NULL;
	}
	return g_steal_pointer(&secret);
}

/* The character for 6 bits, by arithmetic: no memory access depends on the secret (RFC 4648 section
 * 12 names tables as a risk). */
static guint8 sextet(guint v)
{
	gint c = (gint)v + 'A';

	c += ((gint)(25 - v) >> 8) & ('a' - 'A' - 26); /* v > 25 */
	c += ((gint)(51 - v) >> 8) & ('0' - 'a' - 26); /* v > 51 */
	c += ((gint)(61 - v) >> 8) & ('+' - '0' - 10); /* v > 61 */
	c += ((gint)(62 - v) >> 8) & ('/' - '+' - 1);  /* v > 62 */
	return (guint8)c;
}

PvsClientSecret *pvs_client_secret_base64(const PvsClientSecret *secret)
{
	PvsClientSecret *text = secret_new((secret->size + 2) / 3 * 4 + 1);

	for (gsize i = 0; i < secret->size; i += 3) {
		gsize left = secret->size - i;
		guint a = secret->data[i];
		guint b = left > 1 ? secret->data[i + 1] : 0;
		guint c = left > 2 ? secret->data[i + 2] : 0;
		guint8 *out = text->data + text->size;

		out[0] = sextet(a >> 2);
		out[1] = sextet((a & 3) << 4 | b >> 4);
		out[2] = left > 1 ? sextet((b & 15) << 2 | c >> 6) : '=';
		out[3] = left > 2 ? sextet(c & 63) : '=';
		text->size += 4;
	}
	return text;
}
