// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <math.h>
#include <stdio.h>
#include "fmt.h"

/*
 * The format for @value, which is not negative, with @digits digits. Rounding
 * may add a digit: 9.996 becomes 10.0. NULL if @value reaches @last and needs
 * the next unit.
 */
static const char *precision(double value, int digits, double last)
{
	if (digits > 2 && value < 9.995)
		return "%s%.2f%s";
	if (value < (digits > 2 ? 99.95 : 9.95))
		return "%s%.1f%s";
	return value < last ? "%s%.0f%s" : NULL;
}

static char *scaled(char *buf, double value, int digits, double step,
		    const char *const *unit)
{
	const char *sign = value < 0 ? "-" : "", *format;

	value = fabs(value);
	/* The sign takes the place of a digit. */
	digits -= *sign == '-';
	while (!(format = precision(value, digits, step - 0.5)) && unit[1]) {
		value /= step;
		unit++;
	}
	snprintf(buf, FMT_LEN, format ?: "%s%.0f%s", sign, value, *unit);
	return buf;
}

static const char *const binary_units[] = { "K", "M", "G", "T", "P", "E", NULL };
static const char *const decimal_units[] = {
	"k", "M", "G", "T", "P", "E", NULL
};

char *fmt_bytes(char *buf, long long bytes)
{
	if (bytes > -1024 && bytes < 1024)
		snprintf(buf, FMT_LEN, "%lldB", bytes);
	else
		scaled(buf, bytes / 1024.0, 3, 1024, binary_units);
	return buf;
}

char *fmt_count(char *buf, long long count)
{
	if (count > -1000 && count < 1000)
		snprintf(buf, FMT_LEN, "%lld", count);
	else
		scaled(buf, count / 1000.0, 3, 1000, decimal_units);
	return buf;
}

char *fmt_short(char *buf, unsigned long long count)
{
	if (count < 1000)
		snprintf(buf, FMT_LEN, "%llu", count);
	else
		scaled(buf, count / 1000.0, 2, 1000, decimal_units);
	return buf;
}

char *fmt_rate(char *buf, double rate)
{
	if (rate < 0.05)
		snprintf(buf, FMT_LEN, "0");
	else if (rate < 99.95)
		snprintf(buf, FMT_LEN, "%.1f", rate);
	else
		fmt_count(buf, llround(rate));
	return buf;
}

char *fmt_ns(char *buf, unsigned long long ns)
{
	static const struct {
		double scale;
		double limit;
		char name;
	} units[] = {
		{ 1, 999.5, 'n' },   { 1e3, 999.5, 'u' },
		{ 1e6, 999.5, 'm' }, { 1e9, 99.5, 's' },
		{ 60e9, 99.5, 'M' }, { 3600e9, INFINITY, 'h' },
	};
	unsigned int i = 0;
	double value;

	while (ns / units[i].scale >= units[i].limit)
		i++;
	value = ns / units[i].scale;
	snprintf(buf, FMT_LEN, i && value < 9.95 ? "%.1f%c" : "%.0f%c", value,
		 units[i].name);
	return buf;
}

char *fmt_name(char *dst, size_t size, const char *name)
{
	size_t i;

	for (i = 0; i + 1 < size && name[i]; i++)
		dst[i] = name[i] >= ' ' && name[i] <= '~' ? name[i] : '?';
	dst[i] = '\0';
	return dst;
}
