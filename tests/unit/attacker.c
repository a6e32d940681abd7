/* SPDX-License-Identifier: MIT */
/*
 * attacker.c - who sends whatever he likes to a worker, in a sibling's place
 */
#include "tests/unit/attacker.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>

enum { MESSAGES = 4000 };

guint attacker_messages = MESSAGES;
guint attacker_fewer;
GRand *attacker_dice;

void attacker_init(void)
{
	const char *messages = g_getenv("PVS_HOSTILE_MESSAGES");
	guint32 seed = (guint32)g_test_rand_int();

	if (messages)
		attacker_messages =
			(guint)CLAMP(g_ascii_strtoull(messages, NULL, 10), 100, 100000000);
	attacker_fewer =
		CLAMP(attacker_messages / 5, MIN(attacker_messages, MESSAGES), attacker_messages);
	attacker_dice = g_rand_new_with_seed(seed);
	g_test_message("%u messages, or %u, seed %u", attacker_messages, attacker_fewer, seed);
}

void attacker_end(void)
{
	g_clear_pointer(&attacker_dice, g_rand_free);
}

guint attacker_roll(guint n)
{
	return (guint)g_rand_int_range(attacker_dice, 0, (gint32)n);
}

/* ---- messages ---- */

AttackerSample attacker_sample(PvsMessageType type, const PvsField *fields, gconstpointer body)
{
	g_auto(PvsWriter) w = pvs_writer();

	if (fields)
		pvs_body_put(&w, fields, body);
	return (AttackerSample){type, g_bytes_new(w.data, w.size), NULL};
}

static void put_header(GByteArray *out, guint32 type, guint32 size)
{
	g_auto(PvsWriter) w = pvs_writer();

	pvs_writer_u32(&w, type);
	pvs_writer_u32(&w, size);
	pvs_writer_u64(&w, (guint64)g_rand_int(attacker_dice) << 32 | g_rand_int(attacker_dice));
	g_byte_array_append(out, w.data, (guint)w.size);
}

static void put_random(GByteArray *out, guint size)
{
	for (guint i = 0; i < size; i++) {
		guint8 byte = (guint8)attacker_roll(256);

		g_byte_array_append(out, &byte, 1);
	}
}

/* Changes some bytes behind the header: anything, or what a length or a number might be. */
static void mutate(GByteArray *out)
{
	static const guint8 favourites[] = {0x00, 0x01, 0x7f, 0x80, 0xff, 0x40, 0x3f};

	if (out->len <= PVS_FRAME_HEADER)
		return;
	for (guint n = 1 + attacker_roll(4); n > 0; n--) {
		guint at = PVS_FRAME_HEADER + attacker_roll(out->len - PVS_FRAME_HEADER);

		/* More often where a structure begins. */
		if (attacker_roll(2))
			at = PVS_FRAME_HEADER + attacker_roll(MIN(out->len - PVS_FRAME_HEADER, 64));
		out->data[at] = attacker_roll(2)
					? (guint8)attacker_roll(256)
					: favourites[attacker_roll(G_N_ELEMENTS(favourites))];
	}
}

AttackerShape attacker_make(GByteArray *out, const AttackerSample *samples, guint n)
{
	const AttackerSample *s = &samples[attacker_roll(n)];
	guint size = (guint)g_bytes_get_size(s->body);

	if (s->craft && attacker_roll(2)) {
		g_autoptr(GBytes) body = s->craft();

		size = (guint)g_bytes_get_size(body);
		put_header(out, s->type, size);
		g_byte_array_append(out, g_bytes_get_data(body, NULL), size);
		return ATTACKER_WHOLE;
	}
	switch (attacker_roll(8)) {
	case 0: /* any type, and a length that is so or not */
		size = attacker_roll(200);
		put_header(out, attacker_roll(PVS_MESSAGE_LAST_ + 10),
			   attacker_roll(2) ? size : g_rand_int(attacker_dice));
		put_random(out, size);
		return ATTACKER_CUT;
	case 1: /* a permitted type, any body */
		size = attacker_roll(300);
		put_header(out, s->type, size);
		put_random(out, size);
		return ATTACKER_WHOLE;
	case 2: /* a part of the body, with a length that fits */
		size = size ? attacker_roll(size) : 0;
		put_header(out, s->type, size);
		g_byte_array_append(out, g_bytes_get_data(s->body, NULL), size);
		return ATTACKER_WHOLE;
	case 3: /* a length that is more than comes */
		put_header(out, s->type, size + 1 + attacker_roll(1000));
		g_byte_array_append(out, g_bytes_get_data(s->body, NULL), size);
		return ATTACKER_CUT;
	case 4: /* something behind the body */
		put_header(out, s->type, size + 3);
		g_byte_array_append(out, g_bytes_get_data(s->body, NULL), size);
		put_random(out, 3);
		return ATTACKER_WHOLE;
	default: /* the body, changed here and there */
		put_header(out, s->type, size);
		g_byte_array_append(out, g_bytes_get_data(s->body, NULL), size);
		mutate(out);
		return ATTACKER_WHOLE;
	}
}

/* ---- the attacker's end of a channel ---- */

static gboolean on_readable(gint fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED,
			    gpointer user)
{
	gboolean *done = user;

	*done = TRUE;
	return G_SOURCE_REMOVE;
}

static gboolean on_late(gpointer user G_GNUC_UNUSED)
{
	g_error("neither an answer nor an end");
	return G_SOURCE_REMOVE;
}

static void wait_readable(int fd)
{
	gboolean done = FALSE;
	guint late = g_timeout_add_seconds(60, on_late, NULL);

	g_unix_fd_add(fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable, &done);
	while (!done)
		g_main_context_iteration(NULL, TRUE);
	g_source_remove(late);
}

/* FALSE at the end. */
static gboolean read_all(int fd, guint8 *out, gsize size)
{
	while (size > 0) {
		ssize_t n;

		wait_readable(fd);
		n = recv(fd, out, size, MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n <= 0)
			return FALSE;
		out += n;
		size -= (gsize)n;
	}
	return TRUE;
}

gboolean attacker_send(int fd, const GByteArray *bytes, int passed)
{
	gsize at = 0;

	while (at < bytes->len) {
		union {
			char buffer[CMSG_SPACE(sizeof(int))];
			struct cmsghdr align;
		} control = {0};
		struct iovec iov = {bytes->data + at, bytes->len - at};
		struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
		ssize_t n;

		if (passed >= 0 && at == 0) {
			struct cmsghdr *cmsg;

			message.msg_control = control.buffer;
			message.msg_controllen = sizeof control.buffer;
			cmsg = CMSG_FIRSTHDR(&message);
			cmsg->cmsg_level = SOL_SOCKET;
			cmsg->cmsg_type = SCM_RIGHTS;
			cmsg->cmsg_len = CMSG_LEN(sizeof(int));
			memcpy(CMSG_DATA(cmsg), &passed, sizeof passed);
		}
		n = sendmsg(fd, &message, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return FALSE;
		at += (gsize)n;
	}
	return TRUE;
}

gboolean attacker_hear(int fd, void (*look)(guint32 type, PvsReader body))
{
	guint8 header[PVS_FRAME_HEADER] = {0};
	PvsReader r = pvs_reader(header, sizeof header);
	guint32 type = 0, size = 0;
	g_autofree guint8 *body = NULL;

	if (!read_all(fd, header, sizeof header))
		return FALSE;
	g_assert_true(pvs_reader_u32(&r, &type) && pvs_reader_u32(&r, &size));
	g_assert_cmpuint(type, <, PVS_MESSAGE_LAST_);
	g_assert_cmpuint(size, <=, pvs_message_cap((PvsMessageType)type));
	body = g_malloc(size + 1);
	g_assert_true(read_all(fd, body, size));
	look(type, pvs_reader(body, size));
	return TRUE;
}
