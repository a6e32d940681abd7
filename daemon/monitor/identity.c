/* SPDX-License-Identifier: MIT */
/*
 * identity.c - who a client is, as the kernel says
 */
#include "daemon/monitor/identity.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* The kernel's overflow ids (/proc/sys/kernel/overflowuid): what it says of a user that this user
 * namespace does not map. Two such users would look like one. */
#define UNMAPPED 65534

static gboolean known(guint32 id)
{
	return id != UNMAPPED && id != G_MAXUINT32;
}

static int compare(const void *a, const void *b)
{
	guint32 x = *(const guint32 *)a, y = *(const guint32 *)b;

	return (x > y) - (x < y);
}

/* Sorted and without doubles, so that one set of groups is one identity. */
static void normalize(PvsIdentity *identity)
{
	guint n = 1;

	/* The kernel has them in order, of its own ids; and it may be very many. */
	while (n < identity->n_groups && identity->groups[n - 1] < identity->groups[n])
		n++;
	if (n >= identity->n_groups)
		return;
	n = 0;
	qsort(identity->groups, identity->n_groups, sizeof *identity->groups, compare);
	for (guint i = 0; i < identity->n_groups; i++)
		if (n == 0 || identity->groups[n - 1] != identity->groups[i])
			identity->groups[n++] = identity->groups[i];
	identity->n_groups = n;
}

PvsIdentity *pvs_identity_of(int fd)
{
	g_autoptr(PvsIdentity) identity = g_new0(PvsIdentity, 1);
	struct ucred peer = {.pid = 0, .uid = (uid_t)-1, .gid = (gid_t)-1};
	socklen_t size = sizeof peer;
	gid_t *groups = NULL;

	G_STATIC_ASSERT(sizeof(gid_t) == sizeof(guint32));
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || size != sizeof peer)
		return NULL;
	if (!known(peer.uid) || !known(peer.gid))
		return NULL;
	identity->uid = peer.uid;
	identity->gid = peer.gid;
	identity->pid = (guint32)peer.pid;

	/* The first call says how much room is needed. */
	size = 0;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) < 0 && errno != ERANGE)
		return NULL;
	/* The kernel copies them one by one, which takes it milliseconds where there are 65536: one
	 * user who connects again and again would be all that the monitor has time for. */
	if (size > PVS_IDENTITY_GROUPS_MAX * sizeof *groups)
		return NULL;
	if (size > 0) {
		groups = g_malloc0(size);
		if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0) {
			g_free(groups);
			return NULL;
		}
		identity->groups = groups;
		identity->n_groups = size / sizeof *groups;
		normalize(identity);
	}
	return g_steal_pointer(&identity);
}

void pvs_identity_free(PvsIdentity *identity)
{
	if (!identity)
		return;
	g_free(identity->groups);
	g_free(identity);
}

gboolean pvs_identity_equal(const PvsIdentity *a, const PvsIdentity *b)
{
	return a->uid == b->uid && a->gid == b->gid && a->n_groups == b->n_groups &&
	       (a->n_groups == 0 ||
		memcmp(a->groups, b->groups, a->n_groups * sizeof *a->groups) == 0);
}
