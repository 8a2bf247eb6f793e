/*
 * Preloaded by hide-cpu: a process asks its processor by the instruction cpuid, which Linux can make
 * fault (arch_prctl, ARCH_SET_CPUID). The handler here answers it with what the processor says, less
 * the instructions that IVIT_HIDE_CPU hides. The setting is a thread's own, new threads and processes
 * inherit it, and exec clears it, whereupon the preloaded library sets it again.
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <dlfcn.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define BIT(n) (1u << (n))

/* What is hidden in leaf 7, subleaves 0 and 1, in eax, ebx, ecx, edx. */
struct hidden {
  unsigned leaf7[4];
  unsigned leaf7_1[4];
};

/* AMX-BF16, AMX-TILE, AMX-INT8; AMX-FP16, AMX-COMPLEX */
static const struct hidden amx = {{0, 0, 0, BIT(22) | BIT(24) | BIT(25)}, {BIT(21), 0, 0, BIT(8)}};

static const struct hidden avx512 = {
    {
        0,
        /* F, DQ, IFMA, PF, ER, CD, BW, VL */
        BIT(16) | BIT(17) | BIT(21) | BIT(26) | BIT(27) | BIT(28) | BIT(30) | BIT(31),
        /* VBMI, VBMI2, VNNI, BITALG, VPOPCNTDQ */
        BIT(1) | BIT(6) | BIT(11) | BIT(12) | BIT(14),
        /* 4VNNIW, 4FMAPS, VP2INTERSECT, FP16 */
        BIT(2) | BIT(3) | BIT(8) | BIT(23),
    },
    /* BF16; AVX10 */
    {BIT(5), 0, 0, BIT(19)},
};

/* GFNI; AVX-VNNI, AVX-IFMA; AVX-VNNI-INT8, AVX-NE-CONVERT, AVX-VNNI-INT16, APX */
static const struct hidden beyond_avx2 = {
    {0, 0, BIT(8), 0}, {BIT(4) | BIT(23), 0, 0, BIT(4) | BIT(5) | BIT(10) | BIT(21)}};

static struct hidden hidden;
static int hides_avx512;

static int (*next_sigaction)(int, const struct sigaction *, struct sigaction *);

/* What the program itself wants done about SIGSEGV. */
static struct sigaction program;

static void hide(const struct hidden *more) {
  for (int i = 0; i < 4; i++) {
    hidden.leaf7[i] |= more->leaf7[i];
    hidden.leaf7_1[i] |= more->leaf7_1[i];
  }
}

static long let_cpuid(int run) {
  const long set_cpuid = 0x1012;
  return syscall(SYS_arch_prctl, set_cpuid, run);
}

static void answer(greg_t *registers) {
  const unsigned leaf = (unsigned)registers[REG_RAX], subleaf = (unsigned)registers[REG_RCX];
  unsigned r[4];
  let_cpuid(1);
  __cpuid_count(leaf, subleaf, r[0], r[1], r[2], r[3]);
  let_cpuid(0);
  const int tiles = leaf == 0x1d || leaf == 0x1e, avx10 = leaf == 0x24;
  for (int i = 0; i < 4; i++) {
    if (leaf == 7 && subleaf == 0) {
      r[i] &= ~hidden.leaf7[i];
    } else if (leaf == 7 && subleaf == 1) {
      r[i] &= ~hidden.leaf7_1[i];
    } else if (tiles || (avx10 && hides_avx512)) {
      r[i] = 0;
    }
  }
  registers[REG_RAX] = r[0];
  registers[REG_RBX] = r[1];
  registers[REG_RCX] = r[2];
  registers[REG_RDX] = r[3];
  registers[REG_RIP] += 2;
}

static void fault(int signal, siginfo_t *info, void *context) {
  greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
  /* A fault of a page has another code, so the bytes at rip can be read. */
  if (info->si_code == SI_KERNEL) {
    const unsigned char *instruction = (const unsigned char *)registers[REG_RIP];
    if (instruction[0] == 0x0f && instruction[1] == 0xa2) {
      answer(registers);
      return;
    }
  }
  if ((program.sa_flags & SA_SIGINFO) == 0 && program.sa_handler == SIG_DFL) {
    /* Back to the instruction, which now ends the process as it would have. */
    next_sigaction(SIGSEGV, &program, NULL);
    return;
  }
  if ((program.sa_flags & SA_SIGINFO) == 0 && program.sa_handler == SIG_IGN) {
    return;
  }
  /* The mask from before returns with the context. */
  pthread_sigmask(SIG_BLOCK, &program.sa_mask, NULL);
  if ((program.sa_flags & SA_SIGINFO) != 0) {
    program.sa_sigaction(signal, info, context);
  } else {
    program.sa_handler(signal);
  }
}

static void end(const char *message) {
  const char *parts[] = {"hide-cpu: ", message, "\n"};
  for (int i = 0; i < 3; i++) {
    if (write(STDERR_FILENO, parts[i], strlen(parts[i])) < 0) {
      break;
    }
  }
  _exit(2);
}

/* Runs before the C library's own constructors (-z initfirst), so neither getenv nor stdio is there. */
__attribute__((constructor)) static void start(int count, char **arguments, char **environment) {
  (void)count;
  (void)arguments;
  static const char name[] = "IVIT_HIDE_CPU=";
  const char *level = NULL;
  for (char **entry = environment; *entry != NULL; entry++) {
    if (strncmp(*entry, name, sizeof name - 1) == 0) {
      level = *entry + sizeof name - 1;
    }
  }
  if (level == NULL) {
    end("IVIT_HIDE_CPU is not set: start programs by scripts/hide-cpu");
  }
  hide(&amx);
  hides_avx512 = strcmp(level, "vnni") != 0;
  if (hides_avx512) {
    hide(&avx512);
  }
  if (strcmp(level, "avx2") == 0) {
    hide(&beyond_avx2);
  }
  *(void **)&next_sigaction = dlsym(RTLD_NEXT, "sigaction");
  struct sigaction own;
  memset(&own, 0, sizeof own);
  own.sa_sigaction = fault;
  own.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART | SA_NODEFER;
  if (next_sigaction(SIGSEGV, &own, &program) != 0) {
    end("the handler of SIGSEGV cannot be set");
  }
  if (let_cpuid(0) != 0) {
    end("this processor or kernel cannot make cpuid fault (no cpuid_fault in /proc/cpuinfo)");
  }
}

/* The program's handler goes behind the one above; it is told only of its own. */
int sigaction(int number, const struct sigaction *action, struct sigaction *old) {
  if (number != SIGSEGV) {
    if (next_sigaction == NULL) {
      *(void **)&next_sigaction = dlsym(RTLD_NEXT, "sigaction");
    }
    return next_sigaction(number, action, old);
  }
  const struct sigaction before = program;
  if (action != NULL) {
    program = *action;
  }
  if (old != NULL) {
    *old = before;
  }
  return 0;
}

sighandler_t signal(int number, sighandler_t handler) {
  struct sigaction action, old;
  memset(&action, 0, sizeof action);
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  return sigaction(number, &action, &old) == 0 ? old.sa_handler : SIG_ERR;
}
