/* Makes chosen operations on the files below one folder fail, or stops the process there.

   Loaded with LD_PRELOAD, so that it stands between every library of a process and the C library.
   Each operation below the folder is counted and written into a log, one line per operation: a
   letter for its kind, and the path. The line of an operation that was made to fail, or at which
   the signal was sent, begins with "!".

   The kinds: c create a file, w write, t change the length, s sync, r rename or link, u unlink,
   d make a folder, m change the rights, l lock. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <unistd.h>

#define ROOM 4200
#define SHORT (-1000)

static char root[ROOM], counted[16], failing[16];
static int log_fd = -1, action, onwards;
static long nth, count;

/* action: an errno; or minus the number of a signal; or SHORT, by which a write takes only a part
   of its bytes; or 0 to count only. It happens at the nth operation (from 1) among the kinds in
   `kinds_counted`, and with `from_there_on` at each later one, but only to the kinds in
   `kinds_failing`. */
void faults_arm(const char *folder, const char *log, const char *kinds_counted,
                const char *kinds_failing, long which, int what, int from_there_on) {
    snprintf(root, sizeof root, "%s/", folder);
    snprintf(counted, sizeof counted, "%s", kinds_counted);
    snprintf(failing, sizeof failing, "%s", kinds_failing);
    nth = which;
    action = what;
    onwards = from_there_on;
    count = 0;
    int fd = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    log_fd = fcntl(fd, F_DUPFD_CLOEXEC, 800);
    syscall(SYS_close, fd);
}

static void by_descriptor(int fd, char *path) {
    char link[40];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = syscall(SYS_readlinkat, AT_FDCWD, link, path, ROOM - 1);
    path[n < 0 ? 0 : n] = 0;
}

static void by_name(int folder, const char *name, char *path) {
    char base[ROOM] = "";
    if (name && name[0] != '/') {
        if (folder != AT_FDCWD)
            by_descriptor(folder, base);
        else if (!getcwd(base, sizeof base))
            base[0] = 0;
    }
    int n = snprintf(path, ROOM, "%s%s%s", base, base[0] ? "/" : "", name ? name : "");
    if (n >= ROOM) path[0] = 0;
}

/* Returns 0 if the operation may go on, an errno if it must fail, SHORT for a part of it. */
static int checked(char kind, const char *path) {
    if (log_fd < 0 || strncmp(path, root, strlen(root)) != 0) return 0;
    int here = 0;
    if (strchr(counted, kind)) {
        long mine = __atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST);
        here = action && strchr(failing, kind) && (onwards ? mine >= nth : mine == nth);
        if (here && action == SHORT && kind != 'w') here = 0;
    }
    char line[ROOM + 8];
    int n = snprintf(line, sizeof line, "%s%c %s\n", here ? "!" : "", kind, path + strlen(root));
    syscall(SYS_write, log_fd, line, n);
    if (!here) return 0;
    if (action > 0 || action == SHORT) return action;
    syscall(SYS_kill, getpid(), -action);
    return 0;
}

static int checked_fd(char kind, int fd) {
    char path[ROOM];
    if (log_fd < 0) return 0;
    int kept = errno;
    by_descriptor(fd, path);
    int answer = checked(kind, path);
    errno = kept;
    return answer;
}

static int checked_name(char kind, int folder, const char *name) {
    char path[ROOM];
    if (log_fd < 0) return 0;
    int kept = errno;
    by_name(folder, name, path);
    /* To make a folder that is there already changes nothing. */
    int nothing = kind == 'd' && syscall(SYS_faccessat, AT_FDCWD, path, F_OK) == 0;
    int answer = nothing ? 0 : checked(kind, path);
    errno = kept;
    return answer;
}

#define REAL(type, name, ...) \
    static type (*real)(__VA_ARGS__); \
    if (!real) real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

#define STOP_IF(check, failed) \
    do { \
        int wrong = (check); \
        if (wrong > 0) { errno = wrong; return (failed); } \
    } while (0)

#define OF_BYTES(function, lead, call, ...) \
    ssize_t function lead { \
        int wrong = checked_fd('w', fd); \
        if (wrong == SHORT && n > 1) n /= 2; \
        STOP_IF(wrong, -1); \
        REAL(ssize_t, #function, __VA_ARGS__); \
        return real call; \
    }

OF_BYTES(write, (int fd, const void *from, size_t n), (fd, from, n), int, const void *, size_t)
OF_BYTES(pwrite, (int fd, const void *from, size_t n, off_t at), (fd, from, n, at),
         int, const void *, size_t, off_t)
OF_BYTES(pwrite64, (int fd, const void *from, size_t n, off64_t at), (fd, from, n, at),
         int, const void *, size_t, off64_t)
OF_BYTES(writev, (int fd, const struct iovec *from, int n), (fd, from, n),
         int, const struct iovec *, int)
OF_BYTES(sendfile, (int fd, int from, off_t *at, size_t n), (fd, from, at, n),
         int, int, off_t *, size_t)
OF_BYTES(sendfile64, (int fd, int from, off64_t *at, size_t n), (fd, from, at, n),
         int, int, off64_t *, size_t)
OF_BYTES(copy_file_range,
         (int from, off64_t *start, int fd, off64_t *at, size_t n, unsigned flags),
         (from, start, fd, at, n, flags), int, off64_t *, int, off64_t *, size_t, unsigned)

#define OF_FD(kind, function, lead, call, ...) \
    int function lead { \
        STOP_IF(checked_fd(kind, fd), -1); \
        REAL(int, #function, __VA_ARGS__); \
        return real call; \
    }

OF_FD('s', fsync, (int fd), (fd), int)
OF_FD('s', fdatasync, (int fd), (fd), int)
OF_FD('t', ftruncate, (int fd, off_t n), (fd, n), int, off_t)
OF_FD('t', ftruncate64, (int fd, off64_t n), (fd, n), int, off64_t)
OF_FD('m', fchmod, (int fd, mode_t mode), (fd, mode), int, mode_t)

int flock(int fd, int how) {
    if (!(how & LOCK_UN)) STOP_IF(checked_fd('l', fd), -1);
    REAL(int, "flock", int, int);
    return real(fd, how);
}

#define OF_NAME(kind, function, folder, name, lead, call, ...) \
    int function lead { \
        STOP_IF(checked_name(kind, folder, name), -1); \
        REAL(int, #function, __VA_ARGS__); \
        return real call; \
    }

/* Of a rename the new name counts: it is the one that others see. */
OF_NAME('r', rename, AT_FDCWD, to, (const char *from, const char *to),
        (from, to), const char *, const char *)
OF_NAME('r', link, AT_FDCWD, to, (const char *from, const char *to),
        (from, to), const char *, const char *)
OF_NAME('r', renameat, b, to, (int a, const char *from, int b, const char *to),
        (a, from, b, to), int, const char *, int, const char *)
OF_NAME('r', renameat2, b, to, (int a, const char *from, int b, const char *to, unsigned flags),
        (a, from, b, to, flags), int, const char *, int, const char *, unsigned)
OF_NAME('r', linkat, b, to, (int a, const char *from, int b, const char *to, int flags),
        (a, from, b, to, flags), int, const char *, int, const char *, int)
OF_NAME('u', unlink, AT_FDCWD, path, (const char *path), (path), const char *)
OF_NAME('u', rmdir, AT_FDCWD, path, (const char *path), (path), const char *)
OF_NAME('u', unlinkat, folder, path, (int folder, const char *path, int flags),
        (folder, path, flags), int, const char *, int)
OF_NAME('d', mkdir, AT_FDCWD, path, (const char *path, mode_t mode),
        (path, mode), const char *, mode_t)
OF_NAME('d', mkdirat, folder, path, (int folder, const char *path, mode_t mode),
        (folder, path, mode), int, const char *, mode_t)
OF_NAME('m', chmod, AT_FDCWD, path, (const char *path, mode_t mode),
        (path, mode), const char *, mode_t)
OF_NAME('m', fchmodat, folder, path, (int folder, const char *path, mode_t mode, int flags),
        (folder, path, mode, flags), int, const char *, mode_t, int)
OF_NAME('m', chown, AT_FDCWD, path, (const char *path, uid_t user, gid_t group),
        (path, user, group), const char *, uid_t, gid_t)
OF_NAME('m', setxattr, AT_FDCWD, path,
        (const char *path, const char *name, const void *from, size_t n, int flags),
        (path, name, from, n, flags), const char *, const char *, const void *, size_t, int)
OF_NAME('m', removexattr, AT_FDCWD, path, (const char *path, const char *name),
        (path, name), const char *, const char *)
OF_NAME('t', truncate, AT_FDCWD, path, (const char *path, off_t n), (path, n), const char *, off_t)

#define MODE_ARGUMENT \
    mode_t mode = 0; \
    if (flags & (O_CREAT | O_TMPFILE)) { \
        va_list more; \
        va_start(more, flags); \
        mode = va_arg(more, mode_t); \
        va_end(more); \
    }

#define OPENS(function) \
    int function(const char *path, int flags, ...) { \
        MODE_ARGUMENT \
        if (flags & (O_CREAT | O_TRUNC)) STOP_IF(checked_name('c', AT_FDCWD, path), -1); \
        REAL(int, #function, const char *, int, ...); \
        return real(path, flags, mode); \
    }
#define OPENS_AT(function) \
    int function(int folder, const char *path, int flags, ...) { \
        MODE_ARGUMENT \
        if (flags & (O_CREAT | O_TRUNC)) STOP_IF(checked_name('c', folder, path), -1); \
        REAL(int, #function, int, const char *, int, ...); \
        return real(folder, path, flags, mode); \
    }
#define FOPENS(function) \
    FILE *function(const char *path, const char *how) { \
        if (how[0] != 'r') STOP_IF(checked_name('c', AT_FDCWD, path), NULL); \
        REAL(FILE *, #function, const char *, const char *); \
        return real(path, how); \
    }

OPENS(open)
OPENS(open64)
OPENS_AT(openat)
OPENS_AT(openat64)
FOPENS(fopen)
FOPENS(fopen64)
