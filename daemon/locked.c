/* SPDX-License-Identifier: MIT */
/*
 * locked.c - the memory that key bytes may stand in
 *
 * One arena between two guard pages, cut into chunks that lie one behind the other. A chunk starts
 * with a head that knows its own size and that of the chunk before it, so that neighbours that
 * become free are joined at once, and carries a seal: a value that depends on the head's place and
 * contents and on a random number of this process. A head that was overwritten, a pointer that was
 * freed already or was never handed out does not have the right seal: the process ends, since what
 * else happened to the memory nobody knows.
 *
 * Free chunks are listed by size class, with a bit for each class that has any: finding one is a
 * few instructions, which matters since OpenSSL asks some thousand times for one request.
 *
 * Free memory is always zero, but for heads and links. So wiping is done once, when memory is
 * freed, and what is handed out need not be cleared a second time.
 */
#include "daemon/locked.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "protocol/error.h"

enum {
	GRAIN = 16,	 /* alignment, and what sizes are a multiple of */
	EXACT_BINS = 64, /* classes of one size each: chunks of up to 1008 bytes */
	BINS = 128,	 /* above, four classes for each power of two */
};

typedef struct {
	guint32 size;	/* of the chunk with this head; a multiple of GRAIN */
	guint32 before; /* size of the chunk before; 0: this is the first */
	guint64 seal;
} Head;
G_STATIC_ASSERT(sizeof(Head) == GRAIN);

/* What a free chunk has behind its head. */
typedef struct Free {
	Head head;
	struct Free *next;
	struct Free *previous;
} Free;

#define CHUNK_MIN (sizeof(Free))

/* Different enough that no flipped bit turns one into the other. */
#define SEAL_USED G_GUINT64_CONSTANT(0x5a3c96e1f00dcafe)
#define SEAL_FREE G_GUINT64_CONSTANT(0xa1b2c3d4e5f60718)

/* The books are kept outside of the arena, where a write that runs off a key's end does not reach.
 */
static struct {
	GMutex mutex;
	guint8 *start; /* NULL: no arena yet */
	gsize size;
	guint64 key; /* of the seals */
	const char *kind;
	Free *bins[BINS];
	guint64 filled[BINS / 64]; /* a bit for each bin that is not empty */
	gsize used;
	gsize peak;
} arena;

static guint64 seal(const Head *head, guint64 state)
{
	guint64 contents = (guint64)head->size << 32 | head->before;

	return (contents ^ state ^ arena.key) + (guint64)(guintptr)head;
}

/* The head @offset bytes from @place. All sizes are multiples of GRAIN, so it is aligned. */
static Head *head_at(const void *place, gssize offset)
{
	return (Head *)(void *)((guint8 *)place + offset);
}

static Head *behind(const Head *head)
{
	return head_at(head, head->size);
}

static Head *head_of(const void *memory)
{
	return head_at(memory, -(gssize)sizeof(Head));
}

static void *memory_of(Head *head)
{
	return (guint8 *)head + sizeof(Head);
}

static G_GNUC_NORETURN void corrupted(const char *what)
{
	g_error("the key memory is corrupted: %s", what);
}

static gboolean is_free(const Head *head)
{
	if (head->seal == seal(head, SEAL_FREE))
		return TRUE;
	if (G_UNLIKELY(head->seal != seal(head, SEAL_USED)))
		corrupted("a chunk's head was overwritten");
	return FALSE;
}

static guint bin_of(gsize size)
{
	gsize units = size / GRAIN;
	guint log;

	if (units < EXACT_BINS)
		return (guint)units;
	log = (guint)g_bit_storage(units) - 1;
	return EXACT_BINS + (log - 6) * 4 + ((units >> (log - 2)) & 3);
}

static void set_head(Head *head, gsize size, gsize before, guint64 state)
{
	head->size = (guint32)size;
	head->before = (guint32)before;
	head->seal = seal(head, state);
}

/* The chunk behind @head learns how long @head is now. */
static void tell_behind(const Head *head)
{
	Head *next = behind(head);
	guint64 state = is_free(next) ? SEAL_FREE : SEAL_USED;

	set_head(next, next->size, head->size, state);
}

static void list_add(Head *head)
{
	Free *chunk = (Free *)head;
	guint bin = bin_of(head->size);

	chunk->previous = NULL;
	chunk->next = arena.bins[bin];
	if (chunk->next)
		chunk->next->previous = chunk;
	arena.bins[bin] = chunk;
	arena.filled[bin / 64] |= G_GUINT64_CONSTANT(1) << (bin % 64);
}

static void list_remove(Head *head)
{
	Free *chunk = (Free *)head;
	guint bin = bin_of(head->size);

	if (chunk->next)
		chunk->next->previous = chunk->previous;
	if (chunk->previous)
		chunk->previous->next = chunk->next;
	else
		arena.bins[bin] = chunk->next;
	if (!arena.bins[bin])
		arena.filled[bin / 64] &= ~(G_GUINT64_CONSTANT(1) << (bin % 64));
	chunk->next = NULL;
	chunk->previous = NULL;
}

/* The first bin from @bin on that has a chunk; BINS: none. */
static guint filled_from(guint bin)
{
	for (guint word = bin / 64; word < BINS / 64; word++) {
		guint64 bits = arena.filled[word];

		if (word == bin / 64)
			bits &= ~G_GUINT64_CONSTANT(0) << (bin % 64);
		if (bits)
			return word * 64 + (guint)__builtin_ctzll(bits);
	}
	return BINS;
}

static Head *find(gsize size)
{
	guint bin = bin_of(size);
	Free *chunk = NULL;

	/* In its own class a chunk may be too small; in every higher one the first will do. */
	for (chunk = arena.bins[bin]; chunk; chunk = chunk->next)
		if (chunk->head.size >= size)
			break;
	if (!chunk) {
		bin = filled_from(bin + 1);
		if (bin == BINS)
			return NULL;
		chunk = arena.bins[bin];
	}
	if (G_UNLIKELY(!is_free(&chunk->head)))
		corrupted("a chunk in use is listed as free");
	return &chunk->head;
}

/* Cuts what is behind the first @size bytes of @head off, if it is enough for a chunk. @head is not
 * in a list; the rest, which is zero, goes into one. */
static void split(Head *head, gsize size)
{
	gsize rest = head->size - size;
	Head *cut;

	if (rest < CHUNK_MIN)
		return;
	head->size = (guint32)size;
	cut = behind(head);
	set_head(cut, rest, size, SEAL_FREE);
	tell_behind(cut);
	list_add(cut);
}

/* Bytes of a chunk for @size bytes of memory; 0 if it cannot be. */
static gsize chunk_size(gsize size)
{
	if (size > arena.size)
		return 0;
	return MAX((size + sizeof(Head) + GRAIN - 1) & ~(gsize)(GRAIN - 1), CHUNK_MIN);
}

static void account(gsize more, gsize less)
{
	arena.used += more - less;
	arena.peak = MAX(arena.peak, arena.used);
}

static void *alloc_unlocked(gsize size)
{
	gsize wanted = chunk_size(size);
	Head *head = wanted ? find(wanted) : NULL;

	if (!head)
		return NULL;
	list_remove(head);
	split(head, wanted);
	set_head(head, head->size, head->before, SEAL_USED);
	account(head->size, 0);
	return memory_of(head);
}

/* The head of a piece of memory that is in use; aborts for anything else. */
static Head *checked(const void *memory)
{
	Head *head;

	if (G_UNLIKELY(!pvs_locked_owns(memory) || (guintptr)memory % GRAIN != 0 ||
		       (guint8 *)memory - arena.start < (gssize)sizeof(Head)))
		corrupted("a pointer was freed that was never handed out");
	head = head_of(memory);
	if (G_UNLIKELY(head->seal != seal(head, SEAL_USED)))
		corrupted("memory was freed twice, or the bytes before it were overwritten");
	return head;
}

/* Joins @right, which is free and right behind @left, to it; its head and links become zero. */
static void join(Head *left, Head *right)
{
	list_remove(right);
	left->size += right->size;
	explicit_bzero(right, sizeof *right);
}

static void free_unlocked(void *memory)
{
	Head *head = checked(memory);
	Head *next = behind(head);

	account(0, head->size);
	explicit_bzero(memory, head->size - sizeof *head);
	if (is_free(next))
		join(head, next);
	if (head->before > 0) {
		Head *previous = head_at(head, -(gssize)head->before);

		if (is_free(previous)) {
			list_remove(previous);
			previous->size += head->size;
			explicit_bzero(head, sizeof *head);
			head = previous;
		}
	}
	set_head(head, head->size, head->before, SEAL_FREE);
	tell_behind(head);
	list_add(head);
}

/* Makes the chunk of @memory hold @size bytes without moving it. */
static gboolean resize_unlocked(void *memory, gsize size)
{
	gsize wanted = chunk_size(size);
	Head *head = checked(memory);
	Head *next = behind(head);
	gsize old = head->size;

	if (wanted == 0)
		return FALSE;
	if (wanted <= old)
		return TRUE;
	if (!is_free(next) || old + next->size < wanted)
		return FALSE;
	join(head, next);
	split(head, wanted);
	set_head(head, head->size, head->before, SEAL_USED);
	tell_behind(head);
	account(head->size, old);
	return TRUE;
}

/* Memory that the kernel itself takes out of its own map: no other process, not even a debugger
 * with all rights, reads it through the kernel. It is locked by nature. */
static gboolean map_secret(guint8 *at, gsize size)
{
	gboolean good;
	int fd = -1;

#ifdef SYS_memfd_secret
	fd = (int)syscall(SYS_memfd_secret, O_CLOEXEC);
#endif
	if (fd < 0)
		return FALSE;
	good = ftruncate(fd, (off_t)size) == 0 &&
	       mmap(at, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) != MAP_FAILED;
	close(fd);
	return good;
}

static gboolean map_locked(guint8 *at, gsize size)
{
	return mmap(at, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		    0) != MAP_FAILED &&
	       mlock(at, size) == 0;
}

static gboolean map(gsize size, guint8 **start, const char **kind, GError **error)
{
	gsize page = (gsize)sysconf(_SC_PAGESIZE);
	guint8 *guard = mmap(NULL, size + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	guint8 *at = guard + page;

	if (guard == MAP_FAILED) {
		g_set_error(error, PVS_ERROR, PVS_ERROR_SYSTEM, "cannot map memory for keys: %s",
			    g_strerror(errno));
		return FALSE;
	}
	if (map_secret(at, size)) {
		*kind = "memfd_secret";
	} else if (map_locked(at, size)) {
		*kind = "mlock";
	} else {
		g_set_error(error, PVS_ERROR, PVS_ERROR_SYSTEM,
			    "cannot lock %" G_GSIZE_FORMAT " KiB of memory for keys: %s; set "
			    "LimitMEMLOCK= of pvsecretd.service (RLIMIT_MEMLOCK, ulimit -l, where "
			    "it is started by hand) to at least that",
			    size / 1024, g_strerror(errno));
		munmap(guard, size + 2 * page);
		return FALSE;
	}
	if (madvise(at, size, MADV_DONTFORK) < 0 || madvise(at, size, MADV_DONTDUMP) < 0) {
		g_set_error(error, PVS_ERROR, PVS_ERROR_SYSTEM,
			    "cannot keep the memory for keys out of dumps and forks: %s",
			    g_strerror(errno));
		munmap(guard, size + 2 * page);
		return FALSE;
	}
	*start = at;
	return TRUE;
}

gboolean pvs_locked_init(gsize size, GError **error)
{
	gsize page = (gsize)sysconf(_SC_PAGESIZE);
	const char *kind;
	guint8 *start;
	Head *head, *last;

	g_assert(!arena.start);
	g_assert(size > 0 && size <= PVS_LOCKED_MAX);
	size = (size + page - 1) / page * page;
	if (getrandom(&arena.key, sizeof arena.key, 0) != sizeof arena.key) {
		g_set_error(error, PVS_ERROR, PVS_ERROR_SYSTEM, "cannot draw a random number: %s",
			    g_strerror(errno));
		return FALSE;
	}
	if (!map(size, &start, &kind, error))
		return FALSE;
	/* Now, not at a first use later: pages of memfd_secret come as they are touched. */
	memset(start, 0, size);

	arena.start = start;
	arena.size = size;
	arena.kind = kind;
	/* One free chunk, and a head behind it that is never free: so every chunk has one behind.
	 */
	head = head_at(start, 0);
	last = head_at(start, (gssize)(size - sizeof *last));
	set_head(last, 0, size - sizeof *last, SEAL_USED);
	set_head(head, size - sizeof *last, 0, SEAL_FREE);
	list_add(head);
	return TRUE;
}

const char *pvs_locked_kind(void)
{
	return arena.kind;
}

gsize pvs_locked_size(void)
{
	return arena.size;
}

void *pvs_locked_alloc(gsize size)
{
	void *memory;

	g_assert(arena.start);
	g_mutex_lock(&arena.mutex);
	memory = alloc_unlocked(size);
	g_mutex_unlock(&arena.mutex);
	return memory;
}

void pvs_locked_free(void *memory)
{
	if (!memory)
		return;
	g_mutex_lock(&arena.mutex);
	free_unlocked(memory);
	g_mutex_unlock(&arena.mutex);
}

gboolean pvs_locked_owns(const void *memory)
{
	/* As numbers: pointers into different objects may not be compared. */
	return arena.start && (guintptr)memory - (guintptr)arena.start < arena.size;
}

gsize pvs_locked_used(void)
{
	gsize used;

	g_mutex_lock(&arena.mutex);
	used = arena.used;
	g_mutex_unlock(&arena.mutex);
	return used;
}

gsize pvs_locked_peak(void)
{
	gsize peak;

	g_mutex_lock(&arena.mutex);
	peak = arena.peak;
	g_mutex_unlock(&arena.mutex);
	return peak;
}

static void *openssl_malloc(size_t size, const char *file G_GNUC_UNUSED, int line G_GNUC_UNUSED)
{
	return size > 0 ? pvs_locked_alloc(size) : NULL;
}

static void openssl_free(void *memory, const char *file G_GNUC_UNUSED, int line G_GNUC_UNUSED)
{
	pvs_locked_free(memory);
}

static void *openssl_realloc(void *memory, size_t size, const char *file, int line)
{
	gsize old;
	void *moved;

	if (!memory)
		return openssl_malloc(size, file, line);
	if (size == 0) {
		pvs_locked_free(memory);
		return NULL;
	}
	g_mutex_lock(&arena.mutex);
	if (resize_unlocked(memory, size)) {
		moved = memory;
	} else {
		moved = alloc_unlocked(size);
		if (moved) {
			old = head_of(memory)->size - sizeof(Head);
			memcpy(moved, memory, old);
			free_unlocked(memory);
		}
	}
	g_mutex_unlock(&arena.mutex);
	return moved;
}

gboolean pvs_locked_openssl(GError **error)
{
	g_assert(arena.start);
	if (CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free))
		return TRUE;
	g_set_error_literal(error, PVS_ERROR, PVS_ERROR_SYSTEM,
			    "OpenSSL allocated memory before it could be given the locked memory");
	return FALSE;
}

PvsSecret *pvs_secret_new(gsize size)
{
	PvsSecret *secret;

	if (size > PVS_LOCKED_MAX)
		return NULL;
	secret = pvs_locked_alloc(sizeof *secret + size);
	if (secret)
		secret->size = size;
	return secret;
}

void pvs_secret_free(PvsSecret *secret)
{
	pvs_locked_free(secret);
}
