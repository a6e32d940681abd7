/* SPDX-License-Identifier: MIT */
/*
 * landlock.c - which files a process may still open by name
 */
#include "policy/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "protocol/error.h"

/* What the headers may not have yet; numbers from the kernel's documentation
 * (userspace-api/landlock). */
#define FS_REFER     (1ULL << 13) /* version 2 */
#define FS_TRUNCATE  (1ULL << 14) /* version 3 */
#define FS_IOCTL_DEV (1ULL << 15) /* version 5 */
#define NET_TCP	     3ULL	  /* bind, connect; version 4 */
#define SCOPE_ALL    3ULL	  /* abstract UNIX sockets, signals; version 6 */

#define READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITE                                                          \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | \
	 LANDLOCK_ACCESS_FS_REMOVE_FILE | FS_TRUNCATE)
/* Of these alone can a rule for a file, not a directory, be made. */
#define OF_A_FILE                                                    \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | \
	 LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE | FS_IOCTL_DEV)

/* The kernel's structure, as long as its newest version; older ones want it shorter. */
typedef struct {
	guint64 fs;
	guint64 net;
	guint64 scoped;
} Ruleset;

/* What is handled, and so forbidden but by a rule, in each version. */
static const struct {
	int abi;
	Ruleset added;
	gsize size;
} versions[] = {
	{1, {(1ULL << 13) - 1, 0, 0}, 8}, {2, {FS_REFER, 0, 0}, 8},
	{3, {FS_TRUNCATE, 0, 0}, 8},	  {4, {0, NET_TCP, 0}, 16},
	{5, {FS_IOCTL_DEV, 0, 0}, 16},	  {6, {0, 0, SCOPE_ALL}, 24},
};

int pvs_landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	if (abi > 0)
		return (int)abi;
	/* Not built in, or switched off at boot. Anything else is somebody who forbids it. */
	return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : -1;
}

static gboolean failed(GError **error, const char *what, const char *path)
{
	g_set_error(error, PVS_ERROR, PVS_ERROR_SYSTEM, "%s%s%s: %s", what, path ? " " : "",
		    path ? path : "", g_strerror(errno));
	return FALSE;
}

static gboolean add(int ruleset, const PvsPathRule *rule, guint64 handled, GError **error)
{
	static const guint64 rights[] = {
		[PVS_PATH_READ] = READ,
		[PVS_PATH_EXECUTE] = READ | LANDLOCK_ACCESS_FS_EXECUTE,
		[PVS_PATH_WRITE] = READ | WRITE,
	};
	struct landlock_path_beneath_attr beneath = {.allowed_access =
							     rights[rule->access] & handled};
	struct stat st;
	gboolean good;
	int fd = rule->path ? open(rule->path, O_PATH | O_CLOEXEC)
			    : fcntl(rule->fd, F_DUPFD_CLOEXEC, 0);

	if (fd < 0)
		return rule->path && (errno == ENOENT || errno == EACCES || errno == ENOTDIR)
			       ? TRUE
			       : failed(error, "cannot open", rule->path);
	good = fstat(fd, &st) == 0;
	if (good && !S_ISDIR(st.st_mode))
		beneath.allowed_access &= OF_A_FILE;
	beneath.parent_fd = fd;
	good = good && syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &beneath,
			       0) == 0;
	if (!good)
		failed(error, "cannot make a rule of Landlock for", rule->path);
	close(fd);
	return good;
}

gboolean pvs_landlock_confine(const PvsPathRule *rules, guint n, int abi, GError **error)
{
	Ruleset handled = {0};
	gsize size = 0;
	gboolean good;
	int ruleset = pvs_landlock_abi();

	if (ruleset < 0)
		return failed(error, "cannot ask for Landlock", NULL);
	abi = MIN(abi, ruleset);
	if (abi == 0)
		return TRUE;
	for (gsize i = 0; i < G_N_ELEMENTS(versions) && versions[i].abi <= abi; i++) {
		handled.fs |= versions[i].added.fs;
		handled.net |= versions[i].added.net;
		handled.scoped |= versions[i].added.scoped;
		size = versions[i].size;
	}
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &handled, size, 0);
	if (ruleset < 0)
		return failed(error, "cannot make the rules for files (Landlock)", NULL);
	good = TRUE;
	for (guint i = 0; good && i < n; i++)
		good = add(ruleset, &rules[i], handled.fs, error);
	if (good && syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
		good = failed(error, "cannot put on the rules for files (Landlock)", NULL);
	close(ruleset);
	return good;
}
