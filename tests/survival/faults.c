/* A layer between a program and its disk and clock, for LD_PRELOAD: it makes files below FAULT_ROOT fail as disks do.

   FAULT_KIND  full    from the FAULT_AFTER-th change on, nothing grows: ENOSPC
               eio     the FAULT_AFTER-th change, and every hundredth behind it, fails: EIO
               short   writes write a part only, which is allowed
               sync    the FAULT_AFTER-th fsync, fdatasync or msync, and every tenth behind it, fails: EIO
               power   what was brought to the disk is kept below FAULT_SHADOW; the rest is lost when the power goes
   FAULT_CLOCK seconds that the wall clock is set on, such as -86400 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static char root[PATH_MAX], shadow[PATH_MAX], kind[16];
static long after, shift;
static size_t root_length;
static atomic_long changes, syncs;
static pthread_mutex_t keeping = PTHREAD_MUTEX_INITIALIZER;

/* Reads the environment: at the start, and again in a child that suffers something else. */
__attribute__((constructor)) void faults_begin(void) {
    const char *value = getenv("FAULT_ROOT");
    if (value) snprintf(root, sizeof root, "%s", value);
    root_length = strlen(root);
    if ((value = getenv("FAULT_SHADOW"))) snprintf(shadow, sizeof shadow, "%s", value);
    if ((value = getenv("FAULT_KIND"))) snprintf(kind, sizeof kind, "%s", value);
    if ((value = getenv("FAULT_AFTER"))) after = atol(value);
    if ((value = getenv("FAULT_CLOCK"))) shift = atol(value);
}

static int is(const char *name) { return strcmp(kind, name) == 0; }

static int below(const char *path) { return root_length && strncmp(path, root, root_length) == 0 && path[root_length] == '/'; }

static int path_of(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return below(path) && strstr(path, " (deleted)") == NULL;
}

/* ---- what the power leaves ---- */

static void shadow_of(const char *path, char *kept) { snprintf(kept, 2 * PATH_MAX, "%s%s", shadow, path + root_length); }

static void make_parents(char *path) {
    for (char *at = path + strlen(shadow) + 1; (at = strchr(at, '/')); at++) {
        *at = 0;
        mkdir(path, 0777);
        *at = '/';
    }
}

static void keep(const char *path) {
    char kept[2 * PATH_MAX], draft[2 * PATH_MAX + 8];
    static const char zeros[65536];
    static char block[65536];
    struct stat facts;
    shadow_of(path, kept);
    snprintf(draft, sizeof draft, "%s.draft", kept);
    int in = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    if (in < 0) return;  /* removed, and with it its folders perhaps: they must not come back */
    make_parents(kept);
    if (fstat(in, &facts) == 0 && S_ISREG(facts.st_mode)) {
        int out = syscall(SYS_openat, AT_FDCWD, draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        ssize_t got;
        off_t at = 0;
        while (out >= 0 && (at = lseek(in, at, SEEK_DATA)) >= 0 && (got = syscall(SYS_pread64, in, block, sizeof block, at)) > 0) {
            if (memcmp(block, zeros, got)) syscall(SYS_pwrite64, out, block, got, at);
            at += got;
        }
        if (out >= 0) {
            syscall(SYS_ftruncate, out, facts.st_size);
            syscall(SYS_close, out);
            syscall(SYS_rename, draft, kept);
        }
    }
    syscall(SYS_close, in);
}

static void keep_safely(const char *path) {
    int error = errno;
    pthread_mutex_lock(&keeping);
    keep(path);
    pthread_mutex_unlock(&keeping);
    errno = error;
}

/* ---- faults ---- */

static int refuse_change(int fd) {
    char path[PATH_MAX];
    if (!is("full") && !is("eio")) return 0;
    if (!path_of(fd, path)) return 0;
    long number = atomic_fetch_add(&changes, 1);
    if (number < after) return 0;
    if (is("full")) return errno = ENOSPC;
    return (number - after) % 100 ? 0 : (errno = EIO);
}

static size_t shortened(int fd, size_t size) {
    char path[PATH_MAX];
    if (!is("short") || size < 2 || !path_of(fd, path)) return size;
    long number = atomic_fetch_add(&changes, 1);
    return number % 3 ? size : size / 2;
}

static int refuse_sync(void) {
    if (!is("sync")) return 0;
    long number = atomic_fetch_add(&syncs, 1);
    return number < after || (number - after) % 10 ? 0 : (errno = EIO);
}

#define REAL(type, name, ...) \
    static type (*real)(__VA_ARGS__); \
    if (!real) real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

ssize_t write(int fd, const void *data, size_t size) {
    REAL(ssize_t, "write", int, const void *, size_t);
    return refuse_change(fd) ? -1 : real(fd, data, shortened(fd, size));
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
    REAL(ssize_t, "pwrite", int, const void *, size_t, off_t);
    return refuse_change(fd) ? -1 : real(fd, data, shortened(fd, size), at);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
    REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
    return refuse_change(fd) ? -1 : real(fd, data, shortened(fd, size), at);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    REAL(ssize_t, "writev", int, const struct iovec *, int);
    return refuse_change(fd) ? -1 : real(fd, parts, count);
}

int fallocate(int fd, int mode, off_t at, off_t size) {
    REAL(int, "fallocate", int, int, off_t, off_t);
    return refuse_change(fd) ? -1 : real(fd, mode, at, size);
}

int ftruncate(int fd, off_t size) {
    REAL(int, "ftruncate", int, off_t);
    return refuse_change(fd) ? -1 : real(fd, size);
}

int ftruncate64(int fd, off64_t size) {
    REAL(int, "ftruncate64", int, off64_t);
    return refuse_change(fd) ? -1 : real(fd, size);
}

static void kept_by(int fd) {
    char path[PATH_MAX];
    if (is("power") && path_of(fd, path)) keep_safely(path);
}

int fsync(int fd) {
    REAL(int, "fsync", int);
    if (refuse_sync()) return -1;
    kept_by(fd);
    return is("power") ? 0 : real(fd);
}

int fdatasync(int fd) {
    REAL(int, "fdatasync", int);
    if (refuse_sync()) return -1;
    kept_by(fd);
    return is("power") ? 0 : real(fd);
}

int msync(void *address, size_t length, int flags) {
    REAL(int, "msync", void *, size_t, int);
    if (refuse_sync()) return -1;
    if (is("power")) {
        FILE *maps = fopen("/proc/self/maps", "re");
        char line[PATH_MAX + 128], path[PATH_MAX];
        uintptr_t from, to;
        while (maps && fgets(line, sizeof line, maps))
            if (sscanf(line, "%lx-%lx %*s %*s %*s %*s %4095[^\n]", &from, &to, path) == 3 && from <= (uintptr_t)address &&
                (uintptr_t)address < to && below(path))
                keep_safely(path);
        if (maps) fclose(maps);
    }
    return real(address, length, flags);
}

/* A name's change counts at once: journals of file systems keep them in order. What was never brought to the disk is
   empty under its new name. */
static void renamed(const char *from, const char *to) {
    char whole[2][PATH_MAX], kept[2][2 * PATH_MAX];
    if (!is("power")) return;
    if (from[0] != '/' || to[0] != '/') return;
    snprintf(whole[0], PATH_MAX, "%s", from);
    snprintf(whole[1], PATH_MAX, "%s", to);
    if (!below(whole[0]) || !below(whole[1])) return;
    int error = errno;
    shadow_of(whole[0], kept[0]);
    shadow_of(whole[1], kept[1]);
    make_parents(kept[1]);
    if (syscall(SYS_rename, kept[0], kept[1]) && errno == ENOENT) {
        struct stat facts;
        if (stat(to, &facts) == 0 && S_ISREG(facts.st_mode)) {
            int out = syscall(SYS_openat, AT_FDCWD, kept[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
            if (out >= 0) syscall(SYS_close, out);
        }
    }
    errno = error;
}

int rename(const char *from, const char *to) {
    REAL(int, "rename", const char *, const char *);
    int done = real(from, to);
    if (!done) renamed(from, to);
    return done;
}

static void removed(const char *path, int flags) {
    char kept[2 * PATH_MAX];
    if (!is("power") || path[0] != '/' || !below(path)) return;
    int error = errno;
    shadow_of(path, kept);
    syscall(SYS_unlinkat, AT_FDCWD, kept, flags);
    errno = error;
}

int unlink(const char *path) {
    REAL(int, "unlink", const char *);
    int done = real(path);
    if (!done) removed(path, 0);
    return done;
}

int rmdir(const char *path) {
    REAL(int, "rmdir", const char *);
    int done = real(path);
    if (!done) removed(path, AT_REMOVEDIR);
    return done;
}

int unlinkat(int folder, const char *path, int flags) {
    REAL(int, "unlinkat", int, const char *, int);
    char parent[PATH_MAX], whole[2 * PATH_MAX];
    int known = folder != AT_FDCWD && path_of(folder, parent);
    int done = real(folder, path, flags);
    if (!done && known) {
        snprintf(whole, sizeof whole, "%s/%s", parent, path);
        removed(whole, flags);
    } else if (!done)
        removed(path, flags);
    return done;
}

/* ---- the clock ---- */

int clock_gettime(clockid_t clock, struct timespec *now) {
    REAL(int, "clock_gettime", clockid_t, struct timespec *);
    int done = real(clock, now);
    if (!done && clock == CLOCK_REALTIME) now->tv_sec += shift;
    return done;
}

int gettimeofday(struct timeval *now, void *zone) {
    REAL(int, "gettimeofday", struct timeval *, void *);
    int done = real(now, zone);
    if (!done) now->tv_sec += shift;
    return done;
}

time_t time(time_t *out) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out) *out = now.tv_sec;
    return now.tv_sec;
}
