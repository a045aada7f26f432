/* SPDX-License-Identifier: MIT */
/* calls: popen pclose system wordexp */
/* Programs that libc starts by itself. */
#include <wordexp.h>

#include "observe.h"

int main(void)
{
	char line[64] = "";
	wordexp_t words;
	FILE *one, *two;

	begin();
	section("popen");
	one = popen("echo hello; exit 3", "r");
	printf("read: %s", fgets(line, sizeof line, one));
	printf("fd %d\n", fileno(one));
	TRY(pclose(one));
	one = popen("cat", "w");
	two = popen("exec cat", "w");
	fprintf(one, "through cat\n");
	TRY(pclose(one));
	TRY(pclose(two));
	one = popen("kill -9 $$", "r");
	TRY(pclose(one));
	TRY_ANY(popen("true", "wrong"));

	section("system");
	TRY(system("exit 7"));
	TRY(system("kill -15 $$"));
	TRY(system("echo from a shell"));
	TRY_ANY(system(NULL));

	section("wordexp");
	TRY(wordexp("$(echo a b) c", &words, 0));
	printf("%zu words, first %s\n", words.we_wordc, words.we_wordv[0]);
	wordfree(&words);
	TRY(close(TRY(socket(AF_INET, SOCK_STREAM, 0))));
	return end();
}
