/* SPDX-License-Identifier: MIT */
/*
 * shelf.c - the directory that the fetched CRLs are put into
 *
 * The directory is this program's own, but whoever took it over once may have left something in it:
 * nothing there is followed, waited for or believed.
 */
#include "fetcher/shelf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>

#include "daemon/trust/x509.h"
#include "fetcher/judge.h"
#include "protocol/error.h"

enum {
	OLD_SIZE_MAX = 64 * 1024 * 1024, /* bytes: what CrlSize= can be at most */
	DIGITS = 64,			 /* of a name */
};

#define ENDING ".crl"

struct PvsShelf {
	int fd;
	char *path;
};

static gboolean G_GNUC_PRINTF(2, 3) fail(GError **error, const char *format, ...)
{
	int number = errno;
	g_autofree char *text = NULL;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error(error, PVS_ERROR, PVS_ERROR_SYSTEM, "%s: %s", text, g_strerror(number));
	return FALSE;
}

PvsShelf *pvs_shelf_open(const char *path, gboolean lock, GError **error)
{
	g_autoptr(PvsShelf) shelf = g_new0(PvsShelf, 1);

	shelf->path = g_strdup(path);
	shelf->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (shelf->fd < 0) {
		fail(error, "%s", path);
		return NULL;
	}
	/* Two at a time would meet at one temporary name. */
	if (lock && flock(shelf->fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			g_set_error(error, PVS_ERROR, PVS_ERROR_SYSTEM,
				    "%s: another pvsecretd-fetch-crl is at work", path);
		else
			fail(error, "%s", path);
		return NULL;
	}
	return g_steal_pointer(&shelf);
}

void pvs_shelf_close(PvsShelf *shelf)
{
	if (!shelf)
		return;
	if (shelf->fd >= 0)
		close(shelf->fd);
	g_free(shelf->path);
	g_free(shelf);
}

char *pvs_shelf_name(X509 *issuer, const char *url)
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	guint8 *key = NULL;
	int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(issuer), &key);

	if (size <= 0)
		g_error("a public key that was read cannot be written");
	/* A key in DER says how long it is: no two pairs are the same bytes. */
	g_checksum_update(sum, key, size);
	g_checksum_update(sum, (const guchar *)url, -1);
	OPENSSL_free(key);
	return g_strconcat(g_checksum_get_string(sum), ENDING, NULL);
}

/* The bytes of @name; NULL with no error where there is no such file. */
static GBytes *read_old(const PvsShelf *shelf, const char *name, GError **error)
{
	int fd = openat(shelf->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	g_autofree guint8 *data = NULL;
	gsize size = 0;
	struct stat st;
	ssize_t n = 0;

	if (fd < 0 && errno == ENOENT)
		return NULL;
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		g_set_error(error, PVS_ERROR, PVS_ERROR_SYSTEM,
			    "%s/%s: not a regular file that can be read; remove it", shelf->path,
			    name);
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	/* One that is larger than any that was put here is no CRL of this program's. */
	if (st.st_size <= OLD_SIZE_MAX) {
		data = g_malloc((gsize)st.st_size + 1);
		while (size < (gsize)st.st_size) {
			n = read(fd, data + size, (gsize)st.st_size - size);
			if (n < 0 && errno == EINTR)
				continue;
			if (n <= 0)
				break;
			size += (gsize)n;
		}
	}
	close(fd);
	return g_bytes_new_take(g_steal_pointer(&data), size);
}

static gboolean is_signed(X509_CRL *crl, X509 *issuer)
{
	EVP_PKEY *key = X509_get0_pubkey(issuer);
	gboolean good = key && X509_CRL_verify(crl, key) == 1;

	ERR_clear_error();
	return good;
}

/* Less than 0 where @one is older. */
static int compare(X509_CRL *one, X509_CRL *other)
{
	g_autoptr(ASN1_INTEGER) a = X509_CRL_get_ext_d2i(one, NID_crl_number, NULL, NULL);
	g_autoptr(ASN1_INTEGER) b = X509_CRL_get_ext_d2i(other, NID_crl_number, NULL, NULL);
	gint64 from = 0, other_from = 0;

	ERR_clear_error();
	if (!pvs_x509_time(X509_CRL_get0_lastUpdate(one), &from) ||
	    !pvs_x509_time(X509_CRL_get0_lastUpdate(other), &other_from))
		return 0;
	if (from != other_from)
		return from < other_from ? -1 : 1;
	return a && b ? ASN1_INTEGER_cmp(a, b) : 0;
}

static GBytes *der_of(X509_CRL *crl)
{
	guint8 *der = NULL;
	int size = i2d_X509_CRL(crl, &der);
	GBytes *bytes;

	if (size <= 0)
		g_error("a CRL that was read cannot be written");
	bytes = g_bytes_new(der, (gsize)size);
	OPENSSL_free(der);
	return bytes;
}

gboolean pvs_shelf_compare(const PvsShelf *shelf, const char *name, X509_CRL *crl, X509 *issuer,
			   PvsShelfChange *change, GError **error)
{
	GError *local = NULL;
	g_autoptr(GBytes) old_bytes = read_old(shelf, name, &local);
	g_autoptr(GBytes) bytes = der_of(crl);
	g_autoptr(X509_CRL) old = NULL;
	const guint8 *data;
	gsize size;

	if (local) {
		g_propagate_error(error, local);
		return FALSE;
	}
	if (old_bytes) {
		data = g_bytes_get_data(old_bytes, &size);
		old = size > 0 ? pvs_judge_read(data, size) : NULL;
	}
	/* Else who can write a byte here could keep every later CRL out. */
	if (old && is_signed(old, issuer) && compare(crl, old) < 0) {
		g_set_error_literal(error, PVS_ERROR, PVS_ERROR_CRL_ROLLED_BACK,
				    "the CRL is older than the one that was fetched before");
		return FALSE;
	}
	*change = old_bytes && g_bytes_equal(old_bytes, bytes) ? PVS_SHELF_SAME : PVS_SHELF_NEW;
	return TRUE;
}

static gboolean write_all(int fd, GBytes *bytes)
{
	gsize size;
	const guint8 *data = g_bytes_get_data(bytes, &size);

	while (size > 0) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return FALSE;
		data += n;
		size -= (gsize)n;
	}
	return TRUE;
}

/* A new file of the name @name. One that is left of a run that was killed gives way. */
static int create(const PvsShelf *shelf, const char *name)
{
	for (;;) {
		int fd = openat(shelf->fd, name,
				O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
		struct stat st;

		if (fd >= 0 || errno != EEXIST)
			return fd;
		if (fstatat(shelf->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISREG(st.st_mode) || unlinkat(shelf->fd, name, 0) < 0) {
			errno = EEXIST;
			return -1;
		}
	}
}

gboolean pvs_shelf_put(const PvsShelf *shelf, const char *name, X509_CRL *crl, GError **error)
{
	/* The daemon passes over hidden files. */
	g_autofree char *fresh = g_strdup_printf(".%s.new", name);
	g_autoptr(GBytes) bytes = der_of(crl);
	int fd = create(shelf, fresh);
	gboolean good;

	if (fd < 0)
		return fail(error, "%s/%s", shelf->path, fresh);
	good = write_all(fd, bytes) && fsync(fd) == 0;
	if (close(fd) < 0 || !good || renameat(shelf->fd, fresh, shelf->fd, name) < 0) {
		fail(error, "%s/%s", shelf->path, name);
		unlinkat(shelf->fd, fresh, 0);
		return FALSE;
	}
	return TRUE;
}

gboolean pvs_shelf_sync(const PvsShelf *shelf, GError **error)
{
	return fsync(shelf->fd) == 0 || fail(error, "%s", shelf->path);
}

static gboolean is_own_name(const char *name)
{
	gsize n = strspn(name, "0123456789abcdef");

	return n == DIGITS && strcmp(name + n, ENDING) == 0;
}

static int by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *pvs_shelf_others(const PvsShelf *shelf, GHashTable *names)
{
	GPtrArray *others = g_ptr_array_new_with_free_func(g_free);
	DIR *dir = opendir(shelf->path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (is_own_name(entry->d_name) && !g_hash_table_contains(names, entry->d_name))
			g_ptr_array_add(others, g_strdup(entry->d_name));
	if (dir)
		closedir(dir);
	g_ptr_array_sort(others, by_name);
	return others;
}
