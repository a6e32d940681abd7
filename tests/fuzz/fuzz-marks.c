/* SPDX-License-Identifier: MIT */
/*
 * fuzz-marks.c - any bytes as the file of marks
 *
 * Whatever it has, a CRL that is seen then counts when the file is read again, and the file is one
 * of whole records from then on.
 */
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/trust/marks.h"
#include "tests/unit/trust-world.h"

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

static X509_CRL *older;

static void start(void)
{
	PvsPkiCrl spec;

	world_start();
	spec = world_signing_crl_spec();
	spec.from = -10 * WORLD_DAY;
	spec.until = WORLD_DAY;
	older = pvs_pki_crl(&spec);
}

/* Another open file on the same bytes, as the next process gets one. */
static PvsMarks *marks_of(int fd)
{
	g_autoptr(GError) error = NULL;
	PvsMarks *marks = pvs_marks_new(dup(fd), &error);

	g_assert_no_error(error);
	return marks;
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	int fd = memfd_create("marks", MFD_CLOEXEC);
	gboolean seen;
	struct stat st;

	if (!older)
		start();
	g_assert_cmpint(fd, >=, 0);
	g_assert_cmpint(write(fd, data, size), ==, (gssize)size);
	{
		g_autoptr(PvsMarks) marks = marks_of(fd);

		seen = !pvs_marks_see(marks, world_pki->signing, world_pki->signing_crl, NULL);
		g_assert_cmpint(pvs_marks_latest(marks), >=, WORLD_NOW - WORLD_DAY);
	}
	{
		g_autoptr(PvsMarks) marks = marks_of(fd);

		g_assert_true(pvs_marks_is_rolled_back(marks, world_pki->signing, older));
		g_assert_cmpint(pvs_marks_latest(marks), >=, WORLD_NOW - WORLD_DAY);
	}
	g_assert_cmpint(fstat(fd, &st), ==, 0);
	if (seen)
		g_assert_cmpint(st.st_size, ==, (off_t)size);
	else
		g_assert_cmpint(st.st_size % PVS_MARK_SIZE, ==, 0);
	close(fd);
	return 0;
}
