/*
 * Answers each line on its standard input with what the clocks show, in ns:
 * realtime coarse gettimeofday time monotonic raw took
 * raw is CLOCK_REALTIME by system call, took how long it all took. THREADS threads read clocks as fast as
 * they can, and end the program when CLOCK_MONOTONIC goes back. With TICK set a
 * timer interrupts them thousands of times a second, and its handler reads clocks
 * too. With arguments it executes them: a chain of programs.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long long ns(clockid_t c)
{
	struct timespec ts;

	if (clock_gettime(c, &ts))
		abort();
	if (ts.tv_nsec < 0 || ts.tv_nsec >= 1000000000)
		abort();
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

/* cost is that of one call: the best of many short runs, on a busy machine too. */
static double cost(clockid_t clock)
{
	struct timespec ts;
	long long best = 0;

	for (int run = 0; run < 300; run++) {
		long long began = ns(CLOCK_MONOTONIC_RAW), took;

		for (int i = 0; i < 1000; i++)
			clock_gettime(clock, &ts);
		took = ns(CLOCK_MONOTONIC_RAW) - began;
		if (!best || took < best)
			best = took;
	}
	return best / 1000.0;
}

static void *busy(void *arg)
{
	struct timeval tv;
	long long last = 0;

	(void)arg;
	for (;;) {
		long long now = ns(CLOCK_MONOTONIC);

		if (now < last)
			abort();
		last = now;
		ns(CLOCK_REALTIME);
		gettimeofday(&tv, NULL);
		time(NULL);
	}
	return NULL;
}

static void tick(int sig)
{
	(void)sig;
	for (int i = 0; i < 100; i++)
		ns(CLOCK_REALTIME);
}

static long long kernel(void)
{
	struct timespec ts;

	syscall(SYS_clock_gettime, CLOCK_REALTIME, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static void answer(void)
{
	long long raw = kernel(), real = ns(CLOCK_REALTIME), coarse = ns(CLOCK_REALTIME_COARSE), mono = ns(CLOCK_MONOTONIC);
	struct timeval tv;
	time_t t;

	gettimeofday(&tv, NULL);
	t = time(NULL);
	printf("%lld %lld %lld %lld %lld %lld %lld\n", real, coarse, tv.tv_sec * 1000000000LL + tv.tv_usec * 1000LL,
	       (long long)t * 1000000000LL, mono, raw, kernel() - raw);
}

int main(int argc, char **argv)
{
	char line[64], *threads = getenv("THREADS");
	pthread_t t;
	long long first = ns(CLOCK_REALTIME);

	if (argc > 1) {
		execv(argv[1], argv + 1);
		return 1;
	}
	for (int n = threads ? atoi(threads) : 0; n > 0; n--)
		pthread_create(&t, NULL, busy, NULL);
	if (getenv("TICK")) {
		struct itimerval every = {.it_interval.tv_usec = 200, .it_value.tv_usec = 200};
		struct sigaction act = {.sa_handler = tick, .sa_flags = SA_RESTART};

		sigaction(SIGPROF, &act, NULL);
		setitimer(ITIMER_PROF, &every, NULL);
	}
	printf("%lld\n", first);
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		if (line[0] == 'f') { /* fork: the child answers from now on */
			if (fork()) {
				pause();
				return 0;
			}
		}
		if (line[0] == 'b') { /* benchmark: ns a call, realtime and monotonic */
			printf("%.1f %.1f\n", cost(CLOCK_REALTIME), cost(CLOCK_MONOTONIC));
			fflush(stdout);
			continue;
		}
		answer();
		fflush(stdout);
	}
	return 0;
}
