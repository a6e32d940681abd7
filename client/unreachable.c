/* SPDX-License-Identifier: MIT */
/*
 * unreachable.c - why nobody answers at the socket, and what to do
 *
 * Only what a plain user can see without asking systemd. It costs nothing where all is well.
 */
#include "client/unreachable.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/failure.h"

#define UNIT  "pvsecretd.socket"
#define GROUP "pvsecret"

/* Where systemd looks for the system's units: systemd.unit(5). */
static const char *const unit_directories[] = {
	"/etc/systemd/system",	   "/run/systemd/system", "/usr/local/lib/systemd/system",
	"/usr/lib/systemd/system", "/lib/systemd/system",
};

static gboolean is_installed(const char *root)
{
	for (gsize i = 0; i < G_N_ELEMENTS(unit_directories); i++) {
		g_autofree char *unit = g_strconcat(root, unit_directories[i], "/" UNIT, NULL);

		if (access(unit, F_OK) == 0)
			return TRUE;
	}
	return FALSE;
}

static gboolean no_socket(GError **error, const char *path, gboolean own, const char *root)
{
	if (!own)
		return pvs_failure(error, PVS_EXIT_UNREACHABLE,
				   "give the path at which pvsecretd --socket PATH listens",
				   "--socket %s: there is no such socket", path);
	if (!is_installed(root))
		return pvs_failure(error, PVS_EXIT_UNREACHABLE,
				   "install pvsecretd here, or run pvsecretctl on the machine that "
				   "has it",
				   "pvsecretd is not installed: there is no unit " UNIT
				   ", and no socket %s",
				   path);
	return pvs_failure(error, PVS_EXIT_UNREACHABLE, "systemctl enable --now " UNIT,
			   "%s: there is no such socket, since the unit " UNIT " is not active",
			   path);
}

/* TRUE if the user is written down as a member of the socket's group, which counts only from his
 * next login on. */
static gboolean is_listed(const char *group_name, const char *user)
{
	const struct group *group = getgrnam(group_name);

	for (guint i = 0; group && group->gr_mem[i]; i++)
		if (strcmp(group->gr_mem[i], user) == 0)
			return TRUE;
	return FALSE;
}

/* The socket's group, where it is one to be in: nobody is told to join root's. */
static char *group_of(const char *path)
{
	const struct group *group = NULL;
	struct stat st;

	if (stat(path, &st) == 0 && st.st_gid != 0)
		group = getgrgid(st.st_gid);
	return g_strdup(group ? group->gr_name : GROUP);
}

static gboolean not_permitted(GError **error, const char *path, gboolean own)
{
	const struct passwd *passwd = getpwuid(geteuid());
	g_autofree char *user =
		passwd ? g_strdup(passwd->pw_name) : g_strdup_printf("%u", (guint)geteuid());
	g_autofree char *group = group_of(path);
	g_autofree char *hint = NULL;

	if (!own)
		return pvs_failure(
			error, PVS_EXIT_UNREACHABLE,
			"ask whoever runs this daemon for access; ls -l shows to whom the "
			"socket belongs",
			"--socket %s: permission denied", path);
	if (is_listed(group, user)) {
		hint = g_strdup_printf("log in again, or run: sg %s -c 'pvsecretctl ...'", group);
		return pvs_failure(
			error, PVS_EXIT_UNREACHABLE, hint,
			"%s: permission denied: the user %s became a member of the group %s "
			"after this login",
			path, user, group);
	}
	hint = g_strdup_printf("usermod -aG %s %s (as root), then log in again", group, user);
	return pvs_failure(error, PVS_EXIT_UNREACHABLE, hint,
			   "%s: permission denied: the user %s is not in the group %s", path, user,
			   group);
}

/* What connect(2) says of a file that is no socket is ECONNREFUSED as well. */
static gboolean is_socket(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 || S_ISSOCK(st.st_mode);
}

static gboolean nobody_listens(GError **error, const char *path, gboolean own)
{
	if (!is_socket(path))
		return pvs_failure(error, PVS_EXIT_UNREACHABLE,
				   "check the path; the daemon's own is used without --socket",
				   "%s: is not a socket", path);
	return pvs_failure(
		error, PVS_EXIT_UNREACHABLE,
		own ? "journalctl -u pvsecretd says why it failed; then systemctl restart " UNIT
		    : "start pvsecretd --socket PATH again",
		"%s: nobody listens: the daemon ended or failed", path);
}

gboolean pvs_unreachable(GError **error, const char *path, gboolean own, int err, const char *root)
{
	switch (err) {
	case ENOENT:
		return no_socket(error, path, own, root);
	case EACCES:
	case EPERM:
		return not_permitted(error, path, own);
	case ECONNREFUSED:
		return nobody_listens(error, path, own);
	default:
		return pvs_failure(error, PVS_EXIT_UNREACHABLE,
				   "check the path; the daemon's own is used without --socket",
				   "%s: cannot connect: %s", path, g_strerror(err));
	}
}
