// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lockstat overlooks a task that waits for a mutex without sleeping: it counts
 * no contention, and takes the time for a part of the hold. This reports such a
 * task to lockstat when it begins to spin. Load it for benchmarks only.
 */
#include <linux/lockdep.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <trace/events/lock.h>

/* Called before the first attempt to take a mutex, whether it is free or not. */
static void note_spin(void *data, void *lock, unsigned int flags)
{
	struct mutex *mutex = lock;
	struct held_lock *held;

	if (flags != (LCB_F_MUTEX | LCB_F_SPIN) || !current->lockdep_depth)
		return;
	/* Lockdep already lists the mutex. */
	held = &current->held_locks[current->lockdep_depth - 1];
	/* A stamp: the task has slept, so lockstat knows that it waits. */
	if (held->instance != &mutex->dep_map || held->waittime_stamp)
		return;
	if (mutex_is_locked(mutex))
		lock_contended(&mutex->dep_map, held->acquire_ip);
}

static int __init mutex_spins_init(void)
{
	return register_trace_contention_begin(note_spin, NULL);
}

static void __exit mutex_spins_exit(void)
{
	unregister_trace_contention_begin(note_spin, NULL);
	tracepoint_synchronize_unregister();
}

module_init(mutex_spins_init);
module_exit(mutex_spins_exit);
MODULE_DESCRIPTION("Lets lockstat see tasks that spin for a mutex");
MODULE_LICENSE("GPL");
