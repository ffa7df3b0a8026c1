/*
 * Preloaded into the server under test: counts the calls that it makes on its store, in one order over all threads,
 * and strikes one of them. strace counts for each thread alone, and the syncs run on whichever thread of libuv's pool
 * is free; here the Nth call is the Nth call. Node calls libc for all file work, which a test compares with strace.
 *
 * STORE_FAULTS_ROOT   the store; calls on anything else are passed on untouched
 * STORE_FAULTS_PLAN   a file with one `struct plan`, which store-faults.ts writes while the server runs
 * STORE_FAULTS_TRACE  gets one line for each counted call: its kind (c, r, l), its name and its path below the store
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

/* FS_IOC_SHUTDOWN and its "do not write the log": what was not synced is gone, and all that follows is EIO. */
#define SHUTDOWN 0x8004587dUL
#define WITHOUT_LOG 2U

enum kind { CHANGES = 1, READS = 2, CLOSES = 4 };
enum action { PASS = 0, KILL = 1, CUT = 2, FAIL = 3, SHORTEN = 4, DELAY = 5 };

/* Laid out as store-faults.ts writes it. */
struct plan {
  uint32_t kinds;  /* what is counted; 0: nothing, the plan is not armed */
  uint32_t action; /* what happens to a struck call */
  uint32_t value;  /* error number of FAIL, milliseconds of DELAY */
  uint32_t first;  /* number of the first call that is struck, from 1; 0: none */
  uint32_t last;   /* number of the last one */
  uint32_t calls;  /* counted so far */
  char only[40];   /* name of the only call that is counted; empty: all */
};

static struct plan *plan;
static char root[PATH_MAX];
static size_t root_length;
static int trace = -1;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *next(const char *name) { return dlsym(RTLD_NEXT, name); }

__attribute__((constructor)) static void begin(void) {
  const char *store = getenv("STORE_FAULTS_ROOT"), *file = getenv("STORE_FAULTS_PLAN"), *lines = getenv("STORE_FAULTS_TRACE");
  if (store == NULL || file == NULL || lines == NULL) return;
  int (*open_next)(const char *, int, ...) = next("open64");
  int fd = open_next(file, O_RDWR | O_CLOEXEC);
  void *mapped = mmap(NULL, sizeof(struct plan), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  trace = open_next(lines, O_WRONLY | O_APPEND | O_CLOEXEC);
  if (mapped == MAP_FAILED || trace < 0 || strlen(store) >= sizeof root) {
    fprintf(stderr, "store-faults: no plan or no trace\n");
    _exit(70);
  }
  strcpy(root, store);
  root_length = strlen(root);
  plan = mapped;
}

/* `/proc/self/fd/N/name` is how the store names things inside open folders: says what lies there. */
static int resolve(const char *path, char *target) {
  int fd = 0, used = 0;
  if (sscanf(path, "/proc/self/fd/%d%n", &fd, &used) != 1) return snprintf(target, PATH_MAX, "%s", path) < PATH_MAX;
  char folder[PATH_MAX], link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, folder, sizeof folder - 1);
  if (length < 0) return 0;
  folder[length] = 0;
  return snprintf(target, PATH_MAX, "%s%s", folder, path + used) < PATH_MAX;
}

/* The part of the path below the store; NULL for a path outside. */
static const char *below_root(const char *target) {
  if (strncmp(target, root, root_length) != 0) return NULL;
  const char *rest = target + root_length;
  return *rest == 0 ? "/" : *rest == '/' ? rest : NULL;
}

static void cut_power(void) {
  int (*open_next)(const char *, int, ...) = next("open64");
  uint32_t flag = WITHOUT_LOG;
  int fd = open_next(root, O_RDONLY | O_DIRECTORY);
  if (fd >= 0 && ioctl(fd, SHUTDOWN, &flag) == 0) return;
  perror("store-faults: FS_IOC_SHUTDOWN");
  _exit(70);
}

/* Called with the lock held, and never gives it back: no other thread gets past its next call on the store. */
static void end_process(int isPowerCut) {
  if (isPowerCut) cut_power();
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

static enum action strike(void) {
  struct timespec time = {plan->value / 1000, (long)(plan->value % 1000) * 1000000};
  enum action action = plan->action;
  if (action == KILL || action == CUT) end_process(action == CUT);
  if (action == DELAY) {
    pthread_mutex_unlock(&lock);
    nanosleep(&time, NULL);
    pthread_mutex_lock(&lock);
  }
  return action;
}

/* Counts one call on `path`, and says what is to become of it. */
static enum action meet(enum kind kind, const char *call, const char *path) {
  if (plan == NULL || (plan->kinds & kind) == 0 || path == NULL) return PASS;
  int saved = errno;
  char target[PATH_MAX], line[PATH_MAX + 64];
  const char *relative = resolve(path, target) ? below_root(target) : NULL;
  enum action action = PASS;
  if (relative != NULL && (plan->only[0] == 0 || strcmp(plan->only, call) == 0)) {
    pthread_mutex_lock(&lock);
    int length = snprintf(line, sizeof line, "%c %s %s\n", "-cr-l"[kind], call, relative);
    ssize_t (*write_next)(int, const void *, size_t) = next("write");
    if (write_next(trace, line, (size_t)length) != length) _exit(70);
    plan->calls += 1;
    if (plan->calls >= plan->first && plan->calls <= plan->last) action = strike();
    pthread_mutex_unlock(&lock);
  }
  errno = action == FAIL ? (int)plan->value : saved;
  return action;
}

static enum action meet_fd(enum kind kind, const char *call, int fd) {
  if (plan == NULL || (plan->kinds & kind) == 0) return PASS;
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  return meet(kind, call, path);
}

static enum kind kind_of(int flags) { return (flags & (O_CREAT | O_TRUNC)) != 0 ? CHANGES : READS; }

#define INTERPOSED(result, name, parameters, arguments, meeting, failed) \
  result name parameters {                                             \
    result(*name##_next) parameters = next(#name);                     \
    if ((meeting) == FAIL) return failed;                              \
    return name##_next arguments;                                      \
  }

/* Changes of the store, and what makes them durable. */
INTERPOSED(int, fdatasync, (int fd), (fd), meet_fd(CHANGES, "fdatasync", fd), -1)
INTERPOSED(int, fsync, (int fd), (fd), meet_fd(CHANGES, "fsync", fd), -1)
INTERPOSED(int, ftruncate64, (int fd, off64_t length), (fd, length), meet_fd(CHANGES, "ftruncate", fd), -1)
INTERPOSED(int, fchmod, (int fd, mode_t mode), (fd, mode), meet_fd(CHANGES, "fchmod", fd), -1)
INTERPOSED(int, chmod, (const char *path, mode_t mode), (path, mode), meet(CHANGES, "chmod", path), -1)
INTERPOSED(int, futimens, (int fd, const struct timespec times[2]), (fd, times), meet_fd(CHANGES, "futimens", fd), -1)
INTERPOSED(int, utimensat, (int at, const char *path, const struct timespec times[2], int flags), (at, path, times, flags),
           meet(CHANGES, "utimensat", path), -1)
INTERPOSED(int, link, (const char *from, const char *to), (from, to), meet(CHANGES, "link", to), -1)
INTERPOSED(int, rename, (const char *from, const char *to), (from, to), meet(CHANGES, "rename", to), -1)
INTERPOSED(int, symlink, (const char *target, const char *path), (target, path), meet(CHANGES, "symlink", path), -1)
INTERPOSED(int, unlink, (const char *path), (path), meet(CHANGES, "unlink", path), -1)
INTERPOSED(int, rmdir, (const char *path), (path), meet(CHANGES, "rmdir", path), -1)
INTERPOSED(int, mkdir, (const char *path, mode_t mode), (path, mode), meet(CHANGES, "mkdir", path), -1)
INTERPOSED(ssize_t, writev, (int fd, const struct iovec *parts, int count), (fd, parts, count),
           meet_fd(CHANGES, "writev", fd), -1)
INTERPOSED(ssize_t, pwritev64, (int fd, const struct iovec *parts, int count, off64_t at), (fd, parts, count, at),
           meet_fd(CHANGES, "pwritev", fd), -1)

/* Looking. */
INTERPOSED(ssize_t, readv, (int fd, const struct iovec *parts, int count), (fd, parts, count), meet_fd(READS, "readv", fd), -1)
INTERPOSED(ssize_t, preadv64, (int fd, const struct iovec *parts, int count, off64_t at), (fd, parts, count, at),
           meet_fd(READS, "preadv", fd), -1)
INTERPOSED(DIR *, opendir, (const char *path), (path), meet(READS, "opendir", path), NULL)
INTERPOSED(int, scandir64,
           (const char *path, struct dirent64 ***names, int (*filter)(const struct dirent64 *),
            int (*compare)(const struct dirent64 **, const struct dirent64 **)),
           (path, names, filter, compare), meet(READS, "scandir", path), -1)
INTERPOSED(int, statfs64, (const char *path, struct statfs64 *buffer), (path, buffer), meet(READS, "statfs", path), -1)

int open64(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  mode_t mode = va_arg(rest, mode_t);
  va_end(rest);
  int (*open_next)(const char *, int, ...) = next("open64");
  return meet(kind_of(flags), "open", path) == FAIL ? -1 : open_next(path, flags, mode);
}

/* A call that may do less than it was asked for: half of it, when struck so. */
static size_t allowed(enum action action, size_t count) { return action == SHORTEN && count > 1 ? count / 2 : count; }

ssize_t write(int fd, const void *bytes, size_t count) {
  ssize_t (*write_next)(int, const void *, size_t) = next("write");
  enum action action = meet_fd(CHANGES, "write", fd);
  return action == FAIL ? -1 : write_next(fd, bytes, allowed(action, count));
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
  ssize_t (*pwrite_next)(int, const void *, size_t, off64_t) = next("pwrite64");
  enum action action = meet_fd(CHANGES, "pwrite", fd);
  return action == FAIL ? -1 : pwrite_next(fd, bytes, allowed(action, count), at);
}

ssize_t read(int fd, void *bytes, size_t count) {
  ssize_t (*read_next)(int, void *, size_t) = next("read");
  enum action action = meet_fd(READS, "read", fd);
  return action == FAIL ? -1 : read_next(fd, bytes, allowed(action, count));
}

ssize_t pread64(int fd, void *bytes, size_t count, off64_t at) {
  ssize_t (*pread_next)(int, void *, size_t, off64_t) = next("pread64");
  enum action action = meet_fd(READS, "pread", fd);
  return action == FAIL ? -1 : pread_next(fd, bytes, allowed(action, count), at);
}

/* Linux closes the descriptor also when close fails. */
int close(int fd) {
  int (*close_next)(int) = next("close");
  enum action action = meet_fd(CLOSES, "close", fd);
  int error = errno, result = close_next(fd);
  if (action != FAIL) return result;
  errno = error;
  return -1;
}
