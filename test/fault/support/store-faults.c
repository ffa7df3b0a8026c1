/*
 * Preloaded into the server under test: counts the calls that it makes on its store, in one order over all threads,
 * and strikes one of them. strace counts for each thread alone, and the syncs run on whichever thread of libuv's pool
 * is free; here the Nth call is the Nth call. Node calls libc for all file work, which a test compares with strace.
 *
 * STORE_FAULTS_ROOT   the store; calls on anything else are passed on untouched
 * STORE_FAULTS_PLAN   a file with one `struct plan`, which store-faults.ts writes while the server runs
 * STORE_FAULTS_TRACE  gets one line for each call that is told of: its kind (c, or b beside a sync; s, r, l) with a `!` when
 *                     it is struck, how many sectors of the disk had been written when it came (0 unless the power is to be
 *                     cut), its name and its path below the store
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
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

/* FS_IOC_SHUTDOWN and its "do not write the log": what was not synced is gone, and all that follows is EIO. */
#define SHUTDOWN 0x8004587dUL
#define WITHOUT_LOG 2U

/* BESIDE comes with CHANGES: while a sync runs on another thread. */
enum kind { CHANGES = 1, READS = 2, CLOSES = 4, SYNCS = 8, BESIDE = 16 };
enum action { PASS = 0, KILL = 1, CUT = 2, FAIL = 3, SHORTEN = 4, DELAY = 5 };

/* Laid out as store-faults.ts writes it. */
struct plan {
  uint32_t told;    /* kinds that the trace gets; 0: none, the plan is not armed */
  uint32_t counted; /* those among them that are counted */
  uint32_t struck;  /* those among them that may be struck */
  uint32_t action;  /* what happens to a struck call */
  uint32_t value;   /* error number of FAIL, milliseconds of DELAY */
  uint32_t first;   /* number of the first call that may be struck, from 1; 0: none */
  uint32_t last;    /* number of the last one */
  uint32_t calls;   /* counted so far */
  char only[32];    /* name of the only call that is told of; empty: all */
};

static struct plan *plan;
static char root[PATH_MAX];
static size_t root_length;
static int trace = -1;
static int running_syncs = 0; /* guarded by the lock */
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

/* Sectors of the disk below the store that have been written since it is there. */
static unsigned long long written_sectors(void) {
  int (*open_next)(const char *, int, ...) = next("open64");
  ssize_t (*read_next)(int, void *, size_t) = next("read");
  int (*close_next)(int) = next("close");
  struct stat store;
  char path[64], text[256];
  if (stat(root, &store) != 0) return 0;
  snprintf(path, sizeof path, "/sys/dev/block/%u:%u/stat", major(store.st_dev), minor(store.st_dev));
  int fd = open_next(path, O_RDONLY | O_CLOEXEC);
  ssize_t length = fd < 0 ? -1 : read_next(fd, text, sizeof text - 1);
  unsigned long long sectors;
  text[length < 0 ? 0 : length] = 0;
  if (sscanf(text, "%*u %*u %*u %*u %*u %*u %llu", &sectors) != 1) {
    perror("store-faults: the disk's statistics");
    _exit(70);
  }
  close_next(fd);
  return sectors;
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

static char letter_of(unsigned kind) {
  if (kind & SYNCS) return 's';
  if (kind & READS) return 'r';
  if (kind & CLOSES) return 'l';
  return kind & BESIDE ? 'b' : 'c';
}

static void tell(unsigned kind, int isStruck, const char *call, const char *relative) {
  char line[PATH_MAX + 96];
  unsigned long long sectors = plan->action == CUT ? written_sectors() : 0;
  const char *mark = isStruck ? "!" : "";
  int length = snprintf(line, sizeof line, "%c%s %llu %s %s\n", letter_of(kind), mark, sectors, call, relative);
  ssize_t (*write_next)(int, const void *, size_t) = next("write");
  if (write_next(trace, line, (size_t)length) != length) _exit(70);
}

/* With the lock held: counts one call, tells of it, and says what is to become of it. */
static enum action take(unsigned kind, const char *call, const char *relative) {
  if ((kind & CHANGES) != 0 && running_syncs > 0) kind |= BESIDE;
  int isCounted = (plan->counted & kind) != 0;
  if (isCounted) plan->calls += 1;
  int isStruck = isCounted && (plan->struck & kind) != 0 && plan->calls >= plan->first && plan->calls <= plan->last;
  tell(kind, isStruck, call, relative);
  return isStruck ? strike() : PASS;
}

/* Meets one call on `path`. */
static enum action meet(enum kind kind, const char *call, const char *path) {
  if (plan == NULL || (plan->told & kind) == 0 || path == NULL) return PASS;
  int saved = errno;
  char target[PATH_MAX];
  const char *relative = resolve(path, target) ? below_root(target) : NULL;
  enum action action = PASS;
  if (relative != NULL && (plan->only[0] == 0 || strcmp(plan->only, call) == 0)) {
    pthread_mutex_lock(&lock);
    action = take(kind, call, relative);
    pthread_mutex_unlock(&lock);
  }
  errno = action == FAIL ? (int)plan->value : saved;
  return action;
}

static enum action meet_fd(enum kind kind, const char *call, int fd) {
  if (plan == NULL || (plan->told & kind) == 0) return PASS;
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

/* Changes. */
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

static void count_sync(int change) {
  pthread_mutex_lock(&lock);
  running_syncs += change;
  pthread_mutex_unlock(&lock);
}

/* What makes changes durable. It is known to run from before it is met: a call beside it is never taken for one without. */
static int sync_with(const char *call, int fd) {
  int (*sync_next)(int) = next(call);
  count_sync(1);
  int result = meet_fd(SYNCS, call, fd) == FAIL ? -1 : sync_next(fd);
  int error = errno;
  count_sync(-1);
  errno = error;
  return result;
}

int fdatasync(int fd) { return sync_with("fdatasync", fd); }

int fsync(int fd) { return sync_with("fsync", fd); }

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
