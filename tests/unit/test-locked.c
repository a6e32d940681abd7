/* SPDX-License-Identifier: MIT */
/*
 * test-locked.c - the memory that key bytes may stand in
 */
#include "daemon/locked.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "protocol/error.h"

enum { SIZE = 256 * 1024 };

/* Each of these runs in a process of its own: there is one arena for a process. */
static gboolean in_child(void)
{
	if (g_test_subprocess()) {
		g_autoptr(GError) error = NULL;

		g_assert_true(pvs_locked_init(SIZE, &error));
		g_assert_no_error(error);
		return TRUE;
	}
	g_test_trap_subprocess(NULL, 0, G_TEST_SUBPROCESS_INHERIT_STDERR);
	g_test_trap_assert_passed();
	return FALSE;
}

static void dies(void (*what)(void), const char *text)
{
	if (g_test_subprocess()) {
		/* The parent expects the death; nobody needs the core. */
		prctl(PR_SET_DUMPABLE, 0);
		g_assert_true(pvs_locked_init(SIZE, NULL));
		what();
		return;
	}
	g_test_trap_subprocess(NULL, 0, 0);
	g_test_trap_assert_failed();
	if (text)
		g_test_trap_assert_stderr(text);
}

static gboolean is_zero(const guint8 *bytes, gsize size)
{
	for (gsize i = 0; i < size; i++)
		if (bytes[i] != 0)
			return FALSE;
	return TRUE;
}

static void test_alloc(void)
{
	guint8 *a, *b;

	if (!in_child())
		return;
	g_assert_cmpuint(pvs_locked_size(), ==, SIZE);
	g_assert_cmpuint(pvs_locked_used(), ==, 0);
	a = pvs_locked_alloc(33);
	b = pvs_locked_alloc(1);
	g_assert_nonnull(a);
	g_assert_nonnull(b);
	g_assert_cmpuint((guintptr)a % 16, ==, 0);
	g_assert_cmpuint((guintptr)b % 16, ==, 0);
	g_assert_true(pvs_locked_owns(a) && pvs_locked_owns(a + 32) && pvs_locked_owns(b));
	g_assert_true(!pvs_locked_owns(&a) && !pvs_locked_owns(NULL));
	g_assert_true(is_zero(a, 33) && is_zero(b, 1));
	g_assert_cmpuint(pvs_locked_used(), >=, 34);
	pvs_locked_free(a);
	pvs_locked_free(b);
	pvs_locked_free(NULL);
	g_assert_cmpuint(pvs_locked_used(), ==, 0);
	g_assert_cmpuint(pvs_locked_peak(), >=, 34);
}

/* The memory stays mapped, so what free() left there can be looked at. */
static void test_wiped_on_free(void)
{
	static const gsize sizes[] = {1, 16, 17, 32, 100, 1000, 1024, 5000, 70000};

	if (!in_child())
		return;
	for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
		guint8 *fence = pvs_locked_alloc(16); /* keeps the chunk from merging backwards */
		guint8 *memory = pvs_locked_alloc(sizes[i]);
		guint8 *again;

		memset(memory, 0xa5, sizes[i]);
		pvs_locked_free(memory);
		/* The links of the list of free chunks are there; of the contents nothing. */
		g_assert_null(memmem(memory, sizes[i], "\xa5\xa5\xa5\xa5", 4));
		if (sizes[i] > 16)
			g_assert_true(is_zero(memory + 16, sizes[i] - 16));
		again = pvs_locked_alloc(sizes[i]);
		g_assert_true(again == memory);
		g_assert_true(is_zero(again, sizes[i]));
		pvs_locked_free(again);
		pvs_locked_free(fence);
	}
}

static void test_full(void)
{
	gpointer all[SIZE / 1024];
	gsize n = 0;

	if (!in_child())
		return;
	g_assert_null(pvs_locked_alloc(SIZE));
	g_assert_null(pvs_locked_alloc(G_MAXSIZE));
	g_assert_null(pvs_locked_alloc(G_MAXSIZE - 8));
	g_assert_null(pvs_secret_new(SIZE));
	g_assert_null(pvs_secret_new(G_MAXSIZE - 4));
	g_assert_cmpuint(pvs_locked_used(), ==, 0);
	while (n < G_N_ELEMENTS(all) && (all[n] = pvs_locked_alloc(1024 - 16)))
		n++;
	g_assert_cmpuint(n, ==, SIZE / 1024 - 1);
	g_assert_null(pvs_locked_alloc(1024));
	/* Every other one: nothing that is larger fits; then all of it is one piece again. */
	for (gsize i = 0; i < n; i += 2)
		pvs_locked_free(all[i]);
	g_assert_null(pvs_locked_alloc(2048)); /* the last has what was left over behind it */
	for (gsize i = 1; i < n; i += 2)
		pvs_locked_free(all[i]);
	g_assert_cmpuint(pvs_locked_used(), ==, 0);
	all[0] = pvs_locked_alloc(SIZE - 32);
	g_assert_nonnull(all[0]);
	pvs_locked_free(all[0]);
}

/* Random sizes, freed in random order, against a model: contents stay, nothing overlaps, and in the
 * end all of it is one piece. */
static void test_random(void)
{
	struct {
		guint8 *memory;
		gsize size;
		guint8 fill;
	} live[300] = {{NULL, 0, 0}};
	gsize total = 0;

	if (!in_child())
		return;
	for (guint round = 0; round < 200000; round++) {
		guint i = (guint)g_test_rand_int_range(0, G_N_ELEMENTS(live));

		if (live[i].memory) {
			for (gsize j = 0; j < live[i].size; j++)
				g_assert_cmphex(live[i].memory[j], ==, live[i].fill);
			pvs_locked_free(live[i].memory);
			total -= live[i].size;
			live[i].memory = NULL;
		} else {
			gsize size = (gsize)g_test_rand_int_range(
				0, g_test_rand_int_range(0, 20) ? 200 : 9000);

			live[i].memory = pvs_locked_alloc(size);
			if (!live[i].memory) {
				g_assert_cmpuint(total, >, SIZE / 4);
				continue;
			}
			g_assert_true(is_zero(live[i].memory, size));
			live[i].size = size;
			live[i].fill = (guint8)(1 + i % 255);
			memset(live[i].memory, live[i].fill, size);
			total += size;
		}
		g_assert_cmpuint(pvs_locked_used(), >=, total);
	}
	for (guint i = 0; i < G_N_ELEMENTS(live); i++)
		pvs_locked_free(live[i].memory);
	g_assert_cmpuint(pvs_locked_used(), ==, 0);
	pvs_locked_free(pvs_locked_alloc(SIZE - 32));
	g_assert_cmpuint(pvs_locked_peak(), >=, SIZE - 32);
}

static gpointer churn(gpointer data)
{
	guint8 fill = (guint8)GPOINTER_TO_UINT(data);
	guint8 *live[16] = {NULL};

	for (guint round = 0; round < 50000; round++) {
		guint i = round * 7 % G_N_ELEMENTS(live);
		gsize size = 1 + round * 31 % 600;

		if (live[i]) {
			g_assert_cmphex(live[i][0], ==, fill);
			pvs_locked_free(live[i]);
		}
		live[i] = pvs_locked_alloc(size);
		g_assert_true(is_zero(live[i], size));
		memset(live[i], fill, size);
	}
	for (guint i = 0; i < G_N_ELEMENTS(live); i++)
		pvs_locked_free(live[i]);
	return NULL;
}

static void test_threads(void)
{
	GThread *threads[4];

	if (!in_child())
		return;
	for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
		threads[i] = g_thread_new("churn", churn, GUINT_TO_POINTER(i + 1));
	for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
		g_thread_join(threads[i]);
	g_assert_cmpuint(pvs_locked_used(), ==, 0);
}

static void test_secret(void)
{
	PvsSecret *secret;
	guint8 *bytes;

	if (!in_child())
		return;
	secret = pvs_secret_new(32);
	bytes = secret->bytes;
	g_assert_cmpuint(secret->size, ==, 32);
	g_assert_true(pvs_locked_owns(secret) && is_zero(bytes, 32));
	memset(bytes, 0xa5, 32);
	pvs_secret_free(secret);
	g_assert_true(is_zero(bytes + 8, 24));
	pvs_secret_free(NULL);
}

static void free_twice(void)
{
	guint8 *a = pvs_locked_alloc(64);

	pvs_locked_free(a);
	pvs_locked_free(a);
}

static void test_double_free(void)
{
	dies(free_twice, "*key memory is corrupted*freed twice*");
}

static void free_twice_after_merge(void)
{
	guint8 *a = pvs_locked_alloc(64);
	guint8 *b = pvs_locked_alloc(64);

	pvs_locked_free(a);
	pvs_locked_free(b); /* becomes a part of a's chunk */
	pvs_locked_free(b);
}

static void test_double_free_merged(void)
{
	dies(free_twice_after_merge, "*key memory is corrupted*");
}

static void free_middle(void)
{
	guint8 *a = pvs_locked_alloc(64);

	pvs_locked_free(a + 16);
}

static void test_free_middle(void)
{
	dies(free_middle, "*key memory is corrupted*");
}

static void free_foreign(void)
{
	static guint8 foreign[64];

	pvs_locked_free(foreign + 32);
}

static void test_free_foreign(void)
{
	dies(free_foreign, "*never handed out*");
}

static void overrun(void)
{
	guint8 *a = pvs_locked_alloc(48);
	guint8 *b = pvs_locked_alloc(48);

	memset(a, 1, 48 + 1);
	pvs_locked_free(b);
}

static void test_overrun(void)
{
	dies(overrun, "*key memory is corrupted*");
}

static void overrun_own(void)
{
	guint8 *a = pvs_locked_alloc(48);
	guint8 *b = pvs_locked_alloc(48);

	memset(a, 1, 48 + 1);
	g_assert_nonnull(b);
	pvs_locked_free(a); /* the neighbour's head is looked at, too */
}

static void test_overrun_seen_by_its_owner(void)
{
	dies(overrun_own, "*head was overwritten*");
}

static guint8 *start_of_arena(void)
{
	guint8 *at = pvs_locked_alloc(1);

	while (pvs_locked_owns(at - 1))
		at--;
	return at;
}

static void run_off_the_front(void)
{
	volatile guint8 *start = start_of_arena();

	start[-1] = 1;
}

static void run_off_the_end(void)
{
	volatile guint8 *start = start_of_arena();

	start[pvs_locked_size()] = 1;
}

static void test_guard_pages(void)
{
	dies(run_off_the_front, NULL);
}

static void test_guard_pages_behind(void)
{
	dies(run_off_the_end, NULL);
}

/* A child of fork() does not have the memory. */
static void test_not_inherited(void)
{
	guint8 *secret;
	int status;
	pid_t pid;

	if (!in_child())
		return;
	secret = pvs_locked_alloc(32);
	secret[0] = 42;
	pid = fork();
	g_assert_cmpint(pid, >=, 0);
	if (pid == 0) {
		prctl(PR_SET_DUMPABLE, 0);
		signal(SIGSEGV, SIG_DFL); /* a sanitizer's handler would exit */
		signal(SIGBUS, SIG_DFL);
		_exit(((volatile guint8 *)secret)[0] == 42 ? 1 : 2);
	}
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	g_assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	g_assert_cmpint(secret[0], ==, 42);
}

/* What the kernel says of the mapping that @address is in: a line of /proc/self/smaps. */
static char *smaps(const void *address, const char *key)
{
	g_autoptr(GString) found = NULL;
	char line[512];
	gboolean inside = FALSE;
	FILE *file = fopen("/proc/self/smaps", "re");

	g_assert_nonnull(file);
	while (fgets(line, sizeof line, file)) {
		guint64 from, to;
		char *end;

		from = g_ascii_strtoull(line, &end, 16);
		if (end != line && *end == '-') {
			to = g_ascii_strtoull(end + 1, NULL, 16);
			inside = from <= (guintptr)address && (guintptr)address < to;
		} else if (inside && g_str_has_prefix(line, key)) {
			found = g_string_new(line + strlen(key));
		}
	}
	fclose(file);
	g_assert_nonnull(found);
	return g_strdup(g_strstrip(found->str));
}

static void check_locked(void)
{
	g_autofree char *flags = smaps(start_of_arena(), "VmFlags:");
	g_auto(GStrv) words = g_strsplit(flags, " ", -1);
	const char *const *all = (const char *const *)words;

	g_assert_true(g_strv_contains(all, "lo")); /* locked */
	g_assert_true(g_strv_contains(all, "dd")); /* not in dumps */
	g_assert_true(g_strv_contains(all, "dc")); /* not in children */
	g_assert_false(g_strv_contains(all, "ex"));
}

static void test_locked(void)
{
	if (!in_child())
		return;
	check_locked();
	g_test_message("%s", pvs_locked_kind());
}

/* As a kernel without memfd_secret (Debian 12's own) answers. */
static void forbid_memfd_secret(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 447 /* memfd_secret, everywhere */, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = G_N_ELEMENTS(filter), .filter = filter};

	g_assert_cmpint(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), ==, 0);
	g_assert_cmpint(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), ==, 0);
}

/* The address sanitizer replaces mlock() by a function that does nothing. */
#if defined(__SANITIZE_ADDRESS__)
#define MLOCK_WORKS FALSE
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MLOCK_WORKS FALSE
#endif
#endif
#ifndef MLOCK_WORKS
#define MLOCK_WORKS TRUE
#endif

static void test_without_memfd_secret(void)
{
	if (!MLOCK_WORKS) {
		g_test_skip("the address sanitizer makes mlock() do nothing");
		return;
	}
	if (g_test_subprocess()) {
		g_autoptr(GError) error = NULL;
		g_autofree char *locked = NULL;

		forbid_memfd_secret();
		g_assert_true(pvs_locked_init(SIZE, &error));
		g_assert_no_error(error);
		g_assert_cmpstr(pvs_locked_kind(), ==, "mlock");
		check_locked();
		locked = smaps(start_of_arena(), "Locked:");
		g_assert_cmpuint(g_ascii_strtoull(locked, NULL, 10), ==, SIZE / 1024);
		return;
	}
	g_test_trap_subprocess(NULL, 0, G_TEST_SUBPROCESS_INHERIT_STDERR);
	g_test_trap_assert_passed();
}

static void test_not_lockable(void)
{
	if (!MLOCK_WORKS) {
		g_test_skip("the address sanitizer makes mlock() do nothing");
		return;
	}
	if (g_test_subprocess()) {
		struct rlimit none = {0, 0};
		g_autoptr(GError) error = NULL;

		/* CAP_IPC_LOCK is above the limit. */
		if (geteuid() == 0) {
			g_assert_cmpint(setresgid(65534, 65534, 65534), ==, 0);
			g_assert_cmpint(setresuid(65534, 65534, 65534), ==, 0);
		}
		g_assert_cmpint(setrlimit(RLIMIT_MEMLOCK, &none), ==, 0);
		g_assert_false(pvs_locked_init(SIZE, &error));
		g_assert_error(error, PVS_ERROR, PVS_ERROR_SYSTEM);
		g_assert_nonnull(strstr(error->message, "LimitMEMLOCK="));
		g_assert_nonnull(strstr(error->message, "256 KiB"));
		g_assert_null(pvs_locked_kind());
		return;
	}
	g_test_trap_subprocess(NULL, 0, G_TEST_SUBPROCESS_INHERIT_STDERR);
	g_test_trap_assert_passed();
}

static void test_openssl(void)
{
	static const char text[] = "abc";
	g_autoptr(GError) error = NULL;
	guint8 hash[32];
	guint8 *a, *b, *fence;

	if (!in_child())
		return;
	g_assert_true(pvs_locked_openssl(&error));
	g_assert_no_error(error);
	g_assert_true(
		OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL));

	a = OPENSSL_malloc(100);
	g_assert_true(pvs_locked_owns(a));
	memset(a, 0xa5, 100);
	a = OPENSSL_realloc(a, 300); /* in place: nothing is behind it */
	g_assert_true(pvs_locked_owns(a));
	g_assert_true(a[0] == 0xa5 && a[99] == 0xa5 && is_zero(a + 112, 300 - 112));
	fence = OPENSSL_malloc(10);
	memset(a, 0xa5, 300);
	b = OPENSSL_realloc(a, 1000); /* moves, and leaves nothing behind */
	g_assert_true(b != a && pvs_locked_owns(b) && b[299] == 0xa5);
	g_assert_true(is_zero(a + 16, 284));
	g_assert_true(OPENSSL_realloc(b, 10) == b);
	g_assert_null(OPENSSL_realloc(b, SIZE)); /* too large: what was there stays */
	g_assert_cmphex(b[9], ==, 0xa5);
	g_assert_null(OPENSSL_realloc(b, 0));
	OPENSSL_free(fence);
	g_assert_null(OPENSSL_malloc(0));

	/* More than the 256 KiB of this test's arena: refused, and no other memory is used. */
	g_assert_null(OPENSSL_malloc(SIZE));

	g_assert_cmpint(EVP_Digest(text, 3, hash, NULL, EVP_sha256(), NULL), ==, 1);
	g_assert_cmphex(hash[0], ==, 0xba);
	g_assert_cmpuint(pvs_locked_used(), >, 50 * 1024);
}

static void test_openssl_too_late(void)
{
	g_autoptr(GError) error = NULL;

	if (!in_child())
		return;
	OPENSSL_free(OPENSSL_malloc(1));
	g_assert_false(pvs_locked_openssl(&error));
	g_assert_error(error, PVS_ERROR, PVS_ERROR_SYSTEM);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/locked/alloc", test_alloc);
	g_test_add_func("/locked/wiped-on-free", test_wiped_on_free);
	g_test_add_func("/locked/full", test_full);
	g_test_add_func("/locked/random", test_random);
	g_test_add_func("/locked/threads", test_threads);
	g_test_add_func("/locked/secret", test_secret);
	g_test_add_func("/locked/double-free", test_double_free);
	g_test_add_func("/locked/double-free-merged", test_double_free_merged);
	g_test_add_func("/locked/free-middle", test_free_middle);
	g_test_add_func("/locked/free-foreign", test_free_foreign);
	g_test_add_func("/locked/overrun", test_overrun);
	g_test_add_func("/locked/overrun-seen-by-its-owner", test_overrun_seen_by_its_owner);
	g_test_add_func("/locked/guard-page-before", test_guard_pages);
	g_test_add_func("/locked/guard-page-behind", test_guard_pages_behind);
	g_test_add_func("/locked/not-inherited", test_not_inherited);
	g_test_add_func("/locked/locked", test_locked);
	g_test_add_func("/locked/without-memfd-secret", test_without_memfd_secret);
	g_test_add_func("/locked/not-lockable", test_not_lockable);
	g_test_add_func("/locked/openssl", test_openssl);
	g_test_add_func("/locked/openssl-too-late", test_openssl_too_late);
	return g_test_run();
}
