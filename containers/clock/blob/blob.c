/*
 * What the vDSO's clock functions are replaced with: a real system call, and
 * for the wall clocks a correction.
 *
 *	data    (64 bytes, 8-aligned; the only thing that changes later)
 *	  +0  magic
 *	  +8  generation, one byte: its last bit chooses the set in force
 *	  +16 set 0 { base, offset, drift }
 *	  +40 set 1
 *	code    brine_original (32 bytes, may be replaced),
 *	        brine_clock_gettime, brine_gettimeofday, brine_time
 *
 * The writer fills the set that is not in force, then writes the generation: a
 * store of one byte. A writer that dies in between leaves readers as they were;
 * with the usual odd "being written" count they would spin for ever.
 *
 * The real time comes from the vDSO's own clock_gettime where its first
 * instructions can be moved: the writer puts them and a jump to the rest into
 * brine_original. As it stands here that makes the system call.
 *
 * On x86-64 each call of it wipes its return address off the stack. Later frames
 * may have a hole there, and who then looks whether a thread still has to
 * return here would find it in them.
 *
 * Position independent, no relocations: it is copied into the padding of the
 * vDSO.
 */
typedef long long s64;
typedef unsigned char u8;

struct set {
	s64 base;   /* wall clock, ns, that drift is counted from */
	s64 offset; /* ns */
	s64 drift;  /* ns gained per ns, 2^-32 */
};

struct data {
	u8 magic[8];
	volatile u8 generation;
	u8 pad[7];
	volatile struct set set[2];
};

struct timespec64 {
	s64 sec, nsec;
};

struct timeval64 {
	s64 sec, usec;
};

#define NSEC 1000000000LL

enum {
	REALTIME = 0,
	REALTIME_COARSE = 5,
	REALTIME_ALARM = 8,
	TAI = 11,
};

/* The data stands at the very beginning of the section, before all code. */
__asm__(".text\n"
	".p2align 4\n"
	"brine_data:\n"
	".ascii \"brineclk\"\n"
	".zero 56\n"
	"brine_original:\n"
#if defined(__x86_64__)
	"movl $228, %eax\n"
	"syscall\n"
	"ret\n"
#elif defined(__aarch64__)
	"mov x8, #113\n"
	"svc #0\n"
	"ret\n"
#endif
	".org brine_original + 32\n");

#if defined(__x86_64__)
#define SYS_gettimeofday 96

/* original is a clock_gettime that tells the truth. No red zone: see gen.go. */
static inline __attribute__((always_inline)) long original(long clock, void *ts)
{
	long r;

	__asm__ volatile("call brine_original\n\t"
			 "movq $0, -8(%%rsp)"
			 : "=a"(r), "+D"(clock), "+S"(ts)
			 :
			 : "rcx", "rdx", "r8", "r9", "r10", "r11", "cc", "memory");
	return r;
}

static inline __attribute__((always_inline)) struct data *data(void)
{
	struct data *d;

	__asm__("leaq brine_data(%%rip), %0" : "=r"(d));
	return d;
}

static inline __attribute__((always_inline)) long call(long nr, long a, void *b)
{
	long r;

	__asm__ volatile("syscall" : "=a"(r) : "a"(nr), "D"(a), "S"(b) : "rcx", "r11", "memory");
	return r;
}
#elif defined(__aarch64__)
#define SYS_gettimeofday 169

/* original is a clock_gettime that tells the truth. */
__attribute__((visibility("hidden"))) extern long brine_original(long clock, void *ts);
#define original brine_original

static inline __attribute__((always_inline)) struct data *data(void)
{
	struct data *d;

	__asm__("adr %0, brine_data" : "=r"(d));
	return d;
}

static inline __attribute__((always_inline)) long call(long nr, long a, void *b)
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register void *x1 __asm__("x1") = b;

	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1) : "memory");
	return x0;
}
#else
#error "no blob for this machine"
#endif

/* now is the corrected wall clock of a timespec, in ns. */
static inline __attribute__((always_inline)) s64 now(const struct timespec64 *ts)
{
	struct data *d = data();
	s64 t = ts->sec * NSEC + ts->nsec;
	s64 base, offset, drift;
	u8 g;

	do {
		g = __atomic_load_n(&d->generation, __ATOMIC_ACQUIRE);
		base = d->set[g & 1].base;
		offset = d->set[g & 1].offset;
		drift = d->set[g & 1].drift;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	} while (__atomic_load_n(&d->generation, __ATOMIC_RELAXED) != g);
	return t + offset + (s64)(((__int128)(t - base) * drift) >> 32);
}

int brine_clock_gettime(int clock, struct timespec64 *ts)
{
	struct timespec64 real;
	long r;
	s64 t;

	if (clock != REALTIME && clock != REALTIME_COARSE && clock != REALTIME_ALARM && clock != TAI)
		return original(clock, ts);
	r = original(clock, &real);
	if (r)
		return r;
	t = now(&real);
	ts->sec = t / NSEC;
	ts->nsec = t % NSEC;
	return 0;
}

int brine_gettimeofday(struct timeval64 *tv, void *tz)
{
	struct timespec64 real;
	long r;
	s64 t;

	if (tz) {
		r = call(SYS_gettimeofday, 0, tz);
		if (r)
			return r;
	}
	if (!tv)
		return 0;
	r = original(REALTIME, &real);
	if (r)
		return r;
	t = now(&real);
	tv->sec = t / NSEC;
	tv->usec = t % NSEC / 1000;
	return 0;
}

s64 brine_time(s64 *out)
{
	struct timespec64 real;
	s64 t;

	original(REALTIME_COARSE, &real);
	t = now(&real) / NSEC;
	if (out)
		*out = t;
	return t;
}
