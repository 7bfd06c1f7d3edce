// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes the CPUs of an emulated machine take short turns. With an instruction
 * clock, the emulator shares out the instructions up to its next timer equally
 * among the CPUs; one that waits in a loop or idles gives up its turn. A turn is
 * usually so long that a CPU finds no lock taken, or one whose holder does not
 * go on. This keeps a timer of the emulator running, that of the interval timer,
 * with its interrupt masked: the guest executes no instruction more. Load it for
 * benchmarks only.
 */
#include <linux/i8253.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/module.h>

#define TIMER_IRQ 0
/* Channel 0, two bytes follow; a square wave, and the mode that ends it. */
#define SQUARE_WAVE 0x36
#define ONE_SHOT    0x30

/* The output changes after half a period. */
static unsigned int ticks = 1;
module_param(ticks, uint, 0444);
MODULE_PARM_DESC(ticks,
		 "clocks of the timer (838 ns) in which each CPU has a turn");

static void set_timer(u8 mode, u16 period)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&i8253_lock, flags);
	outb(mode, PIT_MODE);
	outb(period & 0xff, PIT_CH0);
	outb(period >> 8, PIT_CH0);
	raw_spin_unlock_irqrestore(&i8253_lock, flags);
}

static int __init short_turns_init(void)
{
	if (ticks < 1 || ticks > U16_MAX / 2)
		return -EINVAL;
	disable_irq(TIMER_IRQ);
	set_timer(SQUARE_WAVE, 2 * ticks);
	return 0;
}

static void __exit short_turns_exit(void)
{
	set_timer(ONE_SHOT, 0);
	enable_irq(TIMER_IRQ);
}

module_init(short_turns_init);
module_exit(short_turns_exit);
MODULE_DESCRIPTION("Short turns for the CPUs of an emulated machine");
MODULE_LICENSE("GPL");
