/* SPDX-License-Identifier: MIT */
/*
 * marks.c - the newest CRL that was seen of each signing key, over the daemon's whole life
 */
#include "daemon/trust/marks.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "daemon/trust/x509.h"
#include "protocol/error.h"

enum {
	KEY_SIZE = 32,
	NUMBER_SIZE = 16,
	TIME_AT = KEY_SIZE,
	NUMBER_AT = TIME_AT + 8,
	SUM_AT = NUMBER_AT + NUMBER_SIZE,
	SUM_SIZE = PVS_MARK_SIZE - SUM_AT,
};
G_STATIC_ASSERT(SUM_SIZE == 8);

typedef struct {
	guint8 key[KEY_SIZE];
	gint64 from;
	guint8 number[NUMBER_SIZE];
	gboolean written; /* it is on the disk */
} Mark;

struct PvsMarks {
	int fd;
	gsize torn;	   /* bytes of a record that did not get onto the file whole */
	GHashTable *marks; /* key -> Mark */
};

static guint hash(gconstpointer key)
{
	guint value;

	memcpy(&value, key, sizeof value); /* a digest: as good as random */
	return value;
}

static gboolean equal(gconstpointer a, gconstpointer b)
{
	return memcmp(a, b, KEY_SIZE) == 0;
}

static void encode(const Mark *mark, guint8 record[PVS_MARK_SIZE])
{
	guint64 from = GUINT64_TO_BE((guint64)mark->from);
	guint8 sum[32];
	gsize size = sizeof sum;

	memcpy(record, mark->key, KEY_SIZE);
	memcpy(record + TIME_AT, &from, sizeof from);
	memcpy(record + NUMBER_AT, mark->number, NUMBER_SIZE);
	g_assert(EVP_Q_digest(NULL, "SHA256", NULL, record, SUM_AT, sum, &size) == 1);
	memcpy(record + SUM_AT, sum, SUM_SIZE);
}

static gboolean decode(const guint8 record[PVS_MARK_SIZE], Mark *mark)
{
	guint8 again[PVS_MARK_SIZE];
	guint64 from;

	memcpy(mark->key, record, KEY_SIZE);
	memcpy(&from, record + TIME_AT, sizeof from);
	mark->from = (gint64)GUINT64_FROM_BE(from);
	memcpy(mark->number, record + NUMBER_AT, NUMBER_SIZE);
	encode(mark, again);
	return memcmp(again, record, PVS_MARK_SIZE) == 0;
}

/* Which part of its issuer's list @crl is, where it is that of a distribution point; else NULL. */
static const ASN1_OCTET_STRING *part_of(X509_CRL *crl)
{
	g_autoptr(ISSUING_DIST_POINT) scope =
		X509_CRL_get_ext_d2i(crl, NID_issuing_distribution_point, NULL, NULL);
	int at = X509_CRL_get_ext_by_NID(crl, NID_issuing_distribution_point, -1);

	return scope && scope->distpoint ? X509_EXTENSION_get_data(X509_CRL_get_ext(crl, at))
					 : NULL;
}

/* X509_pubkey_digest() leaves out the algorithm. */
static gboolean digest_key(X509 *cert, const ASN1_OCTET_STRING *part, guint8 digest[KEY_SIZE])
{
	guint8 *spki = NULL;
	int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &spki);
	gsize digest_size = KEY_SIZE;
	g_autoptr(GByteArray) bytes = g_byte_array_new();

	if (size > 0)
		g_byte_array_append(bytes, spki, (guint)size);
	OPENSSL_free(spki);
	if (part)
		g_byte_array_append(bytes, ASN1_STRING_get0_data(part),
				    (guint)ASN1_STRING_length(part));
	return size > 0 && EVP_Q_digest(NULL, "SHA256", NULL, bytes->data, bytes->len, digest,
					&digest_size) == 1;
}

/* Of the whole list where @part is NULL. FALSE for a CRL whose time cannot be read. */
static gboolean mark_of(X509 *signing_key, const ASN1_OCTET_STRING *part, X509_CRL *crl, Mark *mark)
{
	g_autoptr(ASN1_INTEGER) number = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
	int length = number ? ASN1_STRING_length(number) : 0;

	*mark = (Mark){.from = 0};
	if (!digest_key(signing_key, part, mark->key) ||
	    !pvs_x509_time(X509_CRL_get0_lastUpdate(crl), &mark->from))
		return FALSE;
	if (length > 0 && length <= NUMBER_SIZE && ASN1_STRING_type(number) == V_ASN1_INTEGER)
		memcpy(mark->number + NUMBER_SIZE - length, ASN1_STRING_get0_data(number),
		       (gsize)length);
	return TRUE;
}

/* By the time; then by the number, where both have one. */
static int compare(const Mark *a, const Mark *b)
{
	static const guint8 none[NUMBER_SIZE];

	if (a->from != b->from)
		return a->from < b->from ? -1 : 1;
	if (memcmp(a->number, none, NUMBER_SIZE) == 0 || memcmp(b->number, none, NUMBER_SIZE) == 0)
		return 0;
	return memcmp(a->number, b->number, NUMBER_SIZE);
}

/* TRUE if it is newer than what is there. */
static gboolean take(PvsMarks *marks, const Mark *mark)
{
	const Mark *old = g_hash_table_lookup(marks->marks, mark->key);
	Mark *copy;

	if (old && compare(mark, old) <= 0)
		return FALSE;
	copy = g_memdup2(mark, sizeof *mark);
	g_hash_table_replace(marks->marks, copy->key, copy);
	return TRUE;
}

/* As much of a record as there is; -1 on an error. */
static gssize read_record(int fd, off_t at, guint8 record[PVS_MARK_SIZE])
{
	gsize size = 0;

	while (size < PVS_MARK_SIZE) {
		ssize_t n = pread(fd, record + size, PVS_MARK_SIZE - size, at + (off_t)size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		size += (gsize)n;
	}
	return (gssize)size;
}

PvsMarks *pvs_marks_new(int fd, GError **error)
{
	g_autoptr(PvsMarks) marks = g_new0(PvsMarks, 1);
	guint8 record[PVS_MARK_SIZE];
	gssize size = 0;

	marks->fd = fd;
	marks->marks = g_hash_table_new_full(hash, equal, NULL, g_free);
	for (off_t at = 0; fd >= 0; at += PVS_MARK_SIZE) {
		Mark mark;

		size = read_record(fd, at, record);
		if (size < PVS_MARK_SIZE)
			break;
		if (!decode(record, &mark))
			continue;
		mark.written = TRUE;
		take(marks, &mark);
	}
	if (size < 0) {
		g_set_error(error, PVS_ERROR, PVS_ERROR_SYSTEM,
			    "the marks of CRLs cannot be read: %s", g_strerror(errno));
		return NULL;
	}
	marks->torn = (gsize)size;
	return g_steal_pointer(&marks);
}

void pvs_marks_free(PvsMarks *marks)
{
	if (!marks)
		return;
	if (marks->fd >= 0)
		close(marks->fd);
	g_hash_table_unref(marks->marks);
	g_free(marks);
}

static gboolean is_behind(const PvsMarks *marks, X509 *signing_key, const ASN1_OCTET_STRING *part,
			  X509_CRL *crl)
{
	const Mark *seen;
	Mark mark;

	if (!mark_of(signing_key, part, crl, &mark))
		return TRUE;
	seen = g_hash_table_lookup(marks->marks, mark.key);
	return seen && compare(&mark, seen) < 0;
}

gboolean pvs_marks_is_rolled_back(const PvsMarks *marks, X509 *signing_key, X509_CRL *crl)
{
	const ASN1_OCTET_STRING *part = part_of(crl);
	gboolean behind = is_behind(marks, signing_key, NULL, crl) ||
			  (part && is_behind(marks, signing_key, part, crl));

	ERR_clear_error();
	return behind;
}

/* Appends @size bytes; what of them got onto the file counts for where the next record begins. */
static gboolean append(PvsMarks *marks, const guint8 *data, gsize size)
{
	while (size > 0) {
		ssize_t n = write(marks->fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return FALSE;
		marks->torn = (marks->torn + (gsize)n) % PVS_MARK_SIZE;
		data += n;
		size -= (gsize)n;
	}
	return TRUE;
}

static gboolean write_down(PvsMarks *marks, const Mark *mark)
{
	static const guint8 filler[PVS_MARK_SIZE];
	guint8 record[PVS_MARK_SIZE];

	encode(mark, record);
	/* What is left of one that was torn is made a whole one, which does not end as it should.
	 */
	return (marks->torn == 0 || append(marks, filler, PVS_MARK_SIZE - marks->torn)) &&
	       append(marks, record, sizeof record) && fdatasync(marks->fd) == 0;
}

/* Also those that could not be written before: the disk may have been full. */
static gboolean write_all(PvsMarks *marks)
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, marks->marks);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		Mark *mark = value;

		mark->written = mark->written || write_down(marks, mark);
		if (!mark->written)
			return FALSE;
	}
	return TRUE;
}

gboolean pvs_marks_see(PvsMarks *marks, X509 *signing_key, X509_CRL *crl, GError **error)
{
	Mark mark;
	gboolean newer = mark_of(signing_key, part_of(crl), crl, &mark) && take(marks, &mark);

	ERR_clear_error();
	if (marks->fd >= 0 && !write_all(marks))
		g_set_error(error, PVS_ERROR, PVS_ERROR_SYSTEM,
			    "the mark of a CRL cannot be written: %s", g_strerror(errno));
	return newer;
}

gint64 pvs_marks_latest(const PvsMarks *marks)
{
	gint64 latest = G_MININT64;
	GHashTableIter iter;
	gpointer mark;

	g_hash_table_iter_init(&iter, marks->marks);
	while (g_hash_table_iter_next(&iter, NULL, &mark))
		latest = MAX(latest, ((const Mark *)mark)->from);
	return latest;
}
