// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pins the memory of one large request with several threads.
 *
 * Nearly all the time goes into memory that is not there yet: it is allocated
 * and cleared. So a request begins alone and is helped only if it takes long.
 *
 * The helpers are threads of the calling process. CPU time, memory cgroup, NUMA
 * policy, limits and SIGKILL apply to them as to the caller. They only pin. If a
 * thread meets an error, all stop, and the caller pins the rest alone, from the
 * first page that is missing: it meets the error that it would have met without
 * helpers, and reports it.
 */
#include <linux/cpumask.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/sched/vhost_task.h>
#include <linux/sizes.h>

#include "core/ctx.h"
#include "pages/pin.h"

#define MAX_THREADS	32

/*
 * A thread pins one part at a time. Small parts keep all threads busy to the
 * end. No block and no entry of a page table crosses two parts, so a part has at
 * least the size of the last folio, and is aligned to its own size.
 */
#define PARTS_PER_THREAD 16
#define MIN_PART	(SZ_2M / PAGE_SIZE)
#define MAX_PART	(SZ_1G / PAGE_SIZE)

static unsigned int max_threads = 8;
module_param(max_threads, uint, 0644);
MODULE_PARM_DESC(max_threads, "Threads that pin the memory of a large request: at most 32, 1 for the caller alone (8)");

/**
 * struct crew - threads that pin a range of pages
 * @pages: the pages. The caller holds their pin_lock for all threads
 * @last: last index of the range
 * @part: number of pages of a part: a power of two
 * @phase: number of pages between the last boundary of a part and index 0
 * @work_ns: time that the threads spent pinning, added up
 */
struct crew {
	struct iommufd_pages *pages;
	unsigned long last;
	unsigned long part;
	unsigned long phase;
	atomic64_t work_ns;
	/** @lock: protects the members below; nothing nests inside it */
	spinlock_t lock;
	/** @next: first index of the range that no thread has taken */
	unsigned long next;
	/** @stopped: there are no more parts: a thread met an error */
	bool stopped;
};

static bool take_part(struct crew *crew, unsigned long *first,
		      unsigned long *last)
{
	unsigned long end;
	bool taken;

	spin_lock(&crew->lock);
	taken = !crew->stopped && crew->next <= crew->last;
	if (taken) {
		*first = crew->next;
		end = round_up(*first + crew->phase + 1, crew->part);
		*last = min(end - crew->phase - 1, crew->last);
		crew->next = *last + 1;
	}
	spin_unlock(&crew->lock);
	return taken;
}

static void stop_crew(struct crew *crew)
{
	spin_lock(&crew->lock);
	crew->stopped = true;
	spin_unlock(&crew->lock);
}

static void pin_part(struct crew *crew, unsigned long first, unsigned long last)
{
	u64 start_ns = ktime_get_ns();

	if (iommufd_pin_part(crew->pages, &first, last, 0))
		stop_crew(crew);
	atomic64_add(ktime_get_ns() - start_ns, &crew->work_ns);
}

/*
 * The function of a helper. It is called with TASK_INTERRUPTIBLE set, sleeps if
 * it returns false, and is called again otherwise.
 */
static bool help(void *data)
{
	struct crew *crew = data;
	unsigned long first, last;

	if (!take_part(crew, &first, &last))
		return false;
	__set_current_state(TASK_RUNNING);
	pin_part(crew, first, last);
	return true;
}

static void helper_killed(void *data)
{
	stop_crew(data);
}

/* Fewer helpers start if a limit forbids more, or memory is short. */
static unsigned int start_helpers(struct crew *crew,
				  struct vhost_task **helpers, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		helpers[i] = vhost_task_create(help, helper_killed, crew,
					       "iommufd-pin");
		if (IS_ERR(helpers[i]))
			break;
		vhost_task_start(helpers[i]);
	}
	return i;
}

/*
 * Wait until the helpers have pinned the parts that they have taken. SIGKILL
 * ends this wait, as it is sent to the whole process.
 */
static void stop_helpers(struct vhost_task **helpers, unsigned int nr)
{
	while (nr)
		vhost_task_stop(helpers[--nr]);
}

/* Also the caller. */
static unsigned int nr_pinning_threads(void)
{
	unsigned int cpus = cpumask_weight_and(current->cpus_ptr,
					       cpu_online_mask);

	return min3(READ_ONCE(max_threads), cpus, MAX_THREADS);
}

/**
 * iommufd_pin_has_helpers - whether other threads may help the caller
 *
 * Return: true if the caller may use iommufd_pin_parallel().
 */
bool iommufd_pin_has_helpers(void)
{
	/* Threads of the kernel have no process that helpers could join. */
	if (!current->mm || current->flags & (PF_KTHREAD | PF_USER_WORKER))
		return false;
	return nr_pinning_threads() > 1;
}

/* The size of the folio of a page, which is pinned, in pages. */
static unsigned long folio_pages(struct iommufd_pages *pages,
				 unsigned long index)
{
	struct iommufd_run_iter iter;
	unsigned long npages = 1;

	mutex_lock(&pages->lock);
	if (iommufd_run_first(&iter, &pages->blocks, index, index))
		npages = folio_nr_pages(page_folio(pfn_to_page(iter.run.pfn)));
	mutex_unlock(&pages->lock);
	return npages;
}

static unsigned long part_size(unsigned long npages, unsigned int threads,
			       unsigned long folio)
{
	unsigned long part = npages / (threads * PARTS_PER_THREAD);

	part = clamp(part, MIN_PART, MAX_PART);
	return max(rounddown_pow_of_two(part), folio);
}

/**
 * iommufd_pin_parallel - pin the rest of a range with several threads
 * @pages: the pages
 * @index: first index to pin; the page before it has been pinned. Set to the
 *	first index after the range. If a thread met an error, it is unchanged,
 *	and any page of the range may be pinned: the caller must pin the gaps
 * @last: last index to pin
 * @requester: for the tracepoint
 *
 * Context: May fault on user memory. The caller must hold the pin_lock of
 * @pages.
 */
void iommufd_pin_parallel(struct iommufd_pages *pages, unsigned long *index,
			  unsigned long last,
			  const struct iommufd_requester *requester)
{
	struct vhost_task *helpers[MAX_THREADS - 1];
	unsigned long npages = last - *index + 1, first, end;
	unsigned int threads = max(nr_pinning_threads(), 1);
	struct crew crew = {
		.pages = pages,
		.last = last,
		.part = part_size(npages, threads,
				  folio_pages(pages, *index - 1)),
		.phase = pages->start >> PAGE_SHIFT,
		.next = *index,
	};
	u64 start_ns = ktime_get_ns();

	lockdep_assert_held(&pages->pin_lock);

	spin_lock_init(&crew.lock);
	threads = start_helpers(&crew, helpers, threads - 1) + 1;
	while (take_part(&crew, &first, &end))
		pin_part(&crew, first, end);
	stop_helpers(helpers, threads - 1);
	trace_iommufd_pin_parallel(requester->ctx->number, requester->ioas,
				   npages, threads, ktime_get_ns() - start_ns,
				   atomic64_read(&crew.work_ns));
	if (!crew.stopped)
		*index = last + 1;
}
