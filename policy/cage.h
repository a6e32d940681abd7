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

/* The cage: files by name (Landlock; a worker has no rules, so none), system calls (seccomp).
 * PVS_ERROR_SYSTEM where it cannot be put on; that the kernel has no Landlock is not one. */
gboolean role_enter(PvsRole role, const PvsPathRule *rules, guint n, GError **error);

/* What becomes of a call that is not allowed: "kill", or "log" in a build with --enable-cage=log,
 * where files are not confined either. */
const char *role_cage_mode(void);
