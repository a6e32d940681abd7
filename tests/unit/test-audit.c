/* SPDX-License-Identifier: MIT */
/*
 * test-audit.c - the audit log's lines, and that nothing can be done to them unseen
 */
#include "protocol/audit.h"

#include <json-glib/json-glib.h>
#include <string.h>

enum { LINES = 40 };

static GString *members_of(const char *name)
{
	GString *members = g_string_new(NULL);

	pvs_audit_number(members, "uid", 1000);
	pvs_audit_text(members, "name", name);
	pvs_audit_text(members, "none", NULL);
	pvs_audit_hex(members, "header_tag", (const guint8 *)"\x00\xff\x10", 3);
	pvs_audit_hashes(members, "host_keys", (const guint8 *)"abcd", 2, 2);
	return members;
}

static GString *log_new(guint n)
{
	GString *log = g_string_new(NULL);
	PvsAuditChain chain = {0};

	for (guint i = 0; i < n; i++) {
		g_autofree char *name = g_strdup_printf("secret %u", i);
		GString *members = members_of(name);

		pvs_audit_append(log, &chain, 1700000000 + i, i ? "create_association" : "opened",
				 members->str);
		g_string_free(members, TRUE);
	}
	return log;
}

/* The first verdict that is not good, or GOOD. */
static PvsAuditVerdict check(const char *log, gsize size)
{
	PvsAuditChain chain = {0};
	const char *end = log + size;

	while (log < end) {
		const char *line_end = memchr(log, '\n', (gsize)(end - log));
		PvsAuditVerdict verdict;

		if (!line_end)
			line_end = end;
		verdict = pvs_audit_check(&chain, log, (gsize)(line_end - log));
		if (verdict != PVS_AUDIT_GOOD)
			return verdict;
		log = line_end + 1;
	}
	return PVS_AUDIT_GOOD;
}

static void test_line(void)
{
	GString *log = log_new(2), *members = members_of("a");
	g_auto(GStrv) lines = g_strsplit(log->str, "\n", -1);
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	g_autofree char *wanted = NULL;

	g_assert_cmpstr(members->str, ==,
			",\"uid\":1000,\"name\":\"a\",\"header_tag\":\"00ff10\","
			"\"host_keys\":[\"6162\",\"6364\"]");
	g_checksum_update(sum, (const guchar *)lines[0], -1);
	wanted = g_strdup_printf("{\"n\":2,\"prev\":\"%s\",\"time\":\"2023-11-14T22:13:21Z\","
				 "\"event\":\"create_association\",",
				 g_checksum_get_string(sum));
	g_assert_true(g_str_has_prefix(lines[1], wanted));
	g_assert_true(g_str_has_prefix(lines[0], "{\"n\":1,\"prev\":\"00000000"));
	g_assert_cmpuint(g_strv_length(lines), ==, 3);
	g_string_free(log, TRUE);
	g_string_free(members, TRUE);
}

static void test_whole(void)
{
	GString *log = log_new(LINES);

	g_assert_cmpint(check(log->str, log->len), ==, PVS_AUDIT_GOOD);
	g_string_free(log, TRUE);
}

/* A bit flipped anywhere but in the last line, which only the journal knows. */
static void test_bits(void)
{
	GString *log = log_new(LINES);
	gsize end = (gsize)((const char *)memrchr(log->str, '\n', log->len - 1) - log->str);

	for (guint trial = 0; trial < 10000; trial++) {
		gsize at = (gsize)g_test_rand_int_range(0, (gint32)end);
		char bit = (char)(1 << g_test_rand_int_range(0, 8));

		log->str[at] ^= bit;
		g_assert_cmpint(check(log->str, log->len), !=, PVS_AUDIT_GOOD);
		log->str[at] ^= bit;
	}
	g_string_free(log, TRUE);
}

static PvsAuditVerdict check_lines(char **lines)
{
	g_autofree char *joined = g_strjoinv("\n", lines);

	return check(joined, strlen(joined));
}

static void test_lost_and_swapped(void)
{
	GString *log = log_new(LINES);

	for (guint trial = 0; trial < 10000; trial++) {
		g_auto(GStrv) lines = g_strsplit(log->str, "\n", -1);
		guint a = (guint)g_test_rand_int_range(0, LINES);
		guint b = (guint)g_test_rand_int_range(0, LINES);
		char *line = lines[a];

		if (a == b)
			continue;
		if (trial % 3 == 0) {
			lines[a] = lines[b];
			lines[b] = line;
			g_assert_cmpint(check_lines(lines), !=, PVS_AUDIT_GOOD);
		} else if (trial % 3 == 1) {
			/* A copy in another's place. */
			lines[a] = g_strdup(lines[b]);
			g_free(line);
			g_assert_cmpint(check_lines(lines), !=, PVS_AUDIT_GOOD);
		} else if (a > 0 && a < LINES - 1) {
			memmove(&lines[a], &lines[a + 1], (LINES + 1 - a) * sizeof lines[0]);
			g_free(line);
			g_assert_cmpint(check_lines(lines), !=, PVS_AUDIT_GOOD);
		}
	}
	g_string_free(log, TRUE);
}

static GString *append(GString *log, PvsAuditChain *chain, const char *event)
{
	pvs_audit_append(log, chain, 0, event, "");
	return log;
}

/* Somebody who can write the file and make hashes, and leaves a number out or uses one again. */
static void test_numbers(void)
{
	static const gint64 steps[] = {-1, 1, 5};

	for (gsize i = 0; i < G_N_ELEMENTS(steps); i++) {
		GString *log = g_string_new(NULL);
		PvsAuditChain chain = {0};

		append(append(log, &chain, "opened"), &chain, "create_meta");
		g_assert_cmpint(check(log->str, log->len), ==, PVS_AUDIT_GOOD);
		chain.n += (guint64)steps[i];
		append(log, &chain, "create_meta");
		g_assert_cmpint(check(log->str, log->len), ==, PVS_AUDIT_NUMBER);
		g_string_free(log, TRUE);
	}
}

/* The other way round: the numbers are right, and a line is another. */
static void test_hash(void)
{
	GString *log = g_string_new(NULL);
	PvsAuditChain chain = {0};

	append(append(log, &chain, "opened"), &chain, "create_meta");
	chain.hash[31] ^= 1;
	append(log, &chain, "create_meta");
	g_assert_cmpint(check(log->str, log->len), ==, PVS_AUDIT_HASH_OFF);
	g_string_free(log, TRUE);
}

/* A file that goes on from another one, which is not at hand. */
static void test_goes_on(void)
{
	GString *log = g_string_new(NULL);
	PvsAuditChain chain = {.n = 40, .hash = {1, 2, 3}}, read = {0};

	append(append(log, &chain, "opened"), &chain, "create_meta");
	g_assert_true(g_str_has_prefix(log->str, "{\"n\":41,\"prev\":\"010203"));
	g_assert_cmpint(check(log->str, log->len), ==, PVS_AUDIT_GOOD);
	g_assert_cmpint(
		pvs_audit_check(&read, log->str, (gsize)(strchr(log->str, '\n') - log->str)), ==,
		PVS_AUDIT_GOOD);
	g_assert_cmpuint(read.n, ==, 41);
	g_string_free(log, TRUE);
}

/* What a client may call a secret makes neither a line nor a member. */
static void test_names(void)
{
	static const char *const names[] = {
		"\n{\"n\":3}",
		"\",\"outcome\":\"ok",
		"\\",
		"\\\"",
		"\033[2J\r",
		"\xc3\xa4\xe2\x82\xac",
		"\xf0\x9d\x84\x9e",
		"\x7f\x01",
		"\xe2\x80\xae",
		"\xc2\x85",
		"a\tb",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		GString *log = g_string_new(NULL), *members = members_of(names[i]);
		PvsAuditChain chain = {0};
		g_autoptr(JsonNode) root = NULL;

		pvs_audit_append(log, &chain, 0, "create_association", members->str);
		for (gsize at = 0; at < log->len - 1; at++)
			g_assert_true(log->str[at] >= 0x20 && log->str[at] < 0x7f);
		root = json_from_string(log->str, NULL);
		g_assert_nonnull(root);
		g_assert_cmpstr(json_object_get_string_member(json_node_get_object(root), "name"),
				==, names[i]);
		g_assert_cmpuint(json_object_get_size(json_node_get_object(root)), ==, 8);
		g_string_free(log, TRUE);
		g_string_free(members, TRUE);
	}
}

/* None is written; a reader takes one that is stretched for none, however it begins and ends. */
static void test_long_line(void)
{
	for (guint over = 0; over < 2; over++) {
		GString *line = g_string_new(NULL);
		PvsAuditChain chain = {0}, read = {0};
		g_autofree char *more = NULL;

		pvs_audit_append(line, &chain, 0, "create_meta", ",\"a\":\"\"");
		g_string_truncate(line, line->len - 1);
		/* To the limit with the line feed, or without. */
		more = g_strnfill(PVS_AUDIT_LINE_MAX - 1 + over - line->len, 'x');
		g_string_insert(line, (gssize)line->len - 2, more);
		g_assert_cmpint(pvs_audit_check(&read, line->str, line->len), ==,
				over ? PVS_AUDIT_TORN : PVS_AUDIT_GOOD);
		g_string_free(line, TRUE);
	}
}

static void test_no_lines(void)
{
	static const char *const texts[] = {
		"",
		"x",
		"{}",
		"{\"n\":1}",
		"{\"n\":,\"prev\":\"\"}",
		"{\"n\":1,\"prev\":\"00\",\"time\":\"\"}",
		"{\"n\":01,\"prev\":\""
		"0000000000000000000000000000000000000000000000000000000000000000\",\"a\":1}",
		"{\"n\":1,\"prev\":\""
		"0000000000000000000000000000000000000000000000000000000000000000\",\"a\":1",
		"{\"n\":1,\"prev\":\""
		"g000000000000000000000000000000000000000000000000000000000000000\",\"a\":1}",
		"{\"n\":1,\"prev\":\""
		"0000000000000000000000000000000000000000000000000000000000000000\",\"a\":\x7f}",
		"{\"n\":1,\"prev\":\""
		"0000000000000000000000000000000000000000000000000000000000000000\",\"a\":\t1}",
		"{\"n\":1,\"prev\":\""
		"0000000000000000000000000000000000000000000000000000000000000000\" ,\"a\":1}",
		"{\"n\":1,\"PREV\":\""
		"0000000000000000000000000000000000000000000000000000000000000000\",\"a\":1}",
		"{\"N\":1,\"prev\":\""
		"0000000000000000000000000000000000000000000000000000000000000000\",\"a\":1}",
		"{\"n\":,\"prev\":\""
		"0000000000000000000000000000000000000000000000000000000000000000\",\"a\":1}",
		"{\"event\":\"recovered\"}",
		"{\"n\":99999999999999999999,\"prev\":\""
		"0000000000000000000000000000000000000000000000000000000000000000\",\"a\":1}",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		gsize size = strlen(texts[i]);
		/* In room of its own size, which a sanitizer watches. */
		g_autofree char *text = size ? g_memdup2(texts[i], size) : g_malloc(1);
		PvsAuditChain chain = {0};

		g_test_message("case %" G_GSIZE_FORMAT, i);
		g_assert_cmpint(pvs_audit_check(&chain, text, size), ==, PVS_AUDIT_TORN);
		g_assert_false(pvs_audit_is_recovery(text, size));
	}
}

static void test_recovery(void)
{
	GString *log = log_new(3), *members = g_string_new(NULL);
	PvsAuditChain chain = {0};
	const char *line;

	pvs_audit_text(members, "name", "\"event\":\"recovered\"");
	g_string_truncate(log, 0);
	pvs_audit_append(log, &chain, 0, "create_association", members->str);
	g_assert_false(pvs_audit_is_recovery(log->str, log->len - 1));
	pvs_audit_append(log, &chain, 0, "recovered", "");
	line = log->str + (strchr(log->str, '\n') - log->str) + 1;
	g_assert_true(pvs_audit_is_recovery(line, strlen(line) - 1));
	g_string_free(log, TRUE);
	g_string_free(members, TRUE);
}

static PvsAuditVerdict take(PvsAuditChain *chain, const char *line)
{
	return pvs_audit_check(chain, line, strlen(line));
}

/* What is no line is to be named by the next one, and neither it nor what came before it can be
 * changed then. */
static void test_torn(void)
{
	GString *log = log_new(2);
	PvsAuditChain chain = {0}, reader = {0};
	g_auto(GStrv) lines = g_strsplit(log->str, "\n", -1);
	g_autofree char *recovery = NULL, *silent = NULL;

	g_string_truncate(log, 0);
	g_assert_cmpint(take(&chain, lines[0]), ==, PVS_AUDIT_GOOD);
	g_assert_cmpint(take(&chain, "torn"), ==, PVS_AUDIT_TORN);
	g_assert_cmpint(take(&chain, ""), ==, PVS_AUDIT_TORN);
	g_assert_cmpuint(chain.n, ==, 3);
	reader = chain;
	pvs_audit_append(log, &chain, 0, "recovered", "");
	recovery = g_strndup(log->str, log->len - 1);
	g_assert_true(g_str_has_prefix(recovery, "{\"n\":4,"));
	g_string_truncate(log, 0);
	chain = reader;
	pvs_audit_append(log, &chain, 0, "create_meta", ",\"x\":\"\\\"event\\\":\\\"recovered\"");
	silent = g_strndup(log->str, log->len - 1);

	for (guint i = 0; i < 6; i++) {
		static const struct {
			const char *first, *second;
			PvsAuditVerdict verdict;
		} rows[] = {
			{"torn", "", PVS_AUDIT_GOOD},	   {"torm", "", PVS_AUDIT_HASH_OFF},
			{"torn", "x", PVS_AUDIT_HASH_OFF}, {"", "torn", PVS_AUDIT_HASH_OFF},
			{"torn", NULL, PVS_AUDIT_NUMBER},  {NULL, NULL, PVS_AUDIT_NUMBER},
		};

		reader = (PvsAuditChain){0};
		g_assert_cmpint(take(&reader, lines[0]), ==, PVS_AUDIT_GOOD);
		if (rows[i].first)
			g_assert_cmpint(take(&reader, rows[i].first), ==, PVS_AUDIT_TORN);
		if (rows[i].second)
			g_assert_cmpint(take(&reader, rows[i].second), ==, PVS_AUDIT_TORN);
		chain = reader;
		g_assert_cmpint(take(&chain, recovery), ==, rows[i].verdict);
		if (rows[i].first)
			g_assert_cmpint(take(&reader, silent), ==, PVS_AUDIT_SILENT);
	}
	/* Where the log begins with it, nothing says what came before. */
	reader = (PvsAuditChain){0};
	g_assert_cmpint(take(&reader, "torn"), ==, PVS_AUDIT_TORN);
	g_assert_cmpint(take(&reader, recovery), ==, PVS_AUDIT_BASELESS);
	/* The line before was another one. */
	reader = (PvsAuditChain){0};
	lines[0][strlen(lines[0]) - 3] ^= 1;
	g_assert_cmpint(take(&reader, lines[0]), ==, PVS_AUDIT_GOOD);
	take(&reader, "torn");
	take(&reader, "");
	g_assert_cmpint(take(&reader, recovery), ==, PVS_AUDIT_HASH_OFF);
	g_string_free(log, TRUE);
}

/* Where a log begins in the middle it is taken as it is; what says to be the first line is. */
static void test_first(void)
{
	GString *log = log_new(2);
	g_auto(GStrv) lines = g_strsplit(log->str, "\n", -1);
	PvsAuditChain chain = {0};

	g_assert_cmpint(take(&chain, lines[1]), ==, PVS_AUDIT_GOOD);
	g_assert_cmpuint(chain.n, ==, 2);
	chain = (PvsAuditChain){0};
	*strchr(lines[0], '0') = '1';
	g_assert_cmpint(take(&chain, lines[0]), ==, PVS_AUDIT_HASH_OFF);
	g_string_free(log, TRUE);
}

/* Every reader sees the same lines, however much of them it has at a time. */
static void test_split(void)
{
	static const struct {
		gsize letters;
		gboolean feed, end;
		gsize used, line;
	} rows[] = {
		{0, FALSE, TRUE, 0, 0},
		{0, TRUE, FALSE, 1, 0},
		{3, TRUE, FALSE, 4, 3},
		{3, FALSE, FALSE, 0, 0},
		{3, FALSE, TRUE, 3, 3},
		{PVS_AUDIT_LINE_MAX, FALSE, FALSE, 0, 0},
		{PVS_AUDIT_LINE_MAX, FALSE, TRUE, PVS_AUDIT_LINE_MAX, PVS_AUDIT_LINE_MAX},
		{PVS_AUDIT_LINE_MAX, TRUE, FALSE, PVS_AUDIT_LINE_MAX + 1, PVS_AUDIT_LINE_MAX},
		{PVS_AUDIT_LINE_MAX + 1, FALSE, FALSE, PVS_AUDIT_LINE_MAX, PVS_AUDIT_LINE_MAX},
		{PVS_AUDIT_LINE_MAX + 1, TRUE, TRUE, PVS_AUDIT_LINE_MAX, PVS_AUDIT_LINE_MAX},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		gsize size = rows[i].letters + (rows[i].feed != FALSE), line = 0;
		g_autofree char *data = g_strnfill(size, 'x');

		if (rows[i].feed)
			data[rows[i].letters] = '\n';
		g_test_message("case %" G_GSIZE_FORMAT, i);
		g_assert_cmpuint(pvs_audit_split(data, size, rows[i].end, &line), ==, rows[i].used);
		if (rows[i].used)
			g_assert_cmpuint(line, ==, rows[i].line);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/audit/line", test_line);
	g_test_add_func("/audit/whole", test_whole);
	g_test_add_func("/audit/bits", test_bits);
	g_test_add_func("/audit/lost-and-swapped", test_lost_and_swapped);
	g_test_add_func("/audit/numbers", test_numbers);
	g_test_add_func("/audit/hash", test_hash);
	g_test_add_func("/audit/goes-on", test_goes_on);
	g_test_add_func("/audit/long-line", test_long_line);
	g_test_add_func("/audit/names", test_names);
	g_test_add_func("/audit/no-lines", test_no_lines);
	g_test_add_func("/audit/recovery", test_recovery);
	g_test_add_func("/audit/torn", test_torn);
	g_test_add_func("/audit/first", test_first);
	g_test_add_func("/audit/split", test_split);
	return g_test_run();
}
