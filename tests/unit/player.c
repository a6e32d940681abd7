/* SPDX-License-Identifier: MIT */
/*
 * player.c - a worker that does what a play says, in place of the daemon's own
 */
#include "tests/unit/player.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/role.h"
#include "protocol/bodies.h"

enum { BODY_MAX = 2 * PVS_MIB };

static PvsRole role;
static const Play *play;

static void wait_for(short events)
{
	struct pollfd wait = {.fd = PVS_CHANNEL_FD, .events = events};

	while (poll(&wait, 1, -1) < 0 && errno == EINTR)
		;
}

void player_wait_for_the_end(void)
{
	struct pollfd wait = {.fd = PVS_CHANNEL_FD, .events = 0};

	while (poll(&wait, 1, -1) < 0 && errno == EINTR)
		;
	_exit(0);
}

void player_die(void)
{
	kill(getpid(), SIGKILL);
	_exit(1);
}

gboolean player_send(const guint8 *bytes, gsize size, int passed)
{
	union {
		char buffer[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {.buffer = {0}};

	while (size > 0) {
		struct iovec iov = {(void *)bytes, size};
		struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
		ssize_t n;

		if (passed >= 0) {
			struct cmsghdr *c;

			message.msg_control = control.buffer;
			message.msg_controllen = sizeof control.buffer;
			c = CMSG_FIRSTHDR(&message);
			c->cmsg_level = SOL_SOCKET;
			c->cmsg_type = SCM_RIGHTS;
			c->cmsg_len = CMSG_LEN(sizeof(int));
			memcpy(CMSG_DATA(c), &passed, sizeof passed);
		}
		n = sendmsg(PVS_CHANNEL_FD, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == EAGAIN)
			wait_for(POLLOUT);
		else if (n < 0 && errno != EINTR)
			return FALSE;
		if (n <= 0)
			continue;
		passed = -1;
		bytes += n;
		size -= (gsize)n;
	}
	return TRUE;
}

gboolean player_say(PvsMessageType type, gconstpointer body, gsize size)
{
	g_auto(PvsWriter) w = pvs_writer();

	pvs_writer_u32(&w, type);
	pvs_writer_u32(&w, (guint32)size);
	pvs_writer_u64(&w, 0);
	if (!player_send(w.data, w.size, -1))
		return FALSE;
	return size == 0 || player_send(body, size, -1);
}

gboolean player_say_u32(PvsMessageType type, guint32 value)
{
	g_auto(PvsWriter) w = pvs_writer();

	pvs_writer_u32(&w, value);
	return player_say(type, w.data, w.size);
}

/* Ends the process where the monitor has ended the channel. What comes is written over @out; the
 * descriptors are added to @fds. */
static void take(guint8 *out, gsize size, int fds[PVS_MESSAGE_MAX_FDS], guint *n_fds)
{
	while (size > 0) {
		union {
			char buffer[CMSG_SPACE(PVS_MESSAGE_MAX_FDS * sizeof(int))];
			struct cmsghdr align;
		} control;
		struct iovec iov = {out, size};
		struct msghdr message = {.msg_iov = &iov,
					 .msg_iovlen = 1,
					 .msg_control = control.buffer,
					 .msg_controllen = sizeof control.buffer};
		ssize_t n = recvmsg(PVS_CHANNEL_FD, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

		if (n < 0 && errno == EAGAIN)
			wait_for(POLLIN);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n <= 0)
			_exit(0);
		for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
			gsize bytes = c->cmsg_len - CMSG_LEN(0);

			memcpy(&fds[*n_fds], CMSG_DATA(c), bytes);
			*n_fds += (guint)(bytes / sizeof(int));
		}
		out += n;
		size -= (gsize)n;
	}
}

void player_good(guint32 type)
{
	if (type == PVS_MESSAGE_PING)
		player_say(PVS_MESSAGE_PONG, NULL, 0);
	else if (type == PVS_MESSAGE_HOLD)
		player_say(PVS_MESSAGE_HELD, NULL, 0);
}

/* Whose a front is says which play it has. */
static void cast(PvsReader body, const Play *plays, guint n)
{
	g_auto(PvsAccessIs) access = {.rules = {NULL, 0}};

	if (!pvs_body_get(&body, pvs_access_is_fields, &access))
		_exit(2);
	if (access.identity.uid >= PLAYER_UID && access.identity.uid - PLAYER_UID < n)
		play = &plays[access.identity.uid - PLAYER_UID];
}

static void G_GNUC_NORETURN perform(const Play *plays, guint n)
{
	static guint8 body[BODY_MAX];

	for (;;) {
		int fds[PVS_MESSAGE_MAX_FDS] = {-1, -1};
		guint8 header[PVS_FRAME_HEADER];
		PvsReader r = pvs_reader(header, sizeof header);
		guint32 type = 0, size = 0;
		guint n_fds = 0;

		take(header, sizeof header, fds, &n_fds);
		if (!pvs_reader_u32(&r, &type) || !pvs_reader_u32(&r, &size) || size > BODY_MAX)
			_exit(2);
		take(body, size, fds, &n_fds);
		if (type == PVS_MESSAGE_ACCESS)
			cast(pvs_reader(body, size), plays, n);
		if (!play || !play->hear || !play->hear(type, pvs_reader(body, size), fds))
			player_good(type);
	}
}

/* MaxHostKeys= goes to trust and fronts, Calls= to the vault. */
static guint number_of(GBytes *start)
{
	PvsTrustStart trust = {0};
	PvsVaultStart vault = {0};
	PvsFrontStart front = {0};
	gsize size;
	const guint8 *data = g_bytes_get_data(start, &size);
	PvsReader r = pvs_reader(data, size);

	switch (role) {
	case PVS_ROLE_TRUST:
		return pvs_body_get(&r, pvs_trust_start_fields, &trust) ? trust.max_host_keys : 0;
	case PVS_ROLE_VAULT:
		return pvs_body_get(&r, pvs_vault_start_fields, &vault) ? vault.calls : 0;
	default:
		return pvs_body_get(&r, pvs_front_start_fields, &front) ? front.max_host_keys : 0;
	}
}

void player_main(int argc, char **argv, const Play *plays, guint n)
{
	static const PvsRole roles[] = {PVS_ROLE_FRONT, PVS_ROLE_TRUST, PVS_ROLE_VAULT};
	g_autoptr(GBytes) start = NULL;
	guint number;

	if (argc != 2 || !g_str_has_prefix(argv[1], "--role="))
		return;
	for (gsize i = 0; i < G_N_ELEMENTS(roles); i++)
		if (strcmp(argv[1] + strlen("--role="), pvs_role_name(roles[i])) == 0)
			role = roles[i];
	if (!role || !pvs_channel_expect(PVS_CHANNEL_FD, role, PVS_ROLE_MONITOR, PVS_MESSAGE_START,
					 &start, NULL))
		_exit(2);
	number = number_of(start);
	if (number >= 1 && number <= n && plays[number - 1].role == role)
		play = &plays[number - 1];
	if (play && play->load)
		play->load();
	else
		player_say(PVS_MESSAGE_READY, NULL, 0);
	perform(plays, n);
}
