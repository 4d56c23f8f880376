/*
 * Its vfork()ed child, which shares its memory, joins the control group whose
 * cgroup.procs the first argument is ("-": none), says so, waits for a line, and
 * executes the second argument. The parent waits in vfork meanwhile.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char c;
	int fd;

	if (argc != 3)
		return 2;
	if (!vfork()) {
		fd = open(argv[1], O_WRONLY);
		if (fd >= 0 && write(fd, "0", 1) != 1)
			_exit(3);
		if (write(1, "1\n", 2) != 2 || read(0, &c, 1) != 1)
			_exit(4);
		execl(argv[2], argv[2], NULL);
		_exit(5);
	}
	wait(NULL);
	return 0;
}
