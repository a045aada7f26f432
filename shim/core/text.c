/* SPDX-License-Identifier: MIT */
/* text.c - see text.h. */
#include "core/text.h"

static const char hex_digit[] = "0123456789abcdef";

/* "00" to "99": two digits a division. */
static const char digit_pairs[] = "00010203040506070809101112131415161718192021222324"
                                  "25262728293031323334353637383940414243444546474849"
                                  "50515253545556575859606162636465666768697071727374"
                                  "75767778798081828384858687888990919293949596979899";

struct text text_on(char *buf, size_t size)
{
	buf[0] = '\0';
	return (struct text){.buf = buf, .size = size};
}

void text_bytes(struct text *text, const char *bytes, size_t len)
{
	size_t room = text->size - text->len - 1;

	if (text->cut)
		return;
	if (len > room) {
		len = room;
		text->cut = true;
	}
	memcpy(text->buf + text->len, bytes, len);
	text->len += len;
	text->buf[text->len] = '\0';
}

void text_char(struct text *text, char c)
{
	if (text->cut || text->len + 1 >= text->size) {
		text->cut = true;
		return;
	}
	text->buf[text->len++] = c;
	text->buf[text->len] = '\0';
}

void text_digits(struct text *text, uint64_t value, unsigned width)
{
	char digits[24];
	char *end = digits + sizeof(digits), *at = end;

	if (width > 20)
		width = 20;
	for (; value >= 10; value /= 100) {
		at -= 2;
		memcpy(at, digit_pairs + value % 100 * 2, 2);
	}
	if (value > 0 || at == end)
		*--at = (char)('0' + value);
	while (end - at < (ptrdiff_t)width)
		*--at = '0';
	text_bytes(text, at, (size_t)(end - at));
}

void text_unsigned(struct text *text, uint64_t value)
{
	text_digits(text, value, 1);
}

void text_signed(struct text *text, int64_t value)
{
	if (value < 0)
		text_char(text, '-');
	text_unsigned(text, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void text_hex(struct text *text, uint64_t value)
{
	char digits[16];
	unsigned n = 0;

	do {
		digits[sizeof(digits) - ++n] = hex_digit[value & 15];
		value >>= 4;
	} while (value);
	text_bytes(text, digits + sizeof(digits) - n, n);
}

/* The Gregorian date of a day since 1970: count years from March, so that the
 * leap day is a year's last, in eras of 400 years (146,097 days). */
static void put_date(struct text *text, uint64_t day)
{
	uint64_t since = day + 719468; /* 0000-03-01 */
	uint64_t era = since / 146097, of_era = since % 146097;
	uint64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	uint64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	uint64_t month = (5 * of_year + 2) / 153; /* 0: March */

	text_digits(text, era * 400 + year + (month >= 10), 4);
	text_char(text, '-');
	text_digits(text, month < 10 ? month + 3 : month - 9, 2);
	text_char(text, '-');
	text_digits(text, of_year - (153 * month + 2) / 5 + 1, 2);
}

void text_time(struct text *text, uint64_t real_ns)
{
	uint64_t seconds = real_ns / 1000000000;
	uint64_t of_day = seconds % 86400;

	put_date(text, seconds / 86400);
	text_char(text, 'T');
	text_digits(text, of_day / 3600, 2);
	text_char(text, ':');
	text_digits(text, of_day / 60 % 60, 2);
	text_char(text, ':');
	text_digits(text, of_day % 60, 2);
	text_char(text, '.');
	text_digits(text, real_ns % 1000000000, 9);
	text_char(text, 'Z');
}

static bool is_continuation(const unsigned char *byte, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		if ((byte[i] & 0xc0) != 0x80)
			return false;
	}
	return true;
}

/* The length of the UTF-8 character that bytes start with (RFC 3629: neither
 * overlong, nor a surrogate, nor beyond U+10FFFF), 0 if it is none. */
static size_t utf8_len(const char *bytes, size_t len)
{
	const unsigned char *byte = (const unsigned char *)bytes;
	size_t n = byte[0] < 0x80 ? 1 : byte[0] < 0xe0 ? 2 : byte[0] < 0xf0 ? 3 : 4;

	if (n == 1)
		return 1;
	if (byte[0] < 0xc2 || byte[0] > 0xf4 || n > len || !is_continuation(byte, n))
		return 0;
	if ((byte[0] == 0xe0 && byte[1] < 0xa0) || (byte[0] == 0xed && byte[1] > 0x9f))
		return 0;
	if ((byte[0] == 0xf0 && byte[1] < 0x90) || (byte[0] == 0xf4 && byte[1] > 0x8f))
		return 0;
	return n;
}

/* Is this character one that a terminal might obey: C0, DEL, C1? */
static bool is_control(const char *bytes, size_t n)
{
	unsigned char first = (unsigned char)bytes[0];

	return (n == 1 && (first < 0x20 || first == 0x7f)) ||
	       (n == 2 && first == 0xc2 && (unsigned char)bytes[1] < 0xa0);
}

/* Write what stands for a character (n bytes; 0: not UTF-8) in a JSON string to
 * out. Returns its length. */
static size_t json_char(char out[8], const char *bytes, size_t n)
{
	unsigned char code = (unsigned char)bytes[n == 2]; /* of a control character */

	if (n == 0) {
		memcpy(out, "\\ufffd", 6);
		return 6;
	}
	if (is_control(bytes, n)) {
		memcpy(out, "\\u00", 4);
		out[4] = hex_digit[code >> 4];
		out[5] = hex_digit[code & 15];
		return 6;
	}
	if (bytes[0] == '"' || bytes[0] == '\\') {
		out[0] = '\\';
		out[1] = bytes[0];
		return 2;
	}
	memcpy(out, bytes, n);
	return n;
}

void text_json(struct text *text, const char *bytes, size_t len, size_t spare)
{
	char out[8];

	text_char(text, '"');
	for (size_t i = 0; i < len && !text->cut;) {
		size_t n = utf8_len(bytes + i, len - i);
		size_t out_len = json_char(out, bytes + i, n);

		if (text->len + out_len + 1 + spare >= text->size)
			break;
		text_bytes(text, out, out_len);
		i += n ? n : 1;
	}
	text_char(text, '"');
}

static void put_byte_escape(struct text *text, unsigned char byte)
{
	text_put(text, "\\x");
	text_char(text, hex_digit[byte >> 4]);
	text_char(text, hex_digit[byte & 15]);
}

void text_visible(struct text *text, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t n = utf8_len(bytes + i, len - i);
		size_t step = n ? n : 1;

		if (bytes[i] == '\n')
			text_put(text, "\\n");
		else if (bytes[i] == '\t')
			text_put(text, "\\t");
		else if (bytes[i] == '\\')
			text_put(text, "\\\\");
		else if (n == 0 || is_control(bytes + i, n))
			for (size_t k = 0; k < step; k++)
				put_byte_escape(text, (unsigned char)bytes[i + k]);
		else
			text_bytes(text, bytes + i, n);
		i += step;
	}
}
