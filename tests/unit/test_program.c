/* SPDX-License-Identifier: MIT */
/* test_program.c - which programs the library will come up in. */
#include <elf.h>
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tools/program.h"

static char dir[64];
static uid_t uid;
static gid_t gid;
static char judged[PATH_MAX];

static int begin(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/program-XXXXXX");
	uid = getuid();
	gid = getgid();
	return mkdtemp(dir) ? 0 : -1;
}

static const char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static int end(void **state)
{
	(void)state;
	unlink(path_of("file"));
	unlink(path_of("script"));
	return rmdir(dir);
}

static void write_file(const char *name, const void *bytes, size_t len)
{
	FILE *file = fopen(path_of(name), "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path_of(name), 0755), 0);
}

static enum coverage judge(const char *name)
{
	return program_coverage(path_of(name), uid, gid, judged);
}

/* A program of this machine, with one segment of some type. */
struct tiny {
	ElfW(Ehdr) header;
	ElfW(Phdr) segment;
};

static struct tiny tiny(unsigned type)
{
	struct tiny elf;
	FILE *self = fopen("/proc/self/exe", "r");

	assert_non_null(self);
	memset(&elf, 0, sizeof(elf));
	assert_int_equal(fread(&elf.header, sizeof(elf.header), 1, self), 1);
	fclose(self);
	elf.header.e_phoff = offsetof(struct tiny, segment);
	elf.header.e_phnum = 1;
	elf.header.e_shoff = 0;
	elf.header.e_shnum = 0;
	elf.segment.p_type = type;
	return elf;
}

static void test_dynamic(void **state)
{
	struct tiny elf = tiny(PT_INTERP);

	(void)state;
	write_file("file", &elf, sizeof(elf));
	assert_int_equal(judge("file"), COVERAGE_SEEN);
	assert_string_equal(judged, path_of("file"));
	assert_int_equal(program_coverage("/proc/self/exe", uid, gid, judged), COVERAGE_SEEN);
}

static void test_static(void **state)
{
	struct tiny elf = tiny(PT_LOAD);

	(void)state;
	write_file("file", &elf, sizeof(elf));
	assert_int_equal(judge("file"), COVERAGE_STATIC);
}

static void test_other_class(void **state)
{
	struct tiny elf = tiny(PT_INTERP);

	(void)state;
	elf.header.e_ident[EI_CLASS] ^= ELFCLASS32 ^ ELFCLASS64;
	write_file("file", &elf, sizeof(elf));
	assert_int_equal(judge("file"), COVERAGE_CLASS);
}

static void test_go(void **state)
{
	struct {
		struct tiny tiny;
		ElfW(Shdr) section[2];
		char names[32];
	} elf = {.tiny = tiny(PT_INTERP), .names = "\0.go.buildinfo"};

	(void)state;
	elf.tiny.header.e_shoff = sizeof(struct tiny);
	elf.tiny.header.e_shnum = 2;
	elf.tiny.header.e_shstrndx = 0;
	elf.section[0].sh_offset = (size_t)((char *)elf.names - (char *)&elf);
	elf.section[1].sh_type = SHT_PROGBITS;
	elf.section[1].sh_name = 1;
	write_file("file", &elf, sizeof(elf));
	assert_int_equal(judge("file"), COVERAGE_GO);
}

static void test_set_user_id(void **state)
{
	struct tiny elf = tiny(PT_INTERP);

	(void)state;
	write_file("file", &elf, sizeof(elf));
	assert_int_equal(chmod(path_of("file"), 04755), 0);
	assert_int_equal(judge("file"), COVERAGE_SEEN); /* it is our own */
	uid++;
	assert_int_equal(judge("file"), COVERAGE_SETUID);
	assert_int_equal(chmod(path_of("file"), 02755), 0);
	assert_int_equal(judge("file"), COVERAGE_SEEN);
	gid++;
	assert_int_equal(judge("file"), COVERAGE_SETUID);
	assert_int_equal(chmod(path_of("file"), 02745), 0); /* no group execute: not setgid */
	assert_int_equal(judge("file"), COVERAGE_SEEN);
}

static void test_script(void **state)
{
	struct tiny elf = tiny(PT_LOAD);
	char line[256];

	(void)state;
	write_file("file", &elf, sizeof(elf));
	snprintf(line, sizeof(line), "#! \t%s -x\necho\n", path_of("file"));
	write_file("script", line, strlen(line));
	assert_int_equal(judge("script"), COVERAGE_STATIC);
	assert_string_equal(judged, path_of("file"));
}

static void test_script_of_itself(void **state)
{
	char line[256];

	(void)state;
	snprintf(line, sizeof(line), "#!%s\n", path_of("script"));
	write_file("script", line, strlen(line));
	assert_int_equal(judge("script"), COVERAGE_SEEN);
}

static void test_no_program(void **state)
{
	static const char *const contents[] = {"", "#", "#!", "#!\n", "\177ELF", "text\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
		write_file("file", contents[i], strlen(contents[i]));
		assert_int_equal(judge("file"), COVERAGE_SEEN);
	}
	assert_int_equal(judge("missing"), COVERAGE_SEEN);
	assert_string_equal(judged, "");
	assert_int_equal(program_coverage(dir, uid, gid, judged), COVERAGE_SEEN);
}

static void test_cut_anywhere(void **state)
{
	struct tiny elf = tiny(PT_LOAD);

	(void)state;
	elf.header.e_shoff = UINT64_MAX;
	elf.header.e_shnum = UINT16_MAX;
	elf.header.e_phnum = UINT16_MAX;
	for (size_t len = 0; len <= sizeof(elf); len++) {
		write_file("file", &elf, len);
		judge("file");
	}
}

static void test_find(void **state)
{
	char path[PATH_MAX], list[256];

	(void)state;
	write_file("file", "", 0);
	snprintf(list, sizeof(list), "/nowhere:%s:/bin", dir);
	setenv("PATH", list, 1);
	assert_true(program_find("file", path));
	assert_string_equal(path, path_of("file"));
	assert_true(program_find("sh", path));
	assert_string_equal(path, "/bin/sh");
	assert_false(program_find("no-such-program", path));
	assert_true(program_find("/bin/sh", path));
	assert_false(program_find("./no-such-program", path));
	setenv("PATH", dir, 1);
	chmod(path_of("file"), 0644);
	assert_false(program_find("file", path));
	unsetenv("PATH");
	assert_true(program_find("sh", path));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(test_dynamic),          TEST(test_static),
	        TEST(test_other_class),      TEST(test_go),
	        TEST(test_set_user_id),      TEST(test_script),
	        TEST(test_script_of_itself), TEST(test_no_program),
	        TEST(test_cut_anywhere),     TEST(test_find),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
