/* SPDX-License-Identifier: MIT */
/*
 * cage.h - what a process gives up before it reads a byte from anybody
 *
 * In two steps, since what is needed from files has to be opened in between. role_begin() is called
 * first of all in every process; role_enter() when all that is lazy has been used once, before a
 * worker says that it is ready. Where a step fails the caller ends: it never goes on without.
 */
#pragma once

#include "policy/landlock.h"
#include "protocol/message.h"

/* Not dumpable, no new privileges, tied to the monitor's life, resource limits. PVS_ERROR_SYSTEM
 * where a step fails. */
gboolean role_begin(PvsRole role, GError **error);

/* The cage: no more executable memory, files by name (Landlock; a worker has no rules, so none),
 * system calls (seccomp). The one rule without a path is the daemon's own program, and nothing else
 * may be executed. PVS_ERROR_SYSTEM where it cannot be put on; that the kernel has no Landlock is
 * not one. */
gboolean role_enter(PvsRole role, const PvsPathRule *rules, guint n, GError **error);

/* First of all in each thread that a worker starts before role_enter(), after it has read its
 * files: Landlock is put on one thread, and on those that it starts. */
gboolean role_enter_thread(GError **error);

/* What becomes of a call that is not allowed: "kill", or "log" in a build with --enable-cage=log,
 * where files are not confined either. */
const char *role_cage_mode(void);
