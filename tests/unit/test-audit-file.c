/* SPDX-License-Identifier: MIT */
/*
 * test-audit-file.c - the audit log's file: whatever a crash left at its end, the chain goes on
 *
 * Every end with every file before; then records are written, by a thread as in the vault, and the
 * whole is read as `pvsecretctl audit verify` reads it.
 */
#include "daemon/vault/audit.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "protocol/audit.h"

typedef struct {
	char *root, *log, *previous;
} Files;

static void set_up(Files *f, gconstpointer data G_GNUC_UNUSED)
{
	f->root = g_dir_make_tmp("pvs-audit-XXXXXX", NULL);
	f->log = g_build_filename(f->root, "audit.log", NULL);
	f->previous = g_build_filename(f->root, "audit.log.1", NULL);
}

static void tear_down(Files *f, gconstpointer data G_GNUC_UNUSED)
{
	g_remove(f->log);
	g_remove(f->previous);
	g_assert_cmpint(g_rmdir(f->root), ==, 0);
	g_free(f->root);
	g_free(f->log);
	g_free(f->previous);
}

/* ---- what is written ---- */

static void put_lines(GString *out, PvsAuditChain *chain, guint n)
{
	for (guint i = 0; i < n; i++)
		pvs_audit_append(out, chain, 1700000000, i ? "create_meta" : "opened",
				 ",\"name\":\"}\"");
}

static void put_file(const char *path, const GString *text)
{
	g_assert_true(g_file_set_contents_full(path, text->str, (gssize)text->len,
					       G_FILE_SET_CONTENTS_NONE, 0600, NULL));
}

static void on_written(gboolean written, gpointer user)
{
	guint *counts = user;

	counts[written]++;
}

static void start(const Files *f)
{
	g_autoptr(GError) error = NULL;
	int fd = open(f->log, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

	g_assert_cmpint(fd, >=, 0);
	g_assert_true(pvs_audit_start(FALSE, &error));
	pvs_audit_open(fd, open(f->previous, O_RDONLY | O_CLOEXEC));
}

/* Writes @n records; how many of them were. */
static guint record(guint n)
{
	g_autoptr(GString) members = g_string_new(",\"uid\":1000");
	guint counts[2] = {0};

	for (guint i = 0; i < n; i++)
		pvs_audit_write("create_meta", members, on_written, counts);
	while (counts[0] + counts[1] < n)
		g_main_context_iteration(NULL, TRUE);
	return counts[1];
}

/* As the daemon does at each start. */
static void go_on(const Files *f)
{
	start(f);
	g_assert_cmpuint(record(2), ==, 2);
	pvs_audit_stop();
}

/* ---- what is read ---- */

typedef struct {
	guint lines, torn, recovered, opened;
} Seen;

/* As the command reads it. */
static PvsAuditVerdict check(PvsAuditChain *chain, const char *data, gsize size, Seen *seen)
{
	gsize used, line;

	for (; (used = pvs_audit_split(data, size, TRUE, &line)) > 0; data += used, size -= used) {
		PvsAuditVerdict verdict = pvs_audit_check(chain, data, line);

		if (verdict != PVS_AUDIT_GOOD && verdict != PVS_AUDIT_TORN)
			return verdict;
		seen->torn += verdict == PVS_AUDIT_TORN;
		seen->lines += verdict == PVS_AUDIT_GOOD;
		seen->recovered += pvs_audit_is_recovery(data, line);
		seen->opened += memmem(data, line, "\"event\":\"opened\"", 16) != NULL;
	}
	return chain->torn ? PVS_AUDIT_TORN : PVS_AUDIT_GOOD;
}

typedef struct {
	char *previous, *log;
	gsize previous_size, log_size;
} Read;

static void read_files(const Files *f, gboolean has_previous, Read *r)
{
	*r = (Read){.log = NULL};
	if (has_previous)
		g_assert_true(
			g_file_get_contents(f->previous, &r->previous, &r->previous_size, NULL));
	g_assert_true(g_file_get_contents(f->log, &r->log, &r->log_size, NULL));
}

static void read_clear(Read *r)
{
	g_free(r->previous);
	g_free(r->log);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Read, read_clear)

static PvsAuditVerdict check_all(const Read *r, Seen *seen)
{
	PvsAuditChain chain = {0};
	PvsAuditVerdict verdict = PVS_AUDIT_GOOD;

	*seen = (Seen){.lines = 0};
	if (r->previous)
		verdict = check(&chain, r->previous, r->previous_size, seen);
	/* Where the older file ends torn the newer one has to say so. */
	if (verdict == PVS_AUDIT_GOOD || verdict == PVS_AUDIT_TORN)
		verdict = check(&chain, r->log, r->log_size, seen);
	return verdict;
}

/* A bit that is flipped anywhere but in the last line shows, in what the crash left as well. */
static void expect_no_change_unseen(const Read *r)
{
	const char *end = memrchr(r->log, '\n', r->log_size - 1);
	gsize here = (gsize)(end - r->log), size = r->previous_size + here;
	guint trials = size > 20000 ? 4 : 200;

	for (guint trial = 0; trial < trials; trial++) {
		gsize at = (gsize)g_test_rand_int_range(0, (gint32)size);
		char *byte =
			at < r->previous_size ? &r->previous[at] : &r->log[at - r->previous_size];
		char bit = (char)(1 << g_test_rand_int_range(0, 8));
		Seen seen;

		*byte ^= bit;
		if (check_all(r, &seen) == PVS_AUDIT_GOOD)
			g_error("byte %" G_GSIZE_FORMAT " was changed unseen", at);
		*byte ^= bit;
	}
}

/* ---- every end, and every file before ---- */

typedef struct {
	const char *what;
	const char *text; /* or, where that is NULL, @size times @byte */
	gsize size;
	char byte;
	gboolean feed; /* and a line feed */
	guint torn;    /* lines that are none, as readers count them */
} End;

#define HASH "0000000000000000000000000000000000000000000000000000000000000000"

static const End ends[] = {
	{"nothing", "", 0, 0, FALSE, 0},
	{"a letter", "{", 0, 0, FALSE, 1},
	{"half a line", "{\"n\":4,\"prev\":\"00", 0, 0, FALSE, 1},
	{"half a line, ended", "{\"n\":4,\"prev\":\"00", 0, 0, TRUE, 1},
	{"a line without its end", "{\"n\":4,\"prev\":\"" HASH "\",\"time\":\"", 0, 0, TRUE, 1},
	{"garbage", "garbage", 0, 0, TRUE, 1},
	{"an empty line", "", 0, 0, TRUE, 1},
	{"empty lines", "\n\n\n", 0, 0, TRUE, 4},
	{"several lines of garbage", "a\n\nb", 0, 0, TRUE, 3},
	{"garbage, and half a line", "garbage\n{\"n\":4,", 0, 0, FALSE, 2},
	{"zeros", NULL, 4096, 0, FALSE, 1},
	{"zeros, ended", NULL, 4096, 0, TRUE, 1},
	{"a line's most", NULL, PVS_AUDIT_LINE_MAX - 1, 'x', FALSE, 1},
	{"a line's most, ended", NULL, PVS_AUDIT_LINE_MAX - 1, 'x', TRUE, 1},
	{"what a reader cuts", NULL, PVS_AUDIT_LINE_MAX, 'x', FALSE, 1},
	{"what a reader cuts, ended", NULL, PVS_AUDIT_LINE_MAX, 'x', TRUE, 1},
	{"a byte more", NULL, PVS_AUDIT_LINE_MAX + 1, 0, FALSE, 2},
	{"a byte more, ended", NULL, PVS_AUDIT_LINE_MAX + 1, 0, TRUE, 2},
	{"two windows", NULL, 2 * PVS_AUDIT_LINE_MAX, 0, FALSE, 2},
	{"two windows, ended", NULL, 2 * PVS_AUDIT_LINE_MAX, 0, TRUE, 2},
	{"many blocks of zeros", NULL, 10 * PVS_AUDIT_LINE_MAX + 17, 0, FALSE, 11},
	{"many empty lines", NULL, 20000, '\n', FALSE, 20000},
};

static void put_end(GString *out, const End *end)
{
	if (end->text)
		g_string_append(out, end->text);
	for (gsize i = 0; i < end->size; i++)
		g_string_append_c(out, end->byte);
	if (end->feed)
		g_string_append_c(out, '\n');
}

typedef enum { NONE, EMPTY, GOOD, TORN, TORN_FIRST, UNREADABLE, PREVIOUS_LAST_ } Previous;

static const char *const previous_what[] = {
	[NONE] = "none",
	[EMPTY] = "empty",
	[GOOD] = "good",
	[TORN] = "torn",
	[TORN_FIRST] = "torn from its first line on",
	[UNREADABLE] = "a directory",
};

/* Makes the file before; where its chain is then. */
static PvsAuditChain put_previous(const Files *f, Previous previous)
{
	PvsAuditChain chain = {0};
	GString *text = g_string_new(NULL);
	Seen seen;

	if (previous == GOOD || previous == TORN)
		put_lines(text, &chain, 5);
	if (previous == TORN || previous == TORN_FIRST)
		g_string_append(text, "{\"n\":6,\"pr");
	if (previous == UNREADABLE)
		g_assert_cmpint(g_mkdir(f->previous, 0700), ==, 0);
	else if (previous != NONE)
		put_file(f->previous, text);
	chain = (PvsAuditChain){0};
	check(&chain, text->str, text->len, &seen);
	g_string_free(text, TRUE);
	return chain;
}

/* @lines: how many good ones the file has. */
static void test_end(const Files *f, const End *end, Previous previous, guint lines)
{
	const gboolean readable = previous != NONE && previous != UNREADABLE;
	PvsAuditChain chain = put_previous(f, previous);
	GString *text = g_string_new(NULL);
	gboolean torn_before = chain.torn, torn;
	g_auto(Read) r = {.log = NULL};
	guint64 last;
	Seen seen;

	if (lines > 0 && torn_before)
		pvs_audit_append(text, &chain, 1700000000, "recovered", "");
	put_lines(text, &chain, lines);
	put_end(text, end);
	put_file(f->log, text);
	g_string_free(text, TRUE);

	torn = end->torn > 0 || (torn_before && lines == 0);
	go_on(f);
	read_files(f, readable, &r);
	g_assert_cmpint(check_all(&r, &seen), ==, PVS_AUDIT_GOOD);
	g_assert_cmpuint(seen.torn, ==, end->torn + torn_before);
	g_assert_cmpuint(seen.recovered, ==, (lines > 0 && torn_before) + torn);
	expect_no_change_unseen(&r);

	/* And once more: what was recovered is a log like any other. */
	go_on(f);
	last = seen.lines;
	read_clear(&r);
	read_files(f, readable, &r);
	g_assert_cmpint(check_all(&r, &seen), ==, PVS_AUDIT_GOOD);
	g_assert_cmpuint(seen.lines, ==, last + 3);
	g_assert_cmpuint(seen.recovered, ==, (lines > 0 && torn_before) + torn);
	g_remove(f->previous);
	g_remove(f->log);
}

static void test_ends(Files *f, gconstpointer data)
{
	const guint lines = GPOINTER_TO_UINT(data);

	for (gsize i = 0; i < G_N_ELEMENTS(ends); i++)
		for (Previous p = NONE; p < PREVIOUS_LAST_; p++) {
			g_test_message("%s, the file before: %s", ends[i].what, previous_what[p]);
			test_end(f, &ends[i], p, lines);
		}
}

/* All of the last line but its line feed: nothing is lost, and the next one says what was so. */
static void test_no_line_feed(Files *f, gconstpointer data G_GNUC_UNUSED)
{
	PvsAuditChain chain = {0};
	GString *text = g_string_new(NULL);
	g_auto(Read) r = {.log = NULL};
	Seen seen;

	put_lines(text, &chain, 3);
	g_string_truncate(text, text->len - 1);
	put_file(f->log, text);
	go_on(f);
	read_files(f, FALSE, &r);
	g_assert_cmpint(check_all(&r, &seen), ==, PVS_AUDIT_GOOD);
	g_assert_cmpuint(seen.lines, ==, 6);
	g_assert_cmpuint(seen.torn, ==, 0);
	g_assert_cmpuint(seen.recovered, ==, 1);
	g_string_free(text, TRUE);
}

/* The newer of two files by itself, which a crash left without its first line: whether that is what
 * was there, the older one tells. */
static void test_newer_alone(Files *f, gconstpointer data G_GNUC_UNUSED)
{
	g_auto(Read) r = {.log = NULL};
	PvsAuditChain chain = {0};
	GString *text = g_string_new("{\"n\":6,\"pr");
	Seen seen = {0};

	put_previous(f, GOOD);
	put_file(f->log, text);
	go_on(f);
	read_files(f, FALSE, &r);
	g_assert_cmpint(check(&chain, r.log, r.log_size, &seen), ==, PVS_AUDIT_BASELESS);
	read_clear(&r);
	read_files(f, TRUE, &r);
	g_assert_cmpint(check_all(&r, &seen), ==, PVS_AUDIT_GOOD);
	g_string_free(text, TRUE);
}

/* The chain goes on from the file's own last line, whatever file is said to be before it. */
static void test_previous_of_no_use(Files *f, gconstpointer data G_GNUC_UNUSED)
{
	PvsAuditChain chain = {0}, other = {.n = 1000};
	GString *text = g_string_new(NULL), *elsewhere = g_string_new(NULL);
	g_auto(Read) r = {.log = NULL};
	Seen seen;

	put_lines(text, &chain, 3);
	put_lines(elsewhere, &other, 3);
	put_file(f->log, text);
	put_file(f->previous, elsewhere);
	go_on(f);
	read_files(f, FALSE, &r);
	g_assert_cmpint(check_all(&r, &seen), ==, PVS_AUDIT_GOOD);
	g_assert_cmpuint(seen.lines, ==, 6);
	g_string_free(text, TRUE);
	g_string_free(elsewhere, TRUE);
}

/* An empty log goes on where the one before ended. */
static void test_continued(Files *f, gconstpointer data G_GNUC_UNUSED)
{
	PvsAuditChain chain = {0};
	GString *text = g_string_new(NULL);
	g_auto(Read) r = {.log = NULL};
	Seen seen;

	put_lines(text, &chain, 3);
	put_file(f->previous, text);
	go_on(f);
	read_files(f, TRUE, &r);
	g_assert_true(g_str_has_prefix(r.log, "{\"n\":4,\"prev\":\""));
	g_assert_nonnull(strstr(r.log, "\"event\":\"opened\""));
	g_assert_cmpint(check_all(&r, &seen), ==, PVS_AUDIT_GOOD);
	g_string_free(text, TRUE);
}

/* While another daemon has the file nothing is on record; once it has ended everything is. */
static void test_locked(Files *f, gconstpointer data G_GNUC_UNUSED)
{
	int others = open(f->log, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	PvsAuditChain chain = {0};
	GString *text = g_string_new(NULL);
	g_auto(Read) r = {.log = NULL};
	Seen seen;

	g_assert_cmpint(flock(others, LOCK_EX | LOCK_NB), ==, 0);
	start(f);
	g_assert_cmpuint(record(3), ==, 0);
	/* What the other one writes meanwhile is what ours goes on from. */
	put_lines(text, &chain, 4);
	g_assert_cmpint(write(others, text->str, text->len), ==, (gssize)text->len);
	g_assert_cmpuint(record(3), ==, 0);
	close(others);
	g_assert_cmpuint(record(3), ==, 3);
	pvs_audit_stop();
	read_files(f, FALSE, &r);
	g_assert_cmpint(check_all(&r, &seen), ==, PVS_AUDIT_GOOD);
	g_assert_cmpuint(seen.lines, ==, 8);
	g_string_free(text, TRUE);
}

#define ADD(path, data, function) \
	g_test_add("/audit-file" path, Files, data, set_up, function, tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	/* As every worker has it; the thread could not be confined. */
	g_assert_cmpint(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), ==, 0);
	ADD("/ends/without-a-line", GUINT_TO_POINTER(0), test_ends);
	ADD("/ends/behind-one", GUINT_TO_POINTER(1), test_ends);
	ADD("/ends/behind-several", GUINT_TO_POINTER(4), test_ends);
	ADD("/no-line-feed", NULL, test_no_line_feed);
	ADD("/newer-alone", NULL, test_newer_alone);
	ADD("/previous-of-no-use", NULL, test_previous_of_no_use);
	ADD("/continued", NULL, test_continued);
	ADD("/locked", NULL, test_locked);
	return g_test_run();
}
