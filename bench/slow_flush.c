/* Preloaded into a database server: every flush takes a millisecond longer, as on a disk that
   keeps its promises. Milliseconds come from SLOW_FLUSH_US, in microseconds. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static void wait_a_little(void) {
    const char *value = getenv("SLOW_FLUSH_US");
    usleep(value ? (useconds_t)atoi(value) : 1000);
}

int fsync(int fd) {
    static int (*real)(int);
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    wait_a_little();
    return real(fd);
}

int fdatasync(int fd) {
    static int (*real)(int);
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    wait_a_little();
    return real(fd);
}
