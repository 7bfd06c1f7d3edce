// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The only program in a nested guest. It finds the edu device that was passed
 * through, checks its registers, lets it read a page of this guest's memory and
 * write that to another one, and prints the result on the console.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEVICES "/sys/bus/pci/devices"
#define ID	"0x1234:0x11e8"
#define PAGE	4096
#define PAGES	16

#define PCI_COMMAND		  4
#define PCI_COMMAND_MEMORY_MASTER 6

#define REG_ID		    0x00
#define REG_INVERTED	    0x04
#define REG_DMA_SOURCE	    0x80
#define REG_DMA_DESTINATION 0x88
#define REG_DMA_COUNT	    0x90
#define REG_DMA_COMMAND	    0x98
#define COMMAND_START	    1
#define COMMAND_TO_MEMORY   2
#define DEVICE_BUFFER	    0x40000

static void say(const char *format, ...)
{
	va_list args;

	printf("second: ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
}

static bool read_line(const char *device, const char *name, char *line,
		      size_t size)
{
	char path[512];
	FILE *file;
	bool ok;

	snprintf(path, sizeof(path), DEVICES "/%s/%s", device, name);
	file = fopen(path, "r");
	if (!file)
		return false;
	ok = fgets(line, size, file);
	fclose(file);
	line[strcspn(line, "\n")] = 0;
	return ok;
}

static bool find(char *found, size_t size)
{
	char vendor[16], device[16], id[40];
	struct dirent *entry;
	bool ok = false;
	DIR *folder;

	folder = opendir(DEVICES);
	while (folder && !ok && (entry = readdir(folder))) {
		if (!read_line(entry->d_name, "vendor", vendor,
			       sizeof(vendor)) ||
		    !read_line(entry->d_name, "device", device, sizeof(device)))
			continue;
		snprintf(id, sizeof(id), "%s:%s", vendor, device);
		ok = !strcmp(id, ID);
		if (ok)
			snprintf(found, size, DEVICES "/%s", entry->d_name);
	}
	if (folder)
		closedir(folder);
	return ok;
}

static int open_in(const char *device, const char *name, int flags)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", device, name);
	return open(path, flags | O_CLOEXEC);
}

static volatile void *enable(const char *device)
{
	uint16_t command;
	void *registers;
	int fd;

	fd = open_in(device, "config", O_RDWR);
	if (fd < 0 || pread(fd, &command, sizeof(command), PCI_COMMAND) !=
			      sizeof(command))
		return NULL;
	command |= PCI_COMMAND_MEMORY_MASTER;
	if (pwrite(fd, &command, sizeof(command), PCI_COMMAND) !=
	    sizeof(command))
		return NULL;
	close(fd);
	fd = open_in(device, "resource0", O_RDWR);
	if (fd < 0)
		return NULL;
	registers = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return registers == MAP_FAILED ? NULL : registers;
}

static uint32_t get32(volatile void *registers, int offset)
{
	return *(volatile uint32_t *)((volatile char *)registers + offset);
}

static void set32(volatile void *registers, int offset, uint32_t value)
{
	*(volatile uint32_t *)((volatile char *)registers + offset) = value;
}

static uint64_t get64(volatile void *registers, int offset)
{
	return *(volatile uint64_t *)((volatile char *)registers + offset);
}

static void set64(volatile void *registers, int offset, uint64_t value)
{
	*(volatile uint64_t *)((volatile char *)registers + offset) = value;
}

/* A physical address of this guest, for the device: this guest has no IOMMU. */
static uint64_t physical(void *page)
{
	uint64_t entry = 0;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || pread(fd, &entry, sizeof(entry),
			    (uintptr_t)page / PAGE * sizeof(entry)) < 0)
		entry = 0;
	close(fd);
	return (entry & ((1ULL << 55) - 1)) * PAGE;
}

static void transfer(volatile void *registers, uint64_t from, uint64_t to,
		     uint64_t command)
{
	set64(registers, REG_DMA_SOURCE, from);
	set64(registers, REG_DMA_DESTINATION, to);
	set64(registers, REG_DMA_COUNT, PAGE);
	set64(registers, REG_DMA_COMMAND, COMMAND_START | command);
	while (get64(registers, REG_DMA_COMMAND) & COMMAND_START)
		usleep(1000);
}

static void test_dma(volatile void *registers)
{
	int good = 0;
	char *memory;

	memory = mmap(NULL, 2 * PAGES * PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0);
	if (memory == MAP_FAILED) {
		say("no memory");
		return;
	}
	for (int i = 0; i < PAGES * PAGE; i++)
		memory[i] = i * 2654435761U >> 13;
	memset(memory + PAGES * PAGE, 0, PAGES * PAGE);
	for (int i = 0; i < PAGES; i++) {
		char *from = memory + i * PAGE, *to = from + PAGES * PAGE;

		transfer(registers, physical(from), DEVICE_BUFFER, 0);
		transfer(registers, DEVICE_BUFFER, physical(to),
			 COMMAND_TO_MEMORY);
		good += !memcmp(from, to, PAGE);
	}
	say("%d of %d pages as they should be", good, PAGES);
}

static void test(void)
{
	volatile void *registers;
	char device[300];

	if (!find(device, sizeof(device))) {
		say("no device");
		return;
	}
	registers = enable(device);
	if (!registers) {
		say("no registers");
		return;
	}
	set32(registers, REG_INVERTED, 0x12345678);
	say("id %#x, inverted %#x", get32(registers, REG_ID),
	    get32(registers, REG_INVERTED));
	test_dma(registers);
}

/* There was no device file yet that the kernel could have opened as console. */
static void open_console(void)
{
	int fd;

	mkdir("/dev", 0755);
	mount("dev", "/dev", "devtmpfs", 0, NULL);
	fd = open("/dev/console", O_RDWR);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
}

int main(void)
{
	open_console();
	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	if (mount("proc", "/proc", "proc", 0, NULL) ||
	    mount("sysfs", "/sys", "sysfs", 0, NULL))
		say("no file systems");
	else
		test();
	say("end");
	/* With -no-reboot, this ends QEMU. */
	reboot(RB_AUTOBOOT);
	return 0;
}
