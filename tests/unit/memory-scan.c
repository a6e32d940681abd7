/* SPDX-License-Identifier: MIT */
/*
 * memory-scan.c - does a secret stand anywhere outside of the arena?
 */
#include "tests/unit/memory-scan.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { WINDOW = 1024 * 1024, OVERLAP = 256 };

gboolean pvs_memory_can_scan(void)
{
#if defined(__SANITIZE_ADDRESS__)
	return FALSE;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
	return FALSE;
#endif
#endif
	return TRUE;
}

static guint count(const guint8 *data, gsize size, const PvsSecret *needle)
{
	const guint8 *end = data + size;
	guint found = 0;

	while ((data = memmem(data, (gsize)(end - data), needle->bytes, needle->size))) {
		found++;
		data++;
	}
	return found;
}

static guint scan_range(int memory, guint8 *window, guintptr from, guintptr to,
			const PvsSecret *needle)
{
	guint found = 0;
	gsize kept = 0; /* the end of the window before, for what lies across */

	while (from < to) {
		ssize_t n =
			pread(memory, window + kept, MIN(WINDOW - kept, to - from), (off_t)from);

		if (n <= 0) /* a guard page */
			break;
		found += count(window, kept + (gsize)n, needle);
		from += (gsize)n;
		/* One byte less than the needle: it cannot be counted twice. */
		if (kept + (gsize)n >= needle->size - 1) {
			gsize size = kept + (gsize)n;

			kept = needle->size - 1;
			memmove(window, window + size - kept, kept);
		}
	}
	return found;
}

guint pvs_memory_scan(const PvsSecret *needle)
{
	/* A mapping of its own, so that it can be left out: it holds copies of everything. */
	guint8 *window =
		mmap(NULL, WINDOW, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	g_autofree char *maps = NULL;
	g_auto(GStrv) lines = NULL;
	guint found = 0;

	g_assert_true(window != MAP_FAILED && memory >= 0 && needle->size <= OVERLAP);
	g_assert_true(g_file_get_contents("/proc/self/maps", &maps, NULL, NULL));
	lines = g_strsplit(maps, "\n", -1);
	for (char **line = lines; **line; line++) {
		char *end;
		guintptr from = g_ascii_strtoull(*line, &end, 16);
		guintptr to = g_ascii_strtoull(end + 1, &end, 16);

		if (!g_str_has_prefix(end, " rw") || from == (guintptr)window)
			continue;
		for (; from < to && pvs_locked_owns((const void *)from); from += 4096)
			;
		found += scan_range(memory, window, from, to, needle);
	}
	close(memory);
	munmap(window, WINDOW);
	return found;
}
