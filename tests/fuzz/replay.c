/* SPDX-License-Identifier: MIT */
/*
 * replay.c - runs a fuzzer's function once over every file of its corpus
 *
 * Stands in for libFuzzer where there is none, so that what a fuzzer once found is looked at by
 * every `make check`, with every compiler. The corpus of fuzz-NAME is tests/fuzz/corpus/NAME below
 * $PVS_SRC_DIR; arguments that are no options are further files or directories.
 */
#include <glib.h>

#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

/* What ran before a crash is the last line that was printed. */
static guint replay_file(const char *path, guint n)
{
	g_autofree char *data = NULL;
	g_autofree char *base = g_path_get_basename(path);
	gsize size;

	if (!g_file_get_contents(path, &data, &size, NULL)) {
		printf("not ok %u cannot read %s\n", n + 1, base);
		return n + 1;
	}
	printf("# %s\n", base);
	fflush(stdout);
	/* A copy of just the size, so that ASan and valgrind see a read behind its end. */
	{
		g_autofree guint8 *copy = g_malloc(size ? size : 1);

		memcpy(copy, data, size);
		LLVMFuzzerTestOneInput(copy, size);
	}
	printf("ok %u %s\n", n + 1, base);
	return n + 1;
}

static int by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static guint replay(const char *path, guint n)
{
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	const char *name;

	if (!dir)
		return replay_file(path, n);
	while ((name = g_dir_read_name(dir)))
		g_ptr_array_add(names, g_build_filename(path, name, NULL));
	g_ptr_array_sort(names, by_name);
	for (guint i = 0; i < names->len; i++)
		n = replay_file(names->pdata[i], n);
	return n;
}

int main(int argc, char **argv)
{
	g_autofree char *program = g_path_get_basename(argv[0]);
	const char *source = g_getenv("PVS_SRC_DIR");
	guint n = 0;
	gboolean named = FALSE;

	for (int i = 1; i < argc; i++)
		if (argv[i][0] != '-') {
			named = TRUE;
			n = replay(argv[i], n);
		}
	if (!named && source && g_str_has_prefix(program, "fuzz-")) {
		g_autofree char *corpus = g_build_filename(source, "tests", "fuzz", "corpus",
							   program + strlen("fuzz-"), NULL);

		n = replay(corpus, n);
	}
	if (n == 0)
		printf("not ok %u there is no corpus: set PVS_SRC_DIR or name a directory\n", ++n);
	printf("1..%u\n", n);
	return 0;
}
