/* SPDX-License-Identifier: MIT */
/*
 * test-identity.c - who a client is, as the kernel says
 */
#include "daemon/monitor/identity.h"

#include <grp.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* How many groups a process that became @uid, @gid and @groups has, as its sockets show; -1 where
 * it is nobody. The kernel notes who it was that made a pair, so a child makes it. */
static int groups_as(uid_t uid, gid_t gid, const gid_t *groups, gsize n)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		g_autoptr(PvsIdentity) own = NULL;
		int pair[2];

		if (setgroups(n, groups) < 0 || setresgid(gid, gid, gid) < 0 ||
		    setresuid(uid, uid, uid) < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
			_exit(2);
		own = pvs_identity_of(pair[0]);
		if (!own)
			_exit(3);
		_exit(own->uid == uid && own->gid == gid ? 10 + (int)own->n_groups : 4);
	}
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	g_assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 3)
		return -1;
	g_assert_cmpint(WEXITSTATUS(status), >=, 10);
	return WEXITSTATUS(status) - 10;
}

static gboolean not_root(void)
{
	if (geteuid() == 0)
		return FALSE;
	g_test_skip("only root can become somebody else");
	return TRUE;
}

static void test_own(void)
{
	g_autoptr(PvsIdentity) identity = NULL;
	int pair[2];

	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), ==, 0);
	identity = pvs_identity_of(pair[0]);
	g_assert_nonnull(identity);
	g_assert_cmpuint(identity->uid, ==, geteuid());
	g_assert_cmpuint(identity->gid, ==, getegid());
	g_assert_cmpint((pid_t)identity->pid, ==, getpid());
	for (guint i = 1; i < identity->n_groups; i++)
		g_assert_cmpuint(identity->groups[i - 1], <, identity->groups[i]);
	close(pair[0]);
	close(pair[1]);
}

static void test_groups(void)
{
	static const gid_t groups[] = {2003, 2001, 2002, 2001};

	if (not_root())
		return;
	g_assert_cmpint(groups_as(1234, 1235, NULL, 0), ==, 0);
	g_assert_cmpint(groups_as(1234, 1235, groups, G_N_ELEMENTS(groups)), ==, 3); /* each once */
}

static void test_too_many_groups(void)
{
	g_autofree gid_t *groups = g_new(gid_t, 65536);

	if (not_root())
		return;
	for (guint i = 0; i < 65536; i++)
		groups[i] = 100000 + i;
	g_assert_cmpint(groups_as(1234, 1235, groups, 200), ==, 200);
	g_assert_cmpint(groups_as(1234, 1235, groups, PVS_IDENTITY_GROUPS_MAX + 1), ==, -1);
	g_assert_cmpint(groups_as(1234, 1235, groups, 65536), ==, -1);
}

static void test_unknown_is_nobody(void)
{
	g_assert_null(pvs_identity_of(-1)); /* no socket at all */
	if (not_root())
		return;
	g_assert_cmpint(groups_as(65534, 1235, NULL, 0), ==, -1);
	g_assert_cmpint(groups_as(1234, 65534, NULL, 0), ==, -1);
}

static void test_equal(void)
{
	guint32 one[] = {1, 2}, other[] = {1, 3};
	const PvsIdentity a = {10, 20, one, 2, 0};
	PvsIdentity b = a;

	g_assert_true(pvs_identity_equal(&a, &b));
	b.pid = 7; /* another process of the same user */
	g_assert_true(pvs_identity_equal(&a, &b));
	b.uid = 11;
	g_assert_false(pvs_identity_equal(&a, &b));
	b = a;
	b.gid = 21;
	g_assert_false(pvs_identity_equal(&a, &b));
	b = a;
	b.n_groups = 1;
	g_assert_false(pvs_identity_equal(&a, &b));
	b = a;
	b.groups = other;
	g_assert_false(pvs_identity_equal(&a, &b));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/identity/own", test_own);
	g_test_add_func("/identity/groups", test_groups);
	g_test_add_func("/identity/too-many-groups", test_too_many_groups);
	g_test_add_func("/identity/unknown-is-nobody", test_unknown_is_nobody);
	g_test_add_func("/identity/equal", test_equal);
	return g_test_run();
}
